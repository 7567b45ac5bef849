"""The one table of event kinds: what a decorator's name stands for on Lambda and in the notebook.

Other packages add theirs with ``registered_kinds.register``.
"""

from __future__ import annotations

import importlib

from .events import at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .events import JSON, Event

    # Looks at a raw event, or at one of its records.
    Look = Callable[[JSON], object]


class EventKind:
    """One kind of event.

    Parameters
    ----------
    name : str
        The decorator's and the cell magic's name.
    event_class : type[Event] or str
        What the function is given; as text, such as ``sqs.SQSEvent``, it is imported from here when it is asked for.
    middleware : str
        What Chalice calls the kind in ``@app.middleware("sqs")``.
    service : str
        What AWS writes into a record's ``eventSource``. Default: nothing.
    recognizes : Look or None
        Tells by other signs whether a raw event is of this kind. Default: it never is.
    any_event : bool
        Whether events may be any JSON, as a schedule's own input: those that no other kind recognizes.
    ids : tuple[Look, ...]
        Each finds an id that the sender can know a raw record by, or an event that holds no records. Default: none.
    batch_item : Look or None
        Finds what ``batchItemFailures`` calls a raw record. Default: the kind has no such answer.
    in_order : bool
        Whether all records after one that failed come back with it, as those of a stream. Default: no.
    """

    def __init__(
        self,
        name: str,
        event_class: type[Event] | str,
        middleware: str,
        service: str = "",
        recognizes: Look | None = None,
        *,
        any_event: bool = False,
        ids: tuple[Look, ...] = (),
        batch_item: Look | None = None,
        in_order: bool = False,
    ) -> None:
        self.name, self.middleware, self.service = name, middleware, service
        self.recognizes, self.any_event, self.ids, self.batch_item = recognizes, any_event, ids, batch_item
        self.in_order = in_order
        self._event_class = event_class

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def home(self) -> str:
        """The module of the event's class, which need not be imported yet."""
        if isinstance(self._event_class, str):
            return f"{__package__}.{self._event_class.partition('.')[0]}"
        return self._event_class.__module__

    @property
    def event_class(self) -> type[Event]:
        """What the function is given."""
        found: Any = self._event_class
        if isinstance(found, str):
            module, _, name = found.partition(".")
            found = self._event_class = getattr(importlib.import_module(f".{module}", __package__), name)
        return found  # type: ignore[no-any-return]


_message_id = at("messageId")
_event_id = at("eventID")


def _is_scheduled(event: JSON) -> bool:
    return bool(event.get("detail-type") == "Scheduled Event")


def _is_other_event(event: JSON) -> bool:
    return "detail-type" in event and not _is_scheduled(event)


def _is_of_s3(event: JSON) -> bool:
    return event.get("Event") == "s3:TestEvent" or (event.get("source") == "aws.s3" and "object" in event["detail"])


def _bridge_id(event: JSON) -> object:
    # The sender of an object knows that of its request alone.
    return event.get("id") if "detail-type" in event and not _is_of_s3(event) else None


def _request_id(record: JSON) -> object:
    if record.get("source") == "aws.s3":
        return at("detail", "request-id")(record)
    return at("responseElements", "x-amz-request-id")(record)


def _item_id(record: JSON) -> str | None:
    keys, created = at("dynamodb", "Keys")(record), at("dynamodb", "ApproximateCreationDateTime")(record)
    return keys_id(keys, int(created)) if keys and isinstance(created, int | float) else None


def keys_id(keys: JSON, second: int) -> str:
    """Return an id for a change of a DynamoDB item: its key, which is data, and when it was made.

    PutItem tells no other.
    """
    import hashlib
    import json

    text = json.dumps(keys, sort_keys=True, default=str)
    return f"keys@{hashlib.sha256(text.encode()).hexdigest()[:16]}@{second}"


_KINESIS_ITEM = at("kinesis", "sequenceNumber")
_DYNAMODB_ITEM = at("dynamodb", "SequenceNumber")
BUILT_IN: tuple[EventKind, ...] = (
    EventKind("schedule", "bridge.CloudWatchEvent", "scheduled", "", _is_scheduled, any_event=True, ids=(_bridge_id,)),
    EventKind("on_s3_event", "s3.S3Event", "s3", "aws:s3", _is_of_s3, ids=(_request_id,)),
    EventKind("on_sns_message", "sns.SNSEvent", "sns", "aws:sns", ids=(at("Sns", "MessageId"),)),
    EventKind("on_sqs_message", "sqs.SQSEvent", "sqs", "aws:sqs", ids=(_message_id,), batch_item=_message_id),
    EventKind("on_cw_event", "bridge.CloudWatchEvent", "cloudwatch", "", _is_other_event, ids=(_bridge_id,)),
    EventKind(
        "on_kinesis_record", "kinesis.KinesisEvent", "kinesis", "aws:kinesis",
        ids=(_event_id,), batch_item=_KINESIS_ITEM, in_order=True,
    ),
    EventKind(
        "on_dynamodb_record", "dynamodb.DynamoDBEvent", "dynamodb", "aws:dynamodb",
        ids=(_event_id, _item_id), batch_item=_DYNAMODB_ITEM, in_order=True,
    ),
    EventKind("lambda_function", "events.LambdaFunctionEvent", "pure_lambda"),
)  # fmt: skip
KINDS = {kind.name: kind for kind in BUILT_IN}


def kinds_of(event: object) -> list[EventKind]:
    """Return the kinds that a raw event may be of."""
    service = _service(event)
    kinds = [kind for kind in KINDS.values() if kind.service == service or _look(kind.recognizes, event)]
    return kinds or [kind for kind in KINDS.values() if kind.any_event]


def records_of(event: object) -> list[JSON]:
    """Return the records of a raw event; one that holds none is its own record."""
    records = at("Records")(event)
    if not isinstance(records, list):
        records = [event]
    return [record for record in records if isinstance(record, dict)]


def ids_of(event: object) -> list[str]:
    """Return what the sender of an event can know it by: message ids, S3's request id, an event's id."""
    ids: list[str] = []
    for record in records_of(event):
        for kind in KINDS.values():
            ids += _ids(kind, record)
    return list(dict.fromkeys(ids))


def items_of(event: object) -> dict[str, str]:
    """Return what an answer calls each record of a batch, with the first of what ``ids_of`` finds in it."""
    items: dict[str, str] = {}
    for record in records_of(event):
        for kind in KINDS.values():
            name, ids = _look(kind.batch_item, record), _ids(kind, record)
            if name and ids:
                items[str(name)] = ids[0]
    return items


def _service(event: object) -> object:
    """Return the service that the first record of an event names; SNS alone writes it with a capital."""
    records = at("Records")(event)
    first = records[0] if isinstance(records, list) and records else None
    return at("eventSource")(first) or at("EventSource")(first) or None


def _ids(kind: EventKind, record: JSON) -> list[str]:
    ids = [_look(look, record) for look in kind.ids]
    return [text for text in ids if isinstance(text, str) and text]


def _look(look: Look | None, event: object) -> object:
    """Look at an event; a kind that fails on the events of others must not cost them their own handlers."""
    try:
        return look(event) if look and isinstance(event, dict) else None
    except Exception:
        return None
