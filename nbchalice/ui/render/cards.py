"""Cards: text for terminals and saved notebooks, HTML for front ends, JSON for programs, and useful attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from nbchalice.handlers import SETTINGS, Handler
from nbchalice.sources.options import fill
from nbchalice.text import as_written
from nbchalice.ui.render import html
from nbchalice.ui.render.standing import UNKNOWN, Standing

if TYPE_CHECKING:
    from nbchalice.handlers.records import Record
    from nbchalice.notebook.capture.slice import Slice


class Result(Protocol):
    """What a command returns: to look at, and as JSON."""

    def to_dict(self) -> object:
        """Return it as JSON-ready data."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]: ...


class Card:
    """Something to look at: `text` for terminals and GitHub, `html` for notebooks."""

    def __init__(self, text: str, html: str, data: object = None) -> None:
        self.text = text
        self.html = html
        self.data = data

    def to_dict(self) -> object:
        """Return it as JSON-ready data."""
        return self.data

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": as_written(self.html)}


class TextCard(Card):
    """Plain text in a frame, for example a help."""

    def __init__(self, title: str, text: str, data: object = None) -> None:
        body = html.tag("pre", html.text(text), style="margin:4px 0;white-space:pre-wrap")
        super().__init__(text, html.card(title, body), data)


class ModuleCard(Card):
    """Modules as they are deployed, with the cell and line of each line. Attributes: ``modules``, ``segments``."""

    def __init__(self, slices: Mapping[str, Slice], notes: Sequence[str] = ()) -> None:
        self.modules = [one.module.rstrip() + "\n" for one in slices.values()]
        self.segments = [[vars(segment) for segment in one.segments] for one in slices.values()]
        cards = [
            html.card(name, html.tag("pre", _mapped(one), style="margin:4px 0;overflow-x:auto"))
            for name, one in slices.items()
        ]
        data = {"modules": self.modules, "segments": self.segments, "notes": list(notes)}
        text = [*(module.rstrip() for module in self.modules), *(f"# {note}" for note in notes)]
        foot = [html.tag("div", html.text(note)) for note in notes]
        super().__init__("\n\n".join(text), "".join([*cards, *foot]), data)


def _mapped(piece: Slice) -> str:
    """Return a module as HTML, each line behind its place; what is selected and copied is the module alone."""
    lines = piece.module.rstrip().split("\n")
    places: dict[int, str] = {}
    for segment in piece.segments:
        for offset in range(segment.count):
            places[segment.line + offset] = f"{segment.cell}:{segment.cell_line + offset}"
    width = max(map(len, places.values()), default=0) + 2
    margin = f"display:inline-block;width:{width}ch;user-select:none;color:{html.MUTED}"
    return "\n".join(
        html.tag("span", html.text(places.get(number, "\u00a0")), style=margin) + html.text(line)
        for number, line in enumerate(lines, 1)
    )


class HandlerCard(Card):
    """What a cell registered, and how that stands.

    Attributes: ``handler``, ``needs`` (names from other cells), ``notes``, ``standing``.
    """

    def __init__(  # noqa: PLR0917 - the rows of one card
        self,
        handler: Handler,
        app: str,
        stage: str,
        needs: Mapping[str, str],
        notes: Sequence[str],
        standing: Standing = UNKNOWN,
    ) -> None:
        self.handler, self.needs, self.notes, self.standing = handler, dict(needs), list(notes), standing
        self._place = app, stage
        rows = _handler_rows(handler, f"{app}-{stage}-{handler.name}", standing.timeout)
        if needs:
            rows.append(("needs", ", ".join(f"{name} ({cell})" for name, cell in needs.items())))
        rows += [("note", note) for note in notes]
        rows += [("changed", standing.why)] if standing.why else []
        rows += [("last event", standing.last)] if standing.last else []
        title = f"{handler.name}: {handler.sources()[0][0].title} handler"
        known = [] if standing.state == "registered" else [("state", standing.badge)]
        width = max(9, *(len(name) for name, _ in rows))
        lines = [title, *(f"  {name:{width}} {value}" for name, value in [*rows, *known])]
        kinds = {"last event": "bad" if standing.failed else "good"}
        body = html.table((), [(html.one_line(n, "muted"), html.text(v, kinds.get(n, ""))) for n, v in rows])
        foot = ""
        if standing.is_to_deploy:
            lines.append("  deploy with %chalice deploy")
            foot = html.tag("div", html.text("deploy with ", "muted"), html.code("%chalice deploy"))
        shown = html.card(title, body, foot, badge=standing.badge, kind=standing.kind)
        super().__init__("\n".join(lines), shown, {"name": handler.name, "state": standing.state})

    def at(self, standing: Standing) -> HandlerCard:
        """Return the card of the same handler, as it stands now."""
        return HandlerCard(self.handler, *self._place, self.needs, self.notes, standing)


def _handler_rows(handler: Handler, function: str, shortened: int | None) -> list[tuple[str, str]]:
    """Return what is always said of a handler."""
    defaults = fill(SETTINGS, {})
    timeout = handler.setting("timeout") if "timeout" in handler.settings else shortened or handler.setting("timeout")
    shown = {"timeout": f"{timeout} s", "memory": f"{handler.setting('memory')} MB"}
    given = {name: value for name, value in handler.settings.items() if value != defaults[name]}
    shown |= {name: _setting(value) for name, value in given.items() if name not in shown}
    rows = [
        ("trigger", handler.describe()),
        ("function", function),
        ("settings", ", ".join(f"{name} {value}" for name, value in shown.items())),
    ]
    if record := handler.record:
        rows.append(("gets", _gets(record, handler)))
    return rows


def _gets(record: Record, handler: Handler) -> str:
    if any(source.triggered for source, _ in handler.sources()):
        return f"{record.text}, from the JSON of its messages"
    if record.is_typed_dict:
        return f"the event as it is: that it is a {record.text} is not checked"
    return f"{record.text}, from the event"


def _setting_entry(entry: object) -> str:
    return "=".join(entry) if isinstance(entry, tuple) else str(entry)


def _setting(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(value)  # Names only: a value may be a secret.
    if isinstance(value, list | tuple):
        return " ".join(map(_setting_entry, value))
    return str(value)
