"""What JSON holds as a value of a type; Pydantic and msgspec do it for their own classes.

It is loaded with ``shapes``, for handlers whose annotation names the type of a record.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from uuid import UUID

from .events import shorten
from .shape_error import ShapeError

MOST_TOLD = 3
# What stands around the type of a field and says something else of it; Python 3.13 and later have ReadOnly.
MARKS_OF_FIELDS = {typing.Required, typing.NotRequired, typing.Final, getattr(typing, "ReadOnly", typing.Final)}
# How JSON's own types are called in errors.
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", type(None): "null"}
TEXTS: dict[type, str] = {
    datetime: "a time such as 2026-11-28T09:00:00Z",
    date: "a date such as 2026-11-28",
    time: "a time of day such as 09:00",
    UUID: "a UUID",
    Decimal: "a number, also as text",
}
LISTS: dict[object, Any] = {list: list, Sequence: list, Iterable: list, set: set, frozenset: frozenset, tuple: tuple}


class ExactFloat(float):
    """A number of JSON with its digits, for ``Decimal``."""

    __slots__ = ("digits",)

    def __new__(cls, digits: str) -> ExactFloat:
        """Keep the digits."""
        made = super().__new__(cls, digits)
        made.digits = digits
        return made

    digits: str


def convert(value: Any, wanted: Any, path: str = "") -> Any:
    """Return what JSON holds as a value of a type; raises ShapeError with the field and the reason.

    Parameters
    ----------
    value : object
        Of ``json.loads``.
    wanted : Any
        The type, as an annotation has it.
    path : str
        Where the value stands in the record, such as ``customer.name``; default: it is the record.
    """
    wanted = bare(wanted)
    read = next((read for is_meant, read in READERS if is_meant(wanted)), _scalar)
    return read(value, wanted, path)


def bare(wanted: Any) -> Any:
    """Return a type without what only notes and names add to it: ``Annotated``, ``NewType``, ``type X = ...``."""
    while True:
        if hasattr(wanted, "__metadata__"):
            wanted = wanted.__origin__
        elif typing.get_origin(wanted) in MARKS_OF_FIELDS:
            wanted = typing.get_args(wanted)[0]
        elif hasattr(wanted, "__supertype__"):
            wanted = wanted.__supertype__
        elif type(wanted).__name__ == "TypeAliasType":
            wanted = wanted.__value__
        else:
            return type(None) if wanted is None else wanted


def is_union(wanted: Any) -> bool:
    """Whether a type is one of several."""
    return typing.get_origin(wanted) in {typing.Union, types.UnionType}


class Member:
    """A field of a record.

    Parameters
    ----------
    name : str
        What it is called in the value.
    type : Any
        Its type.
    required : bool
        Whether JSON must have it.
    default : object
        What it is else, where that is known; None where it is made.
    """

    def __init__(self, name: str, type: Any, required: bool, default: object = None) -> None:
        self.name, self.type, self.required, self.default = name, type, required, default


@cache
def members(wanted: Any) -> tuple[Member, ...]:
    """Return the fields of a dataclass or a TypedDict.

    Parameters
    ----------
    wanted : type
        The class.
    """
    hints = typing.get_type_hints(wanted)
    if typing.is_typeddict(wanted):
        marked = typing.get_type_hints(wanted, include_extras=True)
        return tuple(Member(name, hint, _is_required(name, marked[name], wanted)) for name, hint in hints.items())
    found = []
    for field in dataclasses.fields(wanted):
        if field.init:
            missing = dataclasses.MISSING
            required = field.default is missing and field.default_factory is missing
            default = None if field.default is missing else field.default
            found.append(Member(field.name, hints[field.name], required, default))
    return tuple(found)


def _is_required(name: str, marked: Any, wanted: Any) -> bool:
    """Whether JSON must have a field of a TypedDict, whose own list of them reads no annotation that is a text."""
    while hasattr(marked, "__metadata__") or typing.get_origin(marked) in MARKS_OF_FIELDS:
        if typing.get_origin(marked) in {typing.Required, typing.NotRequired}:
            return typing.get_origin(marked) is typing.Required
        marked = marked.__origin__ if hasattr(marked, "__metadata__") else typing.get_args(marked)[0]
    return name in wanted.__required_keys__


def unread(wanted: Any, path: str = "", seen: tuple[Any, ...] = ()) -> str:
    """Return why no JSON can be read as a type, with the field, or an empty text.

    Parameters
    ----------
    wanted : Any
        The type.
    path : str
        The field; default: the record.
    seen : tuple[Any, ...]
        Types that contain it, which may contain themselves.
    """
    wanted = bare(wanted)
    if wanted in seen or hasattr(wanted, "__pydantic_validator__") or hasattr(wanted, "__struct_fields__"):
        return ""
    if dataclasses.is_dataclass(wanted) or typing.is_typeddict(wanted):
        try:
            inside = [(_joined(path, [one.name]), one.type) for one in members(wanted)]
        except NameError as error:
            return f"{error} (in the annotations of {name_of(wanted)})"
    elif typing.get_origin(wanted) is typing.Literal or wanted in {Any, object, ...}:
        return ""
    elif is_union(wanted) or (typing.get_origin(wanted) or wanted) in {*LISTS, dict, Mapping}:
        inside = [(path, one) for one in typing.get_args(wanted)]
    else:
        known = wanted in WORDS or wanted in TEXTS or isinstance(wanted, typing.TypeVar)
        known = known or (isinstance(wanted, type) and issubclass(wanted, enum.Enum))
        return "" if known else _no_json(wanted, path)
    return next(filter(None, (unread(one, place, (*seen, wanted)) for place, one in inside)), "")


def _no_json(wanted: Any, path: str) -> str:
    return f"{_at(path, f'no JSON can be read as {name_of(wanted)}')}; take a Pydantic model, or dict"


def name_of(wanted: Any) -> str:
    """Return how a type is called in errors: ``Order``, ``Order or Refund``."""
    wanted = bare(wanted)
    if is_union(wanted):
        return " or ".join(map(name_of, typing.get_args(wanted)))
    if typing.get_origin(wanted) is None and isinstance(wanted, type):
        return WORDS.get(wanted) or TEXTS.get(wanted) or wanted.__qualname__.rpartition("<locals>.")[2]
    return str(wanted).replace("typing.", "")


def plain(value: Any) -> Any:
    """Return a value of JSON with Python's own numbers."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return float(value) if isinstance(value, ExactFloat) else value


