"""Lets what a log says of cells name them as they are now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nbchalice.notebook.capture.places import KEY, DeployedLine, Present

# File "shop.ipynb#cell 4@1f3a2b9c", line 2, in price; and with it the line of code below. Of an ImportError's message
# (shop.ipynb#cell 1@1f3a2b9c, line 1).
FRAME = re.compile(
    rf"""(?P<before>File\ "|\()(?P<notebook>[^"\#\n()]+)\#(?P<label>cell\ \d+)(?P<key>{KEY})?
    (?P<middle>"?,?\ [lL]ine\ )(?P<line>\d{{1,9}})(?P<where>,\ in\ (?P<function>[^\n]*))?
    (?P<below>\n(?!\s*File\ ")(?P<source>[ \t\xa0]+[^\n]*))?""",
    re.VERBOSE,
)


class Cells:
    """Knows the notebook of this process, so that whatever reads a log in it can name its cells.

    As `linecache` does for files: a traceback may turn up in any log, answer or record.
    """

    def __init__(self) -> None:
        self._present: Callable[[], Present] | None = None

    def are(self, present: Callable[[], Present] | None) -> None:
        """Let the cells be those that a function tells when it is called, or None: not known."""
        self._present = present

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Let the cells afterwards be those that were known before."""
        before = self._present
        try:
            yield
        finally:
            self._present = before

    def as_now(self, text: str) -> str:
        """Return a text with the cells that its tracebacks name called as they are now.

        Parameters
        ----------
        text : str
            What a function on Lambda logged or answered.
        """
        if "#cell " not in text:
            return text
        present = self._present() if self._present is not None else None
        return FRAME.sub(lambda match: _renamed(match, present), text)

    def as_now_in(self, value: Any) -> Any:
        """Return a JSON value with the texts in it changed so."""
        if isinstance(value, str):
            return self.as_now(value)
        if isinstance(value, list):
            return list(map(self.as_now_in, value))
        if isinstance(value, dict):
            return {name: self.as_now_in(inner) for name, inner in value.items()}
        return value


CELLS = Cells()


def _renamed(match: re.Match[str], present: Present | None) -> str:
    label, line = match["label"], match["line"]
    if present is not None:
        key, function, source = match["key"] or "", match["function"] or "", match["source"] or ""
        deployed = DeployedLine(label, key, int(line), function.strip(), source.strip())
        label, number = present.find(match["notebook"], deployed)
        line = str(number)
    rest = f"{match['where'] or ''}{match['below'] or ''}"
    return f"{match['before']}{match['notebook']}#{label}{match['middle']}{line}{rest}"
