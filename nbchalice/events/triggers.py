"""The triggers of a handler on AWS, and which of several is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from types import MappingProxyType

from nbchalice.deploy.desired import triggers, with_settings
from nbchalice.errors import InvalidInputError
from nbchalice.events.preview import why_dropped
from nbchalice.handlers import Handler
from nbchalice.handlers.records import Record
from nbchalice.resources.base import FunctionRef
from nbchalice.sources.base import Source
from nbchalice.typed import JSON, Values


@dataclass(frozen=True)
class Route:
    """The way of a trigger's events to a function.

    Parameters
    ----------
    source, options : Source or Values
        The trigger.
    ref : FunctionRef
        The function, and which of its rules or schedules the trigger is.
    record : Record or None
        What the handler wants for the content of its events. Default: it takes them as they are.
    """

    source: Source
    options: Values
    ref: FunctionRef
    record: Record | None = None

    @property
    def label(self) -> str:
        """What a person calls it: ``SQS orders``."""
        return f"{self.source.title} {self.source.subject(self.options)}".rstrip()

    @property
    def names(self) -> set[str]:
        """What it may be called."""
        subject, words = self.source.subject(self.options), self.source.describe(self.options)
        return {name.casefold() for name in (subject, words, self.label, self.source.name, self.source.title) if name}

    def templates(self) -> dict[str, JSON]:
        """Return values for the form, by name, the first as it begins: records that fit, or the source's own."""
        own = self.source.templates(self.options, self.ref)
        samples = self.record.samples if self.record else ()
        fitting = {name: {**own["sample"], "message": text} for name, text in samples}
        return {"sample": next(iter(fitting.values())), **(fitting if len(fitting) > 1 else {})} if fitting else own

    def filled(self, values: Values) -> Values:
        """Return the values of an event, with a record that fits for a message that was not given."""
        samples = self.record.samples if self.record else ()
        return {"message": samples[0][1], **values} if samples else values


def routes(handler: Handler, ref: FunctionRef) -> list[Route]:
    """Return the routes of a handler's triggers, in their order."""
    return [Route(*trigger, handler.record) for trigger in triggers(handler, with_settings(ref, handler))]


def labels(every: Collection[Route]) -> list[str]:
    """Return what tells the routes apart: their labels, or the whole descriptions of those with the same one."""
    count = Counter(route.label for route in every)
    texts = []
    for route in every:
        is_alone = count[route.label] == 1
        texts.append(route.label if is_alone else route.source.describe(route.options))
    return texts


def route_of(
    handler: Handler, ref: FunctionRef, wanted: str | None = None, values: Values = MappingProxyType({})
) -> Route:
    """Return the route that is meant.

    Parameters
    ----------
    handler, ref : Handler or FunctionRef
        The handler and its function.
    wanted : str or None
        The source's kind (``sqs``, ``on_sqs_message``), or the queue, topic, bucket or expression. Default: any.
    values : Values
        What the event is made of: only a source that has these fields can be meant; of several prefixes of one bucket
        the one is meant that lets the event through.

    Raises
    ------
    InvalidInputError
        None or several can be meant.
    """
    candidates = routes(handler, ref)
    if wanted is not None:
        candidates = [route for route in candidates if wanted.casefold() in route.names]
    else:
        taking = [route for route in candidates if set(values) <= {field.name for field in route.source.fields}]
        candidates = taking or candidates
    if len({(route.label, route.ref.number) for route in candidates}) == 1:
        fitting = (r for r in candidates if why_dropped(r.source, r.options, values, r.ref) is None)
        return next(fitting, candidates[0])
    every = labels(routes(handler, ref))
    what = f"has no source {wanted!r}" if wanted and not candidates else "has several sources"
    hint = f"add --source {_quoted(every[0])}" if len(every) == 1 else f"add --source with one of: {_all(every)}"
    raise InvalidInputError(f"{handler.name} {what}", hint)


def _all(names: Collection[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
