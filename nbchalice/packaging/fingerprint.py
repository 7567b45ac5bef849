"""What a zip does: its content without what only tells where it came from.

A cell's label and id and the line of a statement say where something stands, not what it does. A cell that was run
again as it was changes them, and the order of the statements, but nothing on Lambda.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping

from nbchalice.packaging.statement_order import in_one_order
from nbchalice.runtime.cells import Segment
from nbchalice.typed import Values


def fingerprint(module: str, segments: Iterable[Segment], manifest: Values, members: Mapping[str, bytes]) -> str:
    """Return a hash of what a zip does.

    Parameters
    ----------
    module : str
        The text of its module.
    segments : Iterable[Segment]
        Which lines of the module stand in cells.
    manifest : Values
        What the zip says of itself, without the places.
    members : Mapping[str, bytes]
        Its other files, by path.
    """
    files = {path: hashlib.sha256(content).hexdigest() for path, content in members.items()}
    statements = statements_of(module, segments)
    parts = [in_one_order(statements) if len(statements) > 1 else statements, manifest, files]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def statements_of(module: str, segments: Iterable[Segment]) -> list[str]:
    """Return the top-level statements of a module, each with the comments of its cell that stand above it."""
    return [text for text, _ in with_cells(module, segments)]


def with_cells(module: str, segments: Iterable[Segment]) -> list[tuple[str, Segment | None]]:
    """Return these statements, each with the segment that it ends in, or an empty one where it stands in no cell.

    Parameters
    ----------
    module : str
        The module's text. Its blank lines and comments that stand in no cell are left out: they name the places.
    segments : Iterable[Segment]
        Which lines of it stand in cells.
    """
    lines = module.split("\n")
    in_cells: dict[int, Segment] = {}
    for segment in segments:
        in_cells |= dict.fromkeys(range(segment.line, segment.line + segment.count), segment)
    texts: list[tuple[str, Segment | None]] = []
    begin = 1
    for end in [*_ends(module), len(lines)]:
        if end < begin:
            continue  # a = 1; b = 2 are two on one line.
        text = "\n".join(lines[n - 1] for n in range(begin, end + 1) if n in in_cells or _acts(lines[n - 1]))
        if text:
            texts.append((text, in_cells.get(end)))
        begin = end + 1
    return texts


def _acts(line: str) -> bool:
    """Tell whether a line that stands in no cell is code: a decorator that a magic stands for, a registering import."""
    return bool(line.strip()) and not line.startswith("#")


def _ends(module: str) -> list[int]:
    """Return the last line of each statement of a module; of one that is no Python none."""
    try:
        return [statement.end_lineno or statement.lineno for statement in ast.parse(module).body]
    except SyntaxError:
        return []
