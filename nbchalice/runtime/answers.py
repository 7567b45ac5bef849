"""What a function's answer says of the records of a batch."""

from __future__ import annotations

from .events import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

KEY = "batchItemFailures"


def read_answer(answer: object, ids: Iterable[str]) -> tuple[list[str], str]:
    """Return which records an answer reports as failed, and the part that is malformed, for which it is all of them.

    AWS: "Success and failure conditions" of partial batch responses.

    Parameters
    ----------
    answer : object
        What a function returned.
    ids : Iterable[str]
        The item identifiers of the batch.
    """
    known = dict.fromkeys(ids)
    if isinstance(answer, list) and answer:
        return list(known), shorten(answer)
    failures = answer.get(KEY) if isinstance(answer, dict) else None
    if failures is None:
        return [], ""
    if not isinstance(failures, list | tuple):
        return list(known), shorten(failures)
    names = []
    for item in failures:
        name = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(name, str) or name not in known:
            return list(known), shorten(item)
        names.append(name)
    return list(dict.fromkeys(names)), ""
