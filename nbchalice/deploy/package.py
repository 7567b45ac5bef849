"""What is to be uploaded for a handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbchalice.packaging.archive import Archive
from nbchalice.packaging.sizes import SizeTable
from nbchalice.resources.layer import LayerPackage
from nbchalice.resources.stored_bundle import BundlePackage
from nbchalice.runtime.cells import Segment

if TYPE_CHECKING:
    from nbchalice.packaging.handler import HandlerPackage


@dataclass(frozen=True)
class Package:
    """A handler's code, ready for Lambda.

    Parameters
    ----------
    zip : bytes
        The deployment package.
    code_sha256 : str
        Lambda's hash of the package, base64.
    python : str
        Version on Lambda, for example ``3.13``.
    layer : LayerPackage or None
        Its dependencies, or None.
    bundles : tuple[BundlePackage, ...]
        Objects that it loads from S3.
    sizes : SizeTable or None
        How large both are, or None where nobody measured.
    archive : Archive or None
        Its dependencies, where they are too large for a layer.
    reports_failures : bool
        Whether its code may answer with the records of a batch that failed.
    does : str
        Hash of what the package does, whatever its cells are called; empty where nobody took it.
    proves : Callable[[str, list[Segment]], str or None] or None
        Runs its module with the statements in another order, given by text and segments. Where the values are those of
        the kernel then, too, it tells what could not be compared, in neither order; else None. None where nothing is
        run, or there is no kernel.
    """

    zip: bytes = field(repr=False)
    code_sha256: str
    python: str
    layer: LayerPackage | None = None
    bundles: tuple[BundlePackage, ...] = ()
    sizes: SizeTable | None = None
    archive: Archive | None = None
    reports_failures: bool = False
    does: str = ""
    proves: Callable[[str, list[Segment]], str | None] | None = field(default=None, repr=False, compare=False)

    @property
    def stored(self) -> tuple[BundlePackage, ...]:
        """What the function reads from S3."""
        return (*self.bundles, *((self.archive,) if self.archive else ()))

    @classmethod
    def of(cls, package: HandlerPackage) -> Package:
        """Return what is uploaded of a package that was built."""
        artifact = package.artifact
        python = artifact.manifest["python"]
        return cls(
            artifact.zip,
            artifact.code_sha256,
            python,
            package.layer,
            package.stored,
            package.sizes,
            package.archive,
            package.reports_failures,
            artifact.fingerprint,
        )
