"""Tells what goes on while something takes long."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVERY = 1.0


@contextmanager
def ticking(text: Callable[[], str], tell: Callable[[str], None]) -> Iterator[None]:
    """Tell each second what goes on, and an empty text when it has ended; what is quicker tells nothing.

    Parameters
    ----------
    text : Callable[[], str]
        Says what goes on.
    tell : Callable[[str], None]
        Is called from another thread.
    """
    ended, told = threading.Event(), threading.Event()

    def run() -> None:
        while not ended.wait(EVERY):
            told.set()
            tell(text())

    thread = threading.Thread(target=run, name="nbchalice-search", daemon=True)
    try:
        thread.start()  # Ctrl-C can come while it waits for the thread: that must end, too.
        yield
    finally:
        ended.set()
        if thread.is_alive():
            thread.join()
        if told.is_set():
            tell("")
