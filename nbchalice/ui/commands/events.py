"""The commands that bring an event to a handler and show what became of it: send, invoke, logs, why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nbchalice.errors import InvalidInputError
from nbchalice.typed import JSON, Values
from nbchalice.ui.commands.base import command, existing_file, flag, option, pairs
from nbchalice.ui.frontend import Frontend, deployed, some
from nbchalice.ui.views import FormView, LogView, View

if TYPE_CHECKING:
    from nbchalice.events.delivery import Way
    from nbchalice.events.saved import SavedEvents
    from nbchalice.events.send import SendResult
    from nbchalice.events.triggers import Route
    from nbchalice.handlers import Handler
    from nbchalice.logs.invocation import Invocation
    from nbchalice.project import Project
    from nbchalice.resources.base import FunctionRef
    from nbchalice.sources.base import Field, Source
    from nbchalice.ui.render.cards import Result
    from nbchalice.ui.render.sends import SendsCard

MOST = 100
SOURCE = option("--source", "which one of several sources: its queue, topic, bucket or kind", metavar="SOURCE")


def field_options() -> list[click.Option]:
    """Return an option for each field of the sources' forms; sources that name a field alike share the option."""
    from nbchalice.sources import SOURCES

    uses: dict[str, dict[str, list[str]]] = {}
    fields: dict[str, Field] = {}
    for source in SOURCES.values():
        for field in source.fields:
            fields.setdefault(field.name, field)
            uses.setdefault(field.name, {}).setdefault(field.usage, []).append(source.title)
    return [_field_option(field, uses[name]) for name, field in fields.items()]


def _field_option(field: Field, uses: Mapping[str, list[str]]) -> click.Option:
    help = "; ".join(f"{usage} ({', '.join(titles)})" for usage, titles in uses.items())
    more: JSON = {}
    if field.kind == "pairs":
        metavar = "NAME[:TYPE]=VALUE" if field.types else "NAME=VALUE"
        more = {"metavar": metavar, "multiple": True, "callback": pairs}
    elif field.kind == "file":
        more = {"metavar": "FILE", "callback": existing_file}
    elif field.kind == "number":
        more = {"type": click.IntRange(field.minimum, field.maximum)}
    return option(field.flag, help, **more)


@command(
    "send",
    option("--saved", "event saved in .nbchalice/events; the other options change it", metavar="NAME"),
    option("--save", "keep the event in .nbchalice/events under this name, too", metavar="NAME"),
    SOURCE,
    option("--times", "send it so often at once", type=click.IntRange(1, MOST), default=1, show_default=True),
    flag("--twice", "send the same event two times, as it may happen on AWS"),
    flag("--direct", "past the service: invoke the function with the event"),
    flag("--preview", "send nothing; tell what the service would do with it"),
    option("--wait", "seconds to wait for the invocation", type=float, default=30.0, show_default=True),
    handler="required",
    more=field_options,
)
def send(  # noqa: PLR0917 - one parameter an option
    ui: Frontend,
    handler: str,
    source: str | None,
    saved: str | None,
    save: str | None,
    times: int,
    twice: bool,
    direct: bool,
    preview: bool,
    wait: float,
    **values: object,
) -> Result | View:
    """Send a test event to the real queue, topic, bucket or schedule, and follow it to its invocation.

    In a notebook, without any option for the event, it shows a form.
    """
    from nbchalice.events.delivery import Way
    from nbchalice.events.history import History
    from nbchalice.events.saved import SavedEvents
    from nbchalice.events.triggers import route_of
    from nbchalice.operations import with_record
    from nbchalice.ui.live_mode import undeployed_here
    from nbchalice.ui.render.sends import PreviewCard
    from nbchalice.ui.whose import require_own_runs

    project, registered = some(ui, handler)
    given = _given(values)
    plain = saved is None and save is None and times == 1 and not (given or twice or direct or preview)
    if ui.interactive and plain:
        return FormView(registered.name, source)
    events = SavedEvents(project.notebook.parent, registered.name)
    source, given = _with_saved(events, saved, source, given)
    nothing = not given
    if "message" not in given:
        registered = with_record(project, registered)
    aws = ui.connect()
    route = route_of(registered, project.app.ref(aws, registered.name), source, given)
    _require_known(route, given)
    given = dict(route.filled(given))
    if save is not None:
        events.save(save, {**given, **({"source": route.label} if len(registered.triggers) > 1 else {})})
    if preview:
        return PreviewCard(route, given, project.handlers)
    if direct:
        require_own_runs(project, aws, registered.name)
    way = Way(
        aws, route, direct, wait, History(project.notebook.parent, registered.name, registered.setting("redact") or ())
    )
    result = _send(way, given, times, twice=twice)
    notes = [undeployed_here(project, aws, registered.name), _sample_sent(route, given) if nothing else ""]
    return _with_note(result, "; ".join(filter(None, notes)))


