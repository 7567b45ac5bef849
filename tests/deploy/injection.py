"""Makes one chosen API call of an operation fail, in every way a call can fail, or ends the process there."""

import hashlib
import json
import re
import threading
from collections import Counter

from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from nbchalice.aws.repeats import READS
from nbchalice.aws.target import Connection

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
FINGERPRINT = re.compile(r"\b[0-9a-f]{32}\b")
KINDS = (
    "killed before the call",
    "killed after the call",
    "throttled",
    "error 500",
    "connection broken",
    "conflict",
    "answer lost",
    "answer lost, repeated by botocore",
)
CONFLICTS = {"lambda": "ResourceConflictException", "s3": "OperationAborted"}


class Killed(BaseException):
    """Stands for the end of the process: nothing in the engine catches it, and no later call goes out."""


class Injector:
    """Counts the calls of one connection and disturbs the one that is chosen."""

    def __init__(self):
        self.lock = threading.Lock()
        self.names = {}  # what differs from one connection's app to another's, and what stands for it
        self.arm(None, None)

    def arm(self, label, kind):
        self.label, self.kind = label, kind
        self.seen = Counter()
        self.order = []
        self.writes = 0
        self.hit = self.dead = False

    def label_of(self, operation, request):
        body = request.body or b""
        text = f"{request.url} {body.decode('latin-1') if isinstance(body, bytes | bytearray) else body}"
        for name, stand_in in self.names.items():
            text = text.replace(name, stand_in)
        text = FINGERPRINT.sub("FINGERPRINT", UUID.sub("UUID", text))
        digest = hashlib.sha1(text.encode()).hexdigest()[:8]
        with self.lock:
            self.seen[operation, digest] += 1
            label = (operation, digest, self.seen[operation, digest])
            self.order.append(label)
        return label

    def before_send(self, client, request, event_name):
        operation = event_name.rsplit(".", 1)[-1]
        label = self.label_of(operation, request)
        if self.dead:
            raise Killed
        if label != self.label or self.hit:
            self.writes += not operation.startswith(READS)
            return None
        self.hit = True
        return self.disturb(client, request, operation)

    def disturb(self, client, request, operation):
        write = not operation.startswith(READS)
        if self.kind == "killed before the call":
            self.dead = True
            raise Killed
        if self.kind == "killed after the call":
            self.dead = True
            self.writes += write
            client._endpoint.http_session.send(request)
            raise Killed
        if self.kind.startswith("answer lost"):
            self.writes += write
            client._endpoint.http_session.send(request)
            raise ConnectionClosedError(endpoint_url=request.url)
        if self.kind == "connection broken":
            raise ConnectionClosedError(endpoint_url=request.url)
        service = client.meta.service_model
        code, status = {
            "throttled": ("ThrottlingException", 429),
            "error 500": ("InternalFailure", 500),
            "conflict": (CONFLICTS.get(service.service_name, "ConcurrentModificationException"), 409),
        }[self.kind]
        return refusal(service.protocol, request.url, code, status)


def refusal(protocol, url, code, status):
    """An error as AWS answers it."""
    error = f"<Error><Code>{code}</Code><Message>injected</Message></Error>"
    bodies = {"rest-xml": error, "query": f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"}
    body = bodies.get(protocol) or json.dumps({"__type": code, "message": "injected"})
    answer = AWSResponse(url, status, {"x-amzn-errortype": code}, None)
    answer._content = body.encode()
    return answer


def disturbed_connection(server, connection, injector, attempts):
    """A connection of its own to the same local AWS, whose calls pass the injector."""
    import boto3

    session = boto3.Session()
    config = Config(
        s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": attempts}, proxies={},
        max_pool_connections=64,
    )  # fmt: skip

    def new_client(service, region):
        client = session.client(service, config=config, **server.client_kwargs())
        client.meta.events.register_last(
            "before-send", lambda request, event_name, **_: injector.before_send(client, request, event_name)
        )
        return client

    return Connection(connection.target, new_client)
