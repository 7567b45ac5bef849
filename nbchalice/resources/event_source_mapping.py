"""The event source mapping: Lambda polls a queue or stream and invokes the function with batches."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from nbchalice.resources.base import AWS, FunctionRef, Key, Resource, key_of, or_missing
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ON = {"Enabled", "Enabling", "Creating", "Updating"}


def read_mappings(aws: AWS, function_name: str) -> list[JSON]:
    """Return the event source mappings of a function; none where there is no function."""
    mappings: list[JSON] = []
    with or_missing():
        pages = aws.client("lambda").get_paginator("list_event_source_mappings").paginate(FunctionName=function_name)
        for page in pages:
            mappings += [dict(m) for m in page["EventSourceMappings"] if m.get("State") != "Deleting"]
    return mappings


def other_functions(aws: AWS, source_arn: str, function_name: str) -> list[str]:
    """Return the other functions with an enabled mapping of a queue or stream (Lambda: ListEventSourceMappings)."""
    pages = aws.client("lambda").get_paginator("list_event_source_mappings").paginate(EventSourceArn=source_arn)
    mappings = chain.from_iterable(page["EventSourceMappings"] for page in pages)
    names = {mapping["FunctionArn"].split(":")[6] for mapping in mappings if mapping["State"] in ON}
    return sorted(names - {function_name})


@dataclass(frozen=True)
class EventSourceMapping(Resource):
    """A mapping of one queue or stream to one function (Lambda: CreateEventSourceMapping).

    Parameters
    ----------
    function : FunctionRef
        The function that handles the batches.
    source_arn : str
        The queue or stream.
    batch_size : int
        Most records per invocation.
    window : int
        Seconds that Lambda may wait to fill a batch.
    maximum_concurrency : int or None
        Queues only: most invocations at once, or None.
    filters : tuple[str, ...]
        Patterns as JSON text.
    report_failures : bool
        Whether the function's answer names the failed records.
    starting_position : str or None
        Streams only: LATEST or TRIM_HORIZON, or None.
    on_failure : str
        Streams only: ARN of the queue or topic that is told of records that failed for good, or empty.
    of_queue : bool
        Whether the source is a queue.
    after : tuple[Key, ...]
        Keys of the resources that must stand before it, beside the function.
    """

    kind: ClassVar[str] = "event source mapping"
    conflict_hint: ClassVar[str] = (
        "keep the starting position, or remove the mapping first: aws lambda delete-event-source-mapping --uuid ID"
    )
    function: FunctionRef
    source_arn: str
    batch_size: int = 1
    window: int = 0
    maximum_concurrency: int | None = None
    filters: tuple[str, ...] = ()
    report_failures: bool = False
    starting_position: str | None = None
    on_failure: str = ""
    of_queue: bool = False
    after: tuple[Key, ...] = ()

    @property
    def name(self) -> str:
        """The source and the function."""
        return f"{self.source_arn.split(':', 5)[-1]} -> {self.function.name}"

    @property
    def key(self) -> Key:
        """AWS allows one mapping for a source and a function."""
        return Key(f"{self.kind} {self.source_arn} {self.function.name}")

    @property
    def needs(self) -> frozenset[Key]:
        """The function, and the queue or stream."""
        return frozenset({key_of("function", self.function.name), *self.after})

    def read(self, aws: AWS) -> JSON | None:
        """Return the mapping with the ids of any others of the same source and function, or None."""
        mappings = read_mappings(aws, self.function.name)
        own = sorted((m for m in mappings if m.get("EventSourceArn") == self.source_arn), key=lambda m: str(m["UUID"]))
        return {**own[0], "others": [m["UUID"] for m in own[1:]]} if own else None

    def wanted(self) -> JSON:
        """Return the settings as CreateEventSourceMapping and UpdateEventSourceMapping take them."""
        settings: JSON = {
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.window,
            "FilterCriteria": {"Filters": [{"Pattern": pattern} for pattern in self.filters]},
            "FunctionResponseTypes": ["ReportBatchItemFailures"] if self.report_failures else [],
        }
        if self.of_queue:
            cap = self.maximum_concurrency
            settings["ScalingConfig"] = {} if cap is None else {"MaximumConcurrency": cap}
        else:
            failure = {"Destination": self.on_failure} if self.on_failure else {}
            settings["DestinationConfig"] = {"OnFailure": failure}
        return settings

    def conflicts(self, current: JSON) -> list[str]:
        """Return that a mapping's starting position cannot be changed (Lambda: UpdateEventSourceMapping)."""
        now, wanted = current.get("StartingPosition"), self.starting_position
        if not now or not wanted or now == wanted:
            return []
        return [f"{self.name} ({current.get('UUID')}) starts at {now} and cannot be changed to {wanted}"]

    def differences(self, current: JSON) -> list[str]:
        """Compare each setting; what AWS leaves out is empty."""
        empty: JSON = {"FilterCriteria": {"Filters": []}, "MaximumBatchingWindowInSeconds": 0}
        reasons = []
        for name, wanted in self.wanted().items():
            now = current.get(name) or empty.get(name) or type(wanted)()
            if name == "FilterCriteria":
                now = {"Filters": now.get("Filters") or []}
            if name == "DestinationConfig":
                now = {"OnFailure": now.get("OnFailure") or {}}
            if now != wanted:
                reasons.append(f"{name}: {_brief(now)} -> {_brief(wanted)}")
        if current.get("others"):
            # AWS refuses a second mapping; the local AWS does not, so that a lost answer may have made two.
            reasons.append(f"it stands {1 + len(current['others'])} times")
        if current.get("State") not in ON:
            reasons.append(f"it is {str(current.get('State')).lower()}")
        return reasons

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the mapping or update it; options that are gone are cleared."""
        client = aws.client("lambda")
        if current is not None:
            client.update_event_source_mapping(UUID=current["UUID"], Enabled=True, **self.wanted())
            self._delete(client, current.get("others", []))
            return
        extra: JSON = {"StartingPosition": self.starting_position} if self.starting_position else {}
        settings = {name: value for name, value in self.wanted().items() if value}
        if not self.filters:
            del settings["FilterCriteria"]
        if not self.on_failure:
            settings.pop("DestinationConfig", None)
        client.create_event_source_mapping(
            FunctionName=self.function.name, EventSourceArn=self.source_arn, Enabled=True, **settings, **extra
        )
        if aws.local and (standing := self.read(aws)):
            self._delete(client, standing["others"])

    def delete(self, aws: AWS, current: JSON) -> None:
        """Delete the mapping."""
        self._delete(aws.client("lambda"), [current["UUID"], *current.get("others", [])])

    def _delete(self, client: LambdaClient, ids: list[str]) -> None:
        for uuid in ids:
            with or_missing():
                client.delete_event_source_mapping(UUID=uuid)


def _brief(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_brief(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(_brief(inner) for inner in value) or "none"
    return str(value)