def validated(run: Any, path: str = "") -> Any:
    """Return what Pydantic makes; its error becomes a ShapeError."""
    try:
        return run()
    except ValueError as error:
        if not hasattr(error, "errors"):
            raise _wrong(path, str(error)) from None
        told = [
            _at(_joined(path, [str(part) for part in one["loc"]]), _reason(one))
            for one in error.errors(include_url=False, include_context=False)
        ]
        more = f" (and {len(told) - MOST_TOLD} more)" if len(told) > MOST_TOLD else ""
        raise ShapeError("; ".join(told[:MOST_TOLD]) + more) from None


def decoded(run: Any, path: str = "") -> Any:
    """Return what msgspec makes; its error becomes a ShapeError."""
    msgspec: Any = sys.modules["msgspec"]  # the struct's class has imported it
    try:
        return run(msgspec)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        reason, _, place = str(error).partition(" - at `$")
        parts = [part for part in place.rstrip("`").replace("[", ".").replace("]", "").split(".") if part]
        raise _wrong(_joined(path, parts), reason.replace("`", "")) from None


def _reason(error: Mapping[str, Any]) -> str:
    """Return why Pydantic refuses a field, with the value where that tells more."""
    got = error["input"]
    short = "" if error["type"] == "missing" or isinstance(got, dict | list) else f", not {shorten(got)}"
    return str(error["msg"]) + short


def _of_pydantic(value: Any, wanted: Any, path: str) -> Any:
    return validated(lambda: wanted.__pydantic_validator__.validate_python(plain(value)), path)


def _of_msgspec(value: Any, wanted: Any, path: str) -> Any:
    return decoded(lambda msgspec: msgspec.convert(plain(value), wanted), path)


