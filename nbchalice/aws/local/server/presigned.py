"""Checks URLs that are presigned for S3 with version 2, as boto3 does by default."""

from __future__ import annotations

import hmac
import time
from dataclasses import replace
from urllib.parse import urlsplit

from botocore.auth import HmacV1QueryAuth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from . import refusals
from .request import Request
from .routes import service_of
from .signature import Key, Keys

IN_URL = frozenset({"AWSAccessKeyId", "Expires", "Signature"})
# Parameters of lists, which a signature of version 2 does not cover on AWS either.
OF_LISTS = frozenset(
    {
        "continuation-token",
        "delimiter",
        "encoding-type",
        "fetch-owner",
        "key-marker",
        "list-type",
        "marker",
        "max-keys",
        "max-parts",
        "max-uploads",
        "part-number-marker",
        "prefix",
        "start-after",
        "upload-id-marker",
        "version-id-marker",
    }
)
COVERED = frozenset(HmacV1QueryAuth.QSAOfInterest)
STANDING_FOR_HEADERS = ("x-amz-", "content-md5", "content-type")


class UrlSigner(HmacV1QueryAuth):
    """Signs for a point in time, where botocore counts from now."""

    def __init__(self, key: Key, expires: str) -> None:
        super().__init__(Credentials(key.access_key, key.secret_key))
        self._until = expires

    def _get_date(self) -> str:
        return self._until


def key_of_url(request: Request, keys: Keys) -> Key:
    """Return the key that signed a URL of version 2, which may live as long as it likes.

    Raises
    ------
    Refused
        The request is not let in.
    """
    key = keys.find(request.params["AWSAccessKeyId"][0], request.params.get("x-amz-security-token", [""])[0])
    if (service := service_of(request)) != "s3":
        raise refusals.other_service(service)
    if any(name not in IN_URL | OF_LISTS | COVERED and not stands_for_header(name) for name in names_of(request)):
        raise refusals.mismatch()
    signature, expires = (request.params.get(name, [""])[0] for name in ("Signature", "Expires"))
    if not (expires.isascii() and expires.isdigit()):
        raise refusals.mismatch()
    # A bucket is signed with a slash at its end, which its URL need not have.
    paths = {request.raw_path, f"{request.raw_path.rstrip('/')}/"} if is_bucket(request) else {request.raw_path}
    signatures = [_signature_of_url(replace(request, raw_path=path), key, expires) for path in sorted(paths)]
    if not any(hmac.compare_digest(one.encode(), signature.encode()) for one in signatures):
        raise refusals.mismatch()
    if time.time() > int(expires):
        raise refusals.expired()
    return key


def is_bucket(request: Request) -> bool:
    """Whether a URL is that of a bucket, and not of an object in it."""
    return "/" not in request.raw_path.strip("/")


def names_of(request: Request) -> set[str]:
    """Return the names of the parameters as they are written: a signature covers no ``%61cl``, but S3 reads ``acl``."""
    return {part.partition("=")[0] for part in request.query.split("&")}


def stands_for_header(name: str) -> bool:
    """Whether a parameter is a header that a client of the URL need not send."""
    return name.lower().startswith(STANDING_FOR_HEADERS)


def _signature_of_url(request: Request, key: Key, expires: str) -> str:
    """Return the signature of version 2 that a URL must have; parameters may stand for headers that it covers."""
    headers = HTTPHeaders()
    for name, value in request.headers.items():
        if name.startswith(STANDING_FOR_HEADERS):
            headers[name] = value
    for name, values in request.params.items():
        if stands_for_header(name) and name.lower() not in headers:
            headers[name.lower()] = values[0]
    parts = urlsplit(f"http://localhost{request.raw_path}?{request.query}")
    signature: str = UrlSigner(key, expires).get_signature(request.method, parts, headers)  # type: ignore[arg-type]
    return signature
