"""The command that tries sizes of memory: tune."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nbchalice.errors import InvalidInputError
from nbchalice.ui.commands.base import command, option
from nbchalice.ui.commands.events import SOURCE, event_of, field_options
from nbchalice.ui.frontend import Frontend, some

if TYPE_CHECKING:
    from nbchalice.handlers import Handler
    from nbchalice.project import Project
    from nbchalice.resources.base import AWS, FunctionRef
    from nbchalice.ui.render.cards import Result

# Lambda quotas: memory allocation.
SMALLEST = 128
SIZES = "128,256,512,1024,1769"
MOST_SIZES, MOST_RUNS = 12, 20
HERE = "on the local AWS the processor does not grow with memory: these durations and costs say nothing of AWS's"
UNRECORDED = "the copy keeps no events: with --record the function takes more memory and time, for boto3 and each event"


def _sizes(_: click.Context, param: click.Parameter, values: tuple[str, ...]) -> list[int]:
    """Read sizes in MB, each once, the smallest first."""
    from nbchalice.handlers.memory import LARGEST

    value = ",".join(values) if values else SIZES
    words = [word.strip() for word in value.split(",") if word.strip()]
    if not words or not all(word.isascii() and word.isdigit() for word in words):
        raise click.BadParameter(f"wants sizes in MB, as {SIZES}, not {value!r}", param=param)
    sizes = sorted({int(word) for word in words})
    if wrong := [size for size in sizes if not SMALLEST <= size <= LARGEST]:
        raise click.BadParameter(f"a function has {SMALLEST} to {LARGEST} MB, not {wrong[0]}", param=param)
    if len(sizes) > MOST_SIZES:
        raise click.BadParameter(f"at most {MOST_SIZES} sizes, not {len(sizes)}", param=param)
    return sizes


@command(
    "tune",
    option("--sizes", f"sizes of memory in MB; default: {SIZES}", metavar="MB,MB", multiple=True, callback=_sizes),
    option("--runs", "runs at each size", type=click.IntRange(2, MOST_RUNS), default=4, show_default=True),
    option("--event", "an event that came: its id, or the beginning or end of it; default: the last one", metavar="ID"),
    option("--saved", "event saved in .nbchalice/events; the other options change it", metavar="NAME"),
    SOURCE,
    handler="required",
    more=field_options,
)
def tune(  # noqa: PLR0917 - one parameter an option
    ui: Frontend,
    handler: str,
    sizes: list[int],
    runs: int,
    event: str | None,
    saved: str | None,
    source: str | None,
    **values: object,
) -> Result:
    """Try an event at several sizes of memory: how long it takes and what it costs at each. Nothing is set.

    A copy of the deployed function, FUNCTION-tune, without triggers, is invoked with the event so often at each size,
    and deleted at the end; what the handler does, it does each time. The first run at each size is the cold start, the
    duration is the median of the others.
    """
    from nbchalice.events.tune import tune as try_sizes
    from nbchalice.logs.numbers import price_of
    from nbchalice.ui.live_mode import undeployed_here
    from nbchalice.ui.render.tune import TuneCard
    from nbchalice.ui.whose import require_own_runs

    project, registered = some(ui, handler)
    aws = ui.connect()
    require_own_runs(project, aws, registered.name)
    ref = project.app.ref(aws, registered.name)
    given = {name: value for name, value in values.items() if value not in (None, {}, ())}
    if given or saved or source:
        if event:
            raise InvalidInputError("--event and the options that make an event are two choices", "give one of them")
        told = saved or "one event"
        chosen = event_of(project, registered, ref, saved=saved, source=source, given=given)
    else:
        told, chosen = _that_came(project, registered, aws, ref, event)
    tried = list(try_sizes(aws, ref, chosen, sizes=sizes, runs=runs, price=price_of(aws, ref)))
    standing = aws.client("lambda").get_function_configuration(FunctionName=ref.name)["MemorySize"]
    told_of = (undeployed_here(project, aws, registered.name), HERE if aws.local else "")
    notes = [note for note in (*told_of, UNRECORDED if registered.setting("record") else "") if note]
    return TuneCard(registered.name, tried, runs=runs, event=told, standing=standing, notes=notes)


def _that_came(
    project: Project, registered: Handler, aws: AWS, ref: FunctionRef, wanted: str | None
) -> tuple[str, object]:
    """Return what a person calls an event that came, and the event."""
    from nbchalice.events.history import History
    from nbchalice.events.received import received

    history = History(project.notebook.parent, registered.name, registered.setting("redact") or ())
    found = received(aws, registered, ref, history, None)
    if wanted:
        one = found.find(wanted)
        if not one.is_known:
            raise InvalidInputError(f"the content of event {one.id} is not known: {one.missing}", "choose another one")
        return f"event {one.short_id}", one.event
    known = [one for one in found.events if one.is_known]
    if not known:
        hint = f"%chalice send {registered.name} first, or give the event: --saved, --message"
        raise InvalidInputError(f"no event of {registered.name} is known with its content", hint)
    return f"event {known[-1].short_id}", known[-1].event
