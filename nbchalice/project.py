"""A notebook's handlers, cut out, proven and packaged one by one: what magics, command line and Python share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbchalice.config import read_config, settings_for, variables_for, with_config
from nbchalice.errors import CaptureError, InvalidInputError, NbChaliceError
from nbchalice.handlers import Handler, Standing, Unread
from nbchalice.handlers.memory import memory_note
from nbchalice.handlers.variables import REGION, Variables
from nbchalice.packaging.shippable import named, require_no_secrets
from nbchalice.text import listing
from nbchalice.typed import Values

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbchalice.deploy.desired import App
    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.capture.proven import Proven
    from nbchalice.notebook.capture.saved_file import SavedFile
    from nbchalice.notebook.capture.search import Compared
    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.notebook.cells import Cell
    from nbchalice.packaging.bundles import Bundle
    from nbchalice.packaging.comparison import Comparison
    from nbchalice.packaging.handler import HandlerPackage, Ingredients
    from nbchalice.packaging.requirements import Dependencies


@dataclass
class Project:
    """The handlers of one notebook at one stage, with the cells they are made of.

    Parameters
    ----------
    name : str
        The app's name.
    stage : str
        For example ``dev``.
    notebook : Path
        The notebook's path or file name.
    cells : Sequence[Cell]
        In execution order.
    handlers : tuple[Handler, ...]
        As registered, without what the configuration file adds.
    namespace : Values or None
        The kernel's variables, or None for a notebook that was only read.
    saved : object
        The state of the notebook's file now; a cell that ran at the same state was not saved since.
    region : str
        Where the functions are to run.
    problems : tuple[NbChaliceError, ...]
        What is wrong with the handlers beside each other: nothing is deployed before it is mended.
    unread : tuple[Unread, ...]
        What may be a handler and could not be read: nor then.
    notes : tuple[str, ...]
        What is not deployed, and is not a problem.
    computed : tuple[str, ...]
        What has a name that the text of the file does not say, where only the text was read.
    executed : Mapping[str, Compared or CaptureError]
        For each handler that another process compared with a kernel that executed the file, what that gave.
    against : Values or None
        The variables of a kernel that executed the file, in that very kernel.
    proves : bool
        Whether the handlers are proven, by running them in the clean process. Default: yes.
    runs : bool
        Whether they may be run there for what they load, too. Default: yes.
    tell : Callable[[str], None]
        Takes a line of progress each second that a proof takes, and an empty text at its end. Default: nothing is told.
    is_named : bool
        Whether the app's name was given, and is not only that of the file. Default: yes.
    takes_over : bool
        Whether what others deployed is replaced. Default: no.
    before_proof : Callable[[], None]
        Called before the first handler is proven. Default: nothing is done.
    """

    name: str
    stage: str
    notebook: Path
    cells: Sequence[Cell]
    handlers: tuple[Handler, ...]
    namespace: Values | None = None
    saved: object = None
    region: str = REGION
    problems: tuple[NbChaliceError, ...] = ()
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    executed: Mapping[str, Compared | CaptureError] = field(default_factory=dict)
    against: Values | None = None
    proves: bool = True
    runs: bool = True
    tell: Callable[[str], None] = lambda text: None
    is_named: bool = True
    takes_over: bool = False
    before_proof: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        config = read_config(self.notebook.parent)
        self.handlers = tuple(
            replace(h, settings=with_config(config, self.stage, h.name, h.settings)) for h in self.handlers
        )

    @property
    def variables(self) -> Variables:
        """What the functions will have in their environment, and what this process has."""
        config = read_config(self.notebook.parent)
        return variables_for(config, self.name, self.stage, region=self.region, here=os.environ)

    @cached_property
    def written(self) -> SavedFile:
        """The notebook's file as it was saved last."""
        from nbchalice.notebook.capture.saved_file import SavedFile

        return SavedFile.read(self.notebook)

    @cached_property
    def standing(self) -> tuple[Standing, ...]:
        """What stands in the notebook's file and this kernel has not run; nothing where the file was read."""
        if self.namespace is None:
            return ()
        return self.written.not_run({handler.name for handler in self.handlers}, self.cells)

    @cached_property
    def effects(self) -> Effects:
        """The executed statements and what they change, followed once for all handlers."""
        from nbchalice.notebook.analysis.effects import Effects
        from nbchalice.notebook.analysis.history import Timeline

        bundles = {name: bundle.notebook_names for name, bundle in self.bundles.items()}
        unrun = self.written.unrun(self.cells) if self.namespace is not None else ()
        return Effects(Timeline(self.cells, self.notebook.name, bundles, self.notebook.parent, unrun=unrun))

    @cached_property
    def proven(self) -> Proven:
        """The slices of the handlers, each proven as far as it can be."""
        from nbchalice.notebook.capture.proven import Proven

        self.before_proof()
        bundles = {name: bundle.details for name, bundle in self.bundles.items()}
        return Proven(
            self.effects,
            self.notebook.parent,
            self.namespace,
            self._env,
            bundles,
            self._admit,
            lambda handler, piece: self.comparison(handler).of_candidate(piece),
            by_kernel=self.kernel is not None,
            executed=self.executed,
            proves=self.proves,
            by_run=self.runs,
            tell=lambda text: self.tell(text),  # noqa: PLW0108 - another one may be given later
            can_be_bundled=self._can_be_bundled,
        )

    def _can_be_bundled(self, name: str) -> bool:
        """Tell whether a variable can travel; without a kernel there is no value to try."""
        from nbchalice.packaging.bundles import can_be_bundled

        return self.namespace is None or (name in self.namespace and can_be_bundled(name, self.namespace[name]))

    @property
    def kernel(self) -> Values | None:
        """The variables to compare with, if there are any."""
        return self.namespace if self.namespace is not None else self.against

    def comparison(self, handler: Handler) -> Comparison:
        """Return what compares a handler's slices with the kernel."""
        from nbchalice.packaging.comparison import Comparison

        return Comparison(handler, self._ingredients(handler), self.kernel, self._env(handler))

    def _ingredients(self, handler: Handler) -> Ingredients:
        from nbchalice.packaging.handler import Ingredients
        from nbchalice.packaging.targets import kernel_python

        folder, requirements = self.notebook.parent, handler.setting("requirements")
        return Ingredients(
            handler.setting("python") or kernel_python(),
            handler.setting("arch"),
            folder,
            self.cells,
            folder / requirements if requirements else None,
            self.bundles,
            handler.setting("record") is not None,
            texts=tuple(self._env(handler).values()),
        )

    def _admit(self, bundle: str) -> None:
        self.bundles[bundle].require_own()

    def _env(self, handler: Handler) -> dict[str, str]:
        return dict(self.variables.of(handler.name, handler.settings))

    @property
    def _set_here(self) -> Mapping[str, str]:
        """The environment of this process, and what the notebook would set of a file where no kernel has run it."""
        from nbchalice.notebook.capture.environment import set_by_files

        if self.namespace is not None:
            return os.environ
        return {**set_by_files((cell.source for cell in self.cells), self.notebook.parent), **os.environ}

    @cached_property
    def bundles(self) -> dict[str, Bundle]:
        """The objects bundled by name, as they are kept beside the notebook."""
        from nbchalice.packaging.bundle_store import load_bundles

        return load_bundles(self.notebook)

    def bundle(self, name: str, format: str = "auto", *, allow_secret: bool = False) -> Bundle:
        """Bundle a variable of the kernel by name, and write it beside the notebook, as `bundle_variable` does."""
        from nbchalice.notebook.capture.bundle_order import makers_now
        from nbchalice.packaging.bundle_store import bundle_variable

        made_by = makers_now(self.effects, name) if self.namespace is not None else ()
        return bundle_variable(self.notebook, self.namespace, name, format, made_by, allow_secret=allow_secret)

    @property
    def wrong(self) -> list[NbChaliceError]:
        """Why nothing is deployed, whatever the single handlers are like."""
        return [*self.problems, *(one.error for one in self.unread if one.stops)]

    @property
    def app(self) -> App:
        """The app as the deploy engine takes it."""
        from nbchalice.deploy.desired import App

        known = self.notebook.name if self.notebook.is_file() else ""
        own = {cell.order: cell.id for cell in self.cells if cell.is_named}
        return App(
            self.name,
            self.stage,
            self.handlers,
            self.notebook.parent,
            known,
            self.problems,
            self.unread,
            self.standing,
            saved_at=self.notebook.stat().st_mtime if known and self.namespace is not None else None,
            is_named=self.is_named,
            takes_over=self.takes_over,
            cells=frozenset(own.values()),
            origins={h.name: own[h.order] for h in self.handlers if h.order in own},
        )

    def handler(self, name: str) -> Handler:
        """Return a handler by its name or its function's name.

        Raises
        ------
        InvalidInputError
            There is no such handler.
        """
        for handler in self.handlers:
            if name in {handler.name, handler.function}:
                return handler
        for unread in self.unread:
            if unread.names and name in unread.names:
                raise unread.error
        for one in self.standing:
            if one.names and name in {*one.names, one.function}:
                raise one.not_run(name)
        known = [handler.name for handler in self.handlers]
        raise InvalidInputError(
            f"there is no handler {name!r}",
            listing(known, "handler") if known else "run a cell that begins with %%schedule, %%on_s3_event, ...",
            code="no-such-handler",
        )

    def slice(self, handler: Handler) -> Slice:
        """Return the statements that a handler needs.

        Raises
        ------
        CaptureError
            The notebook's code cannot become a module.
        """
        return self.proven.proof(handler).piece

    def function(self, handler: Handler) -> Any:
        """Return the callable of a handler: the kernel's own, or the module's for a notebook that was read.

        Raises
        ------
        CaptureError
            The notebook's code cannot become a module, or that does not run here.
        """
        from nbchalice.events.loading import load_here
        from nbchalice.notebook.analysis.search_path import added_folders
        from nbchalice.runtime.app import handlers_in

        own = handlers_in(self.namespace or {}).get(handler.name)
        if own is not None:
            return own
        piece, bundles, folder = self.slice(handler), self.bundles, self.notebook.parent
        folders = [folder, *added_folders(self.cells, folder)]
        module = load_here(piece, handler, lambda name: bundles[name].load(), folders)
        return handlers_in(vars(module)).get(handler.name) or getattr(module, handler.function)

    def package(self, handler: Handler, *, whole: bool = False) -> HandlerPackage:
        """Return the deployment package of a handler: its zip, and the layer with what it imports.

        Parameters
        ----------
        handler : Handler
            The handler.
        whole : bool
            Whether the zip takes all bundles, however big. Default: no, the big ones go to S3.

        Raises
        ------
        CaptureError
            The notebook's code cannot become a module.
        PackagingError
            A module is missing, no wheel fits Lambda, or the package is too large.
        """
        from nbchalice.packaging.handler import package_handler

        piece = self._shipped(handler)
        with named(handler):
            ingredients = self.comparison(handler).complete(piece, runs=self.runs)
            return package_handler(piece, handler.name, ingredients, whole=whole, big=not handler.setting("no_big"))

    def needs(self, handler: Handler) -> Dependencies:
        """Return what a handler's code needs beside itself; nothing is packed. It raises what `package` does."""
        from nbchalice.packaging.handler import needs_of

        piece = self._shipped(handler)
        with named(handler):
            return needs_of(piece, self.comparison(handler).complete(piece, runs=self.runs))

    def _shipped(self, handler: Handler) -> Slice:
        """Return the slice of a handler that may leave this computer."""
        require_no_secrets(handler, settings_for(read_config(self.notebook.parent), self.stage, handler.name))
        proof = self.proven.proof(handler)
        if proof.error is not None and self.kernel is not None:
            proof.error.location = proof.error.location or handler.location
            raise proof.error
        with named(handler):
            for name in proof.piece.bundles:
                self._admit(name)
        return proof.piece

    def verify(self, handler: Handler, needs: Dependencies | None = None) -> None:
        """Prove that a handler's module works by itself and has the kernel's values.

        Parameters
        ----------
        handler, needs : Handler or Dependencies or None
            The handler, and what its code needs. Default: that of its package, which is made.

        It raises CaptureError where it does not import, a variable is not the kernel's, or a cell, a module or a
        record's type was edited since.
        """
        from nbchalice.notebook.capture.environment import set_here_only
        from nbchalice.notebook.capture.files_named import files_note
        from nbchalice.notebook.capture.imported import require_current
        from nbchalice.notebook.capture.stale import require_as_run
        from nbchalice.notebook.capture.time_zone import local_time_note

        proof = self.proven.proof(handler)
        if proof.error is not None:
            proof.error.location = proof.error.location or handler.location
            raise proof.error
        piece, vendored = proof.piece, (needs or self.package(handler).needs).vendored
        if self.namespace is not None:
            require_as_run(handler, piece, self.cells, self.written.cells, self.saved)
            require_current(piece.module, piece.segments, vendored, self.namespace)
        if not self.proves:
            self.proven.note_unproven(handler)
            return
        try:
            verified = self.comparison(handler).of(piece, vendored)
        except CaptureError as error:
            error.location = error.location or handler.location
            raise
        self.proven.note(handler, verified.note)
        for note in self.comparison(handler).notes_of(verified):
            self.proven.add_note(handler, note)
        self.proven.add_note(handler, verified.unheeded)
        self.proven.add_note(handler, memory_note(verified.memory_mb, handler.setting("memory")))
        self.proven.add_note(handler, set_here_only(piece.variables, self._env(handler), self._set_here))
        self.proven.add_note(handler, local_time_note(piece, self._env(handler)))
        self.proven.add_note(handler, files_note(piece, self.notebook.parent, [name for name, _ in vendored]))

    def telling_what_is_gone(self) -> AbstractContextManager[None]:
        """Name what the notebook's file has no more, should an error leave the block."""
        return self.written.telling_what_is_gone(self.handlers)
