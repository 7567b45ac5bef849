"""Event source mappings that Lambda refuses, and MiniStack takes (Lambda: CreateEventSourceMapping)."""

from __future__ import annotations

from typing import Any

from ministack.services import dynamodb, kinesis, lambda_svc, sqs

from .checks import Record, Wrong, put_before
from .trust import is_here, lacking

INVALID = "InvalidParameterValueException"
MOST_WITHOUT_WINDOW = 10
MOST_FILTERS = 10
# What only streams have, and what only queues have.
OF_STREAMS = (
    "StartingPosition", "StartingPositionTimestamp", "ParallelizationFactor", "DestinationConfig",
    "MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError", "MaximumRetryAttempts", "TumblingWindowInSeconds",
)  # fmt: skip
NO_QUEUE = (
    "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
    "SQS Error Message: The specified queue does not exist."
)
NO_WINDOW = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
# Lambda: "Creating and configuring an Amazon SQS event source mapping", and those of streams
READS = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "kinesis": ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream"),
    "dynamodb": ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"),
}
ACTIONS_OF_STREAM = (
    "Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on "
    "your stream in IAM."
)
AGAIN = "Please update or delete the existing mapping with UUID"


def apply_mapping_requests() -> None:
    """Put the checks in place, before all else that is done with mappings."""
    put_before(lambda_svc, "_create_esm", against_new, refused)
    put_before(lambda_svc, "_update_esm", against_change, refused)


def refused(wrong: Wrong) -> Any:
    """Answer as Lambda does."""
    return lambda_svc.error_response_json(wrong.code, wrong.message, wrong.status)


def against_new(settings: Record) -> Wrong | None:
    """Return what Lambda says against a mapping that is to be made, or None."""
    name, qualifier, missing = lambda_svc._resolve_existing_esm_function(settings.get("FunctionName", ""))
    if missing:
        return None  # MiniStack says so
    source = str(settings.get("EventSourceArn", ""))
    wrong = against_queue(settings, name, qualifier) if of_queue(source) else against_stream(settings, source)
    wrong = wrong or against_role(source, name, qualifier)
    return wrong or against_filters(settings) or against_second(source, name, qualifier)


def against_change(mapping_id: str, settings: Record) -> Wrong | None:
    """Return what Lambda says against new settings of a mapping, or None."""
    mapping = lambda_svc._esms.get(mapping_id)
    if mapping is None:
        return None
    if not of_queue(mapping["EventSourceArn"]):
        return against_filters(settings)
    kept = {name: value for name, value in mapping.items() if name not in OF_STREAMS}
    wrong = against_queue({**kept, **settings}, mapping["FunctionName"], mapping["Qualifier"])
    return wrong or against_filters(settings)


def of_queue(source: str) -> bool:
    """Whether a source is a queue."""
    return source.split(":")[2:3] == ["sqs"]


def against_queue(settings: Record, name: str, qualifier: str | None) -> Wrong | None:
    """Return what Lambda says against a mapping of a queue, or None."""
    source = str(settings.get("EventSourceArn", ""))
    for parameter in OF_STREAMS:
        if parameter in settings:
            return Wrong(INVALID, f"Unsupported {parameter} parameter for given event source mapping type.")
    queue = sqs._queue_by_arn(source)
    return (
        against_batch(settings, queue) or against_timeout(queue, name, qualifier) if queue else Wrong(INVALID, NO_QUEUE)
    )


def against_batch(settings: Record, queue: Record) -> Wrong | None:
    """Return what Lambda says against the size of batches, and how long it is to wait for them, or None."""
    batch, window = settings.get("BatchSize") or 0, settings.get("MaximumBatchingWindowInSeconds") or 0
    if queue["is_fifo"] and window:
        return Wrong(INVALID, "Batching window is not supported for FIFO queues")
    if queue["is_fifo"] and batch > MOST_WITHOUT_WINDOW:
        return Wrong(INVALID, f"The maximum batch size of a FIFO queue is {MOST_WITHOUT_WINDOW}")
    if batch > MOST_WITHOUT_WINDOW and not window:
        return Wrong(INVALID, NO_WINDOW)
    return None


