"""The commands on the events that came: events, replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.ui.commands.base import command, flag, option
from nbchalice.ui.frontend import Frontend, some
from nbchalice.ui.render.cards import Result

if TYPE_CHECKING:
    from nbchalice.events.history import History
    from nbchalice.handlers import Handler
    from nbchalice.project import Project

SINCE = option("--since", "how far back: 10m, 2h, 1d or a time; default: all that is kept, and an hour of the log")


def _history(project: Project, handler: Handler) -> History:
    from nbchalice.events.history import History

    return History(project.notebook.parent, handler.name)


@command(
    "events",
    SINCE,
    flag("--forget", "remove what was kept of this handler's events beside the notebook"),
    handler="required",
)
def events(ui: Frontend, handler: str, since: str | None, forget: bool = False) -> Result:
    """List the events that came to a handler, and what became of each: data that becomes a DataFrame.

    They are those that `send` and live mode brought (the last 100, kept beside the notebook in .nbchalice/history),
    those in its dead-letter queue, and of runs that failed what the log has: their ids. In a notebook,
    `.to_dataframe()` makes a pandas table of the result.
    """
    from nbchalice.events.received import received
    from nbchalice.text import counted
    from nbchalice.ui.render.cards import TextCard
    from nbchalice.ui.render.events import EventsCard

    project, registered = some(ui, handler)
    history = _history(project, registered)
    if forget:
        count = history.forget()
        return TextCard("events", f"{counted(count, 'event')} of {handler} forgotten", {"forgotten": count})
    aws = ui.connect()
    found = received(aws, registered, project.app.ref(aws, registered.name), history, since)
    return EventsCard(registered.name, found, str(aws.target))
