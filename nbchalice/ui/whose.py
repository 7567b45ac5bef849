"""Whose function a command is about, where what it does reaches the function past its trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.project import Project


def require_own_events(project: Project, aws: Connection, handler: str) -> None:
    """Refuse to take the events of a function that somebody else deployed, unless that was asked for.

    Raises
    ------
    InvalidInputError
        The app has no name of its own, or the function is somebody else's.
    """
    from nbchalice.deploy import check, owners

    check.raise_all(check.unnamed_problems(project.app, aws))
    owners.require_own_function(project.app, aws, handler)


def require_own_runs(project: Project, aws: Connection, handler: str) -> None:
    """Refuse to run a function that somebody else deployed, past its queue, topic, bucket or schedule.

    An event that is sent to a queue or the like is for whoever takes it; one that is handed to a function is not.

    Raises
    ------
    InvalidInputError
        The app has no name of its own, or the function is somebody else's.
    """
    from nbchalice.deploy import check, owners

    check.raise_all(check.unnamed_problems(project.app, aws))
    owners.require_own_function(project.app, aws, handler, owners.HINT_TO_RUN)
