"""Proof before a deploy: the captured module imports where nothing else is, and its values are the kernel's."""

from __future__ import annotations

import ast
import errno
import hashlib
import json
import os
import re
import tempfile
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nbchalice.errors import Location
from nbchalice.notebook.errors import (
    DivergedError,
    ImportFailedError,
    ReadsLocalFileError,
    TargetSyntaxError,
    UnresolvedNameError,
)
from nbchalice.notebook.helper import HELPER
from nbchalice.notebook.places import place_of
from nbchalice.notebook.registering import not_registered
from nbchalice.notebook.secrets import find_secret
from nbchalice.notebook.values import brief, describe, differ

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbchalice.notebook.slice import Slice

TIMEOUT_SECONDS = 20.0
_REMEMBERED = 256
_verified: OrderedDict[str, None] = OrderedDict()
_loaded: OrderedDict[str, None] = OrderedDict()
"""Bundles that were loaded, each with the kernel's value: an edit of the handler need not load them again."""


@dataclass(frozen=True)
class Verified:
    """The result of a verification that found nothing wrong.

    Parameters
    ----------
    seconds: how long it took.
    cached: whether this very slice had been verified before.
    """

    seconds: float
    cached: bool = False


def warm() -> None:
    """Start the helper process, so that the first verification does not wait for it."""
    HELPER.warm()


def verify(
    piece: Slice,
    *,
    handler: str | None = None,
    python: str | None = None,
    namespace: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    folder: str | Path = ".",
    vendored: Sequence[tuple[str, bytes]] = (),
    bundles: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    timeout: float = TIMEOUT_SECONDS,
) -> Verified:
    """Prove that a slice works by itself and has the kernel's values.

    Parameters
    ----------
    piece: the slice.
    handler: the name under which it must register a handler; default: none.
    python: the target's Python, for example ``3.12``; default: no check of the syntax.
    namespace: the kernel's variables, to compare with; None for a notebook that was only read.
    env: the function's environment variables.
    folder: the notebook's folder, whose files are not on Lambda.
    vendored: pairs of path and content of the local modules that come along; no others can be imported.
    bundles: format, hash and file of the bundles that it loads, by name, and the notebook's own names they need.
    timeout: seconds that the import may take.

    Returns
    -------
    Verified: how long it took, and whether the result was known.

    Raises
    ------
    TargetSyntaxError: the target's Python does not know the syntax.
    ImportFailedError: the module does not import in a clean process without credentials, network and local files.
    ReadsLocalFileError: it reads a file of this computer.
    NotRegisteredError: it does not register the handler.
    UnresolvedNameError: a name of a star import does not exist.
    DivergedError: a variable differs from the kernel's.
    """
    start = time.perf_counter()
    if python is not None:
        require_syntax(piece, python)
    kernel = {name: describe(namespace[name]) for name in piece.values if name in namespace} if namespace else {}
    hashes = sorted(entry["sha256"] for entry in bundles.values())
    files = [(name, hashlib.sha256(content).hexdigest()) for name, content in vendored]
    key = _key(piece, handler, python, kernel, sorted((env or {}).items()), str(folder), files, hashes)
    if key in _verified:
        _verified.move_to_end(key)
        return Verified(time.perf_counter() - start, cached=True)
    loads = {name: _load_key(piece, name, entry, kernel) for name, entry in bundles.items()}
    known = {name for name, load in loads.items() if load in _loaded}
    request = {
        "action": "verify",
        "module": piece.module,
        "segments": piece.segments,
        "notebook": piece.notebook,
        "names": sorted({*kernel, *bundles} - known),
        "bundles": {name: dict(entry) for name, entry in bundles.items()},
        "stars": "import *" in piece.module,
        "env": dict(env or {}),
    }
    with tempfile.TemporaryDirectory(prefix="nbchalice-") as modules:
        for name, content in vendored:
            path = Path(modules, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        answer = HELPER.ask(request, Path(folder).resolve(), timeout, Path(modules))
    _require_imported(answer, piece, timeout)
    if handler is not None and handler not in answer["registered"]:
        raise not_registered(piece, handler, answer["registered"])
    _require_equal(answer, piece, kernel, namespace or {})
    _remember(_verified, [key])
    _remember(_loaded, loads.values())
    return Verified(time.perf_counter() - start)


def require_syntax(piece: Slice, python: str) -> None:
    """Refuse syntax that the target's Python does not know.

    Parameters
    ----------
    piece: the slice.
    python: the target's Python, for example ``3.12``.
    """
    minor = int(python.split(".")[1])
    try:
        ast.parse(piece.module, feature_version=(3, minor))
    except SyntaxError as error:
        raise TargetSyntaxError(
            f"Python {python} does not have this syntax: {error.msg}",
            "write it differently, or choose a newer Python with --python",
            place_of(piece.segments, piece.module, error.lineno or 1),
        ) from None


def _key(piece: Slice, *others: Any) -> str:
    parts = [piece.module, piece.notebook, *others]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _load_key(piece: Slice, name: str, entry: Mapping[str, Any], kernel: dict[str, Any]) -> str:
    """Return what tells whether a bundle has been loaded: with classes of the notebook, the module counts too."""
    parts = [name, entry["sha256"], kernel.get(name), piece.module if entry.get("notebook_names") else ""]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _remember(kept: OrderedDict[str, None], keys: Iterable[str]) -> None:
    for key in keys:
        kept[key] = None
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)


