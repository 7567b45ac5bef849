"""The endpoints under ``/_nbchalice/``, for the holder of the token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .guard import CONTROL_PREFIX, Request

if TYPE_CHECKING:
    from .service import Service


class Control:
    """Administers a running service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, request: Request) -> tuple[int, Any]:
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
            return 200, {"workers": self._service.pool.count(), "problems": self._service.save_problems}
        if name == "faults":
            return self._service.faults.configure(request.method, body)
        return 404, {"message": f"no such endpoint: {name}"}

    def _stop(self) -> tuple[int, Any]:
        problems = self._service.prepare_end()
        self._service.stop_soon()
        return 200, {"problems": problems}
