"""Leases execution environments: few, reused while warm, waited for rather than refused.

When there are fewer environments than the functions could use, each function has a share. One that wants more work done
and has less than its share takes from those that have more; else an environment makes room only when nobody has wanted
it for a while, so that it does not end a moment before it is needed again. A function without any gets its first one
beside those that are all busy, lest slow functions keep a quick one waiting.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from ..shared.spec import FunctionSpec
from .workers import Worker

WARM_SECONDS = 1.0  # so long an idle environment is kept for its function's next event
TURN_SECONDS = 2.0  # so long a function keeps its only environment while others have none
LOOK_SECONDS = 0.1  # how often one who waits looks whether time has changed something


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
    create : Callable[[FunctionSpec], Worker]
        Makes the environment of a function; its process starts with the first invocation.
    per_function : int
        How many environments one function gets for events; direct calls get as many again.
    total : int
        How many there are in all for events; direct calls, and functions that have none, get as many again.
    clock : Callable[[], float]
        Tells the seconds.
    freed : Callable[[], None]
        Called when an environment has become free.
    """

    NESTED_LIMIT = 64

    def __init__(
        self,
        create: Callable[[FunctionSpec], Worker],
        per_function: int,
        total: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        freed: Callable[[], None] = lambda: None,
    ) -> None:
        self._create = create
        self._total = total
        self._clock = clock
        self._freed = freed
        nested = max(self.NESTED_LIMIT, 4 * total)
        self._limits = {
            Caller.EVENT: (per_function, total),
            Caller.PERSON: (2 * per_function, 2 * total),
            Caller.HANDLER: (nested, nested),
        }
        self._workers: list[Worker] = []
        self._waiting: Counter[str] = Counter()  # events that wait for an environment, of each function
        self._expected: Counter[str] = Counter()  # events that were admitted and are on their way
        self._denied: dict[str, float] = {}  # functions whose events were not admitted, and when last
        self._unmet: dict[str, float] = {}  # functions that want an environment and have none, and since when
        self._changed = threading.Condition()
        self._closed = False
        self.created = 0
        self.evicted = 0

    @contextmanager
    def lease(self, spec: FunctionSpec, caller: Caller = Caller.EVENT, *, expected: bool = False) -> Iterator[Worker]:
        """Lend an environment, waiting for one unless a handler is the caller.

        Parameters
        ----------
        expected : bool
            The event was admitted, and `expect` called for it; it uses up its place.
        """
        worker = self._acquire(spec, caller, expected)
        try:
            yield worker
        finally:
            self._release(worker)

    def admits(self, key: str) -> bool:
        """Whether an event of a function would get an environment at once; a denied one is remembered as wanting."""
        with self._changed:
            granted = not self._closed and self._may_run(key) and self._can_have(key)
            if granted:
                self._denied.pop(key, None)
            else:
                self._denied[key] = self._clock()
                self._note_unmet(key)
            return granted

    def has_denied(self) -> bool:
        """Whether events were not admitted lately, which may be by now."""
        with self._changed:
            lately = self._clock() - 2 * WARM_SECONDS
            self._denied = {key: when for key, when in self._denied.items() if when > lately}
            self._unmet = {key: since for key, since in self._unmet.items() if self._wants(key)}
            return bool(self._denied)

    def expect(self, key: str) -> None:
        """Keep a place for an event that was admitted."""
        with self._changed:
            self._expected[key] += 1

    def expect_no_more(self, key: str) -> None:
        """Give up the place of an event that needs it no more."""
        with self._changed:
            self._expected[key] -= 1
            self._expected += Counter()  # drops zeros
            self._changed.notify_all()

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
        """End the environments that were not used for a while, and soon those above the total; return how many."""
        limit, lately = self._clock() - idle_seconds, self._clock() - WARM_SECONDS
        with self._changed:
            idle = sorted((w for w in self._workers if not w.busy), key=lambda worker: worker.last_used)
            surplus = max(0, len(self._workers) - self._total)
            unwanted = [w for w in idle if w.last_used <= lately and not self._wants(w.spec.key)][:surplus]
            doomed = [w for w in idle if w.last_used < limit or w in unwanted]
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

    def _acquire(self, spec: FunctionSpec, caller: Caller, expected: bool) -> Worker:
        event = caller is Caller.EVENT
        with self._changed:
            if event:
                self._waiting[spec.key] += 1
            try:
                while True:
                    if self._closed:
                        raise TooManyWorkersError("the local AWS is stopping")
                    self._expected[spec.key] -= expected  # its own place is not in its way
                    worker, evicted = self._take(spec, caller, admitted=expected)
                    if worker is not None:
                        break
                    self._expected[spec.key] += expected
                    if caller is Caller.HANDLER:
                        raise TooManyWorkersError(f"{len(self._workers)} handlers are running")
                    if event:
                        self._note_unmet(spec.key)
                    self._changed.wait(LOOK_SECONDS)
                worker.busy = True
                self._unmet.pop(spec.key, None)
            finally:
                if event:
                    self._waiting[spec.key] -= 1
                    self._waiting += Counter()
                self._expected += Counter()
        if evicted is not None:
            evicted.kill()
        return worker

    def _take(self, spec: FunctionSpec, caller: Caller, *, admitted: bool) -> tuple[Worker | None, Worker | None]:
        """Return an environment and the one that made room for it, or nothing yet; what was admitted gets one."""
        # Others may have come since it was admitted, so that its function's share is smaller: it is received already.
        if caller is Caller.EVENT and not admitted and not self._may_run(spec.key):
            return None, None
        if (caller is not Caller.EVENT or self._spare(spec.key) > 0) and (worker := self._idle(spec)):
            return worker, None
        outdated = [w for w in self._same(spec.key) if not w.busy and w.spec.fingerprint != spec.fingerprint]
        evicted = min(outdated, key=lambda worker: worker.last_used) if outdated else None
        if evicted is None and (caller is Caller.EVENT or len(self._workers) >= self._total):
            evicted = None if self._has_room(spec.key, caller, self._total) else self._victim(spec.key, caller)
        if evicted is None and not admitted and not self._has_room(spec.key, caller):
            return None, None
        if evicted is not None:
            self._workers.remove(evicted)
            self.evicted += 1
        worker = self._create(spec)
        self.created += 1
        self._workers.append(worker)
        return worker, evicted

    def _can_have(self, key: str) -> bool:
        return self._spare(key) > 0 or self._has_room(key, Caller.EVENT) or self._victim(key) is not None

    def _same(self, key: str) -> list[Worker]:
        return [worker for worker in self._workers if worker.spec.key == key]

    def _idle(self, spec: FunctionSpec) -> Worker | None:
        for worker in self._workers:
            if not worker.busy and worker.spec.fingerprint == spec.fingerprint:
                return worker
        return None

    def _spare(self, key: str) -> int:
        """Return how many idle environments of a function no expected event has a place in."""
        return sum(not worker.busy for worker in self._same(key)) - self._expected[key]

    def _has_room(self, key: str, caller: Caller, most: int | None = None) -> bool:
        per_function, total = self._limits[caller]
        places = Counter({each: -self._spare(each) for each in self._expected})
        coming = sum((+places).values()) if caller is Caller.EVENT else 0
        own = max(0, places[key]) if caller is Caller.EVENT else 0
        if caller is Caller.EVENT and not self._same(key) and not own:
            total *= 2
        return len(self._same(key)) + own < per_function and len(self._workers) + coming < (most or total)

    def _wants(self, key: str) -> bool:
        """Whether a function has events that have no environment yet."""
        lately = self._clock() - WARM_SECONDS
        return self._waiting[key] > 0 or self._expected[key] > 0 or self._denied.get(key, lately) > lately

    def _share(self, key: str) -> int:
        """Return how many environments a function may have while others want some, too."""
        lately = self._clock() - WARM_SECONDS
        active = {worker.spec.key for worker in self._workers if worker.busy or worker.last_used > lately}
        active |= {each for each in (*self._waiting, *self._expected, *self._denied) if self._wants(each)}
        return max(1, self._total // len(active | {key}))

    def _may_run(self, key: str) -> bool:
        """Whether a function need not leave an environment to others: to one below its share, or to one in turn."""
        share = self._share(key)
        mine = self._same(key)
        running = sum(worker.busy for worker in mine) + self._expected[key]
        others = {each for each in (*self._waiting, *self._denied) if each != key and self._wants(each)}
        full = len(self._workers) >= self._total
        if full and running >= share and any(len(self._same(each)) < share for each in others):
            return False
        return not (full and mine and self._turn_is_over(key) and any(self._is_in_turn(each) for each in others))

    def _turn_is_over(self, key: str) -> bool:
        """Whether a function is the one that has had its only environment longest."""
        turns = {w.spec.key: w.born for w in self._workers}
        lone = {each: born for each, born in turns.items() if len(self._same(each)) == 1}
        return key in lone and lone[key] == min(lone.values()) and self._clock() - lone[key] >= TURN_SECONDS

    def _is_in_turn(self, key: str) -> bool:
        """Whether a function has waited for its first environment for a turn."""
        return not self._same(key) and self._clock() - self._unmet.get(key, self._clock()) >= TURN_SECONDS

    def _note_unmet(self, key: str) -> None:
        if not self._same(key):
            self._unmet.setdefault(key, self._clock())

    def _victim(self, key: str, caller: Caller = Caller.EVENT) -> Worker | None:
        """Return the environment that makes room for a function, the longest idle one first, or None."""
        per_function, total = self._limits[caller]
        same = self._same(key)
        if len(same) + (self._expected[key] if caller is Caller.EVENT else 0) >= per_function:
            return None
        now, share, next_in_turn = self._clock(), self._share(key), self._is_in_turn(key)
        for worker in sorted(self._workers, key=lambda worker: worker.last_used):
            other = worker.spec.key
            if worker.busy or other == key or self._spare(other) <= 0:
                continue
            stale = now - worker.last_used >= WARM_SECONDS and not self._wants(other)
            above = len(same) < share < len(self._same(other))
            in_turn = next_in_turn and self._turn_is_over(other)
            pressed = caller is not Caller.EVENT and len(self._workers) >= total
            if stale or above or in_turn or pressed:
                return worker
        return None

    def _release(self, worker: Worker) -> None:
        with self._changed:
            worker.busy = False
            worker.last_used = self._clock()
            kept = worker in self._workers and worker.alive
            if not kept and worker in self._workers:
                self._workers.remove(worker)
            self._changed.notify_all()
        if not kept:
            worker.kill()
        self._freed()
