"""Names and tags that say whose a resource is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nbchalice.resources.base import OWNER_PREFIX, TAGS, UNCOMPARED, FunctionRef, is_denied
from nbchalice.typed import JSON

NOTEBOOK = f"{OWNER_PREFIX}:notebook"
OWNER = f"{OWNER_PREFIX}:owner"
CELL = f"{OWNER_PREFIX}:cell"
LONGEST_VALUE = 256
# What a copy that `%chalice tune` makes for a while is known by, and what its handler's name ends with.
TUNES = f"{OWNER_PREFIX}:tunes"
TUNE_ENDING = "-tune"


def notebook_tag(name: str) -> dict[str, str]:
    """Return the tag that tells which notebook a function was deployed from; none where its file name is unknown."""
    value = tag_value(name)
    return {NOTEBOOK: value} if value else {}


def tag_value(text: str) -> str:
    """Return a text with only what a tag's value takes (Lambda: TagResource)."""
    return re.sub(r"[^\w .:/=+@-]", "_", unicodedata.normalize("NFC", text))[:LONGEST_VALUE]


def lacking(function: FunctionRef, standing: Mapping[str, str] | None) -> dict[str, str]:
    """Return the user's tags that something lacks or has otherwise; tags of others stay, as an organisation sets them.

    Parameters
    ----------
    function : FunctionRef
        Its ``labels`` are the user's tags.
    standing : Mapping[str, str] or None
        The tags that stand, or None where they were not read.
    """
    return {} if standing is None else {name: to for name, to in function.labels if standing.get(name) != to}


def as_list(tags: Mapping[str, str]) -> list[JSON]:
    """Return tags as IAM and EventBridge take them."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def as_mapping(tags: Iterable[Any] | None) -> dict[str, str] | None:
    """Return tags as IAM and EventBridge give them, by name; None where they were not read."""
    return None if tags is None else {tag["Key"]: tag["Value"] for tag in tags}


def with_tags(function: FunctionRef, current: JSON, read: Callable[[], Any], action: str, what: str) -> JSON:
    """Return what was read of something with its tags, where the user has tags of their own; else nobody asks.

    Parameters
    ----------
    function : FunctionRef
        Whose it is.
    current : JSON
        What was read.
    read : Callable[[], Any]
        Asks for the tags.
    action, what : str
        What the caller must be allowed for that, and of what kind of thing; who may not is told so.
    """
    if not function.labels:
        return current
    try:
        return {**current, TAGS: read()}
    except Exception as error:
        if not is_denied(error):
            raise
        return {**current, UNCOMPARED: f"tags of {what} are not compared: AWS denies {action}"}


def tag_reasons(function: FunctionRef, standing: Mapping[str, str] | None) -> list[str]:
    """Return which of the user's tags something lacks, as a reason."""
    names = lacking(function, standing)
    return [f"tags {', '.join(names)}"] if names else []


def is_owned(tags: Mapping[str, str], app: str, stage: str) -> bool:
    """Whether the tags name an app and stage as the owner."""
    return (tags.get(f"{OWNER_PREFIX}:app"), tags.get(f"{OWNER_PREFIX}:stage")) == (app, stage)


def foreign_owner(name: str, tags: Mapping[str, str], function: FunctionRef) -> list[str]:
    """Return that something of this name is another's, as its tags tell."""
    if is_owned(tags, function.app, function.stage):
        return []
    app, stage = tags.get(f"{OWNER_PREFIX}:app"), tags.get(f"{OWNER_PREFIX}:stage")
    whose = f"belongs to app {app}, stage {stage}" if app else "was not made by nbchalice"
    return [f"{name} exists and {whose}"]
