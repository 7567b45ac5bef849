"""Every command once, in the order in which they are listed."""

from __future__ import annotations

from nbchalice.ui import app_commands, event_commands, panel_commands, shipped_commands
from nbchalice.ui.command import APP, COMMANDS, Command, click_command, no_such_command, overview, parse

__all__ = [
    "APP",
    "COMMANDS",
    "Command",
    "app_commands",
    "click_command",
    "event_commands",
    "no_such_command",
    "overview",
    "panel_commands",
    "parse",
    "shipped_commands",
]
