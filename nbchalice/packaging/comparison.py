"""A handler's module, run in the clean process with all that its package holds, and compared with the kernel."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from nbchalice.errors import CaptureError, PackagingError
from nbchalice.handlers import Handler
from nbchalice.notebook.analysis.search_path import added_folders
from nbchalice.notebook.capture.on_lambda import OnLambda
from nbchalice.notebook.capture.slice import Slice
from nbchalice.notebook.capture.verify import Verified, verify
from nbchalice.notebook.errors import StatementFailedError
from nbchalice.notebook.sandbox.loads import METADATA, PROVIDED
from nbchalice.packaging.handler import Ingredients, needs_of
from nbchalice.packaging.imports import Import
from nbchalice.packaging.installed import find_owner, with_required
from nbchalice.packaging.lock import requirement_name
from nbchalice.runtime.cells import Segment
from nbchalice.runtime.entry_points import path_state
from nbchalice.text import joined
from nbchalice.typed import Values

_LOADS: dict[tuple[object, ...], tuple[str, ...]] = {}
"""What modules do not do without, by all that it depends on: no kernel's values are among it."""
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
        on_lambda = self._on_lambda(piece)
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
                on_lambda=on_lambda,
            )
        except StatementFailedError:
            for bundle in bundles.values():
                bundle.open().close()  # Where its file was changed, that is the cause.
            raise
        _LOADS[self._key(piece, on_lambda)] = verified.loads
        if len(_LOADS) > _REMEMBERED:
            del _LOADS[next(iter(_LOADS))]
        return verified

    def _key(self, piece: Slice, on_lambda: OnLambda) -> tuple[object, ...]:
        return piece.module, tuple(sorted(self.env.items())), on_lambda.packages, repr(on_lambda.state)

    def _on_lambda(self, piece: Slice) -> OnLambda:
        """Return which packages a slice has on Lambda; of local code there is none."""
        try:
            needed = needs_of(piece, self.ingredients).requirements
        except PackagingError:
            return OnLambda()  # Packaging says what is wrong.
        packages = frozenset(with_required([*needed, *PROVIDED]))
        folder = self.ingredients.folder
        added = added_folders(self.ingredients.cells, folder)

        def lacking(loaded: Sequence[str]) -> dict[str, list[str]]:
            owners = {one: find_owner(Import(one), folder, added) for one in loaded}
            names = {one: set(map(requirement_name, owner.requirements)) for one, owner in owners.items()}
            lacks = [one for one in loaded if (names[one] and not names[one] & packages) or owners[one].described]
            groups: dict[str, list[str]] = {}
            for one in lacks:
                if all(one not in group for group in groups.values()):
                    along = with_required(owners[one].requirements)
                    groups[one] = [one, *(other for other in lacks if names[other] and names[other] <= along)]
            return groups

        # A folder of libraries changes when something is installed, the notebook's own whenever it is saved.
        return OnLambda(packages, lacking, [one for one in path_state() if "-packages" in one[0]])

    def complete(self, piece: Slice, *, runs: bool) -> Ingredients:
        """Return what the handler's package is made of, with what its code does not do without.

        Parameters
        ----------
        piece : Slice
            The slice.
        runs : bool
            Whether it may be run where that is not known yet.
        """
        key = self._key(piece, self._on_lambda(piece))
        if runs and key not in _LOADS:
            with suppress(CaptureError):  # It is told when it is verified.
                self.of_candidate(piece)
        return replace(self.ingredients, loads=_LOADS.get(key, ()))

    def notes_of(self, verified: Verified) -> Iterator[str]:
        """Yield what there is to say of modules that were loaded here, and of which no import of the code is.

        Parameters
        ----------
        verified : Verified
            What a run gave.
        """
        needed = [one.removesuffix(METADATA) for one in verified.loads if not find_owner(Import(one)).described]
        shown, file = joined(dict.fromkeys(needed or [""])), self.ingredients.requirements_file
        if needed and file:
            yield f"the code does not do the same without {shown}, which {file.name} does not list: it is not on Lambda"
        elif needed:
            yield f"comes along, too, as the code does not do the same without it: {shown}"
        if verified.stays:
            stays = joined(verified.stays)
            without = f"not on Lambda, as it loads with the same values without: {stays}"
            yield f"{without}; {f'list it in {file.name}' if file else 'import it within the handler'} to ship it"

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
