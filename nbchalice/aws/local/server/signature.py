"""Checks AWS signatures (version 4, and version 2 of presigned S3 URLs) against the keys of this instance."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.auth import HmacV1QueryAuth
from botocore.credentials import Credentials
from ministack.core import sigv4

from .request import Request

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


@dataclass(frozen=True)
class Key:
    """An access key; ``of_handler`` tells the one that handlers get from that of people."""

    access_key: str
    secret_key: str
    of_handler: bool = False


class SignatureChecker:
    """Knows the keys that may sign requests."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = {key.access_key: key for key in keys}

    def needs_body(self, headers: Mapping[str, str]) -> bool:
        """Whether the signature covers a body whose hash the headers do not name."""
        return "authorization" in headers and "x-amz-content-sha256" not in headers

    def verified_key(self, request: Request) -> Key | None:
        """Return the key that signed the request, or None."""
        try:
            if "authorization" in request.headers:
                return self._by_header(request)
            if "X-Amz-Credential" in request.params:
                return self._by_query(request)
            if "AWSAccessKeyId" in request.params:
                return self._by_version_2_query(request)
        except (ValueError, KeyError, IndexError):
            return None
        return None

    def _key(self, access_key: str) -> Key | None:
        matching = None
        for known, key in self._keys.items():
            if hmac.compare_digest(known.encode(), access_key.encode()):
                matching = key
        return matching

    def _by_header(self, request: Request) -> Key | None:
        match = CREDENTIAL.search(request.headers["authorization"])
        key = self._key(match.group(1)) if match else None
        signature = sigv4.parse_header_signature(request.headers) if key else ()
        return self._check(key, signature, request, presigned=False)

    def _by_query(self, request: Request) -> Key | None:
        signature = sigv4.parse_query_signature(request.params)
        if isinstance(signature, tuple):
            return None
        expires = request.params.get("X-Amz-Expires", ["0"])[0]
        if sigv4.presigned_request_is_expired(signature.amz_date, expires):
            return None
        return self._check(self._key(signature.access_key_id), signature, request, presigned=True)

    def _check(self, key: Key | None, signature: object, request: Request, *, presigned: bool) -> Key | None:
        if key is None or isinstance(signature, tuple):
            return None
        failure = sigv4.header_signature_failure(
            signature,
            key.secret_key,
            request.method,
            request.raw_path,
            request.params,
            request.headers,
            request.body,
            presigned=presigned,
        )
        return key if failure is None else None

    def _by_version_2_query(self, request: Request) -> Key | None:
        key = self._key(request.params["AWSAccessKeyId"][0])
        if key is None:
            return None
        signer = HmacV1QueryAuth(Credentials(key.access_key, key.secret_key))
        signed = ("x-amz-", "content-md5", "content-type", "date")
        headers = {name: value for name, value in request.headers.items() if name.startswith(signed)}
        expires = request.params["Expires"][0]
        parts = urlsplit(f"http://localhost{request.raw_path}?{request.query}")
        expected = signer.get_signature(request.method, parts, headers, expires=int(expires))
        return key if hmac.compare_digest(expected, request.params["Signature"][0]) and not past(expires) else None


def past(epoch_seconds: str) -> bool:
    """Whether a point in time has passed."""
    import time

    return time.time() > int(epoch_seconds)
