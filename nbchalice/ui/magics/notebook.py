"""The live notebook: its app, its stage, and the handlers that its cells registered."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbchalice.errors import InvalidInputError, Location, NbChaliceError
from nbchalice.events.listeners import LISTENERS, LIVE_LISTENERS
from nbchalice.logs.lacking import LACKING
from nbchalice.logs.places import CELLS
from nbchalice.names import DEFAULT_STAGE
from nbchalice.notebook.capture.imported import IMPORTED
from nbchalice.notebook.capture.places import Present
from nbchalice.notebook.cells import Cell
from nbchalice.notebook.session import MADE_UP, Session
from nbchalice.runtime.app import Chalice, LambdaFunction
from nbchalice.runtime.function import CHECKS
from nbchalice.runtime.shape_checks import SHOWN, AnnotationError
from nbchalice.typed import JSON
from nbchalice.ui.frontend import has_allowed, lacking_of
from nbchalice.ui.magics.blueprints import Blueprints
from nbchalice.ui.magics.following import Following
from nbchalice.ui.magics.notebook_path import NotebookPath
from nbchalice.ui.magics.registration import Registered, not_deployed, place_in, taken, text_of, twice

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from nbchalice.aws.target import Connection
    from nbchalice.project import Project
    from nbchalice.ui.render.progress import Watch


class Notebook:
    """What nbchalice knows of a live session.

    Parameters
    ----------
    shell : InteractiveShell
        The IPython shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.where = NotebookPath(shell)
        self.session = Session(shell, self.where.saved)
        self.registry: dict[str, Registered] = {}
        self.stage = DEFAULT_STAGE
        self.target = "local"
        self.named: Chalice | None = None
        self.unnamed: Chalice | None = None
        self.matcher: object = None
        self.cell_magics: frozenset[str] = frozenset()
        self._chosen: dict[str, str | None] = {}
        self._local: Connection | None = None
        self._running: Cell | None = None
        self._new: dict[str, LambdaFunction] = {}
        self.blueprints = Blueprints(shell.user_ns)
        self._known: dict[int, int] = {}
        self.on_decorated: Callable[[list[Registered]], object] = list  # shows what a cell's decorators registered
        self.following = Following(self.project)

    @property
    def interactive(self) -> bool:
        """Whether somebody sits at a front end that can show widgets; nobody does where nbclient runs the notebook."""
        request: JSON = getattr(self.shell, "get_parent", dict)() or {}
        return bool(request.get("content", {}).get("allow_stdin"))

    @property
    def patient(self) -> bool:
        """Whether a command may go on until it is interrupted: not where a notebook is run by a program."""
        return self.interactive or not hasattr(self.shell, "kernel")

    @property
    def has_notebook(self) -> bool:
        """Whether there is a notebook."""
        return True

    @property
    def chosen_target(self) -> str:
        """The target of this command."""
        return self._chosen.get("target") or self.target

    def pinned(self) -> Notebook:
        """Return it at the stage and target of this command, for a panel that outlives the command."""
        return copy.copy(self)

    def attach(self) -> None:
        """Listen to the session; take over what was registered before."""
        self.session.attach()
        self.shell.events.register("pre_run_cell", self._started)
        self.shell.events.register("post_run_cell", self._ended)
        self.shell.events.register("post_run_cell", IMPORTED.note)
        IMPORTED.note()
        CHECKS.append(self._check)
        SHOWN.append(self._refused)
        CELLS.are(self._present)
        LACKING.is_told_by(partial(lacking_of, self), partial(has_allowed, self))
        LISTENERS.append(self.following.saw_event)
        LIVE_LISTENERS.append(self.following.saw_live)
        self._collect(None)

    def detach(self) -> None:
        """Stop to listen."""
        self.session.detach()
        CHECKS.remove(self._check)
        SHOWN.remove(self._refused)
        LISTENERS.remove(self.following.saw_event)
        LIVE_LISTENERS.remove(self.following.saw_live)
        CELLS.are(None)
        LACKING.is_told_by(None)
        self.shell.events.unregister("pre_run_cell", self._started)
        self.shell.events.unregister("post_run_cell", self._ended)
        self.shell.events.unregister("post_run_cell", IMPORTED.note)

    def _started(self, info: ExecutionInfo) -> None:
        LACKING.forget()
        running = self.session.running()
        if self._running is None and running:
            self._running, self._new = running[0], {}
            self._known = {id(app): len(app.left_out) for app in self.apps()}

    def _ended(self, result: ExecutionResult) -> None:
        running = self._running
        if running is None or self.session.running():
            return
        seen = self._collect(running)
        self._running, self._new = None, {}
        if result.success:
            self._forget(running.id, running.order, keep=seen)
            self.blueprints.forget_earlier(running)
        self._drop_deleted()
        for app in self.apps():
            for what in app.left_out[self._known.get(id(app), 0) :]:
                print(f"note: {not_deployed(what)}", file=sys.stderr)
        if seen:
            self.on_decorated([one for name, one in self.registry.items() if name in seen])
        self.following.cell_ran()

    def _forget(self, cell: str, order: int | None, keep: Collection[str]) -> None:
        """Drop what an earlier execution of a cell registered."""
        old = [r for r in self.registry.values() if r.cell == cell and r.order != order]
        added = self.blueprints.added_by(cell)
        old += [r for name, r in self.registry.items() if name in added and r not in old]
        for registered in old:
            if registered.function.name not in keep:
                self._drop(registered, cell)

    def _drop_deleted(self) -> None:
        """Drop the handlers whose function was deleted by `del`."""
        for registered in list(self.registry.values()):
            if not registered.stands(self.shell.user_ns):
                self._drop(registered)

    def _drop(self, registered: Registered, cell: str = "") -> None:
        name = registered.function.name
        self.blueprints.dropped(registered.function, cell)
        del self.registry[name]
        self.following.took_back(name)
        for app in [registered.function.app, *self.apps()]:
            if app.handlers.get(name) is registered.function:
                del app.handlers[name]

    def _check(self, function: LambdaFunction) -> None:
        """Refuse a name that another cell has, or another function of the cell that runs.

        Raises
        ------
        InvalidInputError
            Names both places.
        """
        self.blueprints.note(function, self._running)
        if not any(app is function.app for app in self.apps()):
            return
        cell = self._running and self.blueprints.home(function, self._running)
        self.require_free(function.name, function)
        other = self._new.get(function.name, function)
        if cell is not None and other is not function and (other.name, other.app) == (function.name, function.app):
            raise twice(other, function, cell)
        self._new[function.name] = function

    def _refused(self, function: LambdaFunction, error: AnnotationError) -> InvalidInputError:
        """Return the error of an annotation with its place in the cell that runs."""
        cell = self._running and self.blueprints.home(function, self._running)
        return InvalidInputError(error.message, error.fix or None, place_in(cell, function) if cell else None)

    def require_free(self, name: str, function: LambdaFunction | None = None) -> None:
        """Refuse a name that a handler of another cell has.

        Raises
        ------
        InvalidInputError
            Names both places.
        """
        old, cell = self.registry.get(name), self._running and self.blueprints.home(function, self._running)
        if old is None or cell is None or old.function is function or not old.stands(self.shell.user_ns):
            return
        if old.excludes(cell.id) and old.source.strip() != cell.source.strip():  # A copy of the cell is that handler.
            raise taken(name, old, place_in(cell, function))

    def _collect(self, cell: Cell | None) -> set[str]:
        """Register what is new in the apps of the session; return the names."""
        known = {id(r.function): len(r.function.triggers) for r in self.registry.values()}
        seen = set()
        for app in self.apps():
            for name, function in app.handlers.items():
                if known.get(id(function)) != len(function.triggers):
                    home = cell and self.blueprints.home(function, cell)
                    self._put(function, home, place_in(home, function) if home else None)
                    seen.add(name)
        return seen

    def _put(self, function: LambdaFunction, cell: Cell | None, location: Location | None) -> Registered:
        bound = function.function.__name__ in self.shell.user_ns
        source = cell.source if cell else text_of(function)
        identity, order = (cell.id, cell.order) if cell else (MADE_UP, None)
        registered = Registered(function, identity, order, location, bound, source)
        old = self.registry.get(function.name)
        if old is not None and old.stands(self.shell.user_ns):
            registered = registered.in_place_of(old)
        self.registry[function.name] = registered
        return registered

    def apps(self) -> list[Chalice]:
        """Return the apps that the session's variables hold."""
        apps = {id(value): value for value in list(self.shell.user_ns.values()) if isinstance(value, Chalice)}
        return list(apps.values())

    def register(self, function: LambdaFunction, line: int) -> Registered:
        """Register what a cell magic made, in place of what the same cell registered before."""
        cell = self._running or Cell(MADE_UP, "this cell", "", 0)
        self._forget(cell.id, cell.order, {function.name})
        return self._put(function, cell, Location(cell.label, line))

    def raw_cell(self) -> str | None:
        """Return the text of the cell that runs."""
        running = self.session.running()
        return running[0].source if running else None

    def location(self, line: int | None = None) -> Location:
        """Return the place of a line of the cell that runs."""
        running = self.session.running()
        return running[0].location(line) if running else Location("this cell", line)

    @property
    def path(self) -> Path:
        """The notebook's file, as far as the front end tells it."""
        return self.where.path

    def chalice(self) -> Chalice:
        """Return the session's app; one named after the notebook is bound to ``app`` where there is none."""
        from nbchalice.config import named_by_config
        from nbchalice.names import app_name_of

        current = self.shell.user_ns.get("app")
        if isinstance(current, Chalice):
            return current
        if current is not None:
            raise InvalidInputError(
                f"the name app is taken by a {type(current).__name__}; nbchalice binds its app to it",
                "rename your variable, then run %chalice app NAME",
                self.location(),
            )
        self.unnamed = self.name_app(named_by_config(self.path.parent) or app_name_of(str(self.path)))
        return self.unnamed

    def name_app(self, name: str) -> Chalice:
        """Give the app in the variable ``app`` this name, and make one where there is none; its handlers stay."""
        current = self.shell.user_ns.get("app")
        if isinstance(current, Chalice):
            current.app_name = name
            return current
        app = self.shell.user_ns["app"] = Chalice(app_name=name)
        return app

    def moved_by(self, name: str) -> str:
        """Say which handlers get into another app when the app is named so."""
        moved, old = ", ".join(self.registry), self.app_name()
        if not moved or old == name:
            return ""
        verb = "belong" if len(self.registry) > 1 else "belongs"
        return (
            f"{moved} {verb} to app {name} now; anything deployed as {old} stays there "
            f"(%chalice app {old}, then %chalice delete, removes it)"
        )

    def app_name(self) -> str:
        """Return how the app is called: by ``%chalice app``, the configuration file, the code, or the notebook."""
        from nbchalice.config import named_by_config
        from nbchalice.names import app_name_of

        current = self.shell.user_ns.get("app")
        apps = [app.app_name for app in self.apps()]
        own = current.app_name if isinstance(current, Chalice) else next(iter(apps), app_name_of(str(self.path)))
        by_magic = current is not None and current is self.named
        return own if by_magic else named_by_config(self.path.parent) or own

    @property
    def is_named(self) -> bool:
        """Whether the app's name was given, and is not only that of the file."""
        from nbchalice.config import named_by_config

        by_code = any(app is not self.unnamed for app in self.apps())
        return self.named is not None or by_code or named_by_config(self.path.parent) is not None

    def choose(self, stage: str | None = None, target: str | None = None) -> Notebook:
        """Set stage and target for the next command only."""
        self._chosen = {"stage": stage, "target": target}
        return self

    def project(self) -> Project:
        """Return the project of the session as it stands."""
        from nbchalice.aws.target import region_of
        from nbchalice.project import Project
        from nbchalice.ui.magics.function_variables import follow_variables

        self._drop_deleted()
        handlers = tuple(registered.handler() for registered in self.registry.values())
        stage = self._chosen.get("stage") or self.stage
        left_out = chain.from_iterable(app.left_out for app in self.apps())
        notes = dict.fromkeys((*map(not_deployed, left_out), *self.blueprints.unregistered()))
        of_handlers = chain.from_iterable(registered.notes() for registered in self.registry.values())
        project = Project(
            self.app_name(),
            stage,
            self.path,
            self.session.cells(),
            handlers,
            self.shell.user_ns,
            problems=tuple(self._problems()),
            saved=self.where.saved(),
            region=region_of(self.chosen_target),
            notes=(*notes, *self.where.notes(), *of_handlers),
            is_named=self.is_named,
        )
        follow_variables(project)
        return project

    def _problems(self) -> list[NbChaliceError]:
        """Return which names are those of two handlers; what ran cannot tell that everywhere, the saved file can."""
        from nbchalice.notebook.cells import read_notebook

        doubtful = [one for one in self.registry.values() if one.replaced]
        written = read_notebook(self.path) if doubtful and self.path.is_file() else []
        texts = {cell.source.strip() for cell in written}
        return [problem for one in doubtful if (problem := one.problem(texts))]

    def connect(self) -> Connection:
        """Return a connection; real AWS anew for each command, so that a renewed login is taken up."""
        from nbchalice.aws.target import connect

        if self.chosen_target != "local":
            return connect(self.chosen_target)
        self._local = connect("local", reuse=self._local)
        return self._local

    @contextmanager
    def progress(self, title: str, *, lazy: bool = False) -> Iterator[Watch]:
        """Show the changes in one output that is updated."""
        from nbchalice.ui.render.progress import notebook_progress

        with notebook_progress(title, lazy=lazy, moves=hasattr(self.shell, "kernel")) as watch:
            yield watch

    def _present(self) -> Present:
        """Return the notebook's cells as they are now."""
        from nbchalice.notebook.capture.saved_file import SavedFile

        return Present(self.path.name, self.session.cells(), lambda: SavedFile.read(self.path).cells)

    def cell_of_file(self, file: str) -> str | None:
        """Return which cell has a file name that IPython made up for it, or None."""
        numbers: dict[str, int] = getattr(self.shell.compile, "_filename_map", {})
        return f"cell {numbers[file]}" if file in numbers else None

    def command(self, name: str) -> Callable[..., Any]:
        """Return what a command does; the cards of the handlers learn what its result tells."""
        from nbchalice.ui.commands import COMMANDS

        return self.following.told_of(COMMANDS[name].run)

    def confirm(self, question: str) -> None:
        """Ask before something is removed."""
        from nbchalice.ui.frontend import require_confirmed

        try:
            answer = input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
        except Exception:
            require_confirmed(question, None)
        else:
            require_confirmed(question, answer)
