"""Every command once, in the order in which they are listed."""

from __future__ import annotations

from nbchalice.ui.commands import app as app_commands
from nbchalice.ui.commands import events as event_commands
from nbchalice.ui.commands import operations as panel_commands
from nbchalice.ui.commands import shipped as shipped_commands
from nbchalice.ui.commands.base import APP, COMMANDS, Command, click_command, no_such_command, overview, parse

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
