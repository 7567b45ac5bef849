"""Events to begin with, for the form that sends one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nbchalice.sources import SOURCES
from nbchalice.sources.base import FunctionRef, Source

Values = dict[str, Any]


def templates(source: Source, options: Mapping[str, Any], ref: FunctionRef) -> dict[str, Values]:
    """Return values for a source's form, by name; the first is what the form starts with.

    Parameters
    ----------
    source, options: the trigger.
    ref: the function.
    """
    found: dict[str, Values] = {"sample": {field.name: field.default for field in source.fields if field.default}}
    if source.name == "on_sqs_message":
        found["text"] = {"message": "hello from nbchalice"}
        found["with an attribute"] = {"message": '{"hello": "nbchalice"}', "attribute": {"kind": "test"}}
        found["S3 notification"] = {"message": _pretty(SOURCES["on_s3_event"].sample({"bucket": "uploads"}, ref))}
        found["SNS notification"] = {"message": _pretty(_notification(ref))}
    elif source.name == "on_sns_message":
        found["with a subject"] = {"message": "We open at nine", "subject": "Opening"}
        found["JSON with an attribute"] = {"message": '{"hello": "nbchalice"}', "attribute": {"kind": "test"}}
    elif source.name == "on_s3_event":
        found["key with blanks"] = {"key": _key(options, "a b+c ä"), "message": "hello from nbchalice"}
        found["CSV"] = {"key": _key(options, "table"), "message": "a,b,c\n1,2,3\n"}
        found["JSON"] = {"key": _key(options, "item"), "message": '{"hello": "nbchalice"}'}
    elif source.name == "schedule":
        found["with a detail"] = {"detail": '{"hello": "nbchalice"}'}
    return found


def _notification(ref: FunctionRef) -> dict[str, Any]:
    """Return what a queue gets from a topic it is subscribed to (SNS: "Fanout to Amazon SQS queues")."""
    event = SOURCES["on_sns_message"].sample({"topic": "news"}, ref, message="We open at nine", subject="Opening")
    names = {"SigningCertUrl": "SigningCertURL", "UnsubscribeUrl": "UnsubscribeURL"}
    inner = event["Records"][0]["Sns"]
    return {names.get(name, name): value for name, value in inner.items() if name != "MessageAttributes"}


def _pretty(event: Any) -> str:
    return json.dumps(event, indent=2)


def _key(options: Mapping[str, Any], name: str) -> str:
    return f"{options.get('prefix') or ''}{name}{options.get('suffix') or '.txt'}"
