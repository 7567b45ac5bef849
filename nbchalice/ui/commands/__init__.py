"""Every command once, in the order in which they are listed."""

from __future__ import annotations

from nbchalice.ui.commands import app, doctor, events, operations, past, shipped, tune
from nbchalice.ui.commands.base import APP, COMMANDS, Command, click_command, no_such_command, overview, parse

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
    "shipped",
    "tune",
]
