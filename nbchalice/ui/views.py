"""What a command asks to be opened where somebody can use it: as plain data, so that a command knows no widget."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FormView:
    """A form for test events.

    Parameters
    ----------
    handler : str
        The handler's name.
    source : str or None
        Which of several sources is shown first. Default: the first.
    """

    handler: str
    source: str | None = None


@dataclass(frozen=True)
class LogView:
    """A handler's log, followed.

    Parameters
    ----------
    handler : str
        The handler's name.
    since, until : str or None
        As in `logs.tail.recent`.
    level : str or None
        What the view shows at first. Default: all.
    request_id : str or None
        Only this invocation. Default: all.
    """

    handler: str
    since: str = "10m"
    until: str | None = None
    level: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class LiveView:
    """A handler's real events, handled in this kernel.

    Parameters
    ----------
    handler : str
        The handler's name.
    source : str or None
        Only this one of its sources. Default: all.
    as_role : bool
        Whether it has the rights of the function's role. Default: those of who runs the kernel.
    """

    handler: str
    source: str | None = None
    as_role: bool = False


View = FormView | LogView | LiveView
