"""The boto3 clients that nbchalice asks for, by service; a type checker reads the types of boto3-stubs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


class Clients(Protocol):
    """Gives the client of a service."""

    @overload
    def __call__(
        self, service: Literal["events"], region: str | None = None, *, patience: float | None = None
    ) -> EventBridgeClient: ...

    @overload
    def __call__(
        self, service: Literal["iam"], region: str | None = None, *, patience: float | None = None
    ) -> IAMClient: ...

    @overload
    def __call__(
        self, service: Literal["lambda"], region: str | None = None, *, patience: float | None = None
    ) -> LambdaClient: ...

    @overload
    def __call__(
        self, service: Literal["logs"], region: str | None = None, *, patience: float | None = None
    ) -> CloudWatchLogsClient: ...

    @overload
    def __call__(
        self, service: Literal["s3"], region: str | None = None, *, patience: float | None = None
    ) -> S3Client: ...

    @overload
    def __call__(
        self, service: Literal["scheduler"], region: str | None = None, *, patience: float | None = None
    ) -> EventBridgeSchedulerClient: ...

    @overload
    def __call__(
        self, service: Literal["sns"], region: str | None = None, *, patience: float | None = None
    ) -> SNSClient: ...

    @overload
    def __call__(
        self, service: Literal["sqs"], region: str | None = None, *, patience: float | None = None
    ) -> SQSClient: ...
    @overload
    def __call__(self, service: str, region: str | None = None, *, patience: float | None = None) -> Any: ...
