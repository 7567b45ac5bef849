"""Small pieces of HTML and text; everything that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

# Mixed with the page's text colour, a colour reads well on light and on dark.
BORDER = "color-mix(in srgb, currentColor 30%, transparent)"
MUTED = "color-mix(in srgb, currentColor 70%, transparent)"
COLOURS = {
    "good": "color-mix(in srgb, #2da44e 65%, currentColor)",
    "bad": "color-mix(in srgb, #e5484d 65%, currentColor)",
    "busy": "color-mix(in srgb, #3b82f6 65%, currentColor)",
    "warn": "color-mix(in srgb, #d08700 65%, currentColor)",
}


_SHORT = 24


def tag(name: str, *content: str, **attributes: str) -> str:
    """Return an element; the content is HTML already, the attributes are not."""
    attrs = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{attrs}>{''.join(content)}</{name}>"


def text(value: object, kind: str = "", **attributes: str) -> str:
    """Return escaped text, in the colour of its kind."""
    if kind:
        attributes["style"] = f"color:{COLOURS.get(kind, MUTED)}"
        return tag("span", escape(str(value)), **attributes)
    return escape(str(value))


def one_line(value: str, kind: str = "") -> str:
    """Return escaped text that a narrow column does not break, if it is short; a long one may break."""
    shown = text(value, kind)
    return tag("span", shown, style="white-space:nowrap") if len(value) <= _SHORT else shown


def code(value: object) -> str:
    """Return escaped text in the code font."""
    return tag("code", escape(str(value)))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already; the headings are text, and may be missing."""
    left = "text-align:left;padding:2px 12px 2px 0;vertical-align:top"
    head = tag("tr", *(tag("th", escape(h), style=left, scope="col") for h in headings))
    body = [tag("tr", *(tag("td", cell, style=left) for cell in row)) for row in rows]
    top = tag("thead", head) if headings else ""
    return tag("table", top, tag("tbody", *body), style="border-collapse:collapse;margin:0 0 4px")


def card(title: str, *content: str, badge: str = "", kind: str = "") -> str:
    """Return a frame with a title (text), a badge (text, in the colour of its kind) and content (HTML)."""
    mark = (
        tag("span", escape(badge), style=f"color:{COLOURS.get(kind, MUTED)};margin-left:1em;display:inline-block")
        if badge
        else ""
    )
    # The blank is for where styles are taken away, as on GitHub.
    head = tag("div", tag("b", escape(title)), f" {mark}" if mark else "")
    style = f"border:1px solid {BORDER};border-radius:4px;padding:6px 10px;margin:2px 0;max-width:60em;line-height:1.5"
    return tag("div", head, *content, style=style, class_="nbchalice-card")


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table for terminals and saved notebooks, columns aligned."""
    lines = [list(headings), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)
