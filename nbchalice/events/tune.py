"""One event at several sizes of memory: how long it takes and what it costs, tried on a copy of the function."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median

from nbchalice.aws.errors import explain
from nbchalice.errors import AWSError, InvalidInputError
from nbchalice.events.invoke import invoke
from nbchalice.logs.cost import Cost, Price, cost_of
from nbchalice.logs.invocation import Invocation
from nbchalice.resources.base import AWS, FunctionRef
from nbchalice.resources.function import CODE, FINGERPRINT, Function, wait_until_ready
from nbchalice.resources.log_group import LogGroup
from nbchalice.resources.ownership import TUNE_ENDING, TUNES
from nbchalice.resources.versions import ROLLED_BACK, download, settings_of
from nbchalice.runtime.recording import VARIABLE as RECORDING
from nbchalice.typed import JSON

# Lambda: CreateFunction, FunctionName.
LONGEST_NAME = 64


@dataclass(frozen=True)
class AtSize:
    """What became of the event at one size.

    Parameters
    ----------
    memory_mb : int
        The size.
    runs : tuple[Invocation, ...]
        The invocations, the cold start first.
    price : Price or None
        What a memory-second costs, or None where that is not known.
    """

    memory_mb: int
    runs: tuple[Invocation, ...]
    price: Price | None = None

    @property
    def ok(self) -> bool:
        """Whether all of them handled the event."""
        return all(run.ok for run in self.runs)

    @property
    def warm(self) -> tuple[Invocation, ...]:
        """The invocations that were no cold start; all, where there is none else."""
        return tuple(run for run in self.runs if not run.cold) or self.runs

    @property
    def duration_ms(self) -> float | None:
        """The median of the warm ones, or None where the log does not tell."""
        known = [run.duration_ms for run in self.warm if run.duration_ms is not None]
        return median(known) if known else None

    @property
    def init_ms(self) -> float | None:
        """How long the cold start took beside, or None."""
        return next((run.init_ms for run in self.runs if run.init_ms is not None), None)

    @property
    def used_mb(self) -> int | None:
        """The most memory that was used, or None."""
        return max((run.max_memory_mb for run in self.runs if run.max_memory_mb is not None), default=None)

    @property
    def cost(self) -> Cost | None:
        """What the warm ones cost, or None."""
        return cost_of(self.warm, self.price)

    @property
    def error(self) -> str:
        """Why one of them failed, in a line, or an empty text."""
        failed = next((run for run in self.runs if not run.ok), None)
        return "" if failed is None else str(failed.error or failed.status).split("\n")[0]

    def to_dict(self) -> JSON:
        """Return it as JSON-ready data."""
        names = ("memory_mb", "ok", "duration_ms", "init_ms", "used_mb", "error")
        return {
            **{name: getattr(self, name) for name in names},
            "runs": [run.duration_ms for run in self.runs],
            "cost": self.cost.to_dict() if self.cost else None,
        }


def tune(
    aws: AWS, ref: FunctionRef, event: object, *, sizes: Sequence[int], runs: int, price: Price | None = None
) -> Iterator[AtSize]:
    """Yield what becomes of an event at each size; the deployed function is read, and never changed.

    Parameters
    ----------
    aws, ref : AWS or FunctionRef
        The function, and where it stands.
    event : object
        What it is invoked with.
    sizes : Sequence[int]
        Megabytes.
    runs : int
        How often at each size; one that fails is the last at its size.
    price : Price or None
        What a memory-second costs. Default: that is not known.

    Raises
    ------
    AWSError
        The function does not stand, or AWS refuses the copy.
    InvalidInputError
        The copy's name is taken, or too long.
    """
    with copied(aws, ref) as copy:
        client = aws.client("lambda")
        for size in sizes:
            try:
                told = client.update_function_configuration(FunctionName=copy.name, MemorySize=size)
                wait_until_ready(client, copy.name, dict(told))
            except Exception as error:
                raise explain(error, f"giving {copy.name} {size} MB") from None
            yield AtSize(size, tuple(_runs(aws, copy, event, runs)), price)


def _runs(aws: AWS, copy: FunctionRef, event: object, runs: int) -> Iterator[Invocation]:
    for _ in range(runs):
        one = invoke(aws, copy, event)
        yield one
        if not one.ok:
            return


@contextmanager
def copied(aws: AWS, ref: FunctionRef) -> Iterator[FunctionRef]:
    """Have a copy of a function for as long as the block runs; it is removed however the block ends.

    Its log group comes first and goes last: by that `delete` finds a copy that was left, as it finds a handler that is
    not in the notebook any more. The copy has no trigger.
    """
    copy = replace(ref, handler=f"{ref.handler}{TUNE_ENDING}", labels=(*ref.labels, (TUNES, ref.handler)))
    if len(copy.name) > LONGEST_NAME:
        text = f"the copy would be called {copy.name}, and Lambda takes {LONGEST_NAME} letters at most"
        raise InvalidInputError(text, "give the app or the handler a shorter name")
    group, function = LogGroup(copy), _copy_of(aws, ref, copy)
    _require_own(aws, group, Function(copy))
    _remove(aws, group, Function(copy))
    try:
        try:
            group.write(aws, group.read(aws))
            function.write(aws, None)
        except Exception as error:
            raise explain(error, f"making {copy.name}, the copy to try sizes on") from None
        yield copy
    finally:
        _remove(aws, group, function)


def _copy_of(aws: AWS, ref: FunctionRef, copy: FunctionRef) -> Function:
    """Return a function with the code and the settings of the one that stands."""
    standing = Function(ref).read(aws)
    if standing is None:
        message = f"{ref.handler} is not deployed ({ref.name} does not exist)"
        raise AWSError(message, "deploy it first", code="not-deployed")
    now = standing["Configuration"]
    settings = settings_of(now)
    role = settings.pop("Role")
    # Nothing is asynchronous here; neither lines nor events of the copy are to stand among those of the function.
    settings.pop("DeadLetterConfig")
    settings["Environment"]["Variables"] = {
        name: value for name, value in settings["Environment"]["Variables"].items() if name != RECORDING
    }
    if "LoggingConfig" in settings:
        settings["LoggingConfig"] = {k: v for k, v in settings["LoggingConfig"].items() if k != "LogGroup"}
    if not settings["VpcConfig"]["SubnetIds"]:
        settings.pop("VpcConfig")
    code = download(aws.client("lambda"), ref.name, "$LATEST")
    left_out = {CODE, FINGERPRINT, ROLLED_BACK, *ref.tags}
    tags = {name: value for name, value in standing.get("Tags", {}).items() if name not in left_out}
    return Function(
        copy,
        role,
        code,
        base64.b64encode(hashlib.sha256(code).digest()).decode(),
        settings,
        (now.get("Architectures") or ["x86_64"])[0],
        {**tags, TUNES: ref.handler},
    )


def _require_own(aws: AWS, group: LogGroup, function: Function) -> None:
    """Raise InvalidInputError where what stands under these names is no copy that was left, but a handler's own."""
    current = group.read(aws)
    standing = [("log group", group.name, None if current is None else group.read_tags(aws, current))]
    standing.append(("function", function.name, (function.read(aws) or {}).get("Tags")))
    for kind, name, tags in standing:
        if tags is not None and TUNES not in tags:
            hint = "tune makes and deletes one of this name: rename or delete the handler that has it"
            raise InvalidInputError(f"{kind} {name} stands already, and is none that tune made", hint)


def _remove(aws: AWS, group: LogGroup, function: Function) -> None:
    """Remove the copy and then its log group."""
    try:
        function.delete(aws, None)
        if group.read(aws) is not None:
            group.delete(aws, None)
    except Exception as error:
        hint = f"%chalice delete {function.function.handler} removes it"
        raise AWSError(f"{function.name} could not be removed: {explain(error).message}", hint) from None
