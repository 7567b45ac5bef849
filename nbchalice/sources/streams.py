"""What Kinesis and DynamoDB streams have in common as sources of an event source mapping."""

from __future__ import annotations

from nbchalice.resources.base import FunctionRef, Key
from nbchalice.resources.event_source_mapping import EventSourceMapping
from nbchalice.sources.filters import filter_texts
from nbchalice.sources.options import BATCHING_WINDOW, Option, json_value
from nbchalice.typed import JSON, Values

# Lambda: CreateEventSourceMapping.
STREAM_OPTIONS = (
    Option("batch_size", "most records per invocation", int, 100, "N", minimum=1, maximum=10_000),
    Option(
        "starting_position",
        "where a new mapping begins to read",
        default="LATEST",
        metavar="POSITION",
        choices=("LATEST", "TRIM_HORIZON"),
    ),
    BATCHING_WINDOW,
    Option("filter", "only records that match this event pattern (JSON)", json_value, None, "JSON"),
)
# Lambda: the fields of a record that its filter may name, beside those of its source.
EVENT_FIELDS = ("awsRegion", "eventID", "eventName", "eventSource", "eventSourceARN", "eventVersion")
PASSES, DROPS = "the filter lets it through", "the filter drops it: Lambda does not hand the record to the function"


def mapping_of(
    options: Values, function: FunctionRef, stream_arn: str, after: tuple[Key, ...] = ()
) -> EventSourceMapping:
    """Return the mapping of a stream to the function, made after the resources with these keys."""
    return EventSourceMapping(
        function=function,
        source_arn=stream_arn,
        batch_size=options.get("batch_size") or 100,
        window=options.get("maximum_batching_window_in_seconds") or 0,
        starting_position=options.get("starting_position") or "LATEST",
        filters=filter_texts(options),
        on_failure=function.dlq,
        after=after,
    )


def describe_stream(name: str, options: Values) -> str:
    """Return the trigger in a few words."""
    begin = ", from the beginning" if options.get("starting_position") == "TRIM_HORIZON" else ""
    filtered = ", filtered" if options.get("filter") else ""
    return f"{name}, batches of {options.get('batch_size') or 100}{begin}{filtered}"


def reading(arn: str, service: str, actions: tuple[str, ...]) -> list[JSON]:
    """Return the policy statements that Lambda's poller needs; the listing knows no resource."""
    return [
        {"Effect": "Allow", "Action": [f"{service}:{action}" for action in actions], "Resource": arn},
        {"Effect": "Allow", "Action": f"{service}:ListStreams", "Resource": "*"},
    ]
