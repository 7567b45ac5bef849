"""The event source mapping: Lambda polls a queue or stream and invokes the function with batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from nbchalice.resources.base import AWS, TAGS, FunctionRef, Key, Resource, key_of, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.resources.ownership import lacking, tag_reasons, with_tags
from nbchalice.text import counted
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

BUSY = {"Enabling", "Creating", "Updating"}
ON = {"Enabled", *BUSY}
# LastProcessingResult as Lambda writes it ("PROBLEM: Function call failed") and as the local AWS does ("FAILED").
PROBLEM = ("PROBLEM", "FAILED")
CALL_FAILED = ("FAILED", "PROBLEM: Function call failed")
# What Lambda takes where a setting is not given; a setting that is sent as empty is cleared.
DEFAULTS: JSON = {
    "MaximumBatchingWindowInSeconds": 0,
    "FunctionResponseTypes": [],
    "ScalingConfig": {},
    "ProvisionedPollerConfig": {},
    "FilterCriteria": {"Filters": []},
    "DestinationConfig": {"OnFailure": {}},
    "BisectBatchOnFunctionError": False,
    "MaximumRetryAttempts": -1,
    "MaximumRecordAgeInSeconds": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}
# StateTransitionReason of what a person did, which tells nothing more.
BY_USER = {"", "USER_INITIATED", "User action"}


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
    pollers : tuple[tuple[str, int], ...]
        Queues only: least and most pollers, as Lambda names them, or none that are provisioned.
    filters : tuple[str, ...]
        Patterns as JSON text.
    report_failures : bool
        Whether the function's answer names the failed records.
    starting_position : str or None
        Streams only: LATEST, TRIM_HORIZON or AT_TIMESTAMP, or None.
    starting_timestamp : float or None
        Streams only, with AT_TIMESTAMP: seconds since 1970.
    bisect : bool
        Streams only: whether a batch that failed is tried again in two halves.
    retries, record_age : int
        Streams only: tries after the first, and seconds, after which a batch or record is given up; -1 is never.
    parallelization, tumbling_window : int
        Streams only: batches of one shard at once, and seconds of a window.
    on_failure : str
        Streams only: ARN of the queue or topic that is told of records that failed for good, or empty.
    of_queue : bool
        Whether the source is a queue.
    after : tuple[Key, ...]
        Keys of the resources that must stand before it, beside the function.
    """

    kind: ClassVar[str] = "event source mapping"
    settles: ClassVar[bool] = True
    delivers: ClassVar[bool] = True
    function: FunctionRef
    source_arn: str
    batch_size: int = 1
    window: int = 0
    maximum_concurrency: int | None = None
    pollers: tuple[tuple[str, int], ...] = ()
    filters: tuple[str, ...] = ()
    report_failures: bool = False
    starting_position: str | None = None
    starting_timestamp: float | None = None
    bisect: bool = False
    retries: int = -1
    record_age: int = -1
    parallelization: int = 1
    tumbling_window: int = 0
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

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        of_ours = ("StringLike", "lambda:FunctionArn", self.function.arn)
        arn = self.function.arn_of("lambda", "event-source-mapping:*")
        changes = ("lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping")
        return [
            Grant(("lambda:CreateEventSourceMapping",), ("*",), of_ours),
            Grant(changes, (arn,), of_ours),
            Grant(("lambda:TagResource", *(["lambda:ListTags"] if self.function.labels else [])), (arn,)),
        ]

    def read(self, aws: AWS) -> JSON | None:
        """Return the mapping with the ids of any others of the same source and function, or None."""
        mappings = read_mappings(aws, self.function.name)
        own = sorted((m for m in mappings if m.get("EventSourceArn") == self.source_arn), key=lambda m: str(m["UUID"]))
        if not own:
            return None
        standing = {**own[0], "others": [m["UUID"] for m in own[1:]]}
        return with_tags(self.function, standing, lambda: self._tags(aws, standing), "lambda:ListTags", "mappings")

    def _tags(self, aws: AWS, standing: JSON) -> dict[str, str]:
        return dict(aws.client("lambda").list_tags(Resource=self._arn(standing)).get("Tags", {}))

    def _arn(self, standing: JSON) -> str:
        known = standing.get("EventSourceMappingArn")
        return str(known or self.function.arn_of("lambda", f"event-source-mapping:{standing['UUID']}"))

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
            settings["ProvisionedPollerConfig"] = dict(self.pollers)
        else:
            failure = {"Destination": self.on_failure} if self.on_failure else {}
            settings |= {
                "DestinationConfig": {"OnFailure": failure},
                "BisectBatchOnFunctionError": self.bisect,
                "MaximumRetryAttempts": self.retries,
                "MaximumRecordAgeInSeconds": self.record_age,
                "ParallelizationFactor": self.parallelization,
                "TumblingWindowInSeconds": self.tumbling_window,
            }
        return settings

    def conflicts(self, current: JSON) -> list[str]:
        """Return that a mapping's starting position cannot be changed (Lambda: UpdateEventSourceMapping)."""
        now, wanted = _beginning(current), self._beginning()
        if not current.get("StartingPosition") or not self.starting_position or now == wanted:
            return []
        return [f"{self.name} ({current.get('UUID')}) starts at {now} and cannot be changed to {wanted}"]

    def conflict_fix(self, current: JSON) -> str:
        """Return the command that removes the mapping, with its id."""
        remove = f"aws lambda delete-event-source-mapping --uuid {current.get('UUID')}"
        return f"keep the starting position, or remove the mapping first: {remove}"

    def _beginning(self) -> str:
        moment = self.starting_timestamp
        return _beginning({"StartingPosition": self.starting_position, "StartingPositionTimestamp": moment})

    def differences(self, current: JSON) -> list[str]:
        """Compare each setting; what AWS leaves out has its default."""
        reasons = []
        for name, wanted in self.wanted().items():
            now = DEFAULTS.get(name) if current.get(name) is None else current[name]
            if isinstance(now, dict) and name == "FilterCriteria":
                now = {"Filters": now.get("Filters") or []}
            if isinstance(now, dict) and name == "DestinationConfig":
                now = {"OnFailure": now.get("OnFailure") or {}}
            if now != wanted:
                reasons.append(f"{name}: {_brief(now)} -> {_brief(wanted)}")
        if current.get("others"):
            # AWS refuses a second one; an earlier local AWS did not, and a lost answer may have made two.
            reasons.append(f"it stands {1 + len(current['others'])} times")
        if current.get("State") not in ON:
            reasons.append(f"it is {str(current.get('State')).lower()}")
        return reasons + tag_reasons(self.function, current.get(TAGS))

    def blocks(self, current: JSON) -> str:
        """Return that it is off, or what Lambda says of the last batch (Lambda: EventSourceMappingConfiguration)."""
        state, reason = str(current.get("State")), str(current.get("StateTransitionReason") or "")
        if state not in ON:
            told = "" if reason in BY_USER else f", as Lambda says: {reason}"
            return f"event source mapping {self.name} is {state.lower()}{told}"
        last = str(current.get("LastProcessingResult") or "")
        works = not last.startswith(PROBLEM) or last.startswith(CALL_FAILED)
        return "" if works else f"event source mapping {self.name} cannot work, as Lambda says: {last}"

    def delays(self, current: JSON) -> str:
        """Return that it is not ready yet, or tries a batch again."""
        state = str(current.get("State"))
        if state != "Enabled":
            lost = ", and what is sent before that is not read, as it begins at LATEST"
            told = lost if state == "Creating" and current.get("StartingPosition") == "LATEST" else ""
            return f"event source mapping {self.name} is not ready yet (it is {state.lower()}){told}"
        # A queue hands out other messages meanwhile, a shard nothing until the batch is done or given up.
        if not self.of_queue and str(current.get("LastProcessingResult")).startswith(CALL_FAILED):
            return "the function failed on an earlier batch, and its shard hands out nothing else until that is handled"
        return ""

    def is_ready(self, current: JSON) -> bool:
        """Whether Lambda has done what it was asked for: it answers first, and polls a minute later."""
        return current.get("State") not in BUSY

    def gathers(self, current: JSON) -> str:
        """Return that it waits for a batch to fill."""
        window = int(current.get("MaximumBatchingWindowInSeconds") or 0)
        size = counted(int(current.get("BatchSize") or 1), "record")
        return f"Lambda waits up to {window} s for a batch of {size}" if window else ""

    def most_at_once(self, current: JSON) -> int | None:
        """Return the maximum concurrency."""
        most: int | None = (current.get("ScalingConfig") or {}).get("MaximumConcurrency")
        return most

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the mapping or update it; options that are gone are cleared."""
        client = aws.client("lambda")
        if current is not None:
            settings = self.wanted()
            if not self.pollers and not current.get("ProvisionedPollerConfig"):
                # Not every region has them, and an older boto3 does not know them.
                settings.pop("ProvisionedPollerConfig", None)
            client.update_event_source_mapping(UUID=current["UUID"], Enabled=True, **settings)
            self._delete(client, current.get("others", []))
            if tags := lacking(self.function, current.get(TAGS)):
                client.tag_resource(Resource=self._arn(current), Tags=tags)
            return
        extra: JSON = {"StartingPosition": self.starting_position} if self.starting_position else {}
        if self.starting_timestamp is not None:
            extra["StartingPositionTimestamp"] = datetime.fromtimestamp(self.starting_timestamp, UTC)
        settings = {name: value for name, value in self.wanted().items() if value != DEFAULTS.get(name)}
        extra["Tags"] = self.function.all_tags
        client.create_event_source_mapping(
            FunctionName=self.function.name, EventSourceArn=self.source_arn, Enabled=True, **settings, **extra
        )

    def delete(self, aws: AWS, current: JSON) -> None:
        """Delete the mapping."""
        self._delete(aws.client("lambda"), [current["UUID"], *current.get("others", [])])

    def _delete(self, client: LambdaClient, ids: list[str]) -> None:
        for uuid in ids:
            with or_missing():
                client.delete_event_source_mapping(UUID=uuid)


def _beginning(mapping: JSON) -> str:
    """Return where a mapping begins to read, in words."""
    moment = mapping.get("StartingPositionTimestamp")
    if moment is None:
        return str(mapping.get("StartingPosition"))
    seconds = moment.timestamp() if isinstance(moment, datetime) else float(moment)
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _brief(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_brief(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(_brief(inner) for inner in value) or "none"
    return str(value)
