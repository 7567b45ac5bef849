"""Talks to the running server's administration endpoints."""

from __future__ import annotations

import hmac
import json
import secrets
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from nbchalice.aws.local.shared.home import TOKEN_HEADER, Record, proof
from nbchalice.errors import LocalAWSError
from nbchalice.typed import JSON

from .process import process_exists

HEALTH_SECONDS = 5.0


def is_healthy(record: Record) -> bool:
    """Whether the recorded server answers, and proves that it is the one that was recorded."""
    if not record.pid or not process_exists(record.pid):
        return False
    nonce = secrets.token_hex(16)
    try:
        answer = request(record, "GET", f"health?nonce={nonce}", HEALTH_SECONDS)
    except (OSError, HTTPException, ValueError):
        return False
    return isinstance(answer, dict) and hmac.compare_digest(str(answer.get("proof")), proof(record.token, nonce))


def call_control(record: Record, method: str, name: str, body: object = None) -> JSON:
    """Call an administration endpoint."""
    try:
        answer = request(record, method, name, 60.0, body)
    except (OSError, HTTPException, ValueError) as error:
        raise LocalAWSError(f"the local AWS did not answer: {error}", "nbchalice local stop, then start") from error
    if not isinstance(answer, dict):
        raise LocalAWSError(f"the local AWS answered {answer!r}")
    return answer


def request(record: Record, method: str, name: str, seconds: float, body: object = None) -> object:
    """Send one request; the token travels only with administration calls."""
    connection = HTTPConnection("127.0.0.1", record.port, timeout=seconds)
    try:
        headers = {} if name.startswith("health") else {TOKEN_HEADER: record.token}
        content = json.dumps(body) if body is not None else None
        connection.request(method, f"/_nbchalice/{name}", content, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ValueError(answer.get("message"))
        return answer
    finally:
        connection.close()
