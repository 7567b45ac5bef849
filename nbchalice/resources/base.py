"""What every resource is made of: where it stands, how it is read, compared, written and deleted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NewType, Protocol

from nbchalice.resources.arns import Arn
from nbchalice.resources.clients import Clients

OWNER_PREFIX = "nbchalice"

# What tells one resource from another within an account and region. A plain text is none: one with a typo would be a
# key that no resource has, and nothing would wait for it.
Key = NewType("Key", str)
# The kinds of resources that other files name as needed.
Kind = Literal["bucket", "function", "log group", "permission", "queue", "role", "topic"]


# What the resources declare as `repeatable`: a client does not know for which resource it is called.
REPEATABLE_BESIDE: set[str] = set()


class AWS(Protocol):
    """The account and region that a deploy works on; `nbchalice.aws.target.Connection` is one."""

    region: str
    account: str
    partition: str
    local: bool

    @property
    def client(self) -> Clients:
        """What returns the cached boto3 client of a service, which waits ``patience`` seconds for an answer."""


@dataclass(frozen=True)
class FunctionRef:
    """The names under which one handler stands on AWS.

    Parameters
    ----------
    app, stage, handler : str
        What the names are made of.
    region, account, partition : str
        Where the function stands.
    timeout : int
        The function's timeout in seconds.
    dlq : str
        ARN of the function's dead-letter queue, or an empty text.
    number : int
        Which of the function's EventBridge rules or schedules is meant, counted from 1.
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
        return str(Arn(self.partition, service, self.region, self.account, resource))

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

    What is its service's own is declared with it. `transient_codes` are errors that pass by themselves, and those of a
    thing that exists already, after which it is read and written once more (beside those of `nbchalice.aws.errors`);
    `transient_words` are parts of the messages of such errors, where the code says too little.
    `repeatable` are the operations that may be sent again when their answer was lost (beside those of
    `nbchalice.aws.repeats`). Errors that say that a thing does not exist are given to `or_missing`.
    """

    kind: ClassVar[str]
    conflict_hint: ClassVar[str] = "choose another name for the app, stage or handler, or remove what stands there"
    shared: ClassVar[bool] = False
    transient_codes: ClassVar[frozenset[str]] = frozenset()
    transient_words: ClassVar[tuple[str, ...]] = ()
    repeatable: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        REPEATABLE_BESIDE.update(cls.repeatable)

    def is_transient(self, error: Exception) -> bool:
        """Whether its service says by this error, in a code or in words, that it passes."""
        return error_code(error) in self.transient_codes or any(words in str(error) for words in self.transient_words)

    @property
    @abstractmethod
    def name(self) -> str:
        """What a person calls it."""

    @property
    def key(self) -> Key:
        """Its identity within one account and region."""
        return Key(f"{self.kind} {self.name}")

    @property
    def needs(self) -> frozenset[Key]:
        """Keys of the resources that must stand before this one."""
        return frozenset()

    @property
    def arn(self) -> str | None:
        """Its ARN where that is known beforehand."""
        return None

    @property
    def frees(self) -> frozenset[Key]:
        """Keys of resources that must not be removed before this one is written."""
        return frozenset()

    def merge(self, other: Resource) -> Resource:
        """Return one resource in place of two with the same key.

        A subclass of which two may differ and yet be one, as the entries of a bucket's notification configuration are,
        says here how. Where it does not, two triggers that want it in two ways are refused.
        """
        return self

    def agrees_with(self, other: Resource) -> bool:
        """Whether one resource can stand for this and another one with the same key."""
        merges = type(self) is type(other) and type(self).merge is not Resource.merge
        return merges or self == other

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


def key_of(kind: Kind, name: str) -> Key:
    """Return the key of a resource that is described in another file, by what it is and what it is called."""
    return Key(f"{kind} {name}")


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
    problems : list[Problem]
        Why the trigger cannot work.
    timeout : int or None
        The longest timeout in seconds that the source allows the function, or None.
    limit : str
        What sets that limit, for example ``queue orders``.
    """

    problems: list[Problem] = field(default_factory=list)
    timeout: int | None = None
    limit: str = ""


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
def or_missing(*codes: str) -> Iterator[None]:
    """Let a block end early when AWS says that the thing does not exist.

    Parameters
    ----------
    codes : str
        What the service calls that, beside `MISSING`: ``RepositoryDoesNotExistException``.
    """
    try:
        yield
    except Exception as error:
        if not is_missing(error) and error_code(error) not in codes:
            raise
