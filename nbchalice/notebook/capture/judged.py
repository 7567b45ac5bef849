"""What the search for a slice asks of others: to cut one, to judge it, and what a judge found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbchalice.notebook.capture.slice import Slice


@dataclass(frozen=True)
class Findings:
    """What a judge found where nothing is wrong.

    Parameters
    ----------
    not_compared : tuple[tuple[str, str], ...]
        Variables, or parts of them, that could not be compared, each with the reason.
    statements : tuple[tuple[str, int, float], ...]
        Cell, raw line, and seconds of processor time of the statements.
    missing : str
        Why there was nothing to compare with, or an empty text.
    settings : tuple[str, ...]
        The imports of which only something that the module keeps for the whole process differs.
    """

    not_compared: tuple[tuple[str, str], ...] = ()
    statements: tuple[tuple[str, int, float], ...] = ()
    missing: str = ""
    settings: tuple[str, ...] = ()


class Judge(Protocol):
    """Runs slices, and compares."""

    def judge(self, piece: Slice) -> Findings:
        """Run a slice and compare its values.

        Raises
        ------
        DivergedError
            A variable differs.
        StatementFailedError
            A statement fails in the clean process.
        """

    def changing(self, names: Iterable[str]) -> Mapping[str, Iterable[int]]:
        """Return after which statements variables are others, where the notebook is run: positions by name."""


class Cut(Protocol):
    """Cuts a handler out of a notebook."""

    def __call__(self, also: Iterable[int], without: Mapping[int, str]) -> Slice:
        """Return the slice with some more statements, and without some that are there for what they change."""
