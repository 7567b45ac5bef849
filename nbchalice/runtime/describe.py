"""Says what a module registers, as plain data."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .app import Chalice


def describe(module: ModuleType) -> list[dict[str, Any]]:
    """Return the handlers of all apps in ``module``, JSON-ready, in the order of their registration.

    Each is ``{"app", "name", "function", "triggers": [{"source", "options"}], "settings"}``.
    """
    apps = {id(value): value for value in vars(module).values() if isinstance(value, Chalice)}
    return [
        {
            "app": app.app_name,
            "name": handler.name,
            "function": handler.function.__name__,
            "triggers": [{"source": trigger.source, "options": trigger.options} for trigger in handler.triggers],
            "settings": handler.settings,
        }
        for app in apps.values()
        for handler in app.handlers.values()
    ]
