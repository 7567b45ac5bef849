"""What Kinesis and DynamoDB streams have in common as sources of an event source mapping."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from nbchalice.resources.base import FunctionRef, Key
from nbchalice.resources.event_source_mapping import EventSourceMapping
from nbchalice.sources.filters import filter_texts
from nbchalice.sources.options import BATCHING_WINDOW, Option, flag_of, json_value
from nbchalice.text import counted, joined
from nbchalice.typed import JSON, Values

# So often a batch is tried before it goes to the queue of --dlq, as with a queue, unless the trigger says otherwise.
DEFAULT_TRIES = 5
DAYS_OF_RECORDS = "which is after a day or later"
# Lambda: CreateEventSourceMapping.
STREAM_OPTIONS = (
    Option("batch_size", "most records per invocation", int, 100, "N", minimum=1, maximum=10_000),
    BATCHING_WINDOW,
    Option("filter", "only records that match this event pattern (JSON)", json_value, None, "JSON"),
    Option(
        "report_failures",
        "a batch is tried again from the first record that the answer names as failed, or that was not called done()"
        " when an exception came",
        bool,
        False,
    ),
    Option(
        "per_record",
        "call the function once for each record; the first that fails ends the batch, which is tried again from there",
        bool,
        False,
    ),
    Option("bisect", "try a batch that failed again in two halves, down to the record that fails", bool, False),
    Option(
        "maximum_retry_attempts",
        f"tries after the first until a batch is given up, or -1; default: {DEFAULT_TRIES - 1} with --dlq, else -1",
        int,
        None,
        "N",
        minimum=-1,
        maximum=10_000,
    ),
    Option(
        "maximum_record_age_in_seconds",
        "age from which a record is given up, 60 or more; -1: as long as the stream keeps it",
        int,
        -1,
        "SECONDS",
        minimum=-1,
        maximum=604_800,
    ),
    Option("parallelization_factor", "batches of one shard at once", int, 1, "N", minimum=1, maximum=10),
    Option(
        "tumbling_window_in_seconds",
        "give the function a state that lasts for a window of so many seconds; 0: none",
        int,
        0,
        "SECONDS",
        minimum=0,
        maximum=900,
    ),
)
STARTING_POSITION = Option(
    "starting_position",
    "where a new mapping begins to read",
    default="LATEST",
    metavar="POSITION",
    choices=("LATEST", "TRIM_HORIZON"),
)
# DynamoDB streams have no such thing.
STARTING_ANYWHERE = replace(STARTING_POSITION, choices=("LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"))
STARTING_TIMESTAMP = Option(
    "starting_position_timestamp",
    "with --starting-position AT_TIMESTAMP: the time to begin at, for example 2030-01-31T09:00 (UTC)",
    metavar="TIME",
)
# Lambda: the fields of a record that its filter may name, beside those of its source.
EVENT_FIELDS = ("awsRegion", "eventID", "eventName", "eventSource", "eventSourceARN", "eventVersion")
PASSES, DROPS = "the filter lets it through", "the filter drops it: Lambda does not hand the record to the function"


def mapping_of(
    options: Values, function: FunctionRef, stream_arn: str, after: tuple[Key, ...] = ()
) -> EventSourceMapping:
    """Return the mapping of a stream to the function, made after the resources with these keys."""
    position = options.get("starting_position") or "LATEST"
    moment = options.get("starting_position_timestamp")
    return EventSourceMapping(
        function=function,
        source_arn=stream_arn,
        batch_size=options.get("batch_size") or 100,
        window=options.get("maximum_batching_window_in_seconds") or 0,
        starting_position=position,
        starting_timestamp=timestamp_of(moment) if moment else None,
        filters=filter_texts(options),
        report_failures=reports(options),
        bisect=bool(options.get("bisect")),
        retries=retries_of(options, with_dlq=bool(function.dlq)),
        record_age=age_of(options),
        parallelization=options.get("parallelization_factor") or 1,
        tumbling_window=options.get("tumbling_window_in_seconds") or 0,
        on_failure=function.dlq,
        after=after,
    )


def reports(options: Values) -> bool:
    """Whether the function's answer names the first record that failed."""
    return bool(options.get("report_failures") or options.get("per_record"))


