"""How large packages are, beside what Lambda allows, as tables."""

from __future__ import annotations

from collections.abc import Mapping

from nbchalice.packaging.sizes import HEADINGS, SizeTable
from nbchalice.ui.render import html


def sizes_text(sizes: Mapping[str, SizeTable]) -> list[str]:
    """Return a table of how large packages are, as lines of text; none where there are no packages."""
    rows = [(name, *table.cells()) for name, table in sizes.items()]
    return html.text_table(("handler", *HEADINGS), rows).splitlines() if rows else []


def sizes_html(sizes: Mapping[str, SizeTable]) -> list[str]:
    """Return a table of how large packages are, as HTML; none where there are no packages."""
    rows = [tuple(html.text(cell) for cell in (name, *table.cells())) for name, table in sizes.items()]
    return [html.table(("handler", *HEADINGS), rows)] if rows else []
