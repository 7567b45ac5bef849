"""Files of the user's that stand between the guard and the services, for example to let calls fail in a test."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


class Extension(Protocol):
    """An ASGI application around another one, which its holder may configure while it runs."""

    async def __call__(self, scope: Scope, receive: object, send: object) -> None:
        """Serve a call, or pass it on."""

    def configure(self, method: str, body: dict[str, object]) -> tuple[int, object]:
        """Answer a request to ``/_nbchalice/NAME``; return the status and a document."""


def load_extension(file: Path, app: App) -> Extension:
    """Return what the file's ``extension`` makes of an application.

    Parameters
    ----------
    file : Path
        A Python file; its name without the ending names the endpoint that configures it.
    app : App
        The application behind.

    Returns
    -------
    Extension
        The application to call instead.

    Raises
    ------
    AttributeError
        The file defines no ``extension``.
    """
    spec = importlib.util.spec_from_file_location(f"nbchalice_extension_{file.stem}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    extension: Extension = module.extension(app)
    return extension
