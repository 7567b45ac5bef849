"""Checks forms that are presigned for S3 (``generate_presigned_post``), of signature versions 2 and 4."""

from __future__ import annotations

import base64
import hashlib
import hmac

from ministack.core import sigv4
from ministack.services import s3

from . import refusals
from .request import Request
from .routes import service_of
from .signature import Key, Keys

FILE = b'name="file"'  # what comes after the fields
BEGINNING = 65_536  # bytes; S3 takes 20 KB of fields


def is_form(request: Request) -> bool:
    """Whether a request is the upload of a form to a bucket, and asks for nothing else."""
    of_a_form = request.headers.get("content-type", "").startswith("multipart/form-data")
    return of_a_form and request.method == "POST" and "authorization" not in request.headers and not request.query


def key_of_form(request: Request, keys: Keys) -> Key:
    """Return the key that signed the policy of a form, of whose body the beginning may be enough.

    S3 itself compares the fields with the policy.

    Raises
    ------
    Refused
        The request is not let in.
    """
    if service_of(request) != "s3" or len(request.path.strip("/").split("/")) != 1:
        raise refusals.no_signature()
    if left_out := sorted(name for name in request.headers if name.startswith("x-amz-")):
        raise refusals.unsigned_headers(left_out)
    fields = fields_of(request.headers["content-type"], request.body)
    policy, token = fields.get("policy", ""), fields.get("x-amz-security-token", "")
    if "x-amz-signature" in fields:
        given, (access_key, *scope) = fields["x-amz-signature"], fields.get("x-amz-credential", "").split("/")
        key = keys.find(access_key, token)
        if len(scope) != 4 or scope[2] != "s3":
            raise refusals.mismatch()
        expected = sigv4.calculate_signature(key.secret_key, *scope[:3], policy)
    elif "signature" in fields:
        given, key = fields["signature"], keys.find(fields.get("awsaccesskeyid", ""), token)
        digest = hmac.new(key.secret_key.encode(), policy.encode(), hashlib.sha1).digest()
        expected = base64.b64encode(digest).decode()
    else:
        raise refusals.no_signature()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise refusals.mismatch()
    return key


def fields_of(content_type: str, content: bytes) -> dict[str, str]:
    """Return the fields as S3 reads them: also those after the file, and of two with one name the later one."""
    parts = s3._parse_multipart_form(content_type, content)  # without a part that is cut off
    return {name.lower(): value.decode("utf-8", "replace") for name, _, _, value in parts if name != "file"}
