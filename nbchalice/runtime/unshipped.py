"""Asks modules that do not ship: what the notebook found and checked is not looked for and checked again on Lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .event_kinds import KINDS

if TYPE_CHECKING:
    from .registered_kinds import RegisteredKind
    from .schedules import ScheduleExpression


def find_kind(name: str) -> RegisteredKind | None:
    """Return the event kind of a decorator, of whatever package; AttributeError where its package cannot be used."""
    try:
        from . import entry_points
    except ImportError:
        return KINDS.get(name)  # type: ignore[return-value] # nobody asks for those that Chalice has a method for
    return entry_points.find_kind(name)


def decorator_names() -> frozenset[str]:
    """Return the names of the decorators, those of other packages too; on Lambda of the kinds that are registered."""
    try:
        from . import entry_points
    except ImportError:
        return frozenset(KINDS)
    return entry_points.source_names()


def check_middleware(event_type: str) -> None:
    """Raise ValueError for a kind of event that there is not."""
    try:
        from . import entry_points
    except ImportError:
        return
    entry_points.check_middleware(event_type)


def check_expression(expression: str | ScheduleExpression) -> str:
    """Return a schedule's expression as text; ValueError for a wrong one."""
    try:
        from .expressions import parse_schedule
    except ImportError:
        return str(expression)
    return parse_schedule(expression).to_string()


def check_settings(source: str, given: dict[str, object], parameters: list[str]) -> None:
    """Raise TypeError for a setting of a function that there is not."""
    try:
        from . import settings
    except ImportError:
        return
    settings.check(source, given, parameters)
