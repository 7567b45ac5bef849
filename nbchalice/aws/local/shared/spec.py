"""Functions, their invocations and what these answer, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Runtime:
    """An interpreter that runs handlers."""

    name: str
    executable: str
    version: str
    packages: str
    warning: str = ""
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FunctionSpec:
    """Everything of a function that its execution environments depend on."""

    key: str
    fingerprint: str
    handler: str
    timeout: float
    memory_mb: int
    version: str
    runtime: Runtime
    task_root: Path
    layers: str
    log_group: str
    region: str
    environment: Mapping[str, str] = field(hash=False)
    storage_mb: int = 512
    role: str = ""


@dataclass(frozen=True)
class Invocation:
    """One call of a handler."""

    request_id: str
    event: Any
    arn: str
    trace_id: str | None = None
    client_context: dict[str, Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a call answered: the bytes of the response, or AWS's error document."""

    response: bytes
    error: dict[str, Any] | None
