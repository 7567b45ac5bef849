"""Every change to MiniStack's private parts; each names what it replaces and why.

They are in the files that are imported here, written for the one version that is pinned. The rest of the server uses
only what this file offers.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

from ministack import app as ministack_app

from .clock_patches import Clock, told
from .event_patches import apply_events
from .filter_patches import apply_filters
from .function_requests import apply_function_requests
from .lambda_patches import Patches, wake_poller
from .log_groups import apply_log_groups, log_store, trim_logs
from .mapping_requests import apply_mapping_requests
from .notification_patches import apply_notifications
from .object_events import apply_object_events
from .object_requests import apply_object_requests
from .queue_patches import apply_queues
from .queue_requests import apply_queue_requests
from .recursion_patches import apply_recursion
from .request_patches import apply_requests
from .role_keys import RoleKey, role_key
from .role_requests import apply_role_requests
from .rule_requests import apply_rule_requests
from .simulation_patches import apply_simulation
from .state_files import NewerStateError, StateFiles
from .stream_patches import apply_streams
from .topic_requests import apply_topic_requests

__all__ = [
    "Clock",
    "NewerStateError",
    "Patches",
    "RoleKey",
    "StateFiles",
    "application",
    "apply_checks",
    "apply_events",
    "apply_filters",
    "apply_log_groups",
    "apply_notifications",
    "apply_object_events",
    "apply_queue_requests",
    "apply_queues",
    "apply_recursion",
    "apply_requests",
    "apply_simulation",
    "apply_streams",
    "apply_topic_requests",
    "check_version",
    "log_store",
    "role_key",
    "told",
    "trim_logs",
    "wake_poller",
]

VERSION = "1.5.33"


def apply_checks() -> None:
    """Put all checks in place, before the other changed parts that look at what a call gives."""
    apply_function_requests()
    apply_mapping_requests()
    apply_object_requests()
    apply_role_requests()
    apply_rule_requests()


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