def against_timeout(queue: Record, name: str, qualifier: str | None) -> Wrong | None:
    """Return what Lambda says against a queue that gives messages out again while they are handled, or None."""
    visible, timeout = int(queue["attributes"].get("VisibilityTimeout", 30)), timeout_of(name, qualifier)
    if visible < timeout:
        text = f"Queue visibility timeout: {visible} seconds is less than Function timeout: {timeout} seconds"
        return Wrong(INVALID, text)
    return None


def against_role(source: str, name: str, qualifier: str | None) -> Wrong | None:
    """Return what Lambda says against a function whose role may not read its source, or None."""
    _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    role, service = str((config or {}).get("Role", "")), source.split(":")[2]
    action = lacking(role, READS.get(service, ()), source) if is_here(role) else ""
    if not action:
        return None
    if service == "sqs":
        called = action.partition(":")[2]
        return Wrong(INVALID, f"The provided execution role does not have permissions to call {called} on SQS")
    return Wrong(INVALID, f"Cannot access stream {source}. {ACTIONS_OF_STREAM}")


def timeout_of(name: str, qualifier: str | None) -> int:
    """Return how many seconds a version of a function may run."""
    _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    return int((config or {}).get("Timeout", 3))


def against_stream(settings: Record, source: str) -> Wrong | None:
    """Return what Lambda says against a mapping of a stream, or None."""
    begin, service = settings.get("StartingPosition"), source.split(":")[2:3]
    if service not in (["kinesis"], ["dynamodb"]):
        return None  # MiniStack says what it cannot
    if begin is None:
        failed = "failed to satisfy constraint: Member must not be null"
        return Wrong("ValidationException", f"1 validation error detected: Value null at 'startingPosition' {failed}")
    if service == ["dynamodb"] and begin == "AT_TIMESTAMP":
        return Wrong(INVALID, f"Unsupported starting position for arn type: {source}")
    if begin == "AT_TIMESTAMP" and "StartingPositionTimestamp" not in settings:
        return Wrong(INVALID, "StartingPositionTimestamp must be given with the starting position AT_TIMESTAMP.")
    if source.split(":")[4:5] == [lambda_svc.get_account_id()] and not stream_exists(source, service[0]):
        return Wrong(INVALID, f"Stream not found: {source}")
    return None


def stream_exists(source: str, service: str) -> bool:
    """Whether a stream of this account is there."""
    name = source.partition("/")[2].partition("/")[0]
    if service == "kinesis":
        return kinesis._streams.get(name) is not None
    table = dynamodb._tables.get(name) or {}
    return bool(table.get("LatestStreamArn") == source)


def against_filters(settings: Record) -> Wrong | None:
    """Return what Lambda says against too many filters, or None."""
    filters = (settings.get("FilterCriteria") or {}).get("Filters") or []
    if len(filters) <= MOST_FILTERS:
        return None
    return Wrong(INVALID, f"Filter criteria can have at most {MOST_FILTERS} filters, and has {len(filters)}.")


def against_second(source: str, name: str, qualifier: str | None) -> Wrong | None:
    """Return what Lambda says against a second mapping of a source to a function, or None."""
    for mapping in lambda_svc._esms.values():
        if (mapping["EventSourceArn"], mapping["FunctionName"], mapping["Qualifier"]) == (source, name, qualifier):
            function = f'function (" {name} ")'
            if of_queue(source):
                text = f'An event source mapping with SQS arn (" {source} ") and {function} already exists.'
            else:
                text = f'The event source arn (" {source} ") and {function} provided mapping already exists.'
            return Wrong("ResourceConflictException", f"{text} {AGAIN} {mapping['UUID']}", 409)
    return None
