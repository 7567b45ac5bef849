"""Why nothing happened, as a card."""

from __future__ import annotations

from collections.abc import Iterator

from nbchalice.events.why import SINCE, Why
from nbchalice.logs.show import dated
from nbchalice.logs.when import now
from nbchalice.text import counted
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card

Line = tuple[str, str]
"""A text, and the kind of colour it has."""


class WhyCard(Card):
    """Why nothing happened. Attribute: ``why``."""

    def __init__(self, handler: str, why: Why, badge: str) -> None:
        self.why = why
        title = f"{handler}: {'its events do not arrive' if why.is_blocked else 'nothing keeps its events from it'}"
        asked = now()
        groups = [(name, lines) for name, lines in _groups(handler, why) if lines]
        wide = max(len(name) for name, _ in groups)
        text = [f"{title} · {asked}"]
        for name, lines in groups:
            heads = [name, *[""] * (len(lines) - 1)]
            text += [f"  {head.ljust(wide)}  {line}" for head, (line, _) in zip(heads, lines, strict=True)]
        rows = [
            (html.one_line(name, "muted"), "".join(html.tag("div", html.text(line, kind)) for line, kind in lines))
            for name, lines in groups
        ]
        card = html.card(title, html.table((), rows), badge=f"{badge} · {asked}")
        super().__init__("\n".join(text), card, _data(handler, why))


def _groups(handler: str, why: Why) -> Iterator[tuple[str, list[Line]]]:
    yield "function", _lines(why.blocked, why.seen)
    for one in why.triggers:
        yield one.trigger, _lines(one.blocked, one.seen) or [("events pass", "good")]
    if why.triggers:
        unseen = f"no invocation since {SINCE} ago"
        kind = "" if why.last is None or why.last.ok else "bad"
        yield "last invocation", [(dated(why.last) if why.last else unseen, kind)]
    if why.dead_letters and why.dead_letters[1]:
        name, depth = why.dead_letters
        wait = counted(depth, "message waits", "messages wait")
        yield "dead letters", [(f"{wait} in {name}: %chalice dlq {handler}", "warn")]


def _lines(blocked: tuple[str, ...], seen: tuple[str, ...]) -> list[Line]:
    return [*((text, "bad") for text in blocked), *((text, "") for text in seen)]


def _data(handler: str, why: Why) -> dict[str, object]:
    queue, depth = why.dead_letters or (None, 0)
    return {
        "handler": handler,
        "function": why.function,
        "is_blocked": why.is_blocked,
        "blocked": list(why.blocked),
        "seen": list(why.seen),
        "triggers": [one.to_dict() for one in why.triggers],
        "last_invocation": why.last.to_dict() if why.last else None,
        "dead_letters": {"queue": queue, "messages": depth} if queue else None,
    }
