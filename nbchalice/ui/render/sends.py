"""What became of events that were sent, and what a service would do with one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from nbchalice.errors import NbChaliceError
from nbchalice.events.delivery import Outcome, invocation_of, outcome
from nbchalice.events.preview import preview
from nbchalice.events.triggers import Route
from nbchalice.handlers import Handler
from nbchalice.logs.show import as_html, as_text, printable
from nbchalice.sources.base import Note
from nbchalice.text import counted
from nbchalice.typed import Values
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card

MOST_SHOWN = 3
LONGEST = 100


def summary(results: Sequence[Outcome], count: int) -> str:
    """Return how many of a number of events came how far."""
    states = Counter(outcome(result) for result in results)
    invocations = len({i.key for result in results if (i := invocation_of(result))})
    counts = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    return f"{len(results)} of {count}: {counts or 'on their way'}; {counted(invocations, 'invocation')}"


class SendsCard(Card):
    """What became of several events. Attributes: ``results``, ``ok``, ``body`` (HTML without the summary).

    Parameters
    ----------
    results : Sequence[Outcome]
        What became of each.
    count : int
        How many were sent.
    twice : bool
        Whether they are one event, sent two times. Default: each is its own.
    note : str
        What to know of all of them. Default: nothing.
    """

    def __init__(self, results: Sequence[Outcome], count: int, *, twice: bool = False, note: str = "") -> None:
        self.results = list(results)
        self.ok = all(outcome(result) == "done" for result in results)
        head = summary(results, count)
        wrong = [one for one in results if outcome(one) != "done"]
        shown = list({getattr(invocation_of(one), "key", str(one)): one for one in wrong or results}.values())
        hidden = len(shown) - MOST_SHOWN
        more = [counted(hidden, "more is not shown", "more are not shown")] if hidden > 0 else []
        told = [one for one in (note and f"note: {note}", done_again(results) if twice else "") if one]
        text = "\n".join([head, *(f"  {one}" for one in told), *map(_text, shown[:MOST_SHOWN]), *more])
        kind = "good" if self.ok else "bad"
        notes = [html.tag("div", html.text(one), style="line-height:1.5") for one in told]
        self.body = "".join([*notes, *map(result_html, shown[:MOST_SHOWN]), *map(html.text, more)])
        whole = html.tag("div", html.tag("b", html.text(head, kind)), self.body)
        super().__init__(text, whole, [_plain(result) for result in results])
        self._given = results, count, twice

    def with_note(self, note: str) -> SendsCard:
        """Return it with what is to be known of all of them."""
        results, count, twice = self._given
        return SendsCard(results, count, twice=twice, note=note)


def done_again(results: Sequence[Outcome]) -> str:
    """Return whether the second run of one event did again what the first did, as far as their logs tell."""
    runs = [invocation_of(result) for result in results]
    if len(runs) != 2 or not all(run and run.status == "ok" for run in runs) or runs[0] == runs[1]:
        return ""
    first, second = ([record.message for record in run.records] if run else [] for run in runs)
    # Times and durations differ in any case.
    known = {re.sub(r"\d+", "#", message) for message in second}
    lacking = [message for message in first if re.sub(r"\d+", "#", message) not in known]
    if lacking:
        more = f" (and {counted(len(lacking) - 1, 'line')} more)" if len(lacking) > 1 else ""
        return f"the second run did not log again: {printable(lacking[0].split(chr(10))[0][:LONGEST])}{more}"
    return "both runs logged the same: as far as the log tells, the second did it all again" if first else ""


def result_html(result: Outcome) -> str:
    """Return the invocation that handled an event, or why there is none."""
    invocation = invocation_of(result)
    if invocation:
        text = getattr(result, "hint", None)
        hint = html.tag("div", html.text(text, "muted"), style="line-height:1.5") if text else ""
        return hint + as_html(invocation)
    words = str(result) if isinstance(result, NbChaliceError) else getattr(result, "hint", None) or ""
    return html.tag("div", html.text(words, "muted"), style="line-height:1.5")


def _text(result: Outcome) -> str:
    invocation, hint = invocation_of(result), getattr(result, "hint", None)
    if invocation:
        return "\n".join([*([f"  {hint}"] if hint else []), as_text(invocation)])
    return f"  {hint or result}"


def _plain(result: Outcome) -> object:
    return {"error": str(result)} if isinstance(result, NbChaliceError) else result.to_dict()


class PreviewCard(Card):
    """What the service would do with an event. Attribute: ``notes``."""

    def __init__(self, route: Route, values: Values, handlers: Sequence[Handler]) -> None:
        self.notes = preview(route.source, route.options, values, handlers, route.ref)
        notes = self.notes or [
            Note(f"{route.source.describe(route.options)}: {route.ref.handler} gets every event", True)
        ]
        data = [{"note": note.text, "passes": note.passes} for note in notes]
        super().__init__("\n".join(map(str, notes)), notes_html(notes), data)


def notes_html(notes: Sequence[Note]) -> str:
    """Return the notes of a preview, a line each."""
    kinds = {True: "good", False: "warn", None: "muted"}
    lines = (html.tag("div", html.text(str(note), kinds[note.passes])) for note in notes)
    return html.tag("div", *lines, style="line-height:1.6")
