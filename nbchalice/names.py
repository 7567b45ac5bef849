"""Names of apps and stages, which become parts of the names of functions, roles and rules; Lambda's Pythons."""

from __future__ import annotations

import re
from pathlib import PurePath

LETTERS = "A-Za-z0-9_-"
DEFAULT_STAGE = "dev"
RUNTIMES = ("3.11", "3.12", "3.13", "3.14", "3.15")
"""The versions of Python that a function may run on, oldest first."""
LONGEST_RUN = 1800
"""Seconds that a function may run at most (Lambda: CreateFunction, Timeout)."""
NAME_RULE = "may have letters, digits, - and _"


def is_name(text: str) -> bool:
    """Tell whether a text can name an app or a stage."""
    return re.fullmatch(f"[{LETTERS}]+", text) is not None


def app_name_of(notebook: str) -> str:
    """Return the app's name for a notebook that names none: its file's name."""
    return re.sub(f"[^{LETTERS}]+", "-", PurePath(notebook).stem).strip("-") or "notebook"


COMMANDS = frozenset(
    [
        "bundle",
        "delete",
        "deploy",
        "dlq",
        "doctor",
        "events",
        "export",
        "import",
        "invoke",
        "live",
        "local",
        "logs",
        "metrics",
        "package",
        "plan",
        "replay",
        "rollback",
        "send",
        "show",
        "status",
        "tune",
        "why",
    ]
)
"""What is called of an app in a notebook, as ``app.send(...)``, and changes nothing of it."""