def retries_of(options: Values, *, with_dlq: bool) -> int:
    """Return how often a batch is tried again; a dead-letter queue must get what fails before the record expires."""
    given = options.get("maximum_retry_attempts")
    if given is not None:
        return int(given)
    return DEFAULT_TRIES - 1 if with_dlq and age_of(options) == -1 else -1


def age_of(options: Values) -> int:
    """Return the age in seconds from which a record is given up, or -1."""
    age = options.get("maximum_record_age_in_seconds")
    return -1 if age is None else int(age)


def timestamp_of(text: str) -> float:
    """Return a point in time, without an offset in UTC, as seconds since 1970; raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def stream_problems(options: Values) -> list[str]:
    """Return what Lambda would reject of the options of a stream (Lambda: CreateEventSourceMapping)."""
    problems, age = [], age_of(options)
    if -1 < age < 60:
        problems.append(f"--maximum-record-age-in-seconds is -1 or 60 to 604800, not {age}")
    position, moment = options.get("starting_position"), options.get("starting_position_timestamp")
    if moment and position != "AT_TIMESTAMP":
        problems.append("--starting-position-timestamp needs --starting-position AT_TIMESTAMP")
    if position == "AT_TIMESTAMP" and not moment:
        problems.append("--starting-position AT_TIMESTAMP needs --starting-position-timestamp TIME")
    if moment:
        try:
            late = timestamp_of(moment) > datetime.now(UTC).timestamp()
        except ValueError:
            return [*problems, f"--starting-position-timestamp {moment!r} is no time; write 2030-01-31T09:00 (UTC)"]
        if late:
            problems.append(f"--starting-position-timestamp {moment} is in the future, which Lambda does not take")
    return problems


def stream_notes(options: Values, settings: Values) -> list[str]:
    """Return what becomes of a batch that fails, and what the local AWS leaves out."""
    dlq, age = settings.get("dlq"), age_of(options)
    retries = retries_of(options, with_dlq=bool(dlq))
    ends = [f"after {counted(retries + 1, 'try', 'tries')}"] if retries >= 0 else []
    ends += [f"when it is {age} s old"] if age >= 0 else []
    where = f"queue {dlq} is told of it" if dlq else "it is dropped, and nobody is told; --dlq QUEUE tells"
    notes = [f"a batch that fails is given up {' or '.join(ends)}: {where}"] if ends else []
    if ends and options.get("per_record") and not options.get("bisect"):
        notes.append(
            "given up is the record that fails and all behind it in the batch; with --bisect that record alone"
        )
    if not ends and dlq:
        notes.append(f"queue {dlq} is told of a batch that fails when its records expire, {DAYS_OF_RECORDS}")
    if not ends and not dlq:
        notes.append("a batch that fails is tried again until it succeeds or expires, and holds up its shard meanwhile")
    left_out = {"parallelization_factor": 1, "tumbling_window_in_seconds": 0, "maximum_batching_window_in_seconds": 0}
    flags = [flag_of(name) for name, default in left_out.items() if (options.get(name) or default) != default]
    return [*notes, *([f"the local AWS does without {joined(flags)}"] if flags else [])]


def describe_stream(name: str, options: Values) -> str:
    """Return the trigger in a few words."""
    begins = {
        "TRIM_HORIZON": "from the beginning",
        "AT_TIMESTAMP": f"from {options.get('starting_position_timestamp')}",
    }
    words = [
        name,
        f"batches of {options.get('batch_size') or 100}",
        begins.get(str(options.get("starting_position")), ""),
        "filtered" if options.get("filter") else "",
        "reports failures" if reports(options) else "",
    ]
    return ", ".join(word for word in words if word)


def reading(arn: str, service: str, actions: tuple[str, ...]) -> list[JSON]:
    """Return the policy statements that Lambda's poller needs; the listing knows no resource."""
    return [
        {"Effect": "Allow", "Action": [f"{service}:{action}" for action in actions], "Resource": arn},
        {"Effect": "Allow", "Action": f"{service}:ListStreams", "Resource": "*"},
    ]
