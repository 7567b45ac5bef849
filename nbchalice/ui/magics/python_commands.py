"""Commands that are called from Python, with values in place of words."""

from __future__ import annotations

import dataclasses
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

from nbchalice.errors import InvalidInputError
from nbchalice.runtime.python_commands import SESSIONS
from nbchalice.sources.options import flag_of
from nbchalice.ui import commands
from nbchalice.ui.magics.line_magic import run_parsed
from nbchalice.ui.magics.notebook import Notebook


def offer(notebook: Notebook) -> None:
    """Let ``app.send(...)`` and ``nbchalice.send(...)`` run commands in this notebook."""

    def run(name: str, words: tuple[object, ...], options: dict[str, object]) -> object:
        __tracebackhide__ = True
        return run_parsed(notebook, commands.COMMANDS[name], words_of(words, options))

    SESSIONS.append(({name: command.help for name, command in commands.COMMANDS.items()}, run))


def withdraw() -> None:
    """End what `offer` began."""
    SESSIONS.clear()


def words_of(words: tuple[object, ...], options: Mapping[str, object]) -> list[str]:
    """Return what would stand on the line: ``message={"net": 2}`` is ``--message={"net": 2}``.

    Parameters
    ----------
    words : tuple[object, ...]
        The handler's name, or the function itself; further words as they are.
    options : Mapping[str, object]
        By name: True gives the option alone, False and None leave it out, a list repeats it. A dictionary is JSON, but
        for ``attribute``, whose names and values are one option each.
    """
    line = [str(getattr(word, "name", word)) for word in words]
    for name, value in options.items():
        line += [flag_of(name) if one is True else f"{flag_of(name)}={_text(one)}" for one in _each(name, value)]
    return line


def _each(name: str, value: object) -> Iterator[object]:
    if value is None or value is False:
        return
    if name == "attribute" and isinstance(value, Mapping):
        yield from (f"{key}={_text(one)}" for key, one in value.items())
    elif isinstance(value, list | tuple) and name != "message":
        yield from value
    else:
        yield value


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    """Return what JSON has for a value: records of the four kinds that handlers take as their fields.

    Raises
    ------
    InvalidInputError
        It has nothing for it: its text would be sent, and nobody could read that.
    """
    fields = _fields(value)
    if fields is not None:
        return {name: getattr(value, name) for name in fields}
    match value:
        case Enum():
            return value.value
        case set() | frozenset() | deque():
            return list(value)
        case Decimal() | date() | time() | UUID() | Path():
            return str(value) if not isinstance(value, datetime) else value.isoformat()
    for other in ("model_dump", "tolist"):  # Pydantic's models, NumPy's numbers and arrays
        if method := getattr(value, other, None):
            return method()
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("__main__.")
    hint = "give texts, numbers, lists and dictionaries, or a record such as a dataclass"
    raise InvalidInputError(f"a {kind} is nothing that JSON has", hint)


def _fields(value: object) -> Sequence[str] | None:
    """Return the fields of a dataclass or of msgspec's struct, or None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in dataclasses.fields(value)]
    names: Sequence[str] | None = getattr(type(value), "__struct_fields__", None)
    return names
