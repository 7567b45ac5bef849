"""How large a function is, against what Lambda allows (AWS Lambda Developer Guide, "Lambda quotas")."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from nbchalice.packaging.artifact import Artifact
from nbchalice.packaging.errors import TooLargeError
from nbchalice.packaging.layer import Layer

MB = 1024 * 1024
DIRECT_LIMIT = 50 * MB
UNZIPPED_LIMIT = 250 * MB
_BIGGEST = 5


@dataclass(frozen=True)
class SizeRow:
    """One line of the table.

    Parameters
    ----------
    name: what is measured.
    size: its bytes.
    limit: bytes that Lambda allows.
    s3: whether it is uploaded by way of S3, because it is over the limit of a direct upload.
    """

    name: str
    size: int
    limit: int
    s3: bool = False


@dataclass(frozen=True)
class SizeTable:
    """Sizes of a function and its layers.

    Parameters
    ----------
    rows: zip, layers, and all of it unzipped.
    biggest: pairs of distribution (or `your code`) and its unzipped bytes, largest first.
    """

    rows: tuple[SizeRow, ...]
    biggest: tuple[tuple[str, int], ...]

    @property
    def needs_s3(self) -> bool:
        """Whether a zip is over 50 MB, so that it has to go through S3."""
        return any(row.s3 for row in self.rows)

    @property
    def unzipped(self) -> int:
        """Bytes of function and layers unzipped."""
        return self.rows[-1].size

    def text(self) -> str:
        """Return the table as lines of plain text."""
        width = max(len(row.name) for row in self.rows)
        lines = [
            f"{row.name:<{width}}  {readable(row.size):>9}  of {readable(row.limit)}"
            + (", goes through S3" if row.s3 else "")
            for row in self.rows
        ]
        return "\n".join([*lines, f"{'largest':<{width}}  {_listing(self.biggest)}"])

    def check(self) -> None:
        """Raise `TooLargeError` if Lambda would refuse the sum; it names what is largest."""
        if self.unzipped > UNZIPPED_LIMIT:
            raise TooLargeError(
                f"unzipped, function and layers are {readable(self.unzipped)}, "
                f"{readable(self.unzipped - UNZIPPED_LIMIT)} more than the {readable(UNZIPPED_LIMIT)} "
                f"that Lambda allows; largest: {_listing(self.biggest)}",
                "import less, use a smaller package, or split the handlers over two notebooks",
            )


def measure(artifact: Artifact, layer: Layer | None = None, further: Iterable[tuple[str, int]] = ()) -> SizeTable:
    """Return the sizes of a function and its layers.

    Parameters
    ----------
    artifact: the function's zip.
    layer: its dependency layer. Default: none.
    further: pairs of name and unzipped bytes of other layers, for example by `--layer`. Default: none.
    """
    own = unzipped_size(artifact.zip)
    parts = [("your code", own), *further, *(layer.distributions if layer else ())]
    rows = [SizeRow("zip", len(artifact.zip), DIRECT_LIMIT, len(artifact.zip) > DIRECT_LIMIT)]
    if layer:
        rows.append(SizeRow("layer", layer.zip_size, DIRECT_LIMIT, layer.zip_size > DIRECT_LIMIT))
    rows.append(SizeRow("unzipped", sum(size for _, size in parts), UNZIPPED_LIMIT))
    return SizeTable(tuple(rows), tuple(sorted(parts, key=lambda part: (-part[1], part[0]))))


def unzipped_size(content: bytes) -> int:
    """Return how many bytes the files of a zip have.

    Parameters
    ----------
    content: the zip.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return sum(info.file_size for info in archive.infolist())


def readable(size: int) -> str:
    """Return a number of bytes as a person reads it, for example `12.3 KB` or `50 MB`.

    Parameters
    ----------
    size: bytes; a KB is 1,024 of them, as in AWS's limits.
    """
    if size < 1024:
        return f"{size} bytes"
    value, unit = (size / MB, "MB") if size >= MB else (size / 1024, "KB")
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def _listing(parts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {readable(size)}" for name, size in list(parts)[:_BIGGEST])
