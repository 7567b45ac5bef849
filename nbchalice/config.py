"""`.chalice/config.json` beside the notebook: Chalice's own keys, weaker than what the notebook says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbchalice.errors import InvalidInputError

# Chalice's key (Chalice: Configuration File, "Lambda Specific Configuration") -> our setting.
KEYS = {
    "lambda_timeout": "timeout",
    "lambda_memory_size": "memory",
    "environment_variables": "env",
    "tags": "tag",
    "layers": "layer",
    "reserved_concurrency": "reserved_concurrency",
    "iam_role_arn": "role",
    "log_retention_in_days": "log_retention",
}


def read_config(folder: Path) -> dict[str, Any]:
    """Return the content of `.chalice/config.json` in a folder; empty where there is none.

    Raises
    ------
    InvalidInputError: the file is not a JSON object.
    """
    path = folder / ".chalice" / "config.json"
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path} cannot be read: {error}", "mend the file, or move it away") from None
    if not isinstance(content, dict):
        raise InvalidInputError(f"{path} is no JSON object", "mend the file, or move it away")
    return content


def settings_for(config: Mapping[str, Any], stage: str, handler: str) -> dict[str, Any]:
    """Return a handler's settings: the function's section of the stage, then the stage, then the file as a whole."""
    section = config.get("stages", {}).get(stage, {})
    layers = [config, section, section.get("lambda_functions", {}).get(handler, {})]
    found: dict[str, Any] = {}
    for layer in layers:
        found.update({ours: layer[theirs] for theirs, ours in KEYS.items() if theirs in layer})
    return found
