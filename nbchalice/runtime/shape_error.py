"""The error of a record that does not fit; its module ships with handlers of typed records."""

from __future__ import annotations


class ShapeError(ValueError):
    """A record does not fit the type of the handler's annotation; the text names the field and the reason."""

    without_trace = True  # the text tells all


ShapeError.__module__ = "nbchalice"
