"""Files of this computer whose names stand in what is deployed, where no call tells that they are opened.

For example ``open(os.path.join(DATA, name))`` with ``DATA = "data"`` and ``name = "rates.json"``: here the file is
found, on Lambda it is not.
"""

from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.known_calls import LOADS_FILES, READS_FILES
from nbchalice.notebook.capture.composed import composed_texts
from nbchalice.notebook.capture.source_map import location_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nbchalice.notebook.capture.slice import Slice

_MOST = 3
_LONGEST = 200
_ASKS = frozenset(
    {"exists", "is_file", "isfile", "stat", "getsize", "connect", "load", "iterdir", "listdir", "glob", "get_template"}
)
_OPENS = READS_FILES | _ASKS | {name.rpartition(".")[2] for name in LOADS_FILES}
_ON_LAMBDA = ("/tmp/", "/dev/", "/proc/", "/etc/", "/var/task", "/opt")  # noqa: S108 - paths on Lambda


def files_note(piece: Slice, folder: Path, travels: Iterable[str] = ()) -> str:
    """Say which files of this computer the functions of a slice name and may open; empty if there are none.

    Parameters
    ----------
    piece : Slice
        The slice.
    folder : Path
        The notebook's folder.
    travels : Iterable[str]
        Paths of the files that come along.
    """
    tree = ast.parse(piece.module)
    if not _opens_files(tree):
        return ""
    texts: dict[str, int] = {}
    for text, line in _texts(tree):
        texts.setdefault(text, line)
    folders = [folder, *(folder / text for text in texts if _is(folder / text, Path.is_dir))]
    along = {(folder / name).resolve() for name in travels}
    places: dict[str, str] = {}
    for text, line in texts.items():
        here = next((path for one in folders if _is(path := one / text, Path.is_file)), None)
        if here is not None and here.resolve() not in along:
            place = location_of(piece.segments, piece.module, line)
            places[text] = f" ({place.cell}, line {place.line})" if place else ""
    if not places:
        return ""
    shown = [f"{text}{place}" for text, place in list(places.items())[:_MOST]]
    more = [f"{len(places) - _MOST} more"] if len(places) > _MOST else []
    return f"files of this computer, which are not on Lambda, are named: {', '.join([*shown, *more])}"


def _opens_files(tree: ast.Module) -> bool:
    """Tell whether the code calls what reads files or asks for them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in _OPENS:
                return True
    return False


def _texts(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Give the texts that may be a path, each with its line: those that are composed, too, as ``"x_" + "y.csv"``."""
    written = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    plain = [(node.value, node.lineno) for node in written if isinstance(node.value, str)]
    for text, line in chain(plain, composed_texts(tree)):
        if 2 < len(text) < _LONGEST and not text.startswith(_ON_LAMBDA) and "\n" not in text and "\0" not in text:
            yield text, line


def _is(path: Path, what: Callable[[Path], bool]) -> bool:
    try:
        return what(path)
    except OSError:
        return False
