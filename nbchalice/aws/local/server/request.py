"""An HTTP request, as the guard, the signature check and the administration see it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """An HTTP request, its body read once it may come in."""

    method: str
    path: str
    raw_path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""
    params: dict[str, list[str]] = field(default_factory=dict)
