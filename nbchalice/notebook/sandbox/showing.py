"""Shows values as a kernel does, for what that changes: a ``__repr__`` of the notebook's may count its calls."""

from __future__ import annotations

from contextlib import suppress

_METHODS = (
    *("_repr_html_", "_repr_markdown_", "_repr_svg_", "_repr_png_", "_repr_pdf_", "_repr_jpeg_"),
    *("_repr_latex_", "_repr_json_", "_repr_javascript_"),
)
"""IPython's display formatters ask for these, each by itself."""
_AT_MOST = 1000  # items of a container that are looked at
_DEPTH = 4


def show(*values: object, **_: object) -> None:
    """Do what ``display(value)`` and the last line of a cell do with values that hold something of the notebook's own.

    Parameters
    ----------
    *values : object
        Any values; those that hold nothing whose class stands in the notebook are left alone.
    """
    for value in values:
        if _holds_own(value, _DEPTH):
            _show(value)


def _show(value: object) -> None:
    if _is_own(value):
        with suppress(Exception):
            value._ipython_display_()  # type: ignore[attr-defined]
            return
        with suppress(Exception):
            value._repr_mimebundle_(include=None, exclude=None)  # type: ignore[attr-defined]
        for name in _METHODS:
            with suppress(Exception):
                getattr(value, name)()
    with suppress(Exception):
        repr(value)


def _is_own(value: object) -> bool:
    return type(value).__module__ == "__main__"


def _holds_own(value: object, depth: int) -> bool:
    if _is_own(value):
        return True
    if not depth or not isinstance(value, list | tuple | set | frozenset | dict):
        return False
    items = [*value, *value.values()] if isinstance(value, dict) else [*value]
    return any(_holds_own(item, depth - 1) for item in items[:_AT_MOST])
