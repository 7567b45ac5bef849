"""Plain functions: nothing triggers them; they are invoked with any event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nbchalice.resources.base import AWS, FunctionRef, Resource
from nbchalice.resources.function_url import FunctionUrl, attached_url
from nbchalice.sources.base import Field, Sent, Source
from nbchalice.sources.given import json_of
from nbchalice.sources.invoking import send_event
from nbchalice.sources.options import Option
from nbchalice.typed import JSON, Values

DEFAULT_EVENT = {"hello": "nbchalice"}


class PureLambda(Source):
    """`@app.lambda_function` and `%%lambda_function` (Chalice: Pure Lambda Functions)."""

    name = "lambda_function"
    title = "Lambda"
    triggered = False
    examples = ("", "--url iam")
    way = "invoke asynchronously"
    argument = None
    options = (
        Option("url", "give the function a URL, for callers whom IAM allows it, or for all", choices=("iam", "public")),
    )
    fields = (Field("message", "Event", "json", '{"hello": "nbchalice"}', "any JSON"),)

    def describe(self, options: Values) -> str:
        """Return that there is no trigger, or that the function has a URL."""
        access = options.get("url")
        return f"invoked by its URL ({access}) and directly" if access else "no trigger: invoked directly"

    def notes(self, options: Values, settings: Values) -> list[str]:
        """Return who can call the URL."""
        access = options.get("url")
        if not access:
            return []
        callers = {
            "public": "its URL is public: anyone on the internet who knows it can run the function",
            "iam": "its URL wants signed requests of who has lambda:InvokeFunctionUrl and lambda:InvokeFunction",
        }
        return [
            callers[access],
            "the local AWS makes the URL and serves nothing at it; invoke and send run the function",
        ]

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the function's URL, and what lets callers in."""
        return attached_url(function, policy)

    def unread(self, options: Values) -> str:
        """Return nothing: who invokes it gets its answer."""
        return ""

    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the URL and what lets callers in, or nothing: the function is all."""
        access = options.get("url")
        if not access:
            return []
        url = FunctionUrl(function, access)
        return [*url.permissions, url]

    def sample(self, options: Values, function: FunctionRef, **values: object) -> Any:
        """Return the event as given."""
        return json_of(values.get("message"), dict(DEFAULT_EVENT))

    def values_of(self, record: JSON) -> JSON:
        """Return the whole event."""
        return {"message": record}

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: object) -> Sent:
        """Invoke the function asynchronously."""
        sent = send_event(aws, function, self.sample(options, function, **values))
        return replace(sent, message_id=sent.ids[0])  # what the event itself says may have been said before
