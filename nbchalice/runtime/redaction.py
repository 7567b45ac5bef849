"""Leaves fields of an event out, wherever they stand: ``customer.email`` of any record, also of JSON in a text."""

from __future__ import annotations

import base64
import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

REDACTED = "[redacted]"
# Fields that are left out by their name alone, without any letters that are no letters: api_key, API-Key, apiKey.
SECRETS = frozenset({
    "accesstoken", "apikey", "authorization", "clientsecret", "idtoken", "passwd", "password", "privatekey",
    "refreshtoken", "secret", "secretaccesskey", "secretkey", "sessiontoken", "token",
})  # fmt: skip
# How DynamoDB's streams say what a value is.
_TYPES = {"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}
_ENCODED = "data"  # Kinesis


def redacted(event: object, fields: Iterable[str]) -> Any:
    """Return a copy of an event without the values of some fields.

    Parameters
    ----------
    event : object
        A raw event.
    fields : Iterable[str]
        Names, or paths of names with dots between them; each may begin at any depth, and go through lists: the
        places of a list (``items.0.email``, ``items[0].email``, ``items[*].email``) are all of its places.
    """
    paths: list[tuple[str, ...]] = []
    for field in fields:
        names = re.sub(r"\[[^\]]*\]", "", field).split(".")
        paths += [tuple(names), tuple(name for name in names if not (name.isdigit() or name == "*"))]
    return _Redaction([path for path in dict.fromkeys(paths) if path]).of(event, [])


class _Redaction:
    def __init__(self, paths: list[tuple[str, ...]]) -> None:
        self._paths = paths

    def of(self, value: object, begun: list[tuple[str, ...]], name: str = "") -> object:
        """Return a value without the fields; ``begun`` are the rests of paths that led to it."""
        if isinstance(value, list):
            return [self.of(one, begun, name) for one in value]
        if isinstance(value, dict):
            if len(value) == 1 and not value.keys().isdisjoint({"L", "M"}):
                return {kind: self.of(inner, begun) for kind, inner in value.items()}
            return {key: self._field(key, inner, begun) for key, inner in value.items()}
        if isinstance(value, str):
            return self._text(value, begun) or (name == _ENCODED and self._encoded(value, begun)) or value
        return value

    def _field(self, key: str, value: object, begun: list[tuple[str, ...]]) -> object:
        rests = [path[1:] for path in (*begun, *self._paths) if path[0] == key]
        if () in rests or re.sub(r"[^a-z]", "", key.lower()) in SECRETS:
            typed = isinstance(value, dict) and len(value) == 1 and value.keys() <= _TYPES
            return {"S": REDACTED} if typed else REDACTED
        return self.of(value, rests, key)

    def _text(self, text: str, begun: list[tuple[str, ...]]) -> str:
        """Return the JSON in a text without the fields; an empty text where it has none of them."""
        if not text.lstrip().startswith(("{", "[")):
            return ""
        try:
            inner = json.loads(text)
        except ValueError:
            return ""
        clean = self.of(inner, begun)
        return "" if clean == inner else json.dumps(clean)

    def _encoded(self, text: str, begun: list[tuple[str, ...]]) -> str:
        try:
            inner = base64.b64decode(text, validate=True).decode()
        except ValueError:
            return ""
        clean = self._text(inner, begun)
        return base64.b64encode(clean.encode()).decode() if clean else ""
