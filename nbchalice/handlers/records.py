"""The records that a handler wants, as its annotation says: their fields for the form, and one that fits."""

from __future__ import annotations

import dataclasses
import enum
import json
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from nbchalice.runtime import convert
from nbchalice.runtime.annotations import shape_of
from nbchalice.runtime.convert import Member, bare, is_union, name_of
from nbchalice.typed import JSON

LeafKind = Literal["text", "number", "decimal", "choice", "json"]
MOST_LEAVES = 40
NO_VALUE = object()
# What fits a type whatever the record is about.
SAMPLES: dict[object, object] = {
    bool: False,
    int: 1,
    float: 1.5,
    Decimal: 1.5,
    str: "text",
    datetime: "2026-01-31T09:00:00Z",
    date: "2026-01-31",
    time: "09:00:00",
    UUID: "00000000-0000-4000-8000-000000000000",
    type(None): None,
    Any: {},
    object: {},
    dict: {},
    Mapping: {},
}


@dataclass(frozen=True)
class Leaf:
    """One field of a record's form.

    Parameters
    ----------
    path : tuple[str, ...]
        Its names in the JSON, ``("customer", "name")``.
    kind : LeafKind
        How it is typed in.
    words : str
        What it wants.
    choices : tuple[object, ...]
        The values of a choice.
    required : bool
        Whether the record needs it.
    """

    path: tuple[str, ...]
    kind: LeafKind
    words: str
    choices: tuple[Any, ...] = ()
    required: bool = True

    @property
    def label(self) -> str:
        """What the form says."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Record:
    """The type of a handler's records.

    Parameters
    ----------
    text : str
        As the annotation says it.
    leaves : tuple[Leaf, ...]
        The fields of its form; none where it is one of several types.
    samples : tuple[tuple[str, str], ...]
        For each type its name, and JSON that fits.
    is_typed_dict : bool
        Whether each type is a TypedDict: what is a dictionary already is not checked against one. Default: no.
    """

    text: str
    leaves: tuple[Leaf, ...]
    samples: tuple[tuple[str, str], ...]
    is_typed_dict: bool = False


def record_of(function: Callable[..., object]) -> Record | None:
    """Return the type of the records of a handler's function, or None where it takes events as they are.

    Parameters
    ----------
    function : Callable[..., object]
        The user's function.
    """
    shape = shape_of(function)
    if shape is None:
        return None
    kinds = shape.kinds
    try:
        samples = [(name_of(kind), json.dumps(sample(kind), ensure_ascii=False)) for kind in kinds]
        leaves = tuple(leaves_of(kinds[0])) if len(kinds) == 1 else ()
    except Exception:  # of libraries that say nothing of a field: the form stays the source's own
        return Record(repr(shape), (), ())
    is_typed_dict = all(map(typing.is_typeddict, kinds))
    return Record(repr(shape), leaves if len(leaves) <= MOST_LEAVES else (), tuple(samples), is_typed_dict)


def members(kind: Any) -> Sequence[Member]:
    """Return the fields of a record, by the names that JSON has.

    Parameters
    ----------
    kind : type
        A dataclass, a TypedDict, a Pydantic model or a msgspec struct.
    """
    if hasattr(kind, "model_fields"):
        found = []
        for name, field in kind.model_fields.items():
            alias = next((one for one in (field.validation_alias, field.alias) if isinstance(one, str)), name)
            default = None if field.is_required() or field.default_factory is not None else field.default
            found.append(Member(alias, field.annotation, field.is_required(), default))
        return found
    if hasattr(kind, "__struct_fields__"):
        import msgspec

        fields = msgspec.structs.fields(kind)
        return [
            Member(one.encode_name, one.type, one.required, None if one.default is msgspec.NODEFAULT else one.default)
            for one in fields
        ]
    return convert.members(kind)


def sample(wanted: Any, within: tuple[Any, ...] = ()) -> Any:
    """Return JSON that fits a type.

    Parameters
    ----------
    wanted : Any
        The type.
    within : tuple[Any, ...]
        Types that it is in: one that contains itself ends there.
    """
    wanted = bare(wanted)
    if typing.get_args(wanted):
        return _sample_generic(wanted, within)
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return next(iter(wanted)).value
    if _is_record(wanted):
        return _sample_record(wanted, (*within, wanted))
    return [] if wanted in convert.LISTS else SAMPLES.get(wanted, "text")


def _sample_generic(wanted: Any, within: tuple[Any, ...]) -> Any:
    """Return JSON for ``list[int]``, ``int | None``, ``Literal["tea"]`` and the like."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if is_union(wanted):
        return None if type(None) in arguments else sample(arguments[0], within)
    if origin is Literal:
        return arguments[0]
    if origin not in convert.LISTS:
        return {}
    fixed = arguments if origin is tuple and arguments[-1:] != (...,) else arguments[:1]
    return [] if set(map(bare, fixed)) & set(within) else [sample(one, within) for one in fixed]


