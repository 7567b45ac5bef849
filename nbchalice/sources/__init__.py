"""The event sources, by the name of their decorator and cell magic."""

from __future__ import annotations

from nbchalice.sources.base import Source
from nbchalice.sources.cw_event import CloudWatchEvents
from nbchalice.sources.dynamodb import DynamoDB
from nbchalice.sources.kinesis import Kinesis
from nbchalice.sources.lambda_function import PureLambda
from nbchalice.sources.s3 import S3
from nbchalice.sources.schedule import Schedule
from nbchalice.sources.sns import SNS
from nbchalice.sources.sqs import SQS

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (Schedule(), S3(), SNS(), SQS(), CloudWatchEvents(), Kinesis(), DynamoDB(), PureLambda())
}
