"""Leases execution environments: few, reused while warm, waited for rather than refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from .spec import FunctionSpec
from .workers import Worker


class Caller(Enum):
    """Who wants a function to run."""

    EVENT = "an event, which can wait"
    PERSON = "a direct call, which should not wait for events"
    HANDLER = "another handler, which must not wait: it may hold what it waits for"


class TooManyWorkersError(Exception):
    """Handlers that invoke handlers have filled the pool."""


class WorkerPool:
    """All execution environments of the server.

    Parameters
    ----------
    create: makes the environment of a function; its process starts with the first invocation.
    per_function: how many environments one function gets for events; direct calls get as many again.
    total: how many there are in all for events; direct calls get as many again.
    """

    NESTED_LIMIT = 64

    def __init__(self, create: Callable[[FunctionSpec], Worker], per_function: int, total: int) -> None:
        self._create = create
        self._total = total
        nested = max(self.NESTED_LIMIT, 4 * total)
        self._limits = {
            Caller.EVENT: (per_function, total),
            Caller.PERSON: (2 * per_function, 2 * total),
            Caller.HANDLER: (nested, nested),
        }
        self._workers: list[Worker] = []
        self._changed = threading.Condition()
        self._closed = False

    @contextmanager
    def lease(self, spec: FunctionSpec, caller: Caller = Caller.EVENT) -> Iterator[Worker]:
        """Lend an environment, waiting for one unless a handler is the caller."""
        worker = self._acquire(spec, caller)
        try:
            yield worker
        finally:
            self._release(worker)

    def discard(self, key_matches: Callable[[str], bool]) -> None:
        """End the environments of functions that changed; a running invocation is let finish."""
        with self._changed:
            doomed = [worker for worker in self._workers if key_matches(worker.spec.key)]
            self._workers = [worker for worker in self._workers if worker not in doomed]
            idle = [worker for worker in doomed if not worker.busy]
            self._changed.notify_all()
        for worker in idle:
            worker.kill()

    def reap(self, idle_seconds: float) -> int:
        """End the environments that were not used for a while; return how many."""
        limit = time.monotonic() - idle_seconds
        with self._changed:
            doomed = [w for w in self._workers if not w.busy and w.last_used < limit]
            self._workers = [worker for worker in self._workers if worker not in doomed]
            self._changed.notify_all()
        for worker in doomed:
            worker.kill()
        return len(doomed)

    def close(self) -> None:
        """End all environments at once, busy or not, and lend no more."""
        with self._changed:
            self._closed = True
        self.kill_all()

    def kill_all(self) -> None:
        """End all environments at once, busy or not."""
        with self._changed:
            doomed, self._workers = self._workers, []
            self._changed.notify_all()
        for worker in doomed:
            worker.log.close()
            worker.interrupt()
        for worker in doomed:
            worker.kill()

    def count(self) -> int:
        """Return how many environments there are."""
        with self._changed:
            return len(self._workers)

    def _acquire(self, spec: FunctionSpec, caller: Caller) -> Worker:
        evicted: Worker | None = None
        with self._changed:
            while True:
                if self._closed:
                    raise TooManyWorkersError("the local AWS is stopping")
                if worker := self._idle(spec):
                    break
                evicted = self._make_room(spec, caller)
                if evicted is not None or self._has_room(spec, caller):
                    worker = self._create(spec)
                    self._workers.append(worker)
                    break
                if caller is Caller.HANDLER:
                    raise TooManyWorkersError(f"{len(self._workers)} handlers are running")
                self._changed.wait()
            worker.busy = True
        if evicted is not None:
            evicted.kill()
        return worker

    def _same(self, spec: FunctionSpec) -> list[Worker]:
        return [worker for worker in self._workers if worker.spec.key == spec.key]

    def _has_room(self, spec: FunctionSpec, caller: Caller) -> bool:
        per_function, total = self._limits[caller]
        return len(self._same(spec)) < per_function and len(self._workers) < total

    def _make_room(self, spec: FunctionSpec, caller: Caller) -> Worker | None:
        """Take an idle environment out: one of an older version of the function, or else the one used least lately."""
        same = self._same(spec)
        outdated = [worker for worker in same if not worker.busy]
        full = len(self._workers) >= self._total and len(same) < self._limits[caller][0]
        idle = outdated or ([worker for worker in self._workers if not worker.busy] if full else [])
        if not idle:
            return None
        worker = min(idle, key=lambda candidate: candidate.last_used)
        self._workers.remove(worker)
        return worker

    def _idle(self, spec: FunctionSpec) -> Worker | None:
        for worker in self._workers:
            if not worker.busy and worker.spec.fingerprint == spec.fingerprint:
                return worker
        return None

    def _release(self, worker: Worker) -> None:
        with self._changed:
            worker.busy = False
            worker.last_used = time.monotonic()
            kept = worker in self._workers and worker.alive
            if not kept and worker in self._workers:
                self._workers.remove(worker)
            self._changed.notify_all()
        if not kept:
            worker.kill()