def _sample_record(kind: Any, within: tuple[Any, ...]) -> JSON:
    made = dict(_tag(kind))
    for member in members(kind):
        if member.required:
            made[member.name] = sample(member.type, within)
        elif (known := as_json(member.default)) is not NO_VALUE and member.default is not None:
            made[member.name] = known
    return made


def _tag(kind: Any) -> Iterator[tuple[str, object]]:
    """Give the field by which msgspec tells the structs of a union apart."""
    settings = getattr(kind, "__struct_config__", None)
    if settings is not None and settings.tag is not None:
        yield settings.tag_field, settings.tag


def leaves_of(kind: Any, path: tuple[str, ...] = (), within: tuple[Any, ...] = (), required: bool = True) -> list[Leaf]:
    """Return the fields of a record's form, those of records in it with the way to them.

    Parameters
    ----------
    kind : type
        The record.
    path : tuple[str, ...]
        Where it stands. Default: it is the whole.
    within : tuple[Any, ...]
        Records that it is in.
    required : bool
        Whether the whole needs it.
    """
    leaves: list[Leaf] = []
    for member in members(kind):
        place, needed = (*path, member.name), required and member.required
        wanted, optional = _without_none(member.type)
        if _is_record(wanted) and wanted not in (*within, kind):
            leaves += leaves_of(wanted, place, (*within, kind), needed and not optional)
        else:
            leaves.append(_leaf(wanted, place, needed and not optional))
    return leaves


def _leaf(wanted: Any, path: tuple[str, ...], required: bool) -> Leaf:
    words = name_of(wanted)
    if wanted is bool:
        return Leaf(path, "choice", words, (True, False), required)
    if typing.get_origin(wanted) is Literal:
        return Leaf(path, "choice", words, typing.get_args(wanted), required)
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return Leaf(path, "choice", words, tuple(one.value for one in wanted), required)
    if wanted in {int, float, Decimal}:
        return Leaf(path, "decimal" if wanted is Decimal else "number", words, (), required)
    if wanted in SAMPLES and isinstance(SAMPLES[wanted], str):
        return Leaf(path, "text", "" if wanted is str else words, (), required)
    return Leaf(path, "json", f"JSON: {words}", (), required)


def _without_none(wanted: Any) -> tuple[Any, bool]:
    """Return what a field holds, and whether it may be null besides."""
    wanted = bare(wanted)
    real = [one for one in typing.get_args(wanted) if one is not type(None)] if is_union(wanted) else [wanted]
    return (bare(real[0]) if len(real) == 1 else wanted), is_union(wanted) and type(None) in typing.get_args(wanted)


def as_json(value: object) -> Any:
    """Return a default as JSON has it, or NO_VALUE.

    Parameters
    ----------
    value : object
        Of the kernel.
    """
    try:
        return json.loads(json.dumps(value, default=_plain))
    except (TypeError, ValueError):
        return NO_VALUE


def _plain(value: Any) -> object:
    """Return what JSON writes for a value that it does not know."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(type(value).__name__)


def _is_record(wanted: Any) -> bool:
    return isinstance(wanted, type) and (
        any(hasattr(wanted, mark) for mark in ("model_fields", "__struct_fields__"))
        or dataclasses.is_dataclass(wanted)
        or typing.is_typeddict(wanted)
    )
