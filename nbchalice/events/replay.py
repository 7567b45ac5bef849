"""Past events handled by the function as it is defined now, and what became of them then and now, side by side."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from nbchalice.events.past import Answer, PastEvent
from nbchalice.logs.invocation import Invocation
from nbchalice.typed import JSON


@dataclass(frozen=True)
class Replay:
    """An event that was handled once more.

    Parameters
    ----------
    event : PastEvent
        The event, with its answer of then.
    now : Answer
        What the function as it is defined now made of it.
    refused : tuple[str, ...]
        The calls of AWS that were refused: ``S3 PutObject``.
    invocation : Invocation or None
        The invocation of now, with its traceback.
    """

    event: PastEvent
    now: Answer
    refused: tuple[str, ...] = ()
    invocation: Invocation | None = None

    @property
    def before(self) -> Answer:
        """What became of it then."""
        return self.event.answer

    @property
    def changes(self) -> tuple[str, ...]:
        """What is another, of what is known of both: ``status``, ``error``, ``failed records``, ``result``, ``log``.

        What was logged is compared without its order in time, and of a run that was never seen to end nothing is.
        """
        then, now = self.before, self.now
        if not then.is_ended:
            return ()
        differs = {
            "status": then.status != now.status,
            "error": then.error != now.error and then.status == now.status,
            "failed records": set(then.failed) != set(now.failed),
            "result": then.has_result and now.has_result and then.result != now.result,
            "log": then.has_log and Counter(then.log) != Counter(now.log),
        }
        return tuple(what for what, another in differs.items() if another)

    def to_dict(self) -> JSON:
        """Return it as JSON-ready data."""
        return {
            "id": self.event.id,
            "event": self.event.event,
            "before": self.before.to_dict(),
            "now": self.now.to_dict(),
            "changes": list(self.changes),
            "refused": list(self.refused),
        }
