"""How large a function is, against what Lambda allows (AWS Lambda Developer Guide, "Lambda quotas")."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from nbchalice.errors import PackagingError
from nbchalice.packaging.archive import Archive
from nbchalice.packaging.artifact import Artifact
from nbchalice.packaging.bundles import Bundle
from nbchalice.packaging.layer import Layer
from nbchalice.text import MB, readable
from nbchalice.typed import JSON

DIRECT_LIMIT = 50 * MB
UNZIPPED_LIMIT = 250 * MB
_BIGGEST = 5
_SHOWN = 3


@dataclass(frozen=True)
class SizeRow:
    """One line of the table.

    Parameters
    ----------
    name : str
        What is measured.
    size : int
        Its bytes.
    limit : int or None
        Bytes that Lambda allows, or None for what the function gets from S3 when it runs.
    s3 : bool
        Whether it is uploaded to S3, because it is over the limit of a direct upload.
    """

    name: str
    size: int
    limit: int | None
    s3: bool = False


@dataclass(frozen=True)
class SizeTable:
    """Sizes of a function and its layers.

    Parameters
    ----------
    rows : tuple[SizeRow, ...]
        Zip, layers, and all of it unzipped.
    biggest : tuple[tuple[str, int], ...]
        Pairs of distribution (or `your code`) and its unzipped bytes, largest first.
    """

    rows: tuple[SizeRow, ...]
    biggest: tuple[tuple[str, int], ...]

    @property
    def needs_s3(self) -> bool:
        """Whether something goes to Lambda by way of S3."""
        return any(row.s3 for row in self.rows)

    @property
    def zipped(self) -> int:
        """Bytes of the function's zip."""
        return self.rows[0].size

    @property
    def unzipped(self) -> int:
        """Bytes of function and layers unzipped."""
        return self.rows[-1].size

    @property
    def fit(self) -> bool:
        """Whether Lambda takes the sum of function and layers."""
        return self.unzipped <= UNZIPPED_LIMIT

    def cells(self) -> tuple[str, ...]:
        """Return what a person reads under `HEADINGS`."""
        sizes = {}
        for row in self.rows:
            way = ", through S3" if row.s3 else ""
            sizes[row.name] = readable(row.size) + way
        stored = [f"{row.name} {readable(row.size)}" for row in self.rows if row.limit is None]
        largest = _listing(self.biggest[:_SHOWN]) + (f"; in S3: {', '.join(stored)}" if stored else "")
        return sizes["zip"], sizes.get("layer", ""), sizes["unzipped"], largest

    def to_dict(self) -> JSON:
        """Return the sizes as JSON, in bytes."""
        return {
            **{row.name: row.size for row in self.rows},
            "limits": {row.name: row.limit for row in self.rows},
            "s3": self.needs_s3,
            "largest": [list(part) for part in self.biggest[:_BIGGEST]],
        }

    def check(self, handler: str, *, no_big: bool = False) -> None:
        """Raise `PackagingError` if Lambda would refuse the sum; it names what is largest.

        Parameters
        ----------
        handler : str
            Its name.
        no_big : bool
            Whether large dependencies were not allowed to be an archive. Default: no.
        """
        if not self.fit:
            hint = "import less, use a smaller package, or split the handlers over two notebooks"
            if self.biggest[0][0].startswith("bundle "):
                hint = "deploy it with nbchalice, which puts a bundle of this size in S3"
            elif no_big:
                hint = f"leave out --no-big, so that they are unpacked to /tmp, or {hint}"
            raise PackagingError(
                f"handler {handler}: unzipped, function and layers are {readable(self.unzipped)}, "
                f"{readable(self.unzipped - UNZIPPED_LIMIT)} more than the {readable(UNZIPPED_LIMIT)} "
                f"that Lambda allows; largest: {_listing(self.biggest)}",
                hint,
                code="too-large",
            )


HEADINGS = (
    f"zip (of {readable(DIRECT_LIMIT)})",
    f"layer (of {readable(DIRECT_LIMIT)})",
    f"unzipped (of {readable(UNZIPPED_LIMIT)})",
    "largest",
)


def measure(
    artifact: Artifact,
    layer: Layer | None = None,
    further: Iterable[tuple[str, int]] = (),
    *,
    bundles: Iterable[Bundle] = (),
    stored: Iterable[Bundle] = (),
    archive: Archive | None = None,
) -> SizeTable:
    """Return the sizes of a function and its layers.

    Parameters
    ----------
    artifact : Artifact
        The function's zip.
    layer : Layer or None
        Its dependency layer. Default: none.
    further : Iterable[tuple[str, int]]
        Pairs of name and unzipped bytes of other layers, for example by `--layer`. Default: none.
    bundles : Iterable[Bundle]
        Those that are in the zip. Default: none.
    stored : Iterable[Bundle]
        Those that are in S3. Default: none.
    archive : Archive or None
        What the layer has become, where it is over the limit. Default: none.
    """
    inside = [(f"bundle {bundle.name}", bundle.size) for bundle in bundles]
    own = unzipped_size(artifact.zip) - sum(size for _, size in inside)
    counted = [("your code", own), *inside, *further]
    parts = [*counted, *(layer.distributions if layer else ())]
    rows = [SizeRow("zip", len(artifact.zip), DIRECT_LIMIT, len(artifact.zip) > DIRECT_LIMIT)]
    if archive:
        rows.append(SizeRow(archive.name, archive.size, None, True))
    elif layer:
        counted = parts
        rows.append(SizeRow("layer", layer.zip_size, DIRECT_LIMIT, layer.zip_size > DIRECT_LIMIT))
    rows += [SizeRow(f"bundle {bundle.name}", bundle.size, None, True) for bundle in stored]
    rows.append(SizeRow("unzipped", sum(size for _, size in counted), UNZIPPED_LIMIT))
    return SizeTable(tuple(rows), tuple(sorted(parts, key=lambda part: (-part[1], part[0]))))


def unzipped_size(content: bytes) -> int:
    """Return how many bytes the files of a zip have.

    Parameters
    ----------
    content : bytes
        The zip.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return sum(info.file_size for info in archive.infolist())


def _listing(parts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {readable(size)}" for name, size in list(parts)[:_BIGGEST])
