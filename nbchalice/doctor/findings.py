"""What the doctor finds: lines that are ok, a warning, or wrong with what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from nbchalice.errors import NbChaliceError

State = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One line.

    Parameters
    ----------
    name : str
        What was looked at, for example ``clock``.
    state : State
        How it stands.
    text : str
        What was found.
    fix : str
        What helps where it is not ok.
    """

    name: str
    state: State
    text: str
    fix: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return it as JSON."""
        entry: dict[str, str] = {"name": self.name, "state": self.state, "text": self.text}
        return {**entry, "fix": self.fix} if self.fix else entry


def ok(name: str, text: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(name, "ok", text)


def warning(name: str, text: str, fix: str) -> Finding:
    """Return that something may hinder."""
    return Finding(name, "warning", text, fix)


def wrong(name: str, text: str, fix: str) -> Finding:
    """Return that something hinders."""
    return Finding(name, "wrong", text, fix)


def of_error(name: str, error: NbChaliceError) -> Finding:
    """Return what an error says, with its own fix."""
    return wrong(name, error.message, error.hint or "")


def looked(name: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Return what a look finds; one that fails does not hide the others."""
    findings: list[Finding] = []
    try:
        findings.extend(look())
    except NbChaliceError as error:
        findings.append(of_error(name, error))
    return findings
