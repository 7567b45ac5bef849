"""What every event source is made of: options, the resources it wants, a sample event, a way to send one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, get_args

from nbchalice.resources.base import AWS, FunctionRef, Preflight, Resource
from nbchalice.resources.grants import Grant
from nbchalice.runtime.event_kinds import KINDS, EventKind
from nbchalice.sources.options import Option, flag_of, problems
from nbchalice.sources.redirects import Redirect
from nbchalice.typed import JSON, Values

FieldKind = Literal["text", "area", "json", "pairs", "number", "file"]
FIELD_KINDS: tuple[FieldKind, ...] = get_args(FieldKind)
# What the command that sends an event has beside the fields.
RESERVED_FIELDS = frozenset(
    {
        "direct", "execute", "handler", "json", "notebook", "preview", "save", "saved", "source", "stage", "target",
        "times", "twice", "wait",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One field of the form that sends a test event.

    Parameters
    ----------
    name : str
        The keyword of `Source.send`; the command line's option is the same with dashes.
    label : str
        What the form says.
    kind : FieldKind
        One of `FIELD_KINDS`; ``area`` is text of several lines, ``pairs`` are names and values.
    default : object
        What the form starts with.
    help : str
        One line for people.
    minimum, maximum : int or None
        The range of a number, both included, or None.
    types : tuple[str, ...]
        Of pairs whose values have a type, which ones the form offers; one that is not the first is part of the name,
        as in ``price:Number``.
    """

    name: str
    label: str
    kind: FieldKind = "text"
    default: object = ""
    help: str = ""
    minimum: int | None = None
    maximum: int | None = None
    types: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The command line's option."""
        return flag_of(self.name)

    @property
    def usage(self) -> str:
        """What the command line says of it: the help, and the label where the option's name does not say it."""
        if self.help and self.label.lower() == self.name.replace("_", " "):
            return self.help
        label = self.label if self.label[1:2].isupper() else self.label[:1].lower() + self.label[1:]
        return f"{label}: {self.help}" if self.help else label


@dataclass(frozen=True)
class Note:
    """One thing to know before a test event is sent.

    Parameters
    ----------
    text : str
        The note.
    passes : bool or None
        Whether the event reaches the handler it speaks of; None where it speaks of none.
    """

    text: str
    passes: bool | None = None

    def __str__(self) -> str:
        return {True: "✓ ", False: "✗ ", None: ""}[self.passes] + self.text


@dataclass(frozen=True)
class DeadLetters:
    """Where a service puts what a function failed to handle.

    Parameters
    ----------
    queue_arn : str
        The dead-letter queue.
    source_arn : str
        The queue that they come from and go back to.
    """

    queue_arn: str
    source_arn: str


@dataclass(frozen=True)
class Sent:
    """A test event on its way.

    Parameters
    ----------
    message_id : str
        The id under which AWS accepted it.
    ids : tuple[str, ...]
        What the invocation's record of its event can be recognised by; any one of them suffices.
    shared : bool
        Whether an equal event that was sent just before may go by them, too; what else that one goes by tells it.
    """

    message_id: str
    ids: tuple[str, ...]
    shared: bool = False


