"""Attributes of messages: ``{"kind": "sale", "price:Number": "150"}``, checked as SQS and SNS check them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from decimal import Decimal, InvalidOperation

from nbchalice.errors import InvalidInputError
from nbchalice.typed import JSON, Values

# SQS, "Amazon SQS message metadata"; SNS, "Amazon SNS message attributes": a type may have a label, as in Number.int.
KINDS = ("String", "Number", "Binary")
NAME = re.compile(r"(?!\.|aws\.|amazon\.)(?!.*\.\.)[\w.-]{1,256}(?<!\.)", re.ASCII | re.IGNORECASE)
TYPE = re.compile(rf"({'|'.join(KINDS)})(\.[^\s:]+)?")
USAGE = "message attributes: texts, or of a type, as in price:Number=150; Binary is written in base64"
NO_LIST = 'give a JSON list in single quotes, such as \'tags:String.Array=["a", "b"]\''


def attributes_of(values: Values) -> dict[str, JSON]:
    """Return a form's attributes as SendMessage and Publish take them.

    Parameters
    ----------
    values : Values
        The form's values; ``attribute`` holds texts by name, or by name and type as in ``price:Number``.

    Raises
    ------
    InvalidInputError
        AWS would refuse a name, a type or a value.
    """
    given = dict(values.get("attribute") or {})
    return {name.partition(":")[0]: _attribute(name, str(value)) for name, value in given.items()}


def _attribute(typed: str, value: str) -> JSON:
    name, _, given = typed.partition(":")
    kind = given or "String"
    if not NAME.fullmatch(name):
        hint = "up to 256 letters, digits, _, - and single dots, not at an end, and no AWS. or Amazon. at the beginning"
        raise InvalidInputError(f"{name!r} cannot name an attribute", hint)
    if not TYPE.fullmatch(kind):
        hint = f"the types are {', '.join(KINDS)} and String.Array, as in --attribute price:Number=150"
        raise InvalidInputError(f"attribute {name} has the type {kind!r}, which there is not", hint)
    if not value:
        raise InvalidInputError(f"attribute {name} is empty", "AWS takes no empty value; give one, or leave it out")
    if kind.startswith("Binary"):
        return {"DataType": kind, "BinaryValue": _bytes(name, value)}
    if kind.startswith("Number") and not _is_number(value):
        raise InvalidInputError(f"attribute {name} is a Number, and {value!r} is none", "write it as 150 or -0.5")
    if kind == "String.Array" and not _is_list(value):
        raise InvalidInputError(f"attribute {name} is a String.Array, and {value!r} is no list", NO_LIST)
    return {"DataType": kind, "StringValue": value}


def _bytes(name: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        hint = "give its bytes in base64: aGk= stands for hi"
        raise InvalidInputError(f"attribute {name} is Binary, and {value!r} is not base64", hint) from None


def _is_number(value: str) -> bool:
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _is_list(value: str) -> bool:
    try:
        return isinstance(json.loads(value), list)
    except ValueError:
        return False


def notified(attribute: JSON) -> JSON:
    """Return an attribute as a notification has it: with its type, and bytes in base64."""
    binary = attribute.get("BinaryValue")
    value = attribute.get("StringValue") if binary is None else base64.b64encode(binary).decode()
    return {"Type": attribute["DataType"], "Value": value}


def given(attributes: JSON) -> JSON:
    """Return the attributes of a raw message or notification as a form's field ``attribute`` takes them."""
    typed: JSON = {}
    for name, one in attributes.items():
        kind = one.get("dataType") or one.get("Type") or "String"
        value = next((one[key] for key in ("stringValue", "binaryValue", "Value") if one.get(key) is not None), "")
        typed[name if kind == "String" else f"{name}:{kind}"] = value
    return {"attribute": typed} if typed else {}
