"""Whether a handler may leave this computer, and whose an error of packing is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nbchalice.errors import PackagingError
from nbchalice.handlers import Handler
from nbchalice.typed import Values


def require_no_secrets(handler: Handler, configured: Values) -> None:
    """Refuse a handler whose environment variables hold a credential.

    Parameters
    ----------
    handler : Handler
        The handler.
    configured : Values
        The settings that the configuration file gives it.

    Raises
    ------
    CaptureError
        Names the variables.
    """
    from nbchalice.notebook.secrets import require_no_secret_env

    require_no_secret_env(
        handler.name,
        dict(handler.setting("env") or {}),
        handler.location,
        allowed=handler.setting("allow_secret") or (),
        configured=configured.get("env") or {},
    )


@contextmanager
def named(handler: Handler) -> Iterator[None]:
    """Let errors of packing name the handler, and its place where they have none."""
    try:
        yield
    except PackagingError as error:
        error.message = f"handler {handler.name}: {error.message}"
        error.location = error.location or handler.location
        raise