def keys_meet(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether a key may have two beginnings and two ends at once, as far as they are known."""
    begins = one[0].startswith(other[0]) or other[0].startswith(one[0])
    return begins and (one[1].endswith(other[1]) or other[1].endswith(one[1]))


@dataclass(frozen=True)
class Cause:
    """A call that causes an event of a trigger.

    Parameters
    ----------
    action, arn : str
        As the role's policy names them.
    cure : str
        What to do if the function itself makes the call.
    prefix, suffix : str
        Of the keys that count, where the resource has keys.
    stopped : bool
        Whether Lambda ends such a loop after 16 rounds.
    """

    action: str
    arn: str
    cure: str
    prefix: str = ""
    suffix: str = ""
    stopped: bool = True

    def may_be(self, beginning: str, end: str) -> bool:
        """Whether a key counts of which only the beginning and the end are known, or nothing."""
        return keys_meet((beginning, end), (self.prefix, self.suffix))


class Source(ABC):
    """An event source: everything nbchalice knows of it, in one place.

    `name` is the decorator and the cell magic; `argument` is what stands after the magic; `options` are the rest.
    `triggered` says that a service invokes the function; where none does, any JSON may be its event.
    `asynchronous` says that Lambda itself retries the events, so that the function's dead-letter queue applies;
    `takes_event_name` that the trigger takes the name `FunctionRef.event_name`. `way` is how a test event comes, where
    that is not through the service itself. `on_local_aws` says whether the local AWS has the service; where it has not,
    a deploy there makes nothing of the trigger and says so, and a test event invokes the function. `live_for` are the
    triggers that live mode is for, in words, or empty. `examples` are lines of the cell magic, the simplest first, for
    the reference and `nbchalice.testing.check_source`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    argument: ClassVar[Option | None]
    options: ClassVar[tuple[Option, ...]]
    fields: ClassVar[tuple[Field, ...]]
    triggered: ClassVar[bool] = True
    asynchronous: ClassVar[bool] = True
    takes_event_name: ClassVar[bool] = False
    way: ClassVar[str] = ""
    on_local_aws: ClassVar[bool] = True
    live_for: ClassVar[str] = ""
    examples: ClassVar[tuple[str, ...]] = ()

    @property
    def kind(self) -> EventKind:
        """What the runtime knows of the source: its event class, and how to recognize its events."""
        return KINDS[self.name]

    def is_numbered(self, options: Values) -> bool:
        """Whether a trigger takes the name `FunctionRef.event_name`; those of one function are numbered."""
        return self.takes_event_name

    def all_options(self) -> tuple[Option, ...]:
        """Return the argument and the options."""
        return (*((self.argument,) if self.argument else ()), *self.options)

    def problems(self, options: Values) -> list[str]:
        """Return what is wrong with the options, without asking AWS; AWS's rules that a local AWS does not check."""
        if self.argument and options.get(self.argument.name) == "":
            return [f"{self.argument.metavar} is empty; give the {self.argument.help}"]
        return problems(self.all_options(), options) or self.check(options)

    def check(self, options: Values) -> list[str]:
        """Return what is wrong with options of the right types: the source's own rules."""
        return []

    def check_settings(self, options: Values, settings: Values) -> list[str]:
        """Return how the options and the function's settings contradict each other."""
        return []

    def clash(self, one: Values, other: Values, *, same_function: bool) -> str | None:
        """Return why AWS would refuse two triggers of an app beside each other, or None."""
        return None

    def notes(self, options: Values, settings: Values) -> list[str]:
        """Return what a person should know of the trigger, without asking AWS."""
        return []

    def unread(self, options: Values) -> str:
        """Return what to do since Lambda does not read which records a function reports as failed; empty if it does."""
        return "let the function raise an exception instead"

    def subject(self, options: Values) -> str:
        """Return the name of the queue, topic, bucket or the like, or the expression."""
        return str(options.get(self.argument.name) or "") if self.argument else ""

    @abstractmethod
    def describe(self, options: Values) -> str:
        """Return the trigger in a few words."""

    @abstractmethod
    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return what should stand on AWS so that events reach the function."""

    def local_resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return what the local AWS is to create where it is missing (a queue, topic or bucket of the user's)."""
        return []

    def statements(self, options: Values, function: FunctionRef) -> list[JSON]:
        """Return the policy statements that the function's role needs for this trigger."""
        return []

    def failure_target(self, options: Values, function: FunctionRef) -> str:
        """Return the ARN to which Lambda's poller, with the function's role, reports failed records; or empty."""
        return ""

    def as_deployed(self, options: Values, resource: Resource, current: Any) -> list[Values]:
        """Return the options as one of the trigger's resources has them; of several, any one may let an event through.

        Parameters
        ----------
        options : Values
            What the notebook says.
        resource, current : Resource or Any
            One of the trigger's resources, and what was read of it.
        """
        return [options]

    def waits(self, aws: AWS, options: Values, function: FunctionRef, values: Values | None) -> str:
        """Return why an event that was sent is still with the service, or no more, as far as that tells; asks AWS.

        Of no one event, where ``values`` is None, return what the service holds for the function.
        """
        return ""

    def encryption_key(self, aws: AWS, options: Values, function: FunctionRef) -> str:
        """Return the ARN of the key of the user's with which the service encrypts the events, or an empty text."""
        return ""

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return what of this source a deployed function's resource policy and event source mappings point to."""
        return []

    def grants(self, options: Values, function: FunctionRef) -> list[Grant]:
        """Return what who deploys and sends must be allowed for it, beside what its resources want."""
        return []

    def preflight(self, aws: AWS, options: Values, function: FunctionRef) -> Preflight:
        """Ask AWS whether the trigger can work; changes nothing."""
        return Preflight()

    def shortens_timeout(self, options: Values) -> bool:
        """Whether `preflight` may shorten a function's timeout that is not given."""
        return False

    def event_values(self, options: Values) -> dict[str, str]:
        """Return which attributes of the trigger's events have one value, known beforehand."""
        return {}

    def shared(self, options: Values, function: FunctionRef) -> str | None:
        """Return the ARN of what gives each event to one consumer only, as a queue does; None where all get it."""
        return None

    def causes(self, options: Values, function: FunctionRef) -> list[Cause]:
        """Return which calls of AWS cause an event of the trigger, so that a function that makes one invokes itself."""
        return []

    def competing_functions(self, aws: AWS, options: Values, function: FunctionRef) -> list[str]:
        """Return which other functions take the trigger's events away; asks AWS."""
        return []

    def competing_consumers(self, aws: AWS, options: Values, function: FunctionRef) -> str | None:
        """Return a warning where other functions take the trigger's events away, or None; asks AWS."""
        return None

    def dead_letters(self, aws: AWS, options: Values, function: FunctionRef) -> DeadLetters | None:
        """Return the dead-letter queue that the trigger's own service fills, or None; asks AWS."""
        return None

    def redirect(self, options: Values, function: FunctionRef, queue_arn: str) -> Redirect | None:
        """Return how live mode leads the trigger's events to a temporary queue, or None where it cannot."""
        return None

    def form_fields(self, options: Values) -> list[Field]:
        """Return the fields that a form shows: those that mean something for the trigger."""
        return list(self.fields)

    def repeated(self, options: Values, values: Values) -> Values:
        """Return the form's values so that sending them twice is the same event to the service."""
        return values

    def distinct(self, options: Values, values: Values) -> Values:
        """Return the form's values so that each sending is an event of its own to the service."""
        return values

    def duplicate(self, options: Values, values: Values) -> str:
        """Return why the service drops an event that has such values a second time; empty where it does not."""
        return ""

    def templates(self, options: Values, function: FunctionRef) -> dict[str, JSON]:
        """Return values for the form, by name; the first is what the form starts with."""
        return {"sample": {field.name: field.default for field in self.fields if field.default}}

    def settled(self, options: Values, values: Values) -> Values:
        """Return the form's values with what `send` would choose itself, such as the key of an object."""
        return values

    def upcoming(self, options: Values, now: datetime) -> list[Note]:
        """Return when the trigger runs by itself."""
        return []

    def verdict(self, handler: str, options: Values, values: Values, function: FunctionRef) -> Note | None:
        """Return whether the trigger of a handler lets an event through, or None where all pass.

        What does not pass is told as dropped, with the note. The service itself drops it; where a test event goes past
        the service (`passes_by`), it is not sent. Of a pattern that the source cannot judge let the note's `passes` be
        None: the event is sent, and the note is told where nothing took it up.
        """
        return None

    def passes_by(self, options: Values) -> bool:
        """Whether `send` invokes the function past the service and its filters, as where there is another `way`."""
        return bool(self.way)

    def shares_events(self, one: Values, other: Values, function: FunctionRef) -> bool:
        """Whether one event reaches both of two triggers, as all subscriptions of a topic get a message."""
        return False

    @abstractmethod
    def sample(self, options: Values, function: FunctionRef, **values: object) -> JSON:
        """Return a raw event as AWS would send it, with the form's values filled in."""

    def values_of(self, record: JSON) -> JSON:
        """Return a form's values that send a raw record, or an event that holds none, again; empty where none do."""
        return {}

    @abstractmethod
    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: object) -> Sent:
        """Send a real test event on the way that leads to the function."""
