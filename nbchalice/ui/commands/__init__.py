"""Every command once, in the order in which they are listed."""

from __future__ import annotations

from nbchalice.ui.commands import app, doctor, events, operations, past, shipped, tune
from nbchalice.ui.commands.base import (
    APP,
    COMMANDS,
    Command,
    click_command,
    no_such_command,
    overview,
    parse,
    require_handler,
)

__all__ = [
    "APP",
    "COMMANDS",
    "Command",
    "app",
    "click_command",
    "doctor",
    "events",
    "no_such_command",
    "operations",
    "overview",
    "parse",
    "past",
    "require_handler",
    "shipped",
    "tune",
]