def _place_in_cell(piece: Slice, cell: str | None, cell_line: int | None) -> Location | None:
    for segment in piece.segments:
        offset = (cell_line or 0) - segment["cell_line"]
        if segment["cell"] == cell and 0 <= offset < segment["count"]:
            return place_of(piece.segments, piece.module, segment["line"] + offset)
    return Location(cell, cell_line) if cell else None


def _require_imported(answer: dict[str, Any], piece: Slice, timeout: float) -> None:
    error = answer.get("error")
    if error == "timeout":
        raise ImportFailedError(
            f"the captured module did not finish importing within {timeout:g} s",
            "keep what is slow out of the handler's cells, or bundle its value",
        )
    if error == "crash":
        raise ImportFailedError(f"the captured module ended the process that imported it: {answer['text']}")
    if error is not None:
        place = _place_in_cell(piece, answer["cell"], answer["cell_line"])
        if "FileNotFoundError" in answer["kinds"] and "BundleError" not in answer["kinds"]:
            raise ReadsLocalFileError(
                f"the handler's code reads a local file, which is not on Lambda: {error}",
                "bundle the value with %chalice bundle NAME, or read the file within the handler from S3",
                place,
            )
        raise ImportFailedError(
            f"the captured module does not import by itself: {error}", _import_hint(answer["kinds"], error), place
        )
    if answer["undefined"]:
        name = answer["undefined"][0]
        raise UnresolvedNameError(
            f"{name} is not defined in the notebook, and no star import brings it", f"define or import {name} in a cell"
        )


def _import_hint(kinds: list[str], error: str) -> str:
    if os.strerror(errno.EROFS) in error:
        return "write below /tmp: the rest of the file system cannot be written on Lambda"
    if "BundleError" in kinds and "ModuleNotFoundError" not in kinds:
        return "loading it must not need files, network or programs of this computer: bundle plainer data, or again"
    if "ConnectionError" in kinds:
        return "make the request within the handler, or bundle its result"
    if "ModuleNotFoundError" in kinds:
        return "install the package here, or put the module beside the notebook"
    if "KeyError" in kinds:
        return "an environment variable of this computer? set it for the function with --env NAME=VALUE"
    return "run the cells again from the top, and correct what fails"


def _require_equal(answer: dict[str, Any], piece: Slice, kernel: dict[str, Any], namespace: Mapping[str, Any]) -> None:
    for name, cells in piece.values.items():
        if name not in kernel or name not in answer["values"]:
            continue
        mine = json.loads(json.dumps(kernel[name]))
        if differ(mine, answer["values"][name]):
            here, there = _shown(brief(namespace[name])), _shown(answer["texts"][name])
            values = f"{here} in the kernel, {there} in the captured module"
            if here == there:
                values = f"different in the kernel and in the captured module, though both read {here}"
            raise DivergedError(
                f"{name} is {values} (from {', '.join(cells)})", _hint(piece, name), Location(cells[-1])
            )


def _hint(piece: Slice, name: str) -> str:
    """Say what to do about a value that differs."""
    if re.search(rf"^{name}\b[^\n]*\b(?:environ|getenv)\b", piece.module, re.M):
        return "an environment variable of this computer? give it to the function with --env NAME=VALUE"
    return (
        f"run {piece.values[name][0]} and the cells after it again; or mark the statement '# nbchalice: include' if "
        "the difference does not matter"
    )


def _shown(text: str) -> str:
    return "<hidden>" if find_secret(text) or find_secret(f"token = {text}") else text
