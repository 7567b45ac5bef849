"""Lets requests in: whoever signed them, however they are signed, and not before their bodies are right."""

from __future__ import annotations

from dataclasses import replace

from . import refusals
from .bodies import Body
from .forms import BEGINNING, FILE, is_form, key_of_form
from .presigned import key_of_url
from .request import Request
from .signature import Key, Keys, signed_by_header, signed_by_url


async def admit(request: Request, body: Body, keys: Keys) -> tuple[Key, Request]:
    """Return the key that signed a request, and the request with its body.

    As much as can be is checked before the body is read.

    Raises
    ------
    Refused
        The request is not let in.
    """
    if request.headers.get("authorization") or "X-Amz-Credential" in request.params:
        by = signed_by_header if request.headers.get("authorization") else signed_by_url
        signed = by(request, keys)
        if at_once := not signed.needs_body(request):
            signed.verify(request)
        request = replace(request, body=await body.read())
        if not at_once:
            signed.verify(request)
        signed.verify_body(request)
        return signed.key, request
    if "AWSAccessKeyId" in request.params:
        key = key_of_url(request, keys)
        return key, replace(request, body=await body.read())
    if is_form(request):
        key_of_form(replace(request, body=await body.read_until(FILE, BEGINNING)), keys)
        request = replace(request, body=await body.read())
        return key_of_form(request, keys), request
    raise refusals.no_signature()
