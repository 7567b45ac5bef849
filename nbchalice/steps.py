"""What takes long, told step by step to whoever shows it: no room in between needs to hand it on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from typing import Literal

StepState = Literal["started", "done", "failed"]


@dataclass(frozen=True)
class Step:
    """One step, as far as it is.

    Parameters
    ----------
    number : int
        Tells steps apart; what was told later of a step has the same number.
    text : str
        What is done.
    detail : str
        How far it is, or what came of it.
    state : StepState
        ``started``, ``done`` or ``failed``.
    """

    number: int
    text: str
    detail: str = ""
    state: StepState = "started"

    @property
    def words(self) -> str:
        """Text and detail."""
        return f"{self.text}: {self.detail}" if self.detail else self.text


Watch = Callable[[Step], None]
_WATCH: ContextVar[Watch | None] = ContextVar("nbchalice-steps", default=None)
_NUMBERS = count()


@contextmanager
def told_to(watch: Watch) -> Iterator[None]:
    """Tell the steps of this block, as far as they are of this thread, to a function."""
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)


@contextmanager
def step(text: str) -> Iterator[Callable[[str], None]]:
    """Tell that a step begins and ends; what is yielded takes how far it is, from any thread."""
    watch, number, detail = _WATCH.get() or _nobody, next(_NUMBERS), ""

    def say(words: str) -> None:
        nonlocal detail
        detail = words
        watch(Step(number, text, words))

    watch(Step(number, text))
    try:
        yield say
    except BaseException:
        watch(Step(number, text, detail, "failed"))
        raise
    watch(Step(number, text, detail, "done"))


def _nobody(told: Step) -> None:
    """Show nothing."""
