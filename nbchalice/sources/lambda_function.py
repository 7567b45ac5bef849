"""Plain functions: nothing triggers them; they are invoked with any event."""

from __future__ import annotations

from typing import Any

from nbchalice.resources.base import AWS, FunctionRef, Resource
from nbchalice.sources.base import Field, Sent, Source, json_of
from nbchalice.sources.invoking import send_event
from nbchalice.typed import Values

DEFAULT_EVENT = {"hello": "nbchalice"}


class PureLambda(Source):
    """`@app.lambda_function` and `%%lambda_function` (Chalice: Pure Lambda Functions)."""

    name = "lambda_function"
    title = "Lambda"
    triggered = False
    examples = ("",)
    way = "invoke asynchronously"
    argument = None
    options = ()
    fields = (Field("message", "Event", "json", '{"hello": "nbchalice"}', "any JSON"),)

    def describe(self, options: Values) -> str:
        """Return that there is no trigger."""
        return "no trigger: invoked directly"

    def unread(self, options: Values) -> str:
        """Return nothing: who invokes it gets its answer."""
        return ""

    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return nothing: the function is all."""
        return []

    def sample(self, options: Values, function: FunctionRef, **values: object) -> Any:
        """Return the event as given."""
        return json_of(values.get("message"), dict(DEFAULT_EVENT))

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: object) -> Sent:
        """Invoke the function asynchronously."""
        return send_event(aws, function, self.sample(options, function, **values))
