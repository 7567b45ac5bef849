"""The event source mapping: Lambda polls a queue or stream and invokes the function with batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from nbchalice.sources.base import AWS, JSON, FunctionRef, Resource, or_missing

ON = {"Enabled", "Enabling", "Creating", "Updating"}


@dataclass(frozen=True)
class EventSourceMapping(Resource):
    """A mapping of one queue or stream to one function (Lambda: CreateEventSourceMapping).

    Parameters
    ----------
    function: the function that handles the batches.
    source_arn: the queue or stream.
    batch_size: most records per invocation.
    window: seconds that Lambda may wait to fill a batch.
    maximum_concurrency: most invocations at once, or None.
    filters: patterns as JSON text.
    report_failures: whether the function's answer names the failed records.
    starting_position: streams only: LATEST or TRIM_HORIZON, or None.
    """

    kind: ClassVar[str] = "event source mapping"
    function: FunctionRef
    source_arn: str
    batch_size: int = 1
    window: int = 0
    maximum_concurrency: int | None = None
    filters: tuple[str, ...] = ()
    report_failures: bool = False
    starting_position: str | None = None

    @property
    def name(self) -> str:
        """The source and the function."""
        return f"{self.source_arn.rsplit(':', 1)[-1]} -> {self.function.name}"

    @property
    def key(self) -> str:
        """AWS allows one mapping for a source and a function."""
        return f"{self.kind} {self.source_arn} {self.function.name}"

    @property
    def needs(self) -> frozenset[str]:
        """The function, and the queue."""
        queue = self.source_arn.rsplit(":", 1)[-1]
        return frozenset({f"function {self.function.name}", f"queue {queue}", f"visibility timeout {queue}"})

    def read(self, aws: AWS) -> JSON | None:
        """Return the mapping, or None."""
        with or_missing():
            answer = aws.client("lambda").list_event_source_mappings(
                FunctionName=self.function.name, EventSourceArn=self.source_arn
            )
            found = [m for m in answer["EventSourceMappings"] if m.get("State") != "Deleting"]
            return found[0] if found else None
        return None

    def wanted(self) -> JSON:
        """Return the settings as CreateEventSourceMapping and UpdateEventSourceMapping take them."""
        settings: JSON = {
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.window,
            "FilterCriteria": {"Filters": [{"Pattern": pattern} for pattern in self.filters]},
            "FunctionResponseTypes": ["ReportBatchItemFailures"] if self.report_failures else [],
        }
        if ":sqs:" in self.source_arn:
            cap = self.maximum_concurrency
            settings["ScalingConfig"] = {} if cap is None else {"MaximumConcurrency": cap}
        return settings

    def differences(self, current: JSON) -> list[str]:
        """Compare each setting; what AWS leaves out is empty."""
        empty: JSON = {"FilterCriteria": {"Filters": []}, "MaximumBatchingWindowInSeconds": 0}
        found = []
        for name, wanted in self.wanted().items():
            now = current.get(name) or empty.get(name) or type(wanted)()
            if name == "FilterCriteria":
                now = {"Filters": now.get("Filters") or []}
            if now != wanted:
                found.append(f"{name}: {_brief(now)} -> {_brief(wanted)}")
        if current.get("State") not in ON:
            found.append(f"it is {str(current.get('State')).lower()}")
        return found

    def write(self, aws: AWS, current: Any | None) -> None:
        """Create the mapping or update it; options that are gone are cleared."""
        client = aws.client("lambda")
        if current is not None:
            client.update_event_source_mapping(UUID=current["UUID"], Enabled=True, **self.wanted())
            return
        extra = {"StartingPosition": self.starting_position} if self.starting_position else {}
        settings = {name: value for name, value in self.wanted().items() if value}
        if not self.filters:
            del settings["FilterCriteria"]
        client.create_event_source_mapping(
            FunctionName=self.function.name, EventSourceArn=self.source_arn, Enabled=True, **settings, **extra
        )

    def delete(self, aws: AWS, current: Any) -> None:
        """Delete the mapping."""
        with or_missing():
            aws.client("lambda").delete_event_source_mapping(UUID=current["UUID"])


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_brief(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(_brief(inner) for inner in value) or "none"
    return str(value)
