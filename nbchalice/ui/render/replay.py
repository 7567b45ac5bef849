"""Past events that were handled once more: what became of them then and now, side by side."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import chain, zip_longest

from nbchalice.events.past import Answer
from nbchalice.events.replay import Replay
from nbchalice.logs.show import as_html, as_text, milliseconds, printable
from nbchalice.logs.when import moment
from nbchalice.text import counted
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card
from nbchalice.ui.render.events import KINDS, content_of

MOST_SHOWN = 10
HEADS = ["time", "event", "content", "then", "now", "changes"]
LONGEST_LINE = 300
UNKNOWN = "returned: not known"


class ReplayCard(Card):
    """Past events that were handled here. Attributes: ``replays``, ``changed`` (those of them that differ), ``ok``.

    Parameters
    ----------
    handler : str
        The handler's name.
    replays : Sequence[Replay]
        What became of each.
    notes : Sequence[str]
        What there is to know besides.
    """

    def __init__(self, handler: str, replays: Sequence[Replay], notes: Sequence[str] = ()) -> None:
        self.replays, self.notes = list(replays), list(notes)
        self.changed = [one for one in replays if one.changes]
        self.ok = all(one.now.status == "ok" for one in replays)
        counts = f"{counted(len(replays), 'event')} replayed here"
        title = f"{handler}: {counts}, {len(self.changed) or 'none'} with another outcome"
        rows = [_row(one) for one in replays]
        detailed = self.replays if len(replays) == 1 else self.changed
        hidden = len(detailed) - MOST_SHOWN
        if hidden > 0:
            self.notes.append(f"{counted(hidden, 'more differs', 'more differ')}; .changed has all")
        shown = detailed[:MOST_SHOWN]
        text = [title, html.text_table(HEADS, rows), *chain.from_iterable(map(_text, shown))]
        body = [html.table(HEADS, [_html_row(row, one) for row, one in zip(rows, replays, strict=True)])]
        body += [_html(one) for one in shown]
        foot = [html.tag("div", html.text(note, "muted")) for note in self.notes]
        data = {"handler": handler, "replays": [one.to_dict() for one in replays], "notes": self.notes}
        super().__init__(
            "\n".join([*text, *(f"note: {note}" for note in self.notes)]),
            html.card(title, *body, *foot, badge="no event was sent"),
            data,
        )


def _outcome(answer: Answer) -> str:
    took = "" if answer.duration_ms is None else f" in {milliseconds(answer.duration_ms)}"
    return f"{answer.status}{took}"


def _row(one: Replay) -> list[str]:
    event, then = one.event, one.before
    where = "" if then.where == "deployed" else " (here)"
    changes = ", ".join(one.changes) or ("none" if then.is_ended else "not known")
    cells = [moment(event.at), printable(event.short_id), content_of(event)]
    return [*cells, _outcome(then) + where, _outcome(one.now), changes]


def _html_row(row: list[str], one: Replay) -> list[str]:
    kinds = ["", "", "", KINDS.get(one.before.status, "muted"), KINDS.get(one.now.status, ""), ""]
    kinds[-1] = "warn" if one.changes else "muted"
    cells = [html.one_line(cell, kind) for cell, kind in zip(row, kinds, strict=True)]
    cells[1] = html.tag("code", html.text(row[1]), title=one.event.id)
    return cells


def _lines(answer: Answer, *, result: bool) -> list[str]:
    """Return an answer line by line: what it returned, why it failed, what it logged."""
    lines = [f"returned {json.dumps(answer.result, ensure_ascii=False)}"] if result else []
    lines += [answer.error] if answer.error else []
    lines += [f"reported as failed: {', '.join(answer.failed)}"] if answer.failed else []
    return [_cut(printable(line)) for line in (*lines, *answer.log)]


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def _pairs(one: Replay) -> Iterator[tuple[str | None, str | None, bool]]:
    """Yield the lines of then and now beside each other, and whether they differ; None where there is no line."""
    both = one.before.has_result and one.now.has_result
    if one.now.result is not None and one.now.has_result and not both:
        yield UNKNOWN, _cut(printable(f"returned {json.dumps(one.now.result, ensure_ascii=False)}")), False
    then, now = _lines(one.before, result=one.before.has_result), _lines(one.now, result=both)
    for what, i1, i2, j1, j2 in SequenceMatcher(None, then, now, autojunk=False).get_opcodes():
        for left, right in zip_longest(then[i1:i2], now[j1:j2]):
            yield left, right, what != "equal"


def _refused(one: Replay) -> str:
    calls = Counter(one.refused)
    told = ", ".join(name if times == 1 else f"{name} ({times} times)" for name, times in calls.items())
    return f"not sent (--no-aws): {told}" if told else ""


def _text(one: Replay) -> Iterator[str]:
    yield f"event {printable(one.event.id)}: then {_outcome(one.before)}, now {_outcome(one.now)}"
    for left, right, differs in _pairs(one):
        marks = (("  - ", left), ("  + ", right)) if differs else (("    ", right),)
        for mark, line in marks:
            if line is not None:
                yield mark + line.replace("\n", "\n      ")
    if refused := _refused(one):
        yield f"  {refused}"
    if one.invocation is not None and one.invocation.error:
        yield as_text(one.invocation)


def _html(one: Replay) -> str:
    mono = "font-family:var(--jp-code-font-family,monospace);font-size:12px;white-space:pre-wrap;overflow-wrap:anywhere"
    cell = f"{mono};text-align:left;vertical-align:top;width:50%;padding:1px 12px 1px 0"
    rows = []
    for left, right, differs in _pairs(one):
        kinds = ("bad", "good") if differs else ("muted" if left == UNKNOWN else "", "")
        marks = ("- ", "+ ") if differs else ("", "")
        sides = zip((left, right), kinds, marks, strict=True)
        cells = [html.text("" if side is None else mark + side, kind) for side, kind, mark in sides]
        rows.append(html.tag("tr", *(html.tag("td", each, style=cell) for each in cells)))
    heads = (f"then ({one.before.where}): {_outcome(one.before)}", f"now (here): {_outcome(one.now)}")
    head = html.tag("tr", *(html.tag("th", html.text(each), scope="col", style=cell) for each in heads))
    wide = "border-collapse:collapse;width:100%"
    whole = html.tag("table", html.tag("thead", head), html.tag("tbody", *rows), style=wide)
    content = html.text(f" {content_of(one.event)}", "muted")
    name = html.tag("div", html.text("event "), html.code(one.event.id), content)
    refused = html.tag("div", html.text(_refused(one), "warn")) if one.refused else ""
    error = as_html(one.invocation) if one.invocation is not None and one.invocation.error else ""
    style = f"margin-top:8px;border-top:1px solid {html.BORDER};padding-top:6px"
    return html.tag("div", name, whole, refused, error, style=style)
