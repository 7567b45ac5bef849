"""An invocation with its text and its HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nbchalice.logs.records import InvocationData
from nbchalice.logs.show import as_html, as_text
from nbchalice.text import as_written


@dataclass(frozen=True)
class Invocation(InvocationData):
    """One run of a function: its data, which terminals and notebooks show as people read it."""

    def __str__(self) -> str:
        return as_text(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return {"text/plain": as_text(self), "text/html": as_written(as_html(self))}
