"""Names and tags that say whose a resource is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from nbchalice.resources.base import OWNER_PREFIX, FunctionRef

NOTEBOOK = f"{OWNER_PREFIX}:notebook"
LONGEST_VALUE = 256


def notebook_tag(name: str) -> dict[str, str]:
    """Return the tag that tells which notebook a function was deployed from; none where its file name is unknown.

    The value has only what a tag's value takes (Lambda: TagResource).
    """
    value = re.sub(r"[^\w .:/=+@-]", "_", unicodedata.normalize("NFC", name))[:LONGEST_VALUE]
    return {NOTEBOOK: value} if value else {}


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
