"""What a form's fields or a command's options hold, as the text or the JSON that a service takes."""

from __future__ import annotations

import json
from typing import Any

from nbchalice.errors import InvalidInputError
from nbchalice.typed import Values


def text_of(value: object, default: str) -> str:
    """Return a message as text: the default where none is given, and JSON for anything but text."""
    if value is None:
        return default
    return value if isinstance(value, str) else json.dumps(value)


def message_text(values: Values, default: str, service: str) -> str:
    """Return the field ``message`` as text for a service that takes no empty one.

    Raises
    ------
    InvalidInputError
        It is empty.
    """
    if text := text_of(values.get("message"), default):
        return text
    raise InvalidInputError(f"the message is empty, which {service} does not take", "give a text as --message")


def json_of(value: object, default: object) -> Any:
    """Return a value that may have been typed as JSON: the default where none is given.

    Raises
    ------
    InvalidInputError
        It is text, and not valid JSON.
    """
    if value is None:
        return default
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise InvalidInputError(f"{value!r} is not valid JSON: {error}", """write it as '{"key": "text"}'""") from None