def _sample_sent(route: Route, filled: Values) -> str:
    """Return what was sent where nothing was given to send; empty where an event of the source has no content."""
    sample = next(iter(route.source.templates(route.options, route.ref).values()), {})
    content = filled.get("message", sample.get("message"))
    return f"nothing was given, so a sample was sent: {content}" if content is not None else ""


def _send(way: Way, given: Values, times: int, *, twice: bool) -> SendResult | Invocation | SendsCard:
    from nbchalice.ui.render.sends import SendsCard

    if twice:
        return SendsCard(list(way.twice(given)), 2, twice=True)
    return SendsCard(list(way.many(given, times)), times) if times > 1 else way.deliver(given)


def _with_note(result: SendResult | Invocation | SendsCard, note: str) -> Result:
    """Return a result with what is to be known of the code that handled the event."""
    from nbchalice.events.send import SendResult
    from nbchalice.ui.render.sends import SendsCard

    if note and isinstance(result, SendResult):
        return replace(result, note=note)
    return result.with_note(note) if note and isinstance(result, SendsCard) else result


def _given(values: Values) -> JSON:
    return {name: value for name, value in values.items() if value not in (None, {}, ())}


def _with_saved(events: SavedEvents, saved: str | None, source: str | None, given: JSON) -> tuple[str | None, JSON]:
    """Return the source and the values that a saved event says, where the options do not say others."""
    if saved is None:
        return source, given
    kept = events.load(saved)
    return source or kept.pop("source", None), {**kept, **given}


def _require_known(route: Route, given: Values) -> None:
    """Raise InvalidInputError for values that the source has no field for."""
    from nbchalice.sources.options import flag_of

    known = [form.name for form in route.source.fields]
    if foreign := [name for name in given if name not in known]:
        flags, allowed = (", ".join(flag_of(name) for name in names) for names in (foreign, known))
        verb = "is" if len(foreign) == 1 else "are"
        hint = f"{route.source.title} events take {allowed or 'no such option'}"
        raise InvalidInputError(f"{flags} {verb} not for {route.source.title} events", hint)


@command(
    "invoke",
    option("--event", "file with the event (JSON); default: a sample", metavar="FILE", callback=existing_file),
    flag("--sample", "run here, in this kernel, with a sample event, without AWS"),
    SOURCE,
    flag("--here", "run here, in this kernel, instead of on Lambda"),
    handler="required",
)
def invoke(  # noqa: PLR0917 - one parameter an option
    ui: Frontend, handler: str, event: str | None, sample: bool, source: str | None, here: bool
) -> Result:
    """Invoke a function directly with an event, past its queue, topic, bucket or schedule."""
    from nbchalice.events.generate import ACCOUNT, REGION
    from nbchalice.events.invoke import invoke as invoke_event
    from nbchalice.operations import with_record
    from nbchalice.resources.base import FunctionRef
    from nbchalice.ui.in_process import call_here
    from nbchalice.ui.whose import require_own_runs

    if sample and event:
        raise InvalidInputError("--sample and --event are two events", "give one of them")
    if event and not here:
        return _invoke_with_event(ui, handler, Path(event))
    project, registered = some(ui, handler)
    given = _read_event(registered.sources(), Path(event)) if event else None
    if not event:
        registered = with_record(project, registered)
    if here or sample:
        nowhere = FunctionRef(project.name, project.stage, registered.name, REGION, ACCOUNT)
        return call_here(ui, registered.name, given if event else _sample(registered, nowhere, source))
    aws = ui.connect()
    require_own_runs(project, aws, registered.name)
    ref = project.app.ref(aws, registered.name)
    return invoke_event(aws, ref, _sample(registered, ref, source))


def _invoke_with_event(ui: Frontend, handler: str, path: Path) -> Result:
    """Invoke what stands with a file's event; the handler need not be registered."""
    from nbchalice.events.invoke import invoke as invoke_event
    from nbchalice.ui.whose import require_own_runs

    project, name = deployed(ui, handler)
    sources = next((one.sources() for one in project.handlers if one.name == name), [])
    given = _read_event(sources, path)
    aws = ui.connect()
    require_own_runs(project, aws, name)
    return invoke_event(aws, project.app.ref(aws, name), given)


