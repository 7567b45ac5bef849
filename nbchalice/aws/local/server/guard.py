"""ASGI guard before MiniStack: who may call, over which name, and with which signature."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from ..shared.home import TOKEN_HEADER, proof, signature_of_path
from .admission import admit
from .bodies import Body
from .names import wrong_request
from .permissions import Answer, refusal, refusal_of_missing, untrusted
from .pool import Caller
from .refusals import Refused
from .request import Request
from .signature import Keys
from .unsaved import Unsaved

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTROL_PREFIX = "/_nbchalice/"
ADMIN_PREFIXES = (CONTROL_PREFIX, "/_ministack/")
CODE_PREFIX = "/_ministack/lambda-code/"
# Where a stack's custom resource answers, at an address that only it was told: CloudFormation signs it for S3.
ANSWER_PATH = re.compile(r"/_ministack/cfn-response/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INVOKE_PATH = re.compile(r"/2015-03-31/functions/[^/]+/invocations")
CORS_PREFIX = b"access-control-"
REQUEST_ID_HEADER = b"x-amzn-requestid"
S3_REQUEST_ID_HEADER = b"x-amz-request-id"
HEALTH_PATH = CONTROL_PREFIX + "health"
logger = logging.getLogger("nbchalice.guard")

NO_JSON = "Could not parse request body into json"
NO_CLIENT_CONTEXT = "Client context must be a valid Base64-encoded JSON object."


@dataclass
class Call:
    """The API call being served, for the code it runs."""

    caller: Caller = Caller.EVENT
    next_request_id: str | None = None  # what the invocation it makes must be called
    request_id: str | None = None  # of the invocation it made
    direct: bool = False  # whether it is an Invoke, whose answer is the function's own bytes
    client_context: dict[str, Any] | None = None  # what an Invoke gives its function to see
    trace: str = ""  # X-Ray's header, in which the AWS SDK of a handler hands on what its events come from
    asynchronous: bool = False  # whether it is an Invoke that does not wait
    cause: str = ""  # of S3: what its answer is called, and the events that it causes


current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)


class Guard:
    """Refuses what is not signed with this instance's key, and everything a browser could send.

    Parameters
    ----------
    app : App
        The application behind.
    control : Callable[[Request], Awaitable[tuple[int, object]]]
        Serves ``/_nbchalice/`` once the token was checked.
    token : str
        Proves that a caller may administer the instance.
    hosts : frozenset[str]
        The values of the Host header that are accepted.
    keys : Keys
        Those that may sign.
    on_startup : Callable[[], None]
        Called when the application has loaded its state.
    on_call : Callable[[], None]
        Called before a call is served.
    """

    def __init__(
        self,
        app: App,
        *,
        control: Callable[[Request], Awaitable[tuple[int, object]]],
        token: str,
        hosts: frozenset[str],
        keys: Keys,
        on_startup: Callable[[], None],
        on_call: Callable[[], None],
    ) -> None:
        self._app = app
        self._control = control
        self._token = token
        self._hosts = hosts
        self._keys = keys
        self._on_startup, self._on_call = on_startup, on_call
        self._closed = False
        self.last_call = time.monotonic()
        self.unsaved = Unsaved()

    def close(self) -> None:
        """Refuse all further API calls: the server is stopping."""
        self._closed = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._notice_startup(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    def _notice_startup(self, send: Send) -> Send:
        async def wrapped(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._on_startup()
            await send(message)

        return wrapped

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._on_call()
        request = parse_request(scope)
        if refusal := self._refuse_origin(request):
            await respond(send, 403, refusal)
        elif request.path == HEALTH_PATH:
            await respond(send, 200, {"proof": proof(self._token, request.params.get("nonce", [""])[0])})
        elif request.path.startswith(ADMIN_PREFIXES):
            await self._serve_admin(request, scope, receive, send)
        else:
            await self._serve_api(request, scope, receive, send)

    def _refuse_origin(self, request: Request) -> dict[str, str] | None:
        if request.headers.get("host", "") not in self._hosts:
            return denied("the Host header does not name this local AWS")
        if "origin" in request.headers:
            return denied("requests of web pages are refused")
        return None

    async def _serve_admin(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        answers = request.method == "PUT" and ANSWER_PATH.fullmatch(request.path)
        if not answers and not self._has_token(request) and not self._is_signed(request):
            await respond(send, 403, denied("the token of this local AWS is missing or wrong"))
        elif request.path.startswith(CONTROL_PREFIX):
            body = await Body(receive, request).read()
            await respond(send, *await self._administered(replace(request, body=body)))
        else:
            await self._app(scope, receive, send)

    async def _administered(self, request: Request) -> tuple[int, object]:
        try:
            return await self._control(request)
        except Exception as error:
            logger.exception("%s %s failed", request.method, request.path)
            return 500, {"message": f"{type(error).__name__}: {error}"}

    def _has_token(self, request: Request) -> bool:
        return hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), self._token.encode())

    def _is_signed(self, request: Request) -> bool:
        """Whether the URL is one that GetFunction answered, to read a function's code."""
        given = request.params.get("signature", [""])[0]
        wanted = signature_of_path(self._token, request.path)
        return request.path.startswith(CODE_PREFIX) and hmac.compare_digest(given.encode(), wanted.encode())

    async def _serve_api(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        if self._closed:
            await respond(send, 503, {"__type": "ServiceUnavailable", "message": "the local AWS is stopping"})
            return
        body = Body(receive, request)
        try:
            key, request = await admit(request, body, self._keys)
        except Refused as refused:
            await body.discard()
            await send_answer(send, *refused.answer(request))
            return
        receive = replay(request.body, receive)
        if not key.of_handler:
            self.last_call = time.monotonic()
            if denial := untrusted(request, key.access_key):
                await send_answer(send, *denial)
                return
        elif denial := refusal(request, key.access_key):
            await send_answer(send, *denial)
            return
        if wrong := wrong_request(request):
            await send_answer(send, *wrong.answer(request))
            return
        await self.unsaved.room()
        self.unsaved.note()
        scope["nbchalice.request"], scope["nbchalice.send"] = request, send
        call = Call(Caller.HANDLER if key.of_handler else Caller.PERSON)
        call.direct = INVOKE_PATH.fullmatch(request.path) is not None
        call.trace = request.headers.get("x-amzn-trace-id", "")
        call.asynchronous = request.headers.get("x-amz-invocation-type") == "Event"
        if unread := unreadable(request, call):
            await respond(send, 400, {"__type": "InvalidRequestContentException", "message": unread})
            return
        current_call.set(call)
        if key.of_handler:
            send = hide_missing(send, request, key.access_key)
        try:
            await self._app(scope, receive, rewrite_headers(send, call, request))
        finally:
            self.unsaved.note()  # a save meanwhile may have seen it half done


def unreadable(request: Request, call: Call) -> str:
    """Read what an Invoke gives its function besides the event; return what cannot be read, or an empty text."""
    try:
        call.client_context = client_context_of(request)
    except ValueError:
        return NO_CLIENT_CONTEXT
    try:
        json.loads(request.body or b"null") if call.direct else None
    except (ValueError, RecursionError) as error:
        return f"{NO_JSON}: {error}"
    return ""


def client_context_of(request: Request) -> dict[str, Any] | None:
    """Return what an Invoke gives its function to see; ValueError where it is no JSON object in base64."""
    header = request.headers.get("x-amz-client-context")
    if header is None:
        return None
    document = json.loads(base64.b64decode(header, validate=True))
    if not isinstance(document, dict):
        raise ValueError(header)
    return document


def parse_request(scope: Scope) -> Request:
    """Read what the guard needs of an ASGI scope."""
    headers: dict[str, str] = {}
    for name, value in scope.get("headers", []):
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    query = scope.get("query_string", b"").decode("latin-1")
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return Request(
        method=scope["method"],
        path=scope["path"],
        raw_path=raw_path.split(b"?")[0].decode("latin-1"),
        query=query,
        headers=headers,
        params=parse_qs(query, keep_blank_values=True),
    )


def replay(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already to the application."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


def rewrite_headers(send: Send, call: Call, request: Request) -> Send:
    """Drop the headers that would let web pages read answers; name an invocation, and a call of S3, by its own id."""
    invokes = INVOKE_PATH.fullmatch(request.path) is not None
    ids = {REQUEST_ID_HEADER, S3_REQUEST_ID_HEADER}

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [pair for pair in message["headers"] if not pair[0].lower().startswith(CORS_PREFIX)]
            if invokes and call.request_id is not None:
                headers = [pair for pair in headers if pair[0].lower() != REQUEST_ID_HEADER]
                headers.append((REQUEST_ID_HEADER, call.request_id.encode()))
            if call.cause:
                headers = [pair for pair in headers if pair[0].lower() not in ids]
                headers.append((S3_REQUEST_ID_HEADER, call.cause.encode()))
            message = {**message, "headers": headers}
        await send(message)

    return wrapped


def hide_missing(send: Send, request: Request, access_key: str) -> Send:
    """Answer as S3 does who may not list a bucket: not that an object is missing, but that the caller may not know."""
    refused: Answer | None = None

    async def wrapped(message: Message) -> None:
        nonlocal refused
        if message["type"] == "http.response.start" and message["status"] == 404:
            refused = refusal_of_missing(request, access_key)
            if refused:
                await send_answer(send, *refused)
        if not refused:
            await send(message)

    return wrapped


def denied(message: str) -> dict[str, str]:
    """Return a refusal in AWS's shape."""
    return {"__type": "AccessDeniedException", "message": message}


async def respond(send: Send, status: int, document: object) -> None:
    """Answer with a JSON document."""
    await send_answer(send, status, {"Content-Type": "application/json"}, json.dumps(document).encode())


async def send_answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    """Answer with bytes."""
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
