"""Dependencies over Lambda's limit of 250 MB: their zip goes to S3, and functions unpack it as they start."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import zipfile
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import BinaryIO

from packaging.utils import canonicalize_name

from nbchalice.packaging.cache import write_whole
from nbchalice.packaging.layer import PREFIX, Layer
from nbchalice.packaging.lock import requirement_name
from nbchalice.text import MB
from nbchalice.typed import JSON

_FORMAT = 2
_PART = 8 * MB
_BLOCK = 4096
_INFO = ".dist-info/"
# Measured by benchmarks/archive.py with a full processor; fetching is a guess at what S3 gives one function.
_UNPACKED_A_SECOND = 120 * MB
_FETCHED_A_SECOND = 75 * MB
# MB of memory with which a function has a processor of its own (AWS Lambda Developer Guide, "Configure memory").
FULL_PROCESSOR = 1769


@dataclass(frozen=True)
class Archive:
    """The zip of a layer, to be fetched in parts.

    Parameters
    ----------
    layer : Layer
        The layer.
    index : bytes
        What the function's zip says of the archive (see `nbchalice.runtime.archive.Index`), as JSON.
    on_disk : int
        Bytes that its files fill in /tmp.
    """

    layer: Layer
    index: bytes
    on_disk: int

    @property
    def name(self) -> str:
        """What it is called in lists."""
        return "dependencies"

    @property
    def sha256(self) -> str:
        """Hash of the zip, in hexadecimal."""
        return base64.b64decode(self.layer.code_sha256).hex()

    @property
    def size(self) -> int:
        """Bytes of the zip."""
        return self.layer.zip_size

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Return the zip as an open file."""
        return self.layer.path.open("rb")

    @property
    def megabytes(self) -> int:
        """What it fills in /tmp, in MB of 1024 * 1024 bytes, rounded up."""
        return -(-self.on_disk // MB)

    def seconds(self, memory: int) -> float:
        """Return about how long a function with so many MB of memory takes to fetch and unpack it."""
        processor = min(1.0, memory / FULL_PROCESSOR)
        return self.size / _FETCHED_A_SECOND + self.layer.unzipped_size / (_UNPACKED_A_SECOND * processor)


def archive_of(layer: Layer) -> Archive:
    """Return the archive of a layer; its index is kept beside the layer's zip."""
    path = layer.path.with_suffix(f".parts-{_FORMAT}.json")
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):
        kept = _describe(layer.path)
        write_whole(path, json.dumps(kept).encode())
    index = {"sha256": base64.b64decode(layer.code_sha256).hex(), **kept["index"]}
    return Archive(layer, json.dumps(index, separators=(",", ":")).encode() + b"\n", kept["on_disk"])


def _describe(path: Path) -> JSON:
    with zipfile.ZipFile(path) as archive:
        members, directory = archive.infolist(), archive.start_dir
        requires = _requires(archive)
        owners = _owners(archive)
    bounds = [member.header_offset for member in members] + [directory]
    parts: list[tuple[int, int, str]] = []
    with path.open("rb") as file:
        for start, end in _parts(bounds):
            file.seek(start)
            parts.append((start, end, hashlib.sha256(file.read(end - start)).hexdigest()))
    starts = [start for start, _, _ in parts]
    part_of = {member.filename: bisect_right(starts, member.header_offset) - 1 for member in members}
    index = {
        "parts": parts,
        "first": sorted({part_of[name] for name in part_of if _INFO in name}),
        "modules": _modules(part_of, owners, requires),
        "executable": [member.filename for member in members if member.external_attr >> 16 & 0o111],
    }
    on_disk = sum(-(-member.file_size // _BLOCK) * _BLOCK for member in members)
    return {"index": index, "on_disk": on_disk}


def _owners(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the distribution of each member, by its RECORD."""
    owners: dict[str, str] = {}
    for name in archive.namelist():
        if name.endswith(f"{_INFO}RECORD"):
            rows = csv.reader(io.StringIO(archive.read(name).decode()))
            owners.update(dict.fromkeys((PREFIX + row[0] for row in rows if row), _distribution(name)))
    return owners


def _requires(archive: zipfile.ZipFile) -> dict[str, set[str]]:
    """Return what each distribution requires, whatever the conditions."""
    requires: dict[str, set[str]] = {}
    for name in archive.namelist():
        if name.endswith(f"{_INFO}METADATA"):
            lines = message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []
            requires[_distribution(name)] = {requirement_name(line) for line in lines}
    return requires


def _distribution(name: str) -> str:
    return canonicalize_name(name.removeprefix(PREFIX).partition("-")[0])


def _modules(part_of: dict[str, int], owners: dict[str, str], requires: dict[str, set[str]]) -> dict[str, list[int]]:
    """Return the parts that the import of each top-level module needs: all of its distributions and what they require.

    A file that no RECORD names may be anybody's.
    """
    everybody = {part for name, part in part_of.items() if name not in owners}
    parts_of: dict[str, set[int]] = {}
    having: dict[str, set[str]] = {}
    for name, owner in owners.items():
        if name not in part_of:
            continue
        parts_of.setdefault(owner, set()).add(part_of[name])
        if _INFO not in name:
            having.setdefault(name.removeprefix(PREFIX).partition("/")[0].partition(".")[0], set()).add(owner)
    modules = {}
    for module, own in having.items():
        needed = _with_required(own, requires)
        modules[module] = sorted(everybody.union(*(parts_of.get(one, set()) for one in needed)))
    return modules


def _with_required(names: set[str], requires: dict[str, set[str]]) -> set[str]:
    needed: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            todo += requires.get(name, ())
    return needed


def _parts(bounds: list[int]) -> Iterator[tuple[int, int]]:
    """Yield beginning and end of runs of whole members, of some MB each."""
    start = bounds[0]
    for end in bounds[1:]:
        if end - start >= _PART or end == bounds[-1]:
            yield start, end
            start = end
