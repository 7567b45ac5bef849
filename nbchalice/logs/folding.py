"""Folds the frames of libraries in a traceback; those of the notebook and of its own modules stay open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from nbchalice.logs.records import Frame
from nbchalice.text import counted, joined

INDENT = "  "
MOST_NAMED = 3
# For example /opt/python/pandas/core/frame.py, /var/lang/lib/python3.13/json/decoder.py, <frozen importlib._bootstrap>,
# .venv/lib/python3.13/site-packages/boto3/session.py and /var/task/nbchalice.zip/nbchalice/runtime/batch.py.
FOLDERS = re.compile(
    r"(?<=/)((site|dist)-packages/|opt/python/|lib(64)?/python3(\.\d+)?t?/|var/runtime/|nbchalice\.zip/"
    r"|(?=nbchalice/runtime/))|^<frozen "
)
NAME = re.compile(r"\w+")


@dataclass(frozen=True)
class Row:
    """One line of an error as it is shown.

    Parameters
    ----------
    text : str
        The line.
    frame : Frame or None
        The frame that it tells, where that is in a cell.
    folded : tuple[str, ...]
        The lines that stand behind it, where it stands for several frames of libraries.
    """

    text: str
    frame: Frame | None = None
    folded: tuple[str, ...] = ()


def library_of(file: str) -> str | None:
    """Return the library that a file belongs to, or None for a cell and the notebook's own modules."""
    places = list(FOLDERS.finditer(file))
    if not places:
        return None
    name = NAME.match(file, places[-1].end())
    return name[0] if name else "a library"


def frame_rows(frames: Iterable[Frame]) -> Iterator[Row]:
    """Yield the lines of frames, the outermost first; several of libraries in a row are one."""
    for of_library, group in groupby(frames, _is_of_library):
        members = list(group)
        if of_library and len(members) > 1:
            yield _folded(members)
            continue
        for frame in members:
            yield Row(f"{INDENT}{frame}", frame if frame.cell else None)
            if frame.source:
                yield Row(f"{INDENT * 2}{frame.source}")


def _is_of_library(frame: Frame) -> bool:
    return frame.cell is None and library_of(frame.file) is not None


def _folded(frames: list[Frame]) -> Row:
    names = list(dict.fromkeys(library_of(frame.file) or "" for frame in frames))
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    text = f"{INDENT}{counted(len(frames), 'frame')} of {joined([*names[:MOST_NAMED], *more])}, the last: {frames[-1]}"
    lines: list[str] = []
    for frame in frames:
        lines += [f"{INDENT * 2}{frame}", f"{INDENT * 3}{frame.source or ''}"]
    return Row(text, folded=tuple(line for line in lines if line.strip()))
