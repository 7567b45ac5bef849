"""Checks AWS signatures against the keys of this instance: of headers and presigned URLs, version 4."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ministack.core import sigv4

from . import refusals
from .request import Request
from .routes import may_be_scoped_to, service_of

ALGORITHM = "AWS4-HMAC-SHA256"
LONGEST_LIFE = 604_800  # seconds of a presigned URL of version 4
AHEAD = timedelta(minutes=15)  # of the clock that signed
NO_HASHES = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
HEXADECIMAL = re.compile("[0-9a-f]{64}")
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


@dataclass(frozen=True)
class Key:
    """An access key, with a token if it is temporary.

    Parameters
    ----------
    access_key : str
        Its id.
    secret_key : str
        What signs.
    token : str
        What else a request bears. Default: nothing, the key stays.
    of_handler : bool
        Whether it is a role's, and not that of people.
    ended : bool
        Whether only the URLs still count that were presigned with it.
    """

    access_key: str
    secret_key: str
    token: str = ""
    of_handler: bool = False
    ended: bool = False


class Keys:
    """The keys that may sign requests.

    Parameters
    ----------
    key : Key
        The key of people.
    temporary : Callable[[str], Key | None]
        Finds a temporary key by its id.
    clock_was_set : Callable[[], bool]
        Whether what comes now may have been signed before the clock was set. Default: never.
    """

    def __init__(
        self,
        key: Key,
        temporary: Callable[[str], Key | None] = lambda _: None,
        clock_was_set: Callable[[], bool] = lambda: False,
    ) -> None:
        self._of_people, self._temporary = key, temporary
        self.clock_was_set = clock_was_set

    def find(self, access_key: str, token: str) -> Key:
        """Return a key by its id, and by the token that belongs to it if it is temporary.

        Raises
        ------
        Refused
            There is none.
        """
        known = self._of_people.access_key
        if hmac.compare_digest(known.encode(), access_key.encode()):
            return self._of_people
        matching = self._temporary(access_key)
        if matching is None:
            raise refusals.unknown_key()
        if matching.token and not hmac.compare_digest(matching.token.encode(), token.encode()):
            raise refusals.wrong_token()
        return matching


class Signed:
    """A request that says it was signed with a key that is known, at a time and for a service that are right.

    Parameters
    ----------
    key : Key
        The key.
    signature : sigv4.HeaderSignature
        What the request says of its signature.
    presigned : bool
        Whether it does so in its URL.
    """

    def __init__(self, key: Key, signature: sigv4.HeaderSignature, *, presigned: bool) -> None:
        self.key, self._signature, self._presigned = key, signature, presigned

    def needs_body(self, request: Request) -> bool:
        """Whether the signature covers the body, and no header says its hash."""
        content = request.headers.get("x-amz-content-sha256", "")
        if self._presigned and self._signature.service == "s3":
            return False
        return not content or content.startswith(SIGNED_CHUNKS)

    def verify(self, request: Request) -> None:
        """Compare the signature.

        Raises
        ------
        Refused
            It is another one.
        """
        failure = sigv4.header_signature_failure(
            self._signature,
            self.key.secret_key,
            request.method,
            request.raw_path,
            request.params,
            request.headers,
            request.body,
            presigned=self._presigned,
        )
        if failure is not None:
            raise refusals.Refused(*failure)

    def verify_body(self, request: Request) -> None:
        """Compare the body with the hash that was signed."""
        content = request.headers.get("x-amz-content-sha256", "")
        if not content or content in NO_HASHES or content.startswith(SIGNED_CHUNKS):
            return
        if hashlib.sha256(request.body).hexdigest() != content:
            raise refusals.other_body()


def signed_by_header(request: Request, keys: Keys) -> Signed:
    """Return what the Authorization header says, checked as far as it can be without the body.

    Raises
    ------
    Refused
        The request is not let in.
    """
    authorization = request.headers["authorization"]
    if not authorization.startswith(ALGORITHM + " "):
        text = f"Unsupported AWS 'algorithm': {authorization.partition(' ')[0]!r}"
        raise refusals.Refused("UnsupportedSignature", text)
    signature = sigv4.parse_header_signature(request.headers)
    key = _known_key(signature, request, keys, request.headers.get("x-amz-security-token", ""))
    assert isinstance(signature, sigv4.HeaderSignature)
    if key.ended:
        raise refusals.ended_key()
    if _time(signature.amz_date) is None:
        raise refusals.malformed("Date must be in ISO-8601 'basic format'")
    if (failure := sigv4.request_time_failure(signature)) and not keys.clock_was_set():
        raise refusals.Refused(*failure)
    return Signed(key, signature, presigned=False)


def signed_by_url(request: Request, keys: Keys) -> Signed:
    """Return what a presigned URL of version 4 says, checked as far as it can be without the body.

    Raises
    ------
    Refused
        The request is not let in.
    """
    algorithm = request.params.get("X-Amz-Algorithm", [""])[0]
    if algorithm != ALGORITHM:
        raise refusals.Refused("UnsupportedSignature", f"Unsupported AWS 'algorithm': {algorithm!r}")
    signature = sigv4.parse_query_signature(request.params)
    key = _known_key(signature, request, keys, request.params.get("X-Amz-Security-Token", [""])[0])
    assert isinstance(signature, sigv4.HeaderSignature)
    signed_at, life = _time(signature.amz_date), request.params.get("X-Amz-Expires", [""])[0]
    if signed_at is None:
        raise refusals.bad_url("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    if not (life.isascii() and life.isdigit()):
        raise refusals.bad_url("X-Amz-Expires should be a number")
    if len(life) > len(str(LONGEST_LIFE)) or int(life) > LONGEST_LIFE:
        raise refusals.bad_url(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{LONGEST_LIFE} seconds"
        )
    now = datetime.now(UTC)
    if signed_at > now + AHEAD:
        raise refusals.not_yet()
    if now > signed_at + timedelta(seconds=int(life)):
        raise refusals.expired()
    return Signed(key, signature, presigned=True)


def _known_key(signature: sigv4.HeaderSignature | tuple[str, str], request: Request, keys: Keys, token: str) -> Key:
    """Return the key that a signature names, once all that is there is covered by it."""
    if isinstance(signature, tuple):
        raise refusals.Refused(*signature)
    key = keys.find(signature.access_key_id, token)
    if not HEXADECIMAL.fullmatch(signature.signature):
        raise refusals.mismatch()
    if not may_be_scoped_to(request, signature.service):
        raise refusals.other_service(service_of(request))
    covered = signature.signed_headers.split(";")
    if "host" not in covered:
        raise refusals.malformed("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    if left_out := unsigned(request.headers, covered):
        raise refusals.unsigned_headers(left_out)
    return key


def unsigned(headers: Mapping[str, str], covered: Iterable[str]) -> list[str]:
    """Return the headers that a signature must cover, and does not."""
    return sorted(name for name in headers if name.startswith("x-amz-") and name not in set(covered))


def _time(text: str) -> datetime | None:
    """Return the time of a signature, or None."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
