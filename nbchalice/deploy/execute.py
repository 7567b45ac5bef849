"""A plan is carried out: in parallel where the order allows, with progress, and safe to be run again."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from graphlib import TopologicalSorter
from queue import SimpleQueue
from typing import Literal

from nbchalice.aws.errors import explain
from nbchalice.aws.passing import PATIENCE, is_transient, passing
from nbchalice.aws.refusals import REFUSED
from nbchalice.deploy.inspect import parallel
from nbchalice.deploy.plan import Change, Plan
from nbchalice.errors import AWSError, DeployError, Interrupted, InvalidInputError, NbChaliceError
from nbchalice.polling import Pace, poll
from nbchalice.resources.base import AWS, error_code, is_missing

WORKERS = 64
# IAM's rights reach the other services within seconds, at times a minute; what has stood is known or wrong.
UNTIL_KNOWN = 120.0
UNTIL_KNOWN_STANDING = 20.0
RIGHTS = ("role", "scheduler role", "permission")
MOST_NAMED = 20
WORD = re.compile(r"[\w.-]+")
# Somebody was faster, or an earlier try's answer was lost: look again.
ALREADY = {
    "EntityAlreadyExists",
    "ResourceAlreadyExistsException",
    "ResourceConflictException",
    "BucketAlreadyOwnedByYou",
    "QueueAlreadyExists",
}

# ``waiting``: it was made, and AWS has not yet set it to work.
ChangeState = Literal["started", "waiting", "done", "failed"]
Progress = Callable[[Change, ChangeState], None]


def quiet(change: Change, state: ChangeState) -> None:
    """Show no progress."""


def execute(plan: Plan, aws: AWS, progress: Progress = quiet, patience: float = PATIENCE) -> None:
    """Carry out a plan.

    Parameters
    ----------
    plan : Plan
        What to do.
    aws : AWS
        where.
    progress : Progress
        Called with each change and ``started``, ``done`` or ``failed``, from several threads.
    patience : float
        Seconds in all during which conflicts and throttling are tried again.

    Raises
    ------
    DeployError
        A change failed; says what was done and what was not.
    Interrupted
        The user stopped it; says the same.
    """
    run = _Run(plan, aws, progress, time.monotonic() + patience)
    run.work()
    if run.stopped.is_set():
        raise Interrupted(*run.report())
    if run.failed:
        raise DeployError(*run.report())


class _Run:
    """One execution. The threads note themselves what they began and how it ended: nobody may be left to ask them."""

    def __init__(self, plan: Plan, aws: AWS, progress: Progress, deadline: float) -> None:
        self.plan, self.aws, self.progress, self.deadline = plan, aws, progress, deadline
        self.begun: list[Change] = []
        self.done: list[Change] = []
        self.failed: list[tuple[Change, NbChaliceError]] = []
        self.stopped = threading.Event()
        self.ended = threading.Condition()
        self._deaths = _deaths(aws)

    def work(self) -> None:
        pool = ThreadPoolExecutor(WORKERS, "nbchalice-write")
        try:
            try:
                self._all(pool)
            except KeyboardInterrupt:
                self.stopped.set()
                self._let_end()
        except KeyboardInterrupt:  # Who stops it once more does not want to wait for what is being changed.
            self.stopped.set()
        finally:
            pool.shutdown(wait=False)

    def _let_end(self) -> None:
        # The pool may have begun what it was interrupted in noting.
        with self.ended:
            self.ended.wait_for(lambda: not self._running())

    def _running(self) -> list[Change]:
        ended = {change.key for change in [*self.done, *(change for change, _ in self.failed)]}
        return [change for change in self.begun if change.key not in ended]

    def _all(self, pool: ThreadPoolExecutor) -> None:
        changes = {change.key: change for change in self.plan.changes}
        places = {key: place for place, key in enumerate(changes)}
        order = TopologicalSorter(self.plan.waits)
        order.prepare()
        ready: deque[str] = deque()
        running: dict[Future[None], Change] = {}
        ended: SimpleQueue[Future[None]] = SimpleQueue()
        while True:
            ready += sorted(order.get_ready(), key=places.__getitem__)
            # No more than there are workers: what is not running must be able to stay undone.
            while ready and len(running) < WORKERS and not self.failed:
                change = changes[ready.popleft()]
                future = pool.submit(self._one, change)
                running[future] = change
                future.add_done_callback(ended.put)
            if not running:
                return
            order.done(running.pop(ended.get()).key)

    def _one(self, change: Change) -> None:
        with self.ended:
            if self.stopped.is_set():
                return
            self.begun.append(change)
        self.progress(change, "started")
        try:
            self._until_done(change)
        except BaseException as error:  # whatever it is, what runs beside it must come to its end
            self.failed.append((change, _gone(change, error) or explain(error, _named(change))))
            self.progress(change, "failed")
        else:
            self.done.append(change)
            self.progress(change, "done")
        with self.ended:
            self.ended.notify_all()

    def _until_done(self, change: Change) -> None:
        trouble: Exception | None = None
        began = time.monotonic()

        def done() -> bool:
            nonlocal change, trouble
            if trouble is not None:
                change = self._look_again(change)
            try:
                self._attempt(change, change.current)
            except Exception as error:
                if not self._passes(change, error, time.monotonic() - began):
                    raise
                trouble = error
                return False
            return True

        latest = max(self.deadline, began + UNTIL_KNOWN)
        if not poll(done, latest, Pace(0.05, 2.0, growth=2.0), self._wait) and trouble is not None:
            raise trouble

    def _passes(self, change: Change, error: Exception, waited: float) -> bool:
        """Whether to try a change again that AWS refused, after so many seconds of trying."""
        if _deaths(self.aws) != self._deaths:
            return False  # What it waits for may be gone with it: the deploy looks again.
        row = passing(error)
        if row is not None and row.until == "known":
            made = any(other.resource.kind in RIGHTS for other in self.done)
            return waited < (UNTIL_KNOWN if made else UNTIL_KNOWN_STANDING)
        passes = is_transient(error) or change.resource.is_transient(error) or error_code(error) in ALREADY
        return passes and time.monotonic() < self.deadline

    def _wait(self, seconds: float) -> bool:
        """Wait about that long: changes that got in each other's way shall not meet again. Return whether to stop."""
        return self.stopped.wait(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

    def _look_again(self, change: Change) -> Change:
        """Return the change with what stands now: an attempt that seemed to fail may have done its work."""
        try:
            current = change.resource.read(self.aws)
        except Exception as error:
            if is_transient(error) or change.resource.is_transient(error):
                return change
            raise
        if current is not None and (strange := change.resource.conflicts(current)):
            fix = change.resource.conflict_fix(current)
            raise InvalidInputError(f"{change.resource.kind} {strange[0]}", fix, code="foreign-resource")
        return replace(change, current=current)

    def _attempt(self, change: Change, current: object) -> None:
        if change.action == "delete":
            if current is not None:
                change.resource.delete(self.aws, current)
        elif current is None or change.resource.differences(current):
            change.resource.write(self.aws, current)

    def report(self) -> tuple[str, str]:
        """Return what was done and what was not, and what helps."""
        begun, running, groups = {change.key for change in self.begun}, self._running(), _alike(self.failed)
        undone = [change for change in self.plan.changes if change.key not in begun]
        lines = [
            *(["stopped"] if self.stopped.is_set() else []),
            *map(_told, groups),
            f"  done: {_listed(self.done) or 'nothing'}",
            *([f"  not waited for: {_listed(running)}"] if running else []),
            f"  not done: {_listed(undone) or 'nothing else'}",
        ]
        hints: dict[str, None] = {}  # what several handlers are told alike stands once
        for (_, error), *_ in groups:
            hints.update(dict.fromkeys(filter(None, (error.hint or "").split("; "))))
        again = "running it again is safe: it continues where this stopped"
        return "\n".join(lines), "; ".join([*hints, again])


def _deaths(aws: AWS) -> int:
    """Return how often the local AWS died; real AWS does not."""
    return int(getattr(aws, "deaths", 0))


Failed = list[tuple[Change, NbChaliceError]]


def _alike(failed: Failed) -> list[Failed]:
    """Return what failed in groups: the same denial for several things, as for the role of each handler, is one."""
    groups: dict[str, Failed] = {}
    for change, error in failed:
        denied = REFUSED.search(error.message)
        alike = f"{denied['service']}:{denied['name']}" if denied else error.message
        groups.setdefault(alike, []).append((change, error))
    return list(groups.values())


def _told(group: Failed) -> str:
    """Return the first of a group in full, and to what else it happened."""
    (_, first), *others = group
    also = f"; so with {_listed([change for change, _ in others])}" if others else ""
    return f"{first.message}{also}"


def _gone(change: Change, error: BaseException) -> NbChaliceError | None:
    """Return that somebody deleted what a change made or stands on while it was under way, if AWS names that."""
    if change.action == "delete" or not isinstance(error, Exception) or not is_missing(error):
        return None
    told = set(WORD.findall(str(error)))
    own = (change.resource.key, *change.resource.needs)
    gone = next((key for key in own if key.partition(" ")[2] in told or key.rpartition(" ")[2] in told), None)
    if gone is None:
        return None
    hint = "see who else deploys or deletes this app now"
    return AWSError(f"{_named(change)}: {gone} was deleted meanwhile", hint, code="deleted-meanwhile")


def _named(change: Change) -> str:
    return f"{change.action} {change.resource.kind} {change.resource.name}"


def _listed(changes: list[Change]) -> str:
    names = [_named(change) for change in changes[:MOST_NAMED]]
    return ", ".join(names if len(names) == len(changes) else [*names, f"and {len(changes) - MOST_NAMED} more"])


@contextmanager
def before_any_change() -> Iterator[None]:
    """Let an interrupt say that nothing was changed."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("stopped before the first change; nothing was changed") from None


def look_again(planned: Plan, aws: AWS, progress: Progress) -> None:
    """Mend what another writer undid meanwhile, where several write to one thing."""
    # A bucket has one notification configuration, and S3 only takes it whole: of two deploys that read it, changed
    # it and put it at the same time, the later put takes the other's entries away.
    shared = {change.key: change for change in planned.changes if change.resource.shared}
    with parallel() as run:
        current = run({key: partial(change.resource.read, aws) for key, change in shared.items()})
    undone = [
        replace(change, current=current[key])
        for key, change in shared.items()
        if current[key] is not None and change.resource.differences(current[key])
    ]
    execute(Plan(tuple(undone), {change.key: frozenset() for change in undone}), aws, progress)
