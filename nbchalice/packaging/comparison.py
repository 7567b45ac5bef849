"""A handler's module, run in the clean process with all that its package holds, and compared with the kernel."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nbchalice.errors import CaptureError, PackagingError
from nbchalice.handlers import Handler
from nbchalice.notebook.capture.slice import Slice
from nbchalice.notebook.capture.verify import Verified, verify
from nbchalice.notebook.errors import StatementFailedError
from nbchalice.packaging.handler import Ingredients, needs_of
from nbchalice.runtime.cells import Segment
from nbchalice.typed import Values


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
            return verify(
                piece,
                handler=self.handler.name,
                python=self.ingredients.python,
                namespace=self.kernel,
                env=self.env,
                here=os.environ,
                folder=self.ingredients.folder,
                vendored=vendored,
                bundles={name: bundle.details for name, bundle in bundles.items()},
            )
        except StatementFailedError:
            for bundle in bundles.values():
                bundle.open().close()  # Where its file was changed, that is the cause.
            raise

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
