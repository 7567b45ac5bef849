"""What a pattern sees of a message or record."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping


def _no_json(constant: str) -> object:
    raise ValueError(constant)


def body_of(message: object) -> object:
    """Return a message's text as JSON's values; what is no JSON, or no text, as it is."""
    if not isinstance(message, str | bytes | bytearray):
        return message
    try:
        return json.loads(message, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return message


def attributes_view(attributes: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Return message attributes of SNS as values: a Number is one, a String.Array a list; Binary is left out.

    Parameters
    ----------
    attributes : Mapping[str, Mapping[str, object]]
        Attributes by name, with ``DataType`` and ``StringValue``.
    """
    view = {}
    for name, attribute in attributes.items():
        kind, value = str(attribute.get("DataType") or "String"), attribute.get("StringValue")
        if kind.startswith("Binary") or value is None:
            continue
        view[name] = body_of(value) if kind == "String.Array" or kind.startswith("Number") else value
    return view


def record_view(record: Mapping[str, object]) -> dict[str, object]:
    """Return a record of a queue or stream as the filter of its mapping sees it (Lambda: Filter rule syntax).

    The body of a queue's message, and the data of a Kinesis record, are JSON's values where they are JSON, and a text
    where not. The fields of a Kinesis record stand beside those of the event.
    """
    view = dict(record)
    if isinstance(kinesis := view.pop("kinesis", None), Mapping):
        view |= kinesis
        try:
            view["data"] = body_of(base64.b64decode(str(view.get("data") or ""), validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            del view["data"]
    if "body" in view:
        view["body"] = body_of(view["body"])
    return view
