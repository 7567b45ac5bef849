"""What every event source is made of: options, AWS resources, a sample event, a way to send one."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from nbchalice.sources.options import Option, problems

JSON = dict[str, Any]
OWNER_PREFIX = "nbchalice"


class AWS(Protocol):
    """The account and region that a deploy works on; `nbchalice.aws.target.Connection` is one."""

    region: str
    account: str
    partition: str
    local: bool

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the cached boto3 client of a service."""


@dataclass(frozen=True)
class FunctionRef:
    """The names under which one handler stands on AWS.

    Parameters
    ----------
    app, stage, handler: what the names are made of.
    region, account, partition: where the function stands.
    timeout: the function's timeout in seconds.
    dlq: ARN of the function's dead-letter queue, or an empty text.
    number: which of the function's EventBridge rules or schedules is meant, counted from 1.
    """

    app: str
    stage: str
    handler: str
    region: str
    account: str
    partition: str = "aws"
    timeout: int = 60
    dlq: str = ""
    number: int = 1

    @property
    def name(self) -> str:
        """The function's name, also the role's."""
        return f"{self.app}-{self.stage}-{self.handler}"

    def arn_of(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in the function's own region and account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self.arn_of("lambda", f"function:{self.name}")

    @property
    def event_name(self) -> str:
        """The name of its EventBridge rule or schedule."""
        return f"{self.name}-event" if self.number == 1 else f"{self.name}-event-{self.number}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that say whose a resource is."""
        return {
            f"{OWNER_PREFIX}:app": self.app,
            f"{OWNER_PREFIX}:stage": self.stage,
            f"{OWNER_PREFIX}:handler": self.handler,
        }


@dataclass(frozen=True)
class Resource(ABC):
    """One thing that should stand on AWS: it can be read, compared, written and deleted.

    `key` says which thing it is; two resources with one key are one thing. `needs` are the keys of what must stand
    before it (and be removed after it). Every write may be repeated: a crash or a lost answer does no harm.
    `conflict_hint` is what to do when something of another owner is in the way. `shared` says that others write to the
    same thing, so that it is looked at once more at the end of a deploy.
    """

    kind: ClassVar[str]
    conflict_hint: ClassVar[str] = "choose another name for the app, stage or handler, or remove what stands there"
    shared: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str:
        """What a person calls it."""

    @property
    def key(self) -> str:
        """Its identity within one account and region."""
        return f"{self.kind} {self.name}"

    @property
    def needs(self) -> frozenset[str]:
        """Keys of the resources that must stand before this one."""
        return frozenset()

    @property
    def arn(self) -> str | None:
        """Its ARN where that is known beforehand."""
        return None

    @property
    def frees(self) -> frozenset[str]:
        """Keys of resources that must not be removed before this one is written."""
        return frozenset()

    def merge(self, other: Resource) -> Resource:
        """Return one resource in place of two with the same key."""
        return self

    def conflicts(self, current: Any) -> list[str]:
        """Return what stands in the way of writing it, of other people's."""
        return []

    @abstractmethod
    def read(self, aws: AWS) -> Any | None:
        """Return what stands now, or None; changes nothing."""

    @abstractmethod
    def differences(self, current: Any) -> list[str]:
        """Return why what stands is not what is wanted, one short reason each; empty when it is."""

    @abstractmethod
    def write(self, aws: AWS, current: Any | None) -> None:
        """Create it, or bring what stands to what is wanted."""

    @abstractmethod
    def delete(self, aws: AWS, current: Any) -> None:
        """Remove it; what is gone already is fine."""


@dataclass(frozen=True)
class Field:
    """One field of the form that sends a test event.

    Parameters
    ----------
    name: the keyword of `Source.send`; the command line's option is the same with dashes.
    label: what the form says.
    kind: ``text``, ``area``, ``json``, ``pairs`` (name and value), ``number`` or ``file``.
    default: what the form starts with.
    help: one line for people.
    """

    name: str
    label: str
    kind: str = "text"
    default: Any = ""
    help: str = ""


@dataclass(frozen=True)
class Note:
    """One thing to know before a test event is sent.

    Parameters
    ----------
    text: the note.
    passes: whether the event reaches the handler it speaks of; None where it speaks of none.
    """

    text: str
    passes: bool | None = None

    def __str__(self) -> str:
        return {True: "✓ ", False: "✗ ", None: ""}[self.passes] + self.text


@dataclass(frozen=True)
class Sent:
    """A test event on its way.

    Parameters
    ----------
    message_id: the id under which AWS accepted it.
    ids: what the invocation's record of its event can be recognised by; any one of them suffices.
    """

    message_id: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """Why a trigger cannot work, and the fix."""

    message: str
    hint: str


@dataclass(frozen=True)
class Preflight:
    """What a look at AWS before a deploy found.

    Parameters
    ----------
    problems: why the trigger cannot work.
    timeout: the longest timeout in seconds that the source allows the function, or None.
    limit: what sets that limit, for example ``queue orders``.
    """

    problems: list[Problem] = field(default_factory=list)
    timeout: int | None = None
    limit: str = ""


class Source(ABC):
    """An event source: everything nbchalice knows of it, in one place.

    `name` is the decorator and the cell magic; `argument` is what stands after the magic; `options` are the rest.
    `asynchronous` says that Lambda itself retries the events, so that the function's dead-letter queue applies;
    `takes_event_name` that the trigger takes the name `FunctionRef.event_name`. `way` is how a test event comes, where
    that is not through the service itself.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    argument: ClassVar[Option | None]
    options: ClassVar[tuple[Option, ...]]
    fields: ClassVar[tuple[Field, ...]]
    event_class: ClassVar[str]
    asynchronous: ClassVar[bool] = True
    takes_event_name: ClassVar[bool] = False
    way: ClassVar[str] = ""

    def all_options(self) -> tuple[Option, ...]:
        """Return the argument and the options."""
        return (*((self.argument,) if self.argument else ()), *self.options)

    def problems(self, options: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with the options, without asking AWS; AWS's rules that a local AWS does not check."""
        if self.argument and options.get(self.argument.name) == "":
            return [f"{self.argument.metavar} is empty; give the {self.argument.help}"]
        return problems(self.all_options(), options) or self.check(options)

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with options of the right types: the source's own rules."""
        return []

    def check_settings(self, options: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
        """Return how the options and the function's settings contradict each other."""
        return []

    def clash(self, one: Mapping[str, Any], other: Mapping[str, Any], *, same_function: bool) -> str | None:
        """Return why AWS would refuse two triggers of an app beside each other, or None."""
        return None

    def notes(self, options: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
        """Return what a person should know of the trigger, without asking AWS."""
        return []

    def subject(self, options: Mapping[str, Any]) -> str:
        """Return the name of the queue, topic, bucket or the like, or the expression."""
        return str(options.get(self.argument.name) or "") if self.argument else ""

    @abstractmethod
    def describe(self, options: Mapping[str, Any]) -> str:
        """Return the trigger in a few words."""

    @abstractmethod
    def resources(self, options: Mapping[str, Any], function: FunctionRef) -> list[Resource]:
        """Return what should stand on AWS so that events reach the function."""

    def playthings(self, options: Mapping[str, Any], function: FunctionRef) -> list[Resource]:
        """Return what the local AWS is to create where it is missing (a queue, topic or bucket of the user's)."""
        return []

    def statements(self, options: Mapping[str, Any], function: FunctionRef) -> list[JSON]:
        """Return the policy statements that the function's role needs for this trigger."""
        return []

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return what of this source a deployed function's resource policy and event source mappings point to."""
        return []

    def preflight(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef) -> Preflight:
        """Ask AWS whether the trigger can work; changes nothing."""
        return Preflight()

    def rivals(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef) -> str | None:
        """Return a warning where other functions take the trigger's events away, or None; asks AWS."""
        return None

    def templates(self, options: Mapping[str, Any], function: FunctionRef) -> dict[str, JSON]:
        """Return values for the form, by name; the first is what the form starts with."""
        return {"sample": {field.name: field.default for field in self.fields if field.default}}

    def settled(self, options: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the form's values with what `send` would choose itself, such as the key of an object."""
        return values

    def upcoming(self, options: Mapping[str, Any], now: datetime) -> list[Note]:
        """Return when the trigger runs by itself."""
        return []

    def verdict(
        self, handler: str, options: Mapping[str, Any], values: Mapping[str, Any], function: FunctionRef
    ) -> Note | None:
        """Return whether the trigger of a handler lets an event through, or None where all pass."""
        return None

    def shares_events(self, one: Mapping[str, Any], other: Mapping[str, Any], function: FunctionRef) -> bool:
        """Whether one event reaches both of two triggers, as all subscriptions of a topic get a message."""
        return False

    @abstractmethod
    def sample(self, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> JSON:
        """Return a raw event as AWS would send it, with the form's values filled in."""

    @abstractmethod
    def send(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> Sent:
        """Send a real test event on the way that leads to the function."""


def text_of(value: Any, default: str) -> str:
    """Return a message as text: JSON for anything but text."""
    if value is None or value == "":
        return default
    return value if isinstance(value, str) else json.dumps(value)


def json_of(value: Any, default: Any) -> Any:
    """Return a value that may have been typed as JSON."""
    if value is None or value == "":
        return default
    return json.loads(value) if isinstance(value, str) else value


def error_code(error: Exception) -> str:
    """Return AWS's code of a botocore ClientError, or an empty text."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def status_code(error: Exception) -> int:
    """Return the HTTP status of a botocore ClientError, or 0."""
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


MISSING = {
    "ResourceNotFoundException",
    "NoSuchEntity",
    "NoSuchBucket",
    "404",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
}


def is_missing(error: Exception) -> bool:
    """Whether AWS says that the thing does not exist."""
    return error_code(error) in MISSING


@contextmanager
def or_missing() -> Iterator[None]:
    """Let a block end early when AWS says that the thing does not exist."""
    try:
        yield
    except Exception as error:
        if not is_missing(error):
            raise
