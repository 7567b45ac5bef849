"""How long the search for credentials takes: lines of a megabyte that repeat what patterns begin with."""

import time
from collections.abc import Iterator

from benchmarks.rows import Row, measured
from nbchalice.notebook.secrets import find_secret
from nbchalice.notebook.secrets.reading import _ROOTS
from nbchalice.notebook.secrets.shapes import SHAPES

PIECES = (
    *(
        "token",
        "password",
        "password = ",
        "token='a1",
        "password = x('changeme') ",
        "token: x\n",
        "a.",
        "a://b:",
        "://",
    ),
    *(
        "-----BEGIN ",
        "aws secret",
        "'",
        " ",
        "=",
        "a1",
        "/",
        "eyJaaaaaaaaaa.",
        "-eyJ",
        "ghp_",
        "sk-",
        "xoxb-",
        "A",
        "M",
    ),
    *(
        "SG.",
        "Bearer ",
        "basic aaaaaa",
        "-u a:",
        "sig=",
        "Q~",
        ":AA",
        "-us",
        "123456789012345|",
        "a-",
        "{",
        "\\",
        "(",
        "é",
    ),
)
HINTS = " ".join([*(hint for shape in SHAPES for hint in shape.hints), *_ROOTS])
"""So that every pattern is tried."""
LENGTH = 1_000_000


def rows() -> Iterator[Row]:
    """Yield what a line takes of the processor, of all and of the slowest."""
    taken = []
    for piece in PIECES:
        line = piece * (LENGTH // len(piece)) + HINTS
        started = time.process_time()
        find_secret(line)
        taken.append((time.process_time() - started, piece))
    slowest = max(taken)[1]
    note = f"each repeats another piece; the slowest {slowest!r}".replace("\\n", "newline")
    yield measured(f"{len(PIECES)} lines", "one searched", [seconds for seconds, _ in taken], "s", note)
