"""What Chalice 1.34 has for event handlers, as far as an export must know it; a test compares it with Chalice."""

from __future__ import annotations

VERSION = "1.34"
NOT_PACKAGED = "on_s3_event"
"""The one that `chalice package` refuses; `chalice deploy` makes it."""

# The parameters of its decorators.
PARAMETERS = {
    "schedule": ("expression", "name", "description"),
    "on_s3_event": ("bucket", "events", "prefix", "suffix", "name"),
    "on_sns_message": ("topic", "name"),
    "on_sqs_message": (
        "queue", "batch_size", "name", "queue_arn", "maximum_batching_window_in_seconds", "maximum_concurrency",
    ),
    "on_cw_event": ("event_pattern", "name"),
    "on_kinesis_record": (
        "stream", "batch_size", "starting_position", "name", "maximum_batching_window_in_seconds",
    ),
    "on_dynamodb_record": (
        "stream_arn", "batch_size", "starting_position", "name", "maximum_batching_window_in_seconds",
    ),
    "lambda_function": ("name",),
}  # fmt: skip

# What a handler of each gets, and what this yields when it is iterated.
EVENTS = {
    "schedule": ("CloudWatchEvent", ""),
    "on_s3_event": ("S3Event", ""),
    "on_sns_message": ("SNSEvent", ""),
    "on_sqs_message": ("SQSEvent", "SQSRecord"),
    "on_cw_event": ("CloudWatchEvent", ""),
    "on_kinesis_record": ("KinesisEvent", "KinesisRecord"),
    "on_dynamodb_record": ("DynamoDBEvent", "DynamoDBRecord"),
}
RECORDS = {event: record for event, record in EVENTS.values() if record}

# The attributes of its events and records, beside `context` and `to_dict`.
ATTRIBUTES = {
    "CloudWatchEvent": (
        "account", "detail", "detail_type", "event_id", "region", "resources", "source", "time", "version",
    ),
    "S3Event": ("bucket", "key"),
    "SNSEvent": ("message", "message_attributes", "subject"),
    "SQSEvent": (),
    "SQSRecord": ("body", "receipt_handle"),
    "KinesisEvent": (),
    "KinesisRecord": ("data", "partition_key", "schema_version", "sequence_number", "timestamp"),
    "DynamoDBEvent": (),
    "DynamoDBRecord": (
        "aws_region", "event_id", "event_name", "event_source_arn", "keys", "new_image", "old_image",
        "sequence_number", "size_bytes", "stream_view_type", "table_name", "timestamp",
    ),
}  # fmt: skip

_SQS = '{}.to_dict()["attributes"]'
_S3 = '{}.to_dict()["Records"][0]'
_SNS = f'{_S3}["Sns"]'
# What nbchalice's events and records have besides, as code for Chalice's; `{}` is the event's or record's name.
INSTEAD = {
    "S3Event": {
        "event_name": f'{_S3}["eventName"]',
        "size": f'{_S3}["s3"]["object"].get("size")',
        "etag": f'{_S3}["s3"]["object"].get("eTag")',
        "version_id": f'{_S3}["s3"]["object"].get("versionId")',
    },
    "SNSEvent": {
        "json()": "json.loads({}.message)",
        "message_id": f'{_SNS}["MessageId"]',
        "topic_arn": f'{_SNS}["TopicArn"]',
        "timestamp": f'{_SNS}["Timestamp"]',
    },
    "SQSRecord": {
        "json()": "json.loads({}.body)",
        "message_id": '{}.to_dict()["messageId"]',
        "attributes": _SQS,
        "message_attributes": '{}.to_dict()["messageAttributes"]',
        "message_group_id": f'{_SQS}.get("MessageGroupId")',
        "receive_count": f'int({_SQS}["ApproximateReceiveCount"])',
        "event_source_arn": '{}.to_dict()["eventSourceARN"]',
        "queue_name": '{}.to_dict()["eventSourceARN"].rpartition(":")[2]',
        "fifo": '{}.to_dict()["eventSourceARN"].endswith(".fifo")',
    },
    "KinesisRecord": {"json()": "json.loads({}.data)"},
}

# The names of the package `chalice`, and those that only `chalice.app` has and nbchalice, too.
NAMES = frozenset({
    "AuthResponse", "AuthRoute", "BadRequestError", "Blueprint", "CORSConfig", "Chalice", "ChaliceUnhandledError",
    "ChaliceViewError", "CognitoUserPoolAuthorizer", "ConflictError", "ConvertToMiddleware", "Cron",
    "CustomAuthorizer", "ForbiddenError", "IAMAuthorizer", "NotFoundError", "Rate", "Response",
    "TooManyRequestsError", "UnauthorizedError", "UnprocessableEntityError", "WebsocketDisconnectedError",
})  # fmt: skip
APP_NAMES = frozenset({
    "APIGateway", "AuthRequest", "Authorizer", "BaseLambdaEvent", "CaseInsensitiveMapping", "ChaliceError",
    "CloudWatchEvent", "DynamoDBEvent", "DynamoDBRecord", "KinesisEvent", "KinesisRecord", "LambdaFunctionEvent",
    "MethodNotAllowedError", "MultiDict", "Request", "RequestTimeoutError", "S3Event", "SNSEvent", "SQSEvent",
    "SQSRecord", "ScheduleExpression", "WebsocketAPI", "WebsocketEvent",
})  # fmt: skip
