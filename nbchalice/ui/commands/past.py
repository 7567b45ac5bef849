"""The commands on the events that came: events, replay."""

from __future__ import annotations

import copy
import shlex
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.errors import InvalidInputError
from nbchalice.ui.commands.base import command, flag, option
from nbchalice.ui.frontend import Frontend, deployed, some

if TYPE_CHECKING:
    from nbchalice.events.as_role import RoleRights
    from nbchalice.events.past import PastEvent
    from nbchalice.events.received import Received
    from nbchalice.events.replay import Replay
    from nbchalice.handlers import Handler
    from nbchalice.project import Project
    from nbchalice.ui.render.cards import Result

ELSEWHERE = "%chalice invoke HANDLER --here --event FILE runs one that you have in a file"
SINCE = option("--since", "how far back: 10m, 2h, 1d or a time; default: all that is kept, and an hour of the log")


@command(
    "events",
    SINCE,
    flag("--forget", "remove what was kept of this handler's events, of this app and stage, beside the notebook"),
    handler="required",
)
def events(ui: Frontend, handler: str, since: str | None, forget: bool = False) -> Result:
    """List the events that came to a handler, and what became of each: data that becomes a DataFrame.

    They are those that `send` and live mode brought (the last 100, kept beside the notebook in .nbchalice/history),
    those in its dead-letter queue, those that it recorded itself (`--record N` where it is defined), and of other runs
    that failed what the log has: their ids. What became of one is the last attempt that is known. In a notebook,
    `.to_dataframe()` makes a pandas table of the result.
    """
    from nbchalice.events.history import History
    from nbchalice.events.received import received
    from nbchalice.text import counted
    from nbchalice.ui.render.cards import TextCard
    from nbchalice.ui.render.events import EventsCard

    project, name = deployed(ui, handler)
    history = History(project.notebook.parent, name)
    aws = ui.connect()
    if forget:
        ref = project.app.ref(aws, name)
        count = history.forget(ref.name)
        return TextCard("events", f"{counted(count, 'event')} of {ref.name} forgotten", {"forgotten": count})
    registered = next((one for one in project.handlers if one.name == name), None)
    found = received(aws, registered, project.app.ref(aws, name), history, since)
    return EventsCard(name, found, str(aws.target))


@command(
    "replay",
    option("--event", "the event with this id, or the beginning or end of it; default: the last one", metavar="ID"),
    flag("--all", "all events whose content is known"),
    SINCE,
    flag("--no-aws", "refuse the handler's calls of AWS by boto3, botocore and aiobotocore before they are sent"),
    flag("--as-role", "let the handler call AWS with the rights of its function's role, as it does there"),
    option("--save", "keep the event in .nbchalice/events under this name, for send", metavar="NAME"),
    option("--save-test", "write a pytest file of the events and what the handler makes of them now", metavar="FILE"),
    flag("--here", "in a shell: run the handler in this process, as you, unconfined"),
    handler="required",
)
def replay(  # noqa: PLR0917 - one parameter an option
    ui: Frontend,
    handler: str,
    event: str | None,
    all: bool,
    since: str | None,
    no_aws: bool,
    save: str | None,
    save_test: str | None,
    here: bool = False,
    as_role: bool = False,
) -> Result:
    """Handle events that came once more, with the function as it is defined now, and show what is another than then.

    It runs in this kernel: nothing is deployed or sent, and what the handler itself does to AWS it does to the local
    one, or with `--target aws` with your credentials, unless `--no-aws` refuses it, or `--as-role` gives it those of
    the function's role, which must trust you (`--trust ARN`). Then and now stand side by side: answer, log, duration.
    """
    from nbchalice.events.as_role import RoleRights
    from nbchalice.events.as_test import write_test
    from nbchalice.events.history import History
    from nbchalice.events.received import received
    from nbchalice.ui.render.replay import ReplayCard

    if no_aws and as_role:
        raise InvalidInputError("--no-aws and --as-role are two ways for the handler's calls", "give one of them")
    project, registered = some(ui, handler)
    if project.namespace is None and not here:
        hint = f"add --here, or run %chalice replay {handler} in the notebook"
        raise InvalidInputError("replay runs the handler in this process, as you, unconfined", hint)
    if save_test and not project.notebook.is_file():
        raise InvalidInputError(f"--save-test reads {project.notebook.name}, which is not saved", "save the notebook")
    aws = ui.connect()
    rights = RoleRights(aws, project.app.ref(aws, registered.name)) if as_role else None
    history = History(project.notebook.parent, registered.name, registered.setting("redact") or ())
    found = received(aws, registered, project.app.ref(aws, registered.name), history, since)
    chosen = _chosen(found, handler, event, every=all)
    notes = [*found.notes, *([_save(project, registered, chosen, save)] if save else [])]
    replays = [_again(ui, handler, one, no_aws, rights) for one in chosen]
    if save_test:
        notes += write_test(Path(save_test), project.notebook, registered.name, project.stage, replays)
        notes.append(f"written: {save_test}; it reads {project.notebook.name} as it is saved")
    return ReplayCard(registered.name, replays, notes)


def _chosen(found: Received, handler: str, event: str | None, *, every: bool) -> list[PastEvent]:
    """Return the events that are meant: of all, those whose content is known."""
    if event and every:
        raise InvalidInputError("--event and --all are two choices", "give one of them")
    if event:
        one = found.find(event)
        if not one.is_known:
            raise InvalidInputError(f"the content of event {one.id} is not known: {one.missing}", ELSEWHERE)
        return [one]
    known = [one for one in found.events if one.is_known]
    if not known:
        hint = f"%chalice send {handler}, or %chalice live {handler}: what they bring can be replayed"
        raise InvalidInputError(f"no event of {handler} is known with its content", hint)
    return known if every else known[-1:]


def _save(project: Project, handler: Handler, chosen: list[PastEvent], name: str) -> str:
    """Keep the one event as values for `send`; return what was done."""
    from nbchalice.events.history import secret_in
    from nbchalice.events.saved import SavedEvents

    records = list(chain.from_iterable(one.sent_as() for one in chosen))
    if len(records) != 1 or not records[0]:
        what = f"these are {len(records)} records" if len(records) > 1 else "send cannot make such an event"
        raise InvalidInputError(f"--save keeps one record: {what}", "choose one with --event, or use --save-test")
    if what_secret := secret_in(records[0]):
        raise InvalidInputError(f"the event holds what looks like {what_secret}", "it is not saved: git would share it")
    path = SavedEvents(project.notebook.parent, handler.name).save(name, records[0])
    return f"saved as {path.name}: %chalice send {handler.name} --saved {shlex.quote(name)}"


def _again(ui: Frontend, handler: str, one: PastEvent, no_aws: bool, rights: RoleRights | None) -> Replay:
    from nbchalice.events.no_aws import Refused
    from nbchalice.events.past import Answer
    from nbchalice.events.replay import Replay
    from nbchalice.ui.in_process import call_here

    refused = Refused()
    event = copy.deepcopy(one.event)  # a handler may change what it is given
    within = refused.refusing() if no_aws else rights.taken() if rights else None
    invocation = call_here(ui, handler, event, within)
    return Replay(one, Answer.of(invocation, "here"), tuple(refused.calls), invocation)
