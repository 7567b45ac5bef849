"""What Chalice's code for routes imports: taken, so that the rest of a notebook runs; routes are not deployed."""

from __future__ import annotations

from .events import Event as BaseLambdaEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "APIGateway",
    "AuthRequest",
    "AuthResponse",
    "AuthRoute",
    "Authorizer",
    "BadRequestError",
    "BaseLambdaEvent",
    "CORSConfig",
    "CaseInsensitiveMapping",
    "ChaliceError",
    "ChaliceUnhandledError",
    "ChaliceViewError",
    "CognitoUserPoolAuthorizer",
    "ConflictError",
    "CustomAuthorizer",
    "ForbiddenError",
    "IAMAuthorizer",
    "MethodNotAllowedError",
    "MultiDict",
    "NotFoundError",
    "Request",
    "RequestTimeoutError",
    "Response",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnprocessableEntityError",
    "WebsocketAPI",
    "WebsocketDisconnectedError",
    "WebsocketEvent",
]


class ChaliceError(Exception):
    """Base of Chalice's errors."""


class ChaliceUnhandledError(ChaliceError):
    """An error that a route passes on."""


class WebsocketDisconnectedError(ChaliceError):
    """A websocket's client is gone."""

    def __init__(self, connection_id: str) -> None:
        super().__init__(connection_id)
        self.connection_id = connection_id


class ChaliceViewError(ChaliceError):
    """An error that a route answers with a status."""

    STATUS_CODE = 500


class BadRequestError(ChaliceViewError):
    """Status 400."""

    STATUS_CODE = 400


class UnauthorizedError(ChaliceViewError):
    """Status 401."""

    STATUS_CODE = 401


class ForbiddenError(ChaliceViewError):
    """Status 403."""

    STATUS_CODE = 403


class NotFoundError(ChaliceViewError):
    """Status 404."""

    STATUS_CODE = 404


class MethodNotAllowedError(ChaliceViewError):
    """Status 405."""

    STATUS_CODE = 405


class RequestTimeoutError(ChaliceViewError):
    """Status 408."""

    STATUS_CODE = 408


class ConflictError(ChaliceViewError):
    """Status 409."""

    STATUS_CODE = 409


class UnprocessableEntityError(ChaliceViewError):
    """Status 422."""

    STATUS_CODE = 422


class TooManyRequestsError(ChaliceViewError):
    """Status 429."""

    STATUS_CODE = 429


class Response:
    """What a route answers.

    Parameters
    ----------
    body : object
        The answer's content.
    headers : Mapping[str, object] or None
        Its headers.
    status_code : int
        Its status.
    """

    def __init__(self, body: object, headers: Mapping[str, object] | None = None, status_code: int = 200) -> None:
        self.body, self.headers, self.status_code = body, dict(headers or {}), status_code


class OfRoutes:
    """Keeps what it is given, and does nothing: who may call a route, and from where."""

    def __init__(self, *given: object, **named: object) -> None:
        self.given, self.named = given, named


class APIGateway(OfRoutes):
    """The settings of an app's routes."""


class Authorizer(OfRoutes):
    """Base of what says who may call a route."""


class CaseInsensitiveMapping(OfRoutes):
    """The headers of a request."""


class MultiDict(OfRoutes):
    """The parameters of a request's query."""


class WebsocketAPI(OfRoutes):
    """Sends to an app's websockets."""


class AuthRequest(OfRoutes):
    """What an authorizer is asked."""


class AuthResponse(OfRoutes):
    """What an authorizer answers."""


class AuthRoute(OfRoutes):
    """A route that an authorizer allows."""


class CognitoUserPoolAuthorizer(Authorizer):
    """Allows the users of a pool."""


class CORSConfig(OfRoutes):
    """Which pages may call a route."""


class CustomAuthorizer(Authorizer):
    """Allows what a function says."""


class IAMAuthorizer(Authorizer):
    """Allows whom IAM allows."""


class Request(OfRoutes):
    """What a route is called with."""


class WebsocketEvent(OfRoutes):
    """What a websocket's handler is called with."""
