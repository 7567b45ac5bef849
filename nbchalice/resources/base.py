"""What every resource is made of: where it stands, how it is read, compared, written and deleted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NewType, Protocol

from nbchalice.resources.arns import Arn
from nbchalice.resources.clients import Clients
from nbchalice.resources.grants import Grant

OWNER_PREFIX = "nbchalice"

# What tells one resource from another within an account and region. A plain text is none: one with a typo would be a
# key that no resource has, and nothing would wait for it.
Key = NewType("Key", str)
# The kinds of resources that other files name as needed.
Kind = Literal["bucket", "event bus", "function", "log group", "permission", "queue", "role", "topic"]


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
    role : str
        ARN of an existing role that the function, and Scheduler, take; empty where roles are made.
    role_path : str
        The path that the paths of roles begin with.
    boundary : str
        ARN of the policy that bounds what roles may do, or an empty text.
    trusted : tuple[str, ...]
        ARNs of who may take the function's role beside Lambda.
    labels : tuple[tuple[str, str], ...]
        The user's tags, for all that takes tags when it is made.
    log_group : str
        The log group of the user's that the function writes to; empty for one of its own.
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
    role: str = ""
    role_path: str = "/"
    boundary: str = ""
    trusted: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    log_group: str = ""

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

    @property
    def all_tags(self) -> dict[str, str]:
        """The user's tags, and those that say whose a resource is."""
        return {**dict(self.labels), **self.tags}


@dataclass(frozen=True)
class Resource(ABC):
    """One thing that should stand on AWS: it can be read, compared, written and deleted.

    `key` says which thing it is; two resources with one key are one thing. `needs` are the keys of what must stand
    before it (and be removed after it). Every write may be repeated: a crash or a lost answer does no harm.
    `conflict_hint` is what to do when something of another owner is in the way. `shared` says that others write to the
    same thing, so that it is looked at once more at the end of a deploy. `delivers` says that events come through it.
    `settles` says that its service goes on making it after it has answered (`is_ready`), `has_address` that people
    reach it at an `address`.

    What is its service's own is declared with it. `transient_codes` are errors that pass by themselves, and those of a
    thing that exists already, after which it is read and written once more (beside those of `nbchalice.aws.errors`);
    `transient_words` are parts of the messages of such errors, where the code says too little.
    `repeatable` are the operations that may be sent again when their answer was lost (beside those of
    `nbchalice.aws.repeats`). Errors that say that a thing does not exist are given to `or_missing`.
    """

    kind: ClassVar[str]
    conflict_hint: ClassVar[str] = "choose another name for the app, stage or handler, or remove what stands there"
    shared: ClassVar[bool] = False
    delivers: ClassVar[bool] = False
    settles: ClassVar[bool] = False
    has_address: ClassVar[bool] = False
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
    def upload_size(self) -> int:
        """How many bytes a write sends, where that may take long; else 0."""
        return 0

    @property
    def absence(self) -> str:
        """What a person is told where it does not stand, though it should."""
        return f"{self.kind} {self.name} does not exist"

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
    def warning(self) -> str:
        """What a person must know before it is made, or an empty text."""
        return ""

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

    def conflict_fix(self, current: Any) -> str:
        """Return what to do about `conflicts`: `conflict_hint`, where the fix needs nothing of what stands."""
        return self.conflict_hint

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it, so that it can be made, changed, looked at and removed."""
        return []

    @abstractmethod
    def read(self, aws: AWS) -> Any | None:
        """Return what stands now, or None; changes nothing."""

    @abstractmethod
    def differences(self, current: Any) -> list[str]:
        """Return why what stands is not what is wanted, one short reason each; empty when it is."""

    def blocks(self, current: Any) -> str:
        """Return why no event comes through it as it stands, and what to do, or an empty text."""
        return ""

    def delays(self, current: Any) -> str:
        """Return why an event may take a while to come through it as it stands, or an empty text."""
        return ""

    def address(self, current: Any) -> str:
        """Return at which address people reach it, or an empty text."""
        return ""

    def is_ready(self, current: Any) -> bool:
        """Whether its service has set to work what was made or changed; `delays` says why not."""
        return True

    def gathers(self, current: Any) -> str:
        """Return for how many events it waits and how long, or an empty text."""
        return ""

    def most_at_once(self, current: Any) -> int | None:
        """Return how many invocations it lets run at once, or None where it sets no limit."""
        return None

    @abstractmethod
    def write(self, aws: AWS, current: Any | None) -> None:
        """Create it, or bring what stands to what is wanted."""

    @abstractmethod
    def delete(self, aws: AWS, current: Any) -> None:
        """Remove it; what is gone already is fine."""


class OfTheUser(Resource):
    """A thing of the user's: made on the local AWS where it is missing, and never changed nor removed."""

    def differences(self, current: object) -> list[str]:
        """Nothing: it is as the user has it."""
        return []

    def delete(self, aws: AWS, current: object) -> None:
        """Never."""


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
    notes : list[str]
        What a person should know, and what could not be looked at.
    """

    problems: list[Problem] = field(default_factory=list)
    timeout: int | None = None
    limit: str = ""
    notes: list[str] = field(default_factory=list)


def error_code(error: Exception) -> str:
    """Return AWS's code of a botocore ClientError, or an empty text."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def status_code(error: Exception) -> int:
    """Return the HTTP status of a botocore ClientError, or 0."""
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


UNREAD = "unread"
"""What a resource that AWS does not let be read has in the place of what stands: why, in words."""
TAGS = "tags"
"""Under which name what was read of a resource has its tags, where they were read."""
UNCOMPARED = "uncompared"
"""What was read of a resource has here which part of it AWS does not let be read: why, in words."""
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})
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


def is_read(current: Any) -> bool:
    """Whether a resource stands, and could be looked at."""
    return bool(current) and UNREAD not in current


def is_denied(error: Exception) -> bool:
    """Whether AWS says that the caller may not."""
    return error_code(error) in DENIED


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


@contextmanager
def unless_denied() -> Iterator[None]:
    """Let a block end early when AWS says that the caller may not look: what hangs on it is then AWS's to say."""
    try:
        yield
    except Exception as error:
        if not is_denied(error):
            raise
