"""Every change to MiniStack's private parts; each names what it replaces and why.

They are in the files that are imported here, written for the one version that is pinned. The rest of the server uses
only what this file offers.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

from ministack import app as ministack_app

from .filter_patches import apply_filters
from .lambda_patches import Patches, wake_poller
from .log_groups import log_store, trim_logs
from .notification_patches import apply_notifications
from .state_files import NewerStateError, StateFiles

__all__ = [
    "NewerStateError",
    "Patches",
    "StateFiles",
    "application",
    "apply_filters",
    "apply_notifications",
    "check_version",
    "log_store",
    "trim_logs",
    "wake_poller",
]

VERSION = "1.5.33"


class WrongVersionError(Exception):
    """The installed MiniStack is not the one these patches were written for."""


def check_version() -> None:
    """Refuse any other version of MiniStack."""
    installed = importlib.metadata.version("ministack")
    if installed != VERSION:
        raise WrongVersionError(f"MiniStack {VERSION} is needed, {installed} is installed")


def application() -> Any:
    """Return MiniStack's ASGI application."""
    return ministack_app.app
