"""The endpoints under ``/_nbchalice/``, for the holder of the token."""

from __future__ import annotations

import json
from typing import Protocol

from .extensions import Extension
from .guard import CONTROL_PREFIX
from .pool import WorkerPool
from .request import Request


class Administered(Protocol):
    """The running service, as far as it is administered."""

    pool: WorkerPool
    extensions: dict[str, Extension]
    save_problems: list[str]

    @property
    def confinement(self) -> str:
        """What confines handlers on this machine."""

    @property
    def unsaved(self) -> bool:
        """Whether something changed that a crash would lose."""

    def save(self) -> list[str]:
        """Save the state; return what could not be saved."""

    def reset(self) -> None:
        """Forget everything."""

    def prepare_end(self) -> list[str]:
        """Take no more calls and save; return what could not be saved."""

    def stop_soon(self) -> None:
        """End the process after the answer was sent."""


class Control:
    """Administers a running service."""

    def __init__(self, service: Administered) -> None:
        self._service = service

    async def __call__(self, request: Request) -> tuple[int, object]:
        """Serve one request; return the status and a document."""
        name = request.path.removeprefix(CONTROL_PREFIX)
        body = json.loads(request.body) if request.body else {}
        if (request.method, name) == ("POST", "stop"):
            return self._stop()
        if (request.method, name) == ("POST", "save"):
            return 200, {"problems": self._service.save()}
        if (request.method, name) == ("POST", "reset"):
            self._service.reset()
            return 200, {}
        if (request.method, name) == ("GET", "info"):
            service = self._service
            info = {"workers": service.pool.count(), "problems": service.save_problems, "unsaved": service.unsaved}
            info |= {"confinement": service.confinement}
            info |= {"created": service.pool.created, "evicted": service.pool.evicted}
            return 200, info
        if extension := self._service.extensions.get(name):
            return extension.configure(request.method, body)
        return 404, {"message": f"no such endpoint: {name}"}

    def _stop(self) -> tuple[int, object]:
        problems = self._service.prepare_end()
        self._service.stop_soon()
        return 200, {"problems": problems}
