"""What is to be uploaded for a handler."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol

from nbchalice.packaging.sizes import SizeTable

if TYPE_CHECKING:
    from nbchalice.packaging.handler import HandlerPackage


class LayerPackage(Protocol):
    """The dependencies of a handler, zipped; `nbchalice.packaging.layer.Layer` is one."""

    @property
    def key(self) -> str:
        """Hash of what is in it; handlers with equal needs share one layer."""

    @property
    def zip_size(self) -> int:
        """Bytes of the zip."""

    def read(self) -> bytes:
        """Return the zip."""


class BundlePackage(Protocol):
    """A bundled object that is too big for the zip; `nbchalice.packaging.bundles.Bundle` is one."""

    @property
    def name(self) -> str:
        """The variable's name."""

    @property
    def sha256(self) -> str:
        """Hash of the content."""

    @property
    def size(self) -> int:
        """Bytes of the content."""

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Return the content as an open file."""


@dataclass(frozen=True)
class Package:
    """A handler's code, ready for Lambda.

    Parameters
    ----------
    zip: the deployment package.
    code_sha256: Lambda's hash of the package, base64.
    python: version on Lambda, for example ``3.13``.
    layer: its dependencies, or None.
    bundles: objects that it loads from S3.
    sizes: how large both are, or None where nobody measured.
    """

    zip: bytes = field(repr=False)
    code_sha256: str
    python: str
    layer: LayerPackage | None = None
    bundles: tuple[BundlePackage, ...] = ()
    sizes: SizeTable | None = None

    @classmethod
    def of(cls, made: HandlerPackage) -> Package:
        """Return what is uploaded of a package that was built."""
        artifact = made.artifact
        python = artifact.manifest["python"]
        return cls(artifact.zip, artifact.code_sha256, python, made.layer, made.stored, made.sizes)
