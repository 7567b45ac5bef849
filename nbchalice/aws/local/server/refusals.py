"""What a caller is told whose request is not let in, as the service that it addressed tells it on AWS."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from ministack.core import iam_actions

from .request import Request
from .routes import service_of

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True)
class Words:
    """A code, the HTTP status and the message of an error."""

    code: str
    status: int
    message: str


class Refused(Exception):
    """A request is not let in.

    Parameters
    ----------
    code : str
        The error's code; MiniStack knows how each service's protocol spells those of authentication.
    message : str
        What most services say.
    s3 : Words or None
        What S3 says, where MiniStack does not know it.
    status : int
        The HTTP status, where MiniStack does not know it.
    """

    def __init__(self, code: str, message: str, s3: Words | None = None, status: int = 0) -> None:
        super().__init__(message)
        self.code, self.message, self.s3, self.status = code, message, s3, status

    def answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the answer."""
        service, code, message, status = service_of(request), self.code, self.message, self.status
        if service == "s3" and self.s3:
            code, message, status = self.s3.code, self.s3.message, self.s3.status
        own_status, headers, body = iam_actions.access_denied_response(
            service, "", "", str(uuid.uuid4()), error_code=code, message=message, headers=request.headers
        )
        return status or own_status, headers, body


def no_signature() -> Refused:
    """Return the refusal of a request that nobody signed."""
    return Refused("MissingAuthenticationToken", "Request is missing Authentication Token")


def unknown_key() -> Refused:
    """Return the refusal of a key that this local AWS did not give out."""
    return Refused("InvalidClientTokenId", "The security token included in the request is invalid.")


def wrong_token() -> Refused:
    """Return the refusal of a temporary key whose token is missing or another one."""
    return Refused("InvalidToken", "The security token included in the request is invalid.")


def ended_key() -> Refused:
    """Return the refusal of a temporary key whose time is over."""
    return Refused("ExpiredTokenException", "The security token included in the request is expired")


def mismatch() -> Refused:
    """Return the refusal of a signature that is another than the request's."""
    return Refused("SignatureDoesNotMatch", MISMATCH)


def malformed(message: str) -> Refused:
    """Return the refusal of a signature that lacks a part."""
    return Refused("IncompleteSignature", message)


def unsigned_headers(names: list[str]) -> Refused:
    """Return the refusal of headers that the signature does not cover."""
    text = f"There were headers present in the request which were not signed: {', '.join(names)}"
    return Refused("SignatureDoesNotMatch", text, Words("AccessDenied", 403, text))


def other_body() -> Refused:
    """Return the refusal of a body that is not the one whose hash was signed."""
    text = "The provided 'x-amz-content-sha256' header does not match what was computed."
    return Refused("SignatureDoesNotMatch", MISMATCH, Words("XAmzContentSHA256Mismatch", 400, text))


def other_service(name: str) -> Refused:
    """Return the refusal of a signature for another service than the one addressed."""
    text = f"Credential should be scoped to correct service: '{name}'. "
    malformed_scope = Words(
        "AuthorizationHeaderMalformed", 400, "The authorization header is malformed; incorrect service."
    )
    return Refused("SignatureDoesNotMatch", text, malformed_scope)


def bad_url(message: str) -> Refused:
    """Return the refusal of a presigned URL whose times make no sense."""
    return Refused("IncompleteSignature", message, Words("AuthorizationQueryParametersError", 400, message))


def expired() -> Refused:
    """Return the refusal of a presigned URL whose time is over."""
    return Refused("RequestExpired", "Signature expired")


def not_yet() -> Refused:
    """Return the refusal of a presigned URL of the future."""
    return Refused(
        "RequestExpired", "Signature not yet current", Words("AccessDenied", 403, "Request is not yet valid")
    )
