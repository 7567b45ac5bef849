"""What every benchmark returns: rows, each a number that was measured, with its range."""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock


@dataclass(frozen=True)
class Row:
    """A number that was measured.

    Parameters
    ----------
    name : str
        Of what: the tool, or the variant.
    what : str
        What was done.
    value : float or None
        The median; None where it could not be measured, and the note says why.
    unit : str
        Such as ``s``, ``ms``, ``MB``, ``times``.
    low, high : float or None
        The least and the most of the runs.
    runs : int
        How many runs.
    note : str
        What a reader has to know besides.
    """

    name: str
    what: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    runs: int = 1
    note: str = ""

    @property
    def failed(self) -> bool:
        """Whether it was tried and not measured."""
        return self.note.startswith("failed: ")

    def shown(self) -> str:
        """Return value and unit as they are printed, and quoted."""
        return "" if self.value is None else f"{number(self.value)} {self.unit}".strip()

    def range(self) -> str:
        """Return the least and the most, where there were several runs."""
        if self.low is None or self.high is None or self.runs < 2:
            return ""
        return f"{number(self.low)} to {number(self.high)}"


def number(value: float) -> str:
    """Return a number with as many digits as mean something: two, and all of those before the point."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{float(f'{value:.2g}'):g}"


def measured(name: str, what: str, values: Iterable[float], unit: str, note: str = "") -> Row:
    """Return the row of several runs: their median and their range.

    Parameters
    ----------
    name, what, unit, note : str
        As of `Row`.
    values : Iterable[float]
        Of each run one.
    """
    found = list(values)
    return Row(name, what, statistics.median(found), unit, min(found), max(found), len(found), note)


def failed(name: str, what: str, why: object) -> Row:
    """Return the row of what could not be measured."""
    return Row(name, what, None, "", note="failed: " + " ".join(str(why).split())[-300:], runs=0)


@contextlib.contextmanager
def scratch(**variables: str) -> Iterator[Path]:
    """Have a folder, with the variables, and with a local AWS of its own, which is stopped at the end."""
    with tempfile.TemporaryDirectory() as folder:
        home = f"{folder}/local-aws"
        with mock.patch.dict(os.environ, {**variables, "NBCHALICE_LOCAL_HOME": home}):
            from nbchalice.aws.local.client import server

            try:
                yield Path(folder)
            finally:
                server.stop()


def local_connection() -> Any:
    """Return a connection to the local AWS, started where it is not."""
    from nbchalice.aws.target import connect

    return connect("local")
