"""Partial batch responses; AWS: "Handling errors for an SQS event source in Lambda"."""

from __future__ import annotations

from .answers import KEY
from .frames import without_own_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Protocol

    Run = Callable[[Any], object]

    class Item(Protocol):
        """What a record of a batch must tell."""

        @property
        def _item(self) -> str: ...
        @property
        def _id(self) -> str: ...
        @property
        def is_done(self) -> bool: ...  # noqa: D102

    class Message(Item, Protocol):
        """What a message of a queue must tell besides, as ``SQSRecord`` does."""

        @property
        def message_group_id(self) -> str | None: ...  # noqa: D102
        @property
        def fifo(self) -> bool: ...  # noqa: D102

    class Batch(Protocol):
        """Records that were delivered together, as an ``SQSEvent``."""

        reached: str | None
        _noun: str

        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[Any]: ...
        def unfinished(self) -> list[Any]: ...  # noqa: D102


def response(failed: Iterable[Item]) -> dict[str, list[dict[str, str]]]:
    """Return what tells Lambda that only ``failed`` are to be delivered again."""
    return {KEY: [{"itemIdentifier": record._item} for record in failed]}


def finished(result: object) -> object:
    """Return a result; a function with ``async`` or ``yield`` has done nothing when it returns."""
    kind = type(result).__name__
    if kind in {"coroutine", "generator", "async_generator"}:
        raise TypeError(f"the function returned a {kind}, which nobody runs")
    return result


def log_failure(log: logging.Logger, text: str, error: Exception) -> None:
    """Log what failed, with the traceback of the function."""
    log.error(text, exc_info=(type(error), error, without_own_frames(error)))
