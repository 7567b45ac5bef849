"""Log events -> invocations. Pure: no clock, no network."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import chain, count

from nbchalice.logs.drafts import Draft, Said
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.lines import Line, read_line
from nbchalice.logs.records import LogEvent

KEPT_WHEN_FORGETTING = 100
MOST_PENDING = 1000
MOST_UNCERTAIN = 8


def parse(events: Iterable[LogEvent], function: str = "", request_id: str = "") -> list[Invocation]:
    """Read log events into invocations, the first started first.

    Parameters
    ----------
    events : Iterable[LogEvent]
        Events of any number of log streams, in any order; events of equal time are taken as they come.
    function : str
        Name of the function. Default: an empty text.
    request_id : str
        The invocation whose log they are, where it is that of a single one. Default: of any number.

    Returns
    -------
    The invocations. Lines that tell no request id belong to the invocation open in their stream, else to the next one.
    """
    assembler = Assembler(function)
    if request_id:
        assembler.expect(request_id)
    assembler.feed(events)
    return assembler.invocations()


@dataclass(eq=False)
class _Stream:
    """One log stream: an execution environment, which runs one invocation at a time.

    Parameters
    ----------
    open : Draft or None
        The invocation that runs.
    closed : Draft or None
        The last one that ended.
    uncertain : list[Draft]
        Those that began since the last one that ended for sure, and may be something that another one printed.
    pending : deque[Said]
        Lines that wait for the next one.
    """

    open: Draft | None = None
    closed: Draft | None = None
    uncertain: list[Draft] = field(default_factory=list)
    pending: deque[Said] = field(default_factory=lambda: deque(maxlen=MOST_PENDING))

    @property
    def idle(self) -> bool:
        """Whether nothing of it is still to come that belongs to what came already."""
        ended = self.closed is None or self.closed.report is not None
        return self.open is None and ended and not self.pending

    def trim(self) -> None:
        """Forget those that ended for sure."""
        while self.uncertain and self.uncertain[0].closed and self.uncertain[0].certain:
            del self.uncertain[0]


class Assembler:
    """Puts invocations together from log events that come bit by bit.

    Parameters
    ----------
    function : str
        Name of the function.
    most_records : int or None
        How many records to keep for each invocation; the oldest go first. Default: all.
    """

    def __init__(self, function: str = "", most_records: int | None = None) -> None:
        self._function = function
        self._most = most_records
        self._count = count()
        self._streams: dict[str, _Stream] = {}
        self._runs: dict[str, list[Draft]] = {}

    def expect(self, request_id: str, stream: str = "") -> None:
        """Let a stream begin within an invocation."""
        draft = self._streams.setdefault(stream, _Stream()).open = self._new(request_id, stream)
        draft.sure = True

    def feed(self, events: Iterable[LogEvent]) -> list[Invocation]:
        """Take in events and return the invocations that they changed, in the order of the changes."""
        changed: dict[Draft, None] = {}
        for event in sorted(events, key=lambda event: event.timestamp):
            said = Said(next(self._count), event, read_line(event.message))
            draft = self._place(self._streams.setdefault(event.stream, _Stream()), said)
            if draft is not None:
                changed[draft] = None
        return [draft.freeze(self._function, final=False) for draft in changed if not draft.absorbed]

    def invocations(self) -> list[Invocation]:
        """Return all invocations so far, as they are if nothing more comes, the first started first."""
        drafts = [draft for draft in chain.from_iterable(self._runs.values()) if draft.started is not None]
        return [draft.freeze(self._function) for draft in sorted(drafts, key=lambda draft: draft.started or 0)]

    def forget(self, keep: int = KEPT_WHEN_FORGETTING) -> None:
        """Drop the oldest finished invocations but for the last ``keep``, and streams without an open one."""
        done = [name for name, runs in self._runs.items() if all(run.report is not None for run in runs)]
        for name in done[: max(0, len(done) - keep)]:
            del self._runs[name]
        idle = [name for name, stream in self._streams.items() if stream.idle]
        doubtful = [name for name in idle if self._streams[name].uncertain]
        for name in set(idle).difference(doubtful[-keep:]):
            del self._streams[name]

    def move_back(self, milliseconds: int) -> None:
        """Let what came so far have been so much earlier: the clock was set back since."""
        for draft in chain.from_iterable(self._runs.values()):
            draft.move_back(milliseconds)

    def _place(self, stream: _Stream, said: Said) -> Draft | None:
        """Give a line to its invocation; None where that is not known yet, or the line is of no interest."""
        if stream.open is not None and _is_idle(said.line, stream.open):
            stream.open.idle.append(said)
            return None
        draft = self._believed(stream, said)
        if draft is None:
            draft = self._speaker(stream, said)
            if draft is None:
                stream.pending.append(said)
                return None
            draft.say(said)
        if draft.over and stream.open is draft:
            self._close(stream, draft)
        stream.trim()
        return draft

    def _believed(self, stream: _Stream, said: Said) -> Draft | None:
        """Take in a line that is Lambda's or the runtime's own, and return whose; None for any other line."""
        if said.line.kind == "marker":
            return self._marked(stream, said)
        if said.line.kind == "start":
            return self._begun(stream, said)
        return self._ended(stream, said) if said.line.kind in {"end", "report"} else None

    def _begun(self, stream: _Stream, said: Said) -> Draft | None:
        """Begin an invocation, unless one runs: then its handler printed the line."""
        running, request_id = stream.open, said.line.request_id
        if running is not None:
            if running.request_id == request_id:
                if running.began:
                    return None
                running.tell(said)
                return running
            # An END that only waits for its marker counts when the next invocation begins right after it.
            if (running.awaits_end and running.report is None) or (running.sure and running.end is None):
                return None
        draft = self._latest(request_id, said.event.stream)
        if draft is None or draft.began:
            draft = self._new(request_id, said.event.stream)
        if draft.report is None:
            self._open(stream, draft)
        draft.tell(said)
        return draft

    def _marked(self, stream: _Stream, said: Said) -> Draft | None:
        """Take in a marker: at the start of the running invocation, or at its end with the nonce of the start."""
        content = dict(said.line.data)
        draft = self._latest(said.line.request_id, said.event.stream, content.get("nonce"))
        if draft is None:
            if stream.open is not None:
                return None
            draft = self._new(said.line.request_id, said.event.stream)
            self._open(stream, draft)
        if "ids" in content:
            if stream.open is not draft or draft.opening is not None or draft.closing is not None:
                return None
            draft.mark(said)
            self._absorb_before(stream, draft)
        else:
            known = draft.began or draft.opening is not None
            if known and (draft.end is not None or draft.nonce != content.get("nonce")):
                return None
            if stream.open is not draft:
                self._go_on(stream, draft)
            draft.mark(said)
        if said.line.message:
            draft.say(replace(said, line=Line("print", message=said.line.message)))
        return draft

    def _ended(self, stream: _Stream, said: Said) -> Draft | None:
        """Take in END or REPORT of the running invocation, or of one that went on after all."""
        draft, running = self._latest(said.line.request_id, said.event.stream), stream.open
        if draft is None:
            if running is not None:
                return None
            draft = self._new(said.line.request_id, said.event.stream)
            self._open(stream, draft)
        elif draft is not running:
            if draft.closed and stream.closed not in {None, draft}:
                return None
            if draft.closed and draft.end is not None and said.line.kind in draft.platform:
                return None
            if running is not None and draft not in stream.uncertain:
                return None
            self._go_on(stream, draft, again=said.line.kind in draft.platform or running is not None)
        draft.tell(said)
        return draft

    def _speaker(self, stream: _Stream, said: Said) -> Draft | None:
        """Return whose output a line is part of."""
        running, line = stream.open, said.line
        if not line.request_id or line.kind not in {"record", "error", "exit", "timeout"}:
            return running
        if running is not None and (running.awaits_end or running.sure):
            return running
        draft = self._latest(line.request_id, said.event.stream)
        if draft is None and running is None:
            draft = self._new(line.request_id, said.event.stream)
            self._open(stream, draft)
        return draft or running

    def _open(self, stream: _Stream, draft: Draft) -> None:
        stream.open, draft.closed = draft, False
        if draft not in stream.uncertain:
            stream.uncertain = [*stream.uncertain, draft][-MOST_UNCERTAIN:]
        while stream.pending:
            said = stream.pending.popleft()
            if _is_idle(said.line, draft):
                draft.idle.append(said)
            else:
                draft.say(said)

    def _close(self, stream: _Stream, draft: Draft) -> None:
        stream.open, stream.closed, draft.closed = None, draft, True

    def _go_on(self, stream: _Stream, draft: Draft, *, again: bool = True) -> None:
        """Let an invocation go on that seemed to have ended: what came since is its own."""
        if not again and not stream.pending:
            return
        later = stream.uncertain[stream.uncertain.index(draft) + 1 :] if draft in stream.uncertain else []
        for other in later:
            draft.absorb(other)
            self._drop(stream, other)
        self._open(stream, draft)

    def _absorb_before(self, stream: _Stream, draft: Draft) -> None:
        """Take what seemed to begin before for something printed: at its import, before any handler ran."""
        if draft.nonce is None or draft not in stream.uncertain:
            return
        for other in stream.uncertain[: stream.uncertain.index(draft)]:
            if other.opening is None and not other.closed:
                draft.absorb(other)
                self._drop(stream, other)

    def _latest(self, request_id: str, stream: str, nonce: str | None = None) -> Draft | None:
        """Return the run of a request in a stream that has this nonce, else the last one."""
        runs = [run for run in self._runs.get(request_id, []) if run.stream == stream]
        return next((run for run in runs if nonce and run.nonce == nonce), runs[-1] if runs else None)

    def _new(self, request_id: str, stream: str) -> Draft:
        runs = self._runs.setdefault(request_id, [])
        runs.append(Draft(request_id, len(runs) + 1, stream, deque(maxlen=self._most)))
        return runs[-1]

    def _drop(self, stream: _Stream, draft: Draft) -> None:
        stream.uncertain.remove(draft)
        runs = self._runs.get(draft.request_id, [])
        if draft in runs:
            runs.remove(draft)
        if not runs:
            self._runs.pop(draft.request_id, None)


def _is_idle(line: Line, running: Draft) -> bool:
    """Whether a line is Lambda's own and of no interest; while a handler runs Lambda writes none."""
    if line.kind not in {"platform", "init"}:
        return False
    return not running.began or (line.kind == "init" and not running.awaits_end)
