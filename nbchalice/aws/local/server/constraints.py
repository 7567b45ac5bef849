"""What botocore's models say that a parameter may be: MiniStack takes nearly all, and most services of AWS refuse it.

A model has for each member of a request whether it must be there, and how long, how large or which it may be. Most
services tell what is wrong with a request in the same words, and all of it at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_actions

from .api_calls import ApiCall

Record = dict[str, Any]
# The services whose requests are checked, and the code of their refusal. The others have no model that says enough,
# or MiniStack checks them itself.
CODES = {
    "lambda": "ValidationException",
    "events": "ValidationException",
    "scheduler": "ValidationException",
    "kinesis": "ValidationException",
    "firehose": "ValidationException",
    "kms": "ValidationException",
    "logs": "InvalidParameterException",
    "iam": "ValidationError",
}
# What is made, changed, or attached; not the events, records and lines that go through.
WRITES = re.compile(r"(Create|Update|Put|Add|Publish|Register|Tag)(?!Events|LogEvents|PartnerEvents|Records?$)\w*")
# What the models do not say.
BESIDES: dict[tuple[str, str], Record] = {
    ("lambda", "Timeout"): {"max": 1800},
    ("lambda", "MemorySize"): {"max": 10_240},
    ("events", "ConnectionArn"): {"pattern": ".*"},  # MiniStack's own has another form
}
NUMBERS = ("integer", "long", "float", "double")
FAILED = "failed to satisfy constraint: "


@dataclass(frozen=True)
class Input:
    """What an operation takes: the shapes of its parameters, and the path that some stand in."""

    name: str
    shapes: dict[str, Record]
    template: str


def refusal_by_model(call: ApiCall) -> tuple[str, str] | None:
    """Return code and words with which AWS refuses a call for what its parameters are, or None."""
    operation = (call.action or "").rpartition(":")[2]
    code = CODES.get(call.service)
    taken = input_of(call.service, operation) if code and WRITES.fullmatch(operation) else None
    if taken is None or code is None:
        return None
    problems = list(against_structure(taken.shapes[taken.name], given(call, taken), "", taken.shapes))
    count = "1 validation error" if len(problems) == 1 else f"{len(problems)} validation errors"
    return (code, f"{count} detected: {'; '.join(problems)}") if problems else None


@cache
def input_of(service: str, operation: str) -> Input | None:
    """Read what an operation takes, without what nobody asks here; None where the model does not know it."""
    model = iam_actions._load_botocore_model(service)
    called = model.get("operations", {}).get(operation)
    if called is None or "input" not in called:
        return None
    name, shapes = called["input"]["shape"], {}
    waiting = [name]
    while waiting:
        if (each := waiting.pop()) not in shapes:
            shape = {key: value for key, value in model["shapes"][each].items() if key != "documentation"}
            shapes[each] = {**shape, **BESIDES.get((service, each), {})}
            parts = [*shape.get("members", {}).values(), shape.get("member"), shape.get("key"), shape.get("value")]
            waiting += [part["shape"] for part in parts if part]
    return Input(name, shapes, called["http"]["requestUri"])


def given(call: ApiCall, taken: Input) -> Record:
    """Return the parameters of a call, from its path, headers, query and body."""
    path = in_path(taken.template, call.path)
    found = {}
    for name, member in taken.shapes[taken.name]["members"].items():
        place, key = member.get("location"), member.get("locationName", name)
        if place == "uri":
            value: object = path.get(key)
        elif place == "header":
            value = call.headers.get(key.lower())
        else:
            value = call.document.get(key, call.params.get(key, [None])[0])
        if value is not None:
            found[name] = value
        elif is_of_form(call, taken.shapes[member["shape"]]):
            found[name] = None  # it may be there, in fields that are numbered
    return found


def is_of_form(call: ApiCall, shape: Record) -> bool:
    """Whether a parameter has several fields in a form."""
    return not call.document and bool(call.params) and shape["type"] in ("list", "map", "structure")


def in_path(template: str, path: str) -> dict[str, str]:
    """Return what stands in a path, as it is before it was encoded."""
    parts = re.split(r"\{(\w+)\+?\}", template.partition("?")[0])
    texts, labels = parts[::2], parts[1::2]
    pattern = re.escape(texts[0]) + "".join(rf"([^/]*){re.escape(text)}" for text in texts[1:])
    found = re.fullmatch(f"{pattern}/?", path)
    return dict(zip(labels, map(unquote, found.groups()), strict=True)) if found else {}


def against_structure(shape: Record, value: Record, at: str, shapes: dict[str, Record]) -> Iterator[str]:
    """Yield what is wrong with the members of a structure."""
    required = shape.get("required", ())
    for name, member in shape["members"].items():
        place = f"{at}{name[0].lower()}{name[1:]}"
        if name in value and value[name] is not None:
            yield from against(shapes[member["shape"]], value[name], place, shapes)
        elif name in required and name not in value:
            yield f"Value null at '{place}' {FAILED}Member must not be null"


def against(shape: Record, value: object, at: str, shapes: dict[str, Record]) -> Iterator[str]:
    """Yield what is wrong with a value."""
    kind = shape["type"]
    if kind == "structure" and isinstance(value, dict):
        yield from against_structure(shape, value, f"{at}.", shapes)
        return
    told = "Value at" if shape.get("sensitive") else f"Value '{shown(value)}' at"
    for constraint in broken(shape, value):
        yield f"{told} '{at}' {FAILED}{constraint}"
    if kind == "list" and isinstance(value, list):
        inner = shapes[shape["member"]["shape"]]
        if inner["type"] in ("structure", "list", "map"):
            for number, item in enumerate(value, 1):
                yield from against(inner, item, f"{at}.{number}.member", shapes)
        elif wrong := broken_by(inner, value):
            whole = wrong[0] if "enum" in inner else f"Member must satisfy constraint: [{', '.join(rules(inner))}]"
            yield f"{told} '{at}' {FAILED}{whole}"
    elif kind == "map" and isinstance(value, dict):
        key, inner = shapes[shape["key"]["shape"]], shapes[shape["value"]["shape"]]
        if broken_by(key, value):
            yield f"{told} '{at}' {FAILED}Map keys must satisfy constraint: [{', '.join(rules(key))}]"
        if broken_by(inner, value.values()):
            yield f"{told} '{at}' {FAILED}Map value must satisfy constraint: [{', '.join(rules(inner))}]"


def broken_by(shape: Record, values: Iterable[object]) -> list[str]:
    """Return which constraints the elements of a list, or the keys or values of a map, do not satisfy."""
    wrong: list[str] = []
    for value in values:
        wrong += broken(shape, value)
    return wrong


def shown(value: object) -> str:
    """Return a value as it is told."""
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}={shown(item)}' for name, item in value.items())}}}"
    return str(value)


def broken(shape: Record, value: object) -> Iterator[str]:
    """Yield the rules of a shape that a value breaks; what is of another type breaks none."""
    kind = shape["type"]
    if kind == "string" and isinstance(value, str):
        if "enum" in shape and value not in shape["enum"]:
            yield f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]"
        if "pattern" in shape and not matches(shape["pattern"], value):
            yield f"Member must satisfy regular expression pattern: {shape['pattern']}"
    if isinstance(value, str | list | dict) and kind in ("string", "list", "map"):
        yield from out_of_range(shape, len(value), "have length")
    elif kind in NUMBERS and isinstance(value, int | float):
        yield from out_of_range(shape, value, "have value")


def out_of_range(shape: Record, size: float, what: str) -> Iterator[str]:
    """Yield the limit that a size is beyond."""
    if "max" in shape and size > shape["max"]:
        yield f"Member must {what} less than or equal to {shape['max']}"
    if "min" in shape and size < shape["min"]:
        yield f"Member must {what} greater than or equal to {shape['min']}"


def matches(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern of a model; one that Python cannot read is matched by all."""
    compiled = compiled_pattern(pattern)
    return compiled is None or compiled.fullmatch(text) is not None


@cache
def compiled_pattern(pattern: str) -> re.Pattern[str] | None:
    """Return a pattern that is written for Java, or None where Python has no such."""
    try:
        return re.compile(pattern, re.ASCII)
    except re.error:
        return None


def rules(shape: Record) -> list[str]:
    """Return all rules of a shape for texts."""
    found = []
    if "max" in shape:
        found.append(f"Member must have length less than or equal to {shape['max']}")
    if "min" in shape:
        found.append(f"Member must have length greater than or equal to {shape['min']}")
    if "pattern" in shape:
        found.append(f"Member must satisfy regular expression pattern: {shape['pattern']}")
    return found