def _record(value: Any, wanted: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(path, f"wants an object for {name_of(wanted)}, not {shorten(plain(value))}")
    given = {}
    for member in members(wanted):
        if member.name in value:
            given[member.name] = convert(value[member.name], member.type, _joined(path, [member.name]))
        elif member.required:
            raise _wrong(_joined(path, [member.name]), "is missing")
    if typing.is_typeddict(wanted):
        return {**plain(value), **given}
    try:
        return wanted(**given)
    except (ValueError, TypeError, ArithmeticError) as error:  # of __post_init__
        raise _wrong(path, f"{name_of(wanted)} refuses it: {error}") from error


def _one_of(value: Any, wanted: Any, path: str) -> Any:
    """Return a value of the first type that it fits; one of JSON's own comes first."""
    choices = typing.get_args(wanted)
    if type(plain(value)) in choices and not isinstance(value, dict | list):
        return plain(value)
    reasons = []
    for one in choices:
        try:
            return convert(value, one, path)
        except ShapeError as error:
            reasons.append((one, error))
    real = [(one, error) for one, error in reasons if one is not type(None)]
    if len(real) == 1:
        raise real[0][1]
    raise _wrong(path, "fits none of " + "; ".join(f"{name_of(one)} ({error})" for one, error in real))


def _literal(value: Any, wanted: Any, path: str) -> Any:
    choices = typing.get_args(wanted)
    for one in choices:
        if one == value and type(one) is type(plain(value)):
            return one
    raise _wrong(path, f"wants {_listed(choices)}, not {shorten(plain(value))}")


def _several(value: Any, wanted: Any, path: str) -> Any:
    kind, arguments = _parts(wanted)
    if not isinstance(value, list):
        raise _wrong(path, f"wants a list, not {shorten(plain(value))}")
    every: list[Any] = [arguments[0] if arguments else Any] * len(value)
    if kind is tuple and arguments[-1:] != (...,) and arguments:
        if len(value) != len(arguments):
            raise _wrong(path, f"wants {len(arguments)} values, not {len(value)}")
        every = list(arguments)
    found = [convert(one, inside, f"{path}[{at}]") for at, (one, inside) in enumerate(zip(value, every, strict=True))]
    return LISTS[kind](found)


def _mapping(value: Any, wanted: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(path, f"wants an object, not {shorten(plain(value))}")
    key, inside = typing.get_args(wanted) or (str, Any)
    return {_key(name, key, path): convert(one, inside, _joined(path, [name])) for name, one in value.items()}


def _key(name: str, wanted: Any, path: str) -> Any:
    """Return the name of an object's field as a key; JSON has texts only."""
    if bare(wanted) is int:
        try:
            return int(name)
        except ValueError:
            raise _wrong(path, f"wants whole numbers for names, not {name!r}") from None
    return convert(name, wanted, path)


def _scalar(value: Any, wanted: Any, path: str) -> Any:
    if wanted in WORDS:
        fitting = {float: int | float}.get(wanted, wanted)
        if (
            isinstance(value, fitting)
            and (wanted is bool or not isinstance(value, bool))
            and _is_in_range(value, wanted)
        ):
            return value if wanted is not float else float(value)
        raise _wrong(path, f"wants {WORDS[wanted]}, not {getattr(value, 'digits', '') or shorten(plain(value))}")
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return _member(value, wanted, path)
    if wanted in TEXTS:
        try:
            return _from_text(value, wanted)
        except (ValueError, TypeError, InvalidOperation):
            raise _wrong(path, f"wants {TEXTS[wanted]}, not {shorten(plain(value))}") from None
    raise TypeError(_no_json(wanted, path))


def _is_in_range(value: Any, wanted: Any) -> bool:
    """Whether a float holds a number: Python reads 1e999 as infinity, which JSON has not."""
    try:
        return wanted is not float or math.isfinite(value)
    except OverflowError:  # a whole number of 400 digits
        return False


def _from_text(value: Any, wanted: Any) -> Any:
    if wanted is Decimal:
        if isinstance(value, bool):
            raise TypeError
        number = Decimal(getattr(value, "digits", value))
        if not number.is_finite():
            raise ValueError
        return number
    if not isinstance(value, str):
        raise TypeError
    return UUID(value) if wanted is UUID else wanted.fromisoformat(value)


def _member(value: Any, wanted: type[enum.Enum], path: str) -> enum.Enum:
    try:
        return wanted(plain(value))
    except ValueError:
        raise _wrong(path, f"wants {_listed([one.value for one in wanted])}, not {shorten(plain(value))}") from None


def _listed(choices: Iterable[object]) -> str:
    return "one of " + ", ".join(map(repr, choices))


def _joined(path: str, parts: Sequence[str]) -> str:
    return ".".join([path, *parts] if path else parts)


def _at(path: str, reason: str) -> str:
    return (
        f"{path} {reason}"
        if path and reason.startswith(("wants", "is ", "fits"))
        else f"{path}: {reason}"
        if path
        else reason
    )


def _wrong(path: str, reason: str) -> ShapeError:
    return ShapeError(_at(path, reason))


def _parts(wanted: Any) -> tuple[Any, tuple[Any, ...]]:
    return typing.get_origin(wanted) or wanted, typing.get_args(wanted)


def _is_of_python(wanted: Any) -> bool:
    return dataclasses.is_dataclass(wanted) or typing.is_typeddict(wanted)


# Which types are meant, and what reads JSON as one.
READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any, str], Any]], ...] = (
    (lambda wanted: wanted in {Any, object} or isinstance(wanted, typing.TypeVar), lambda value, *_: plain(value)),
    (is_union, _one_of),
    (lambda wanted: typing.get_origin(wanted) is typing.Literal, _literal),
    (lambda wanted: _parts(wanted)[0] in LISTS, _several),
    (lambda wanted: _parts(wanted)[0] in {dict, Mapping}, _mapping),
    (lambda wanted: hasattr(wanted, "__pydantic_validator__"), _of_pydantic),
    (lambda wanted: hasattr(wanted, "__struct_fields__"), _of_msgspec),
    (_is_of_python, _record),
)
