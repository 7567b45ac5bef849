"""Which API calls boto3 may make again by itself when their answer was lost.

A lost answer does not tell whether AWS did what was asked: the function may run, the message may be in the queue.
Only what can be done twice without harm is asked again. Everything else, as Invoke or SendMessage, ends with a
`LostAnswerError`, unless AWS surely did nothing: it was never reached, or it answered that it is asked too often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.aws.passing import ASKED_TOO_OFTEN
from nbchalice.errors import LostAnswerError
from nbchalice.resources.base import REPEATABLE_BESIDE
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.client import BaseClient
    from botocore.model import OperationModel

READS = ("Get", "List", "Describe", "Head", "Filter", "Lookup", "Batch")
# A second one finds what the first one did: changed to the same, made under the same name, or gone.
REPEATABLE = frozenset(
    {
        *("AddPermission", "RemovePermission", "TagResource", "UntagResource"),
        *("CreateFunction", "DeleteFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion"),
        *("PutFunctionConcurrency", "DeleteFunctionConcurrency"),
        *("PutFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig", "DeleteLayerVersion"),
        *("CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig", "CreateEventBus"),
        *("CreateEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"),
        *("CreateRole", "DeleteRole", "PutRolePolicy", "DeleteRolePolicy", "UpdateAssumeRolePolicy"),
        *("AttachRolePolicy", "DetachRolePolicy", "TagRole", "UntagRole", "PutRolePermissionsBoundary"),
        *("CreateLogGroup", "DeleteLogGroup", "AssociateKmsKey", "PutRetentionPolicy", "DeleteRetentionPolicy"),
        *("CreateQueue", "DeleteQueue", "SetQueueAttributes", "TagQueue", "UntagQueue"),
        *("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
        *("CreateTopic", "DeleteTopic", "Subscribe", "Unsubscribe", "SetSubscriptionAttributes"),
        *("CreateBucket", "PutBucketNotificationConfiguration", "PutBucketLifecycleConfiguration"),
        *("PutBucketTagging", "PutPublicAccessBlock", "DeleteObject", "DeleteObjects", "UploadPart"),
        *("PutRule", "DeleteRule", "PutTargets", "RemoveTargets"),
        *("CreateSchedule", "UpdateSchedule", "DeleteSchedule", "CreateStream", "CreateTable", "PutItem"),
    }
)
# By these parameters AWS itself knows a call that it has had already.
SEEN_BEFORE = ("ClientToken", "MessageDeduplicationId")
NEVER_REACHED = {"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"}
ONCE = "nbchalice:once"


def guard_repeats(client: BaseClient) -> None:
    """Let a client repeat no call that could do its work twice."""
    client.meta.events.register_last("before-parameter-build", _mark)
    client.meta.events.register_first("needs-retry", _refuse)


def require_whole_answers(client: BaseClient) -> None:
    """Let a client take an answer that ends too early for one that was lost.

    boto3 reads a body of which nothing came as an empty answer: as if nothing stood.
    """
    from botocore.exceptions import ConnectionClosedError

    session = client._endpoint.http_session  # type: ignore[attr-defined]
    send = session.send

    def whole(request: AWSPreparedRequest) -> AWSResponse:
        answer: AWSResponse = send(request)
        promised = str(answer.headers.get("Content-Length", ""))
        without = request.method == "HEAD" or request.stream_output or answer.status_code in {204, 304}
        if promised.isdigit() and not without and len(answer.content) < int(promised):
            raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    session.send = whole


def _mark(params: JSON, model: OperationModel, context: JSON, **_: object) -> None:
    repeatable = model.name in REPEATABLE or model.name in REPEATABLE_BESIDE
    safe = model.name.startswith(READS) or repeatable or any(map(params.get, SEEN_BEFORE))
    context[ONCE] = not safe


def _refuse(
    response: tuple[AWSResponse, JSON],
    caught_exception: Exception | None,
    operation: OperationModel,
    request_dict: JSON,
    **_: object,
) -> None:
    if not request_dict["context"].get(ONCE):
        return
    if caught_exception is not None:
        if type(caught_exception).__name__ not in NEVER_REACHED:
            raise LostAnswerError(operation.name, str(caught_exception)) from caught_exception
        return
    answer, parsed = response
    error = parsed.get("Error", {})
    if answer.status_code >= 500 and error.get("Code") not in ASKED_TOO_OFTEN.codes:
        raise LostAnswerError(operation.name, f"AWS says {error.get('Code')}: {error.get('Message')}")
