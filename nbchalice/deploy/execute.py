"""A plan is carried out: in parallel where the order allows, with progress, and safe to be run again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from nbchalice.aws.errors import explain, is_transient
from nbchalice.deploy.plan import Change, Plan
from nbchalice.errors import DeployError, InvalidInputError, NbChaliceError
from nbchalice.sources.base import AWS, error_code

WORKERS = 32
PATIENCE = 90.0
MOST_NAMED = 20
# Somebody was faster, or an earlier try's answer was lost: look again.
ALREADY = {
    "EntityAlreadyExists",
    "ResourceAlreadyExistsException",
    "ResourceConflictException",
    "BucketAlreadyOwnedByYou",
    "QueueAlreadyExists",
}

Progress = Callable[[Change, str], None]


def quiet(change: Change, state: str) -> None:
    """Show no progress."""


def execute(plan: Plan, aws: AWS, progress: Progress = quiet, patience: float = PATIENCE) -> None:
    """Carry out a plan.

    Parameters
    ----------
    plan: what to do.
    aws: where.
    progress: called with each change and ``started``, ``done`` or ``failed``, from several threads.
    patience: seconds in all during which conflicts and throttling are tried again.

    Raises
    ------
    DeployError: a change failed or the user interrupted; says what was done and what was not.
    """
    run = _Run(plan, aws, progress, time.monotonic() + patience)
    run.work()
    if run.failed or run.stopped.is_set():
        raise run.report()


class _Run:
    def __init__(self, plan: Plan, aws: AWS, progress: Progress, deadline: float) -> None:
        self.plan, self.aws, self.progress, self.deadline = plan, aws, progress, deadline
        self.done: list[Change] = []
        self.failed: list[tuple[Change, NbChaliceError]] = []
        self.stopped = threading.Event()

    def work(self) -> None:
        left = {change.key: change for change in self.plan.changes}
        running: dict[Future[None], Change] = {}
        with ThreadPoolExecutor(WORKERS, "nbchalice-write") as pool:
            try:
                while True:
                    if not self.failed:
                        # No more than there are workers: what is not running must be able to stay undone.
                        for change in self._ready(left, running)[: WORKERS - len(running)]:
                            running[pool.submit(self._one, left.pop(change.key))] = change
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        self._settle(running.pop(future), future)
            except KeyboardInterrupt:
                self.stopped.set()
                for future in wait(running).done:
                    self._settle(running[future], future)

    def _ready(self, left: dict[str, Change], running: dict[Future[None], Change]) -> list[Change]:
        busy = {change.key for change in running.values()} | set(left)
        return [change for key, change in left.items() if not self.plan.waits[key] & busy]

    def _settle(self, change: Change, future: Future[None]) -> None:
        error = future.exception()
        if error is None:
            self.done.append(change)
            self.progress(change, "done")
        else:
            self.failed.append((change, explain(error, _named(change))))
            self.progress(change, "failed")

    def _one(self, change: Change) -> None:
        self.progress(change, "started")
        pause = 0.05
        while True:
            try:
                self._attempt(change, change.current)
                return
            except Exception as error:
                again = is_transient(error) or error_code(error) in ALREADY
                if not again or self.stopped.is_set() or time.monotonic() + pause > self.deadline:
                    raise
            self.stopped.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, 5.0)
            change = self._look_again(change)

    def _look_again(self, change: Change) -> Change:
        """Return the change with what stands now: an attempt that seemed to fail may have done its work."""
        try:
            current = change.resource.read(self.aws)
        except Exception as error:
            if is_transient(error):
                return change
            raise
        if current is not None and (strange := change.resource.conflicts(current)):
            raise InvalidInputError(f"{change.resource.kind} {strange[0]}", change.resource.conflict_hint)
        return replace(change, current=current)

    def _attempt(self, change: Change, current: Any) -> None:
        if change.action == "delete":
            if current is not None:
                change.resource.delete(self.aws, current)
        elif current is None or change.resource.differences(current):
            change.resource.write(self.aws, current)

    def report(self) -> DeployError:
        """Return the error that says what was done and what was not."""
        tried = {change.key for change in self.done} | {change.key for change, _ in self.failed}
        undone = [change for change in self.plan.changes if change.key not in tried]
        lines = [
            *([error.message for _, error in self.failed] or ["interrupted"]),
            f"  done: {_listed(self.done) or 'nothing'}",
            f"  not done: {_listed(undone) or 'nothing else'}",
        ]
        hints = dict.fromkeys(error.hint for _, error in self.failed if error.hint)
        again = "running it again is safe: it continues where this stopped"
        return DeployError("\n".join(lines), "; ".join([*hints, again]))


def _named(change: Change) -> str:
    return f"{change.action} {change.resource.kind} {change.resource.name}"


def _listed(changes: list[Change]) -> str:
    names = [_named(change) for change in changes[:MOST_NAMED]]
    return ", ".join(names if len(names) == len(changes) else [*names, f"and {len(changes) - MOST_NAMED} more"])