def _sample(registered: Handler, ref: FunctionRef, source: str | None) -> object:
    from nbchalice.events.triggers import route_of

    route = route_of(registered, ref, source)
    return route.source.sample(route.options, route.ref, **route.filled({}))


def event_of(
    project: Project, registered: Handler, ref: FunctionRef, *, saved: str | None, source: str | None, given: JSON
) -> object:
    """Return the event that `send` would make of a saved event and options, as the function gets it."""
    from nbchalice.events.saved import SavedEvents
    from nbchalice.events.triggers import route_of

    source, given = _with_saved(SavedEvents(project.notebook.parent, registered.name), saved, source, given)
    route = route_of(registered, ref, source, given)
    _require_known(route, given)
    return route.source.sample(route.options, route.ref, **route.filled(given))


def _read_event(sources: Sequence[tuple[Source, object]], path: Path) -> object:
    """Return the event that a file holds.

    Raises
    ------
    InvalidInputError
        It is not JSON, or no event of the handler's sources.
    """
    try:
        event = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"--event {path} is not JSON: {error}", "give a file with one JSON document") from None
    titles = [source.title for source, _ in sources if source.triggered]
    if titles and not isinstance(event, dict):
        message = f"--event {path} holds a {type(event).__name__}; {titles[0]} events are JSON objects"
        raise InvalidInputError(message, "give an event as AWS sends it, or leave out --event for a sample")
    return event


@command(
    "logs",
    option("--since", "how far back: 10m, 2h, 1d or a time", default="10m", show_default=True),
    option("--until", "up to then, as --since; default: now"),
    flag("--follow", "go on as new invocations come"),
    option("--request-id", "only this invocation"),
    option("--level", "only records of this level and above", type=click.Choice(["debug", "info", "warning", "error"])),
    handler="required",
    reads="names",
)
def logs(  # noqa: PLR0917 - one parameter an option
    ui: Frontend,
    handler: str,
    since: str,
    until: str | None,
    follow: bool,
    request_id: str | None,
    level: str | None,
) -> Result | View | Iterator[Result]:
    """Show recent invocations with their log records."""
    from nbchalice.events.send import require_deployed
    from nbchalice.logs import tail
    from nbchalice.ui.live_mode import undeployed_here
    from nbchalice.ui.render.reports import InvocationsCard

    project, known = deployed(ui, handler)
    aws = ui.connect()
    name = project.app.ref(aws, known).name
    if follow and ui.interactive:
        return LogView(known, since, until, level, request_id)
    if follow and ui.patient and until is None:
        return tail.follow(aws, name, since=since, request_id=request_id, level=level)
    recent = tail.recent(aws, name, since, until, request_id=request_id, level=level)
    if not recent:
        require_deployed(aws, project.app.ref(aws, known))
    return InvocationsCard(known, recent, undeployed_here(project, aws, known))


@command(
    "why",
    option(
        "--saved", "the event that did not arrive: one of .nbchalice/events; other options change it", metavar="NAME"
    ),
    SOURCE,
    handler="required",
    more=field_options,
)
def why(ui: Frontend, handler: str, saved: str | None, source: str | None, **values: object) -> Result:
    """Say why a handler gets no events: what stands, is off or holds them, from trigger to function; sends nothing.

    It asks AWS for the function, each trigger, live mode, other readers, concurrency, what a queue holds, dead letters,
    and on real AWS the role. With the options of `send`, filters are asked about that very event, too.
    """
    from nbchalice.events.saved import SavedEvents
    from nbchalice.events.triggers import route_of, routes
    from nbchalice.events.why import why as look
    from nbchalice.ui.render.why import WhyCard

    project, registered = some(ui, handler)
    events = SavedEvents(project.notebook.parent, registered.name)
    source, given = _with_saved(events, saved, source, _given(values))
    is_meant = bool(given) or saved is not None
    aws = ui.connect()
    ref = project.app.ref(aws, registered.name)
    if source is None and not is_meant:
        chosen = routes(registered, ref)
    else:
        chosen = [route_of(registered, ref, source, given)]
        _require_known(chosen[0], given)
    return WhyCard(registered.name, look(aws, registered, ref, chosen, given if is_meant else None), str(aws.target))
