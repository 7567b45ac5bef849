"""A handler's module, run in the clean process with all that its package holds, and compared with the kernel."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from nbchalice.errors import CaptureError, PackagingError
from nbchalice.handlers import Handler
from nbchalice.notebook.analysis.search_path import added_folders
from nbchalice.notebook.capture.slice import Slice
from nbchalice.notebook.capture.verify import Verified, verify
from nbchalice.notebook.errors import StatementFailedError
from nbchalice.packaging.handler import Ingredients, needs_of
from nbchalice.packaging.imports import Import
from nbchalice.packaging.installed import find_owner, with_required
from nbchalice.packaging.lock import PROVIDED, requirement_name
from nbchalice.runtime.cells import Segment
from nbchalice.text import joined
from nbchalice.typed import Values

_LOADS: dict[str, tuple[str, ...]] = {}
"""What modules load with no import that names it, by their text."""
_REMEMBERED = 256


@dataclass(frozen=True)
class Comparison:
    """Compares what the slices of one handler make with what a kernel has.

    Parameters
    ----------
    handler : Handler
        The handler.
    ingredients : Ingredients
        What its package is made of.
    kernel : Values or None
        The variables to compare with; None where there is no kernel, and the module is only run.
    env : Mapping[str, str]
        The environment variables of its function.
    """

    handler: Handler
    ingredients: Ingredients
    kernel: Values | None
    env: Mapping[str, str]

    def of(self, piece: Slice, vendored: Sequence[tuple[str, bytes]] | None) -> Verified:
        """Run a slice and compare it.

        Parameters
        ----------
        piece : Slice
            The slice.
        vendored : Sequence[tuple[str, bytes]] or None
            The local modules that come along; None: not known, all of the notebook's folder can be imported.

        Raises
        ------
        CaptureError
            It cannot be imported, or a variable differs from the kernel's.
        """
        bundles = {name: self.ingredients.bundles[name] for name in piece.bundles}
        try:
            verified = verify(
                piece,
                handler=self.handler.name,
                python=self.ingredients.python,
                namespace=self.kernel,
                env=self.env,
                here=os.environ,
                folder=self.ingredients.folder,
                vendored=vendored,
                bundles={name: bundle.details for name, bundle in bundles.items()},
                travels=partial(self._travels, piece),
            )
        except StatementFailedError:
            for bundle in bundles.values():
                bundle.open().close()  # Where its file was changed, that is the cause.
            raise
        _LOADS[piece.module] = verified.loads
        if len(_LOADS) > _REMEMBERED:
            del _LOADS[next(iter(_LOADS))]
        return verified

    def _travels(self, piece: Slice, module: str) -> bool:
        """Tell whether the package of a module goes to Lambda, or is there; nothing of local code is one."""
        folder = self.ingredients.folder
        owner = find_owner(Import(module), folder, added_folders(self.ingredients.cells, folder))
        try:
            needed = needs_of(piece, self.ingredients).requirements
        except PackagingError:
            return True  # Packaging says what is wrong.
        own = set(map(requirement_name, owner.requirements))
        return not own or bool(own & with_required([*needed, *PROVIDED]))

    def complete(self, piece: Slice, *, runs: bool) -> Ingredients:
        """Return what the handler's package is made of, with what its code loads and no import names.

        Parameters
        ----------
        piece : Slice
            The slice.
        runs : bool
            Whether it is run where that is not known yet.
        """
        if runs and piece.module not in _LOADS:
            with suppress(CaptureError):  # It is told when it is verified.
                self.of_candidate(piece)
        return replace(self.ingredients, loads=_LOADS.get(piece.module, ()))

    def note_of(self, loads: Sequence[str]) -> str:
        """Return what there is to say of modules that the code loads and no import names; empty if there are none."""
        if not loads:
            return ""
        if file := self.ingredients.requirements_file:
            return f"the code loads {joined(loads)} by a call, and {file.name} does not list it: it is not on Lambda"
        return f"comes along, too, for the code loads it by a call: {joined(loads)}"

    def of_candidate(self, piece: Slice) -> Verified:
        """Run a slice that may not be the last word, with the local modules that it imports, and compare it."""
        try:
            vendored = needs_of(piece, self.ingredients).vendored
        except PackagingError:
            return self.of(piece, None)  # Packaging says what is wrong.
        return self.of(piece, vendored)

    def of_order(
        self, piece: Slice, vendored: Sequence[tuple[str, bytes]], module: str, segments: list[Segment]
    ) -> str | None:
        """Return what cannot be compared if a slice's statements give the kernel's values in another order, too.

        Parameters
        ----------
        piece : Slice
            The slice, in the order in which its statements ran.
        vendored : Sequence[tuple[str, bytes]]
            The local modules that come along.
        module : str
            The text of the same statements in the other order.
        segments : list[Segment]
            Which of its lines came from which cell.

        Returns
        -------
        What could be compared in neither order, as a line; None if the other order gives other values.
        """
        try:
            as_ran = self.of(piece, vendored)
            other = self.of(replace(piece, module=module, segments=segments), vendored)
        except CaptureError:
            return None
        return other.note if set(other.not_compared) <= set(as_ran.not_compared) else None
