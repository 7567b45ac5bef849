"""ASGI guard before MiniStack: who may call, over which name, and with which signature."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from ..shared.home import TOKEN_HEADER, proof, signature_of_path
from .pool import Caller
from .request import Request
from .signature import SignatureChecker

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTROL_PREFIX = "/_nbchalice/"
ADMIN_PREFIXES = (CONTROL_PREFIX, "/_ministack/")
CODE_PREFIX = "/_ministack/lambda-code/"
INVOKE_PATH = re.compile(r"/2015-03-31/functions/[^/]+/invocations")
CORS_PREFIX = b"access-control-"
REQUEST_ID_HEADER = b"x-amzn-requestid"
HEALTH_PATH = CONTROL_PREFIX + "health"
NO_CLIENT_CONTEXT = "Client context must be a valid Base64-encoded JSON object."


@dataclass
class Call:
    """The API call being served, for the code it runs."""

    caller: Caller = Caller.EVENT
    next_request_id: str | None = None  # what the invocation it makes must be called
    request_id: str | None = None  # of the invocation it made
    direct: bool = False  # whether it is an Invoke, whose answer is the function's own bytes
    client_context: dict[str, Any] | None = None  # what an Invoke gives its function to see


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
    checker : SignatureChecker
        Checks signatures.
    on_startup : Callable[[], None]
        Called when the application has loaded its state.
    """

    def __init__(
        self,
        app: App,
        *,
        control: Callable[[Request], Awaitable[tuple[int, object]]],
        token: str,
        hosts: frozenset[str],
        checker: SignatureChecker,
        on_startup: Callable[[], None],
    ) -> None:
        self._app = app
        self._control = control
        self._token = token
        self._hosts = hosts
        self._checker = checker
        self._on_startup = on_startup
        self._closed = False
        self.last_call = time.monotonic()
        self.changed = False

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
        if not self._has_token(request) and not self._is_signed(request):
            await respond(send, 403, denied("the token of this local AWS is missing or wrong"))
        elif request.path.startswith(CONTROL_PREFIX):
            request = await read_body(request, receive)
            await respond(send, *await self._control(request))
        else:
            await self._app(scope, receive, send)

    def _has_token(self, request: Request) -> bool:
        return hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), self._token.encode())

    def _is_signed(self, request: Request) -> bool:
        """Whether the URL is one that GetFunction answered, to read a function's code."""
        given = request.params.get("signature", [""])[0]
        wanted = signature_of_path(self._token, request.path)
        return request.path.startswith(CODE_PREFIX) and hmac.compare_digest(given.encode(), wanted.encode())

    async def _serve_api(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        if self._checker.needs_body(request.headers):
            request = await read_body(request, receive)
            receive = replay(request.body, receive)
        key = self._checker.verified_key(request)
        if self._closed:
            await respond(send, 503, {"__type": "ServiceUnavailable", "message": "the local AWS is stopping"})
            return
        if key is None:
            await respond(send, 403, denied("the request is not signed with the key of this local AWS"))
            return
        if not key.of_handler:
            self.last_call = time.monotonic()
        self.changed = True
        scope["nbchalice.request"], scope["nbchalice.send"] = request, send
        call = Call(Caller.HANDLER if key.of_handler else Caller.PERSON)
        call.direct = INVOKE_PATH.fullmatch(request.path) is not None
        try:
            call.client_context = client_context_of(request)
        except ValueError:
            await respond(send, 400, {"__type": "InvalidRequestContentException", "message": NO_CLIENT_CONTEXT})
            return
        current_call.set(call)
        try:
            await self._app(scope, receive, rewrite_headers(send, call, request))
        finally:
            self.changed = True  # a save meanwhile may have seen it half done


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


async def read_body(request: Request, receive: Receive) -> Request:
    """Return the request with its body."""
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return Request(
        request.method,
        request.path,
        request.raw_path,
        request.query,
        request.headers,
        b"".join(parts),
        True,
        request.params,
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
    """Drop the headers that would let web pages read answers; name an invocation by its own id."""
    invokes = INVOKE_PATH.fullmatch(request.path) is not None

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [pair for pair in message["headers"] if not pair[0].lower().startswith(CORS_PREFIX)]
            if invokes and call.request_id is not None:
                headers = [pair for pair in headers if pair[0].lower() != REQUEST_ID_HEADER]
                headers.append((REQUEST_ID_HEADER, call.request_id.encode()))
            message = {**message, "headers": headers}
        await send(message)

    return wrapped


def denied(message: str) -> dict[str, str]:
    """Return a refusal in AWS's shape."""
    return {"__type": "AccessDeniedException", "message": message}


async def respond(send: Send, status: int, document: object) -> None:
    """Answer with a JSON document."""
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
