"""How long the search for credentials takes: lines of a megabyte that repeat what patterns begin with."""

import time

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


def main() -> None:
    taken = []
    for piece in PIECES:
        line = piece * (LENGTH // len(piece)) + HINTS
        started = time.process_time()
        find_secret(line)
        taken.append((time.process_time() - started, piece))
    slowest = sorted(taken, reverse=True)[:3]
    print(f"a line of 1 MB: mean {sum(seconds for seconds, _ in taken) / len(taken):.2f} s of the processor")
    for seconds, piece in slowest:
        print(f"  {seconds:.2f} s for {piece!r} again and again")
