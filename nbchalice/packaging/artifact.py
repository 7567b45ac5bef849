"""The zip of one handler: readable, complete but for its layer, and the same bytes for the same input.

lambda_function.py   what Lambda imports
notebook_code.py     the slice
notebook_code.bin    its byte code, where the running Python is the function's
nbchalice.json       the manifest
nbchalice-archive.json   what to unpack from S3, where the dependencies are over Lambda's limit
nbchalice.zip        those modules of nbchalice that the slice needs, with their byte code; not compressed in itself:
                     Python imports from it, and the outer zip squeezes its modules as one text
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from nbchalice.errors import PackagingError
from nbchalice.notebook.capture.places import frame_key
from nbchalice.packaging.byte_code import can_compile, notebook_code, pyc, pyc_path
from nbchalice.packaging.fingerprint import fingerprint
from nbchalice.packaging.shipped import ARCHIVE, needed_modules, runtime_archive, runtime_sources, unused_names
from nbchalice.packaging.zipping import zip_bytes
from nbchalice.runtime.archive import FILE as ARCHIVE_INDEX
from nbchalice.runtime.cells import Segment
from nbchalice.runtime.compiled import FILE
from nbchalice.typed import JSON

BOOT = "lambda_function.py"
HANDLER = "lambda_function.lambda_handler"
MANIFEST = "nbchalice.json"
MODULE = "notebook_code.py"
_BOOT = f"""\
import os
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(ROOT, "{ARCHIVE}"))

from nbchalice.runtime.entry import load_handler

lambda_handler = load_handler(ROOT)
"""


class SliceLike(Protocol):
    """What the zip needs to know of a slice."""

    @property
    def module(self) -> str:
        """The text of the module."""

    @property
    def segments(self) -> Sequence[Segment]:
        """Which lines of the module came from which cell."""

    @property
    def notebook(self) -> str:
        """The file name of the notebook."""


@dataclass(frozen=True)
class Artifact:
    """A built zip.

    Parameters
    ----------
    zip : bytes
        The bytes to upload.
    sha256 : str
        Hash of `zip` in hexadecimal.
    code_sha256 : str
        Hash of `zip` in base64, as Lambda reports it in `CodeSha256` (AWS Lambda API Reference,
        "FunctionConfiguration").
    manifest : JSON
        The content of `nbchalice.json`.
    fingerprint : str
        Hash of what the zip does: the same for other labels, ids and lines of the cells.
    """

    zip: bytes = field(repr=False)
    sha256: str
    code_sha256: str
    manifest: JSON
    fingerprint: str = ""


def build(
    slice: SliceLike,
    handler_name: str,
    *,
    python: str,
    requirements: Iterable[str] = (),
    vendored: Iterable[tuple[str, bytes]] = (),
    files: Mapping[str, bytes] = MappingProxyType({}),
    records: bool = False,
) -> Artifact:
    """Pack a slice with nbchalice's runtime into a deterministic zip.

    Parameters
    ----------
    slice : SliceLike
        The module to deploy and where its lines come from.
    handler_name : str
        The handler's name in its app.
    python : str
        The Python version it is for, for example `"3.13"`.
    requirements : Iterable[str]
        Pinned requirements that the layer provides, recorded in `nbchalice.json`. Default: none.
    vendored : Iterable[tuple[str, bytes]]
        Pairs of path in the zip and content, for local modules. Default: none.
    files : Mapping[str, bytes]
        Further files by path in the zip, for example bundles. Default: none.
    records : bool
        Whether the function keeps its events. Default: no.

    Returns
    -------
    The artifact. Equal arguments give equal bytes, on every machine whose zlib compresses alike.

    Raises
    ------
    PackagingError
        Two different contents for one path, or a path that nbchalice needs itself.
    """
    extra = [*vendored, *files.items()]
    about: JSON = {
        "function": handler_name,
        "handler": HANDLER,
        "notebook": slice.notebook,
        "python": python,
        "requirements": sorted(set(requirements)),
    }
    manifest = {
        **about,
        "cells": list(map(_with_key, slice.segments)),
        "sha256": hashlib.sha256(slice.module.encode()).hexdigest(),
    }
    compiled = can_compile(python)
    asked = {"archive": ARCHIVE_INDEX in files, "recording": records}
    imports = [f"import nbchalice.runtime.{module}" for module, is_asked in asked.items() if is_asked]
    sources = [slice.module, *_sources(extra), *imports]
    modules = needed_modules(sources)
    own = {
        BOOT: _BOOT.encode(),
        MODULE: slice.module.encode(),
        MANIFEST: _json_line(manifest),
        ARCHIVE: runtime_archive(modules, compiled, unused_names(sources)),
    }
    members = _merged(own, extra)
    content = zip_bytes({**(_byte_code(members, manifest) if compiled else {}), **members})
    digest = hashlib.sha256(content)
    others = {path: data for path, data in members.items() if path not in {MODULE, MANIFEST, ARCHIVE}}
    runtime = {path: source.encode() for path, source in runtime_sources(modules).items()}
    does = fingerprint(slice.module, slice.segments, about, {**others, **runtime})
    return Artifact(content, digest.hexdigest(), base64.b64encode(digest.digest()).decode(), manifest, does)


def _byte_code(members: Mapping[str, bytes], manifest: JSON) -> dict[str, bytes]:
    """Return the byte code of the sources in a zip, by path."""
    made = {FILE: notebook_code(members[MODULE].decode(), manifest["cells"], manifest["notebook"])}
    for path, source in members.items():
        if path.endswith(".py") and path not in {
            MODULE,
            BOOT,
        }:  # Its few lines are compiled in a tenth of a millisecond.
            made[pyc_path(path)] = pyc(path, source)
    return {path: content for path, content in made.items() if content is not None}


def _with_key(segment: Segment) -> JSON:
    """Return a segment whose frames bear a key of the cell's id: the label tells what the cell was called then."""
    return {**vars(segment), "cell": f"{segment.cell}{frame_key(segment.id)}"}


def _sources(extra: Iterable[tuple[str, bytes]]) -> list[str]:
    return [content.decode(errors="replace") for path, content in extra if path.endswith(".py")]


def _json_line(value: object) -> bytes:
    return (json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _merged(own: Mapping[str, bytes], extra: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    members = dict(own)
    for path, content in extra:
        if path in {*own, FILE} or path.startswith("nbchalice/") or path == "nbchalice.py":
            raise PackagingError(
                f"{path} cannot be added to the zip: nbchalice puts a file of its own there",
                "rename the local module or file",
                code="path-conflict",
            )
        if members.setdefault(path, content) != content:
            raise PackagingError(
                f"two different files want to be {path} in the zip", "rename one of them", code="path-conflict"
            )
    return members
