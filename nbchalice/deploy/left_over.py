"""Handlers that stand, are not in the notebook any more, and still take messages of a source that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.resources.base import or_missing
from nbchalice.text import joined

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.deploy.desired import App


def sources_read(app: App, aws: Connection, name: str) -> frozenset[str]:
    """Return the ARNs of the queues and streams that a handler's function polls; none where it does not stand."""
    found: set[str] = set()
    with or_missing():
        pages = aws.client("lambda").get_paginator("list_event_source_mappings")
        for page in pages.paginate(FunctionName=app.ref(aws, name).name):
            found |= {mapping["EventSourceArn"] for mapping in page["EventSourceMappings"]}
    return frozenset(found)


def shared_with(app: App, aws: Connection, name: str) -> list[str]:
    """Return a text for each source that a left handler and handlers of the notebook both read.

    Parameters
    ----------
    app, aws : App or Connection
        The app, and where it stands.
    name : str
        The left handler.
    """
    own = sources_read(app, aws, name)
    others = {handler.name: sources_read(app, aws, handler.name) for handler in app.handlers if own}
    texts = []
    for arn in sorted(own):
        readers = [other for other, sources in others.items() if arn in sources]
        if readers:
            what = arn.rpartition(":")[2]
            texts.append(
                f"it takes messages of {what}, which {joined(readers)} reads, too: each goes to one of them only"
            )
    return texts
