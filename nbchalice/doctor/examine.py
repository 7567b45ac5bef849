"""All looks, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from nbchalice.doctor import account, machine, permissions
from nbchalice.doctor.findings import Finding, looked, of_error, ok
from nbchalice.errors import NbChaliceError

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.project import Project


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Parameters
    ----------
    findings : tuple[Finding, ...]
        In the order of what stands on what.
    """

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; warnings may be there."""
        return all(finding.state != "wrong" for finding in self.findings)

    def to_dict(self) -> dict[str, object]:
        """Return it as JSON."""
        return {"ok": self.ok, "findings": [finding.to_dict() for finding in self.findings]}


def examine(project: Callable[[], Project] | None, target: str, connect: Callable[[], Connection]) -> Diagnosis:
    """Look at everything; nothing is changed, and the local AWS is not started.

    Parameters
    ----------
    project : Callable[[], Project] or None
        Reads the notebook, or None where none is given.
    target : str
        ``local`` or ``aws``; real AWS is only asked where it is the target.
    connect : Callable[[], Connection]
        Connects to the target.
    """
    findings: list[Finding] = []
    read: Project | None = None
    for name, look in machine.LOOKS:
        findings += looked(name, look)
    if project is not None:
        try:
            read = project()
            findings += looked("notebook", partial(machine.notebook, read))
        except NbChaliceError as error:
            findings.append(of_error("notebook", error))
    if target != "aws":
        text = "not looked at, as the target is the local AWS; --target aws looks at it"
        return Diagnosis((*findings, ok("real AWS", text)))
    aws, seen = account.look(connect)
    findings += seen
    if aws is not None and read is not None:
        findings += looked("app", partial(machine.app, read, aws))
        findings += looked("permissions", partial(permissions.look, read, aws))
    return Diagnosis(tuple(findings))
