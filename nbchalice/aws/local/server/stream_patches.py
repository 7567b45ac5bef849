"""Batches of streams as Lambda has them: given up after retries or age, bisected, handled in part, begun at a time.

MiniStack counts a mapping's place from the oldest record: what a stream keeps no longer must not take it along.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ministack.services import kinesis, lambda_svc

from .failure_patches import deliver, moment
from .filter_patches import is_queue
from .lambda_patches import failed_items

Record = dict[str, Any]
# Settings that MiniStack does not keep.
KEPT = ("TumblingWindowInSeconds", "StartingPositionTimestamp", "ProvisionedPollerConfig")
DONE: Record = {"body": None}
DAY_HOURS = 24  # that a table's stream keeps its records
polled: ContextVar[Record | None] = ContextVar("polled", default=None)
stock_filter = lambda_svc._apply_filter_criteria
stock_execute = lambda_svc._execute_function
stock_mappings = lambda_svc._iter_all_esms
stock_create_mapping = lambda_svc._create_esm
stock_update_mapping = lambda_svc._update_esm
stock_expire = kinesis._expire_records


def apply_streams() -> None:
    """Put the changed parts in place, after those of the filters."""
    global stock_filter, stock_create_mapping, stock_update_mapping
    stock_filter, lambda_svc._apply_filter_criteria = lambda_svc._apply_filter_criteria, records_to_handle
    stock_create_mapping, lambda_svc._create_esm = lambda_svc._create_esm, create_mapping
    stock_update_mapping, lambda_svc._update_esm = lambda_svc._update_esm, update_mapping
    lambda_svc._execute_function = execute
    lambda_svc._iter_all_esms = mappings
    kinesis._expire_records = expire


class WithoutAge(dict[str, Any]):
    """A mapping whose records MiniStack's poller is not to give up for their age itself; writes reach the mapping."""

    def __init__(self, mapping: Record) -> None:
        super().__init__({name: value for name, value in mapping.items() if name != "MaximumRecordAgeInSeconds"})
        self.mapping = mapping

    def __setitem__(self, name: str, value: object) -> None:
        super().__setitem__(name, value)
        self.mapping[name] = value


def mappings() -> Iterator[tuple[str, str, Record]]:
    """Yield account, region and event source mapping (``_iter_all_esms``)."""
    for account, region, mapping in stock_mappings():
        if is_queue(mapping):
            yield account, region, mapping
            continue
        if stream := stream_of(mapping):
            expire_read(stream)
        yield account, region, WithoutAge(mapping)


def stream_of(mapping: Record) -> Record | None:
    """Return the stream of Kinesis that a mapping reads."""
    streams = list(kinesis._streams._data.values())
    return next((stream for stream in streams if stream["StreamARN"] == mapping.get("EventSourceArn")), None)


def expire(stream: Record) -> None:
    """Drop what is too old, unless a mapping reads the stream: then its poller does so (``_expire_records``)."""
    if not places_in(stream):
        stock_expire(stream)


def places_in(stream: Record) -> list[Record]:
    """Return how far each mapping has read the stream, by shard, as the index of the next record."""
    arn, places = stream["StreamARN"], lambda_svc._kinesis_positions._data
    mappings = list(lambda_svc._esms._data.items())
    return [places[key] for key, mapping in mappings if mapping.get("EventSourceArn") == arn and key in places]


def expire_read(stream: Record) -> None:
    """Drop what is too old between two batches, and go on at the same record."""
    earliest, places = time.time() - stream["RetentionPeriodHours"] * 3600, places_in(stream)
    iterators = [one for one in list(kinesis._shard_iterators.values()) if one.get("stream_arn") == stream["StreamARN"]]
    for shard_id, shard in stream["shards"].items():
        records = shard["records"]
        old = next((at for at, one in enumerate(records) if arrived(one) >= earliest), len(records))
        del records[:old]
        for place in places:
            if shard_id in place:
                place[shard_id] = min(max(0, place[shard_id] - old), len(records))
        for iterator in iterators:
            if iterator["shard_id"] == shard_id:
                iterator["position"] = max(0, iterator["position"] - old)


def arrived(record: Record) -> float:
    """Return when a record of a stream of Kinesis came, in seconds since 1970."""
    return float(record["ApproximateArrivalTimestamp"])


def records_to_handle(records: list[Record], mapping: Record) -> list[Record]:
    """Note whose records are handled next (``_apply_filter_criteria``)."""
    passing: list[Record] = stock_filter(records, mapping)
    if passing and isinstance(mapping, WithoutAge):
        polled.set(mapping.mapping)
    return passing


def execute(func: Record, event: Any) -> Record:
    """Run a function; a batch of a stream in the pieces that Lambda makes of it (``_execute_function``)."""
    mapping = polled.get()
    polled.set(None)
    if mapping is None:
        result: Record = stock_execute(func, event)
        return result
    for record in event["Records"]:
        if "invokeIdentityArn" in record:  # of Kinesis
            record["invokeIdentityArn"] = func["config"]["Role"]
    return STREAMS.handle(mapping, func, event["Records"])


@dataclass
class Piece:
    """Records that are tried together, and how often they were."""

    records: list[Record]
    tries: int = 0


@dataclass
class Shard:
    """What of the records that the poller reads again and again is handled, and what is to come."""

    pieces: deque[Piece] = field(default_factory=deque)
    known: set[str] = field(default_factory=set)

    def add(self, records: list[Record]) -> None:
        """Take in records that the poller has not read before."""
        fresh = [record for record in records if record["eventID"] not in self.known]
        self.known.update(record["eventID"] for record in fresh)
        if fresh:
            self.pieces.append(Piece(fresh))


class Streams:
    """Handles the batches of all streams; the poller goes on only when all of one is handled or given up."""

    def __init__(self, run: Callable[[Record, Record], Record]) -> None:
        self._run = run
        self._shards: dict[tuple[str, str], Shard] = {}

    def handle(self, mapping: Record, func: Record, records: list[Record]) -> Record:
        """Return the result of a piece that failed, so that the poller reads the batch again later, or success."""
        key = (mapping["UUID"], shard_of(records[0]))
        shard = self._shards.setdefault(key, Shard())
        shard.add(records)
        while shard.pieces:
            piece = shard.pieces[0]
            give_up_old(mapping, func, piece)
            if not piece.records:
                shard.pieces.popleft()
                continue
            result = self._run(func, {"Records": piece.records})
            first, whole = first_failed(mapping, result, piece.records)
            if first is None:
                shard.pieces.popleft()
                continue
            self._again(mapping, func, shard, first, result)
            return result if whole else {**result, "error": True}
        del self._shards[key]
        return DONE

    def _again(self, mapping: Record, func: Record, shard: Shard, first: int, result: Record) -> None:
        """Leave what is to be tried again, or give it up."""
        piece = shard.pieces.popleft()
        rest = piece.records[first:]
        if mapping.get("BisectBatchOnFunctionError") and len(piece.records) > 1:
            # Splitting is no retry (Lambda: "Configure error handling controls"). What was reported is where it splits.
            middle = 0 if first else (len(rest) + 1) // 2
            shard.pieces.extendleft([Piece(part, piece.tries) for part in (rest[middle:], rest[:middle]) if part])
            return
        most = mapping.get("MaximumRetryAttempts")
        tries = piece.tries + 1
        if most is None or most < 0 or tries <= most:
            shard.pieces.appendleft(Piece(rest, tries))
            return
        report(mapping, func, Piece(rest, tries), "RetryAttemptsExhausted", result)


STREAMS = Streams(stock_execute)


def first_failed(mapping: Record, result: Record, records: list[Record]) -> tuple[int | None, bool]:
    """Return from which record on a batch is to be tried again, or None, and whether the call itself failed."""
    if result.get("error"):
        return 0, True
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or []):
        return None, False
    names = [sequence_of(record) for record in records]
    failed = failed_items(result.get("body"), names)
    return min((names.index(name) for name in failed), default=None), False


def give_up_old(mapping: Record, func: Record, piece: Piece) -> None:
    """Take the records out of a piece that are older than the mapping allows, and those that the stream has no more."""
    kept = ((stream_of(mapping) or {}).get("RetentionPeriodHours") or DAY_HOURS) * 3600
    piece.records = [record for record in piece.records if time.time() - arrival_of(record) <= kept]
    most = mapping.get("MaximumRecordAgeInSeconds")
    if most is None or most < 0:
        return
    old = [record for record in piece.records if time.time() - arrival_of(record) > most]
    if old:
        piece.records = [record for record in piece.records if record not in old]
        report(mapping, func, Piece(old, piece.tries), "RecordAgeExceeded", None)


def report(mapping: Record, func: Record, given_up: Piece, why: str, result: Record | None) -> None:
    """Tell the mapping's destination of records that are given up (Lambda: on-failure destinations of streams)."""
    target = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    if not target:
        return
    config, records = func.get("config") or func, given_up.records
    info = {
        "shardId": shard_of(records[0]),
        "startSequenceNumber": sequence_of(records[0]),
        "endSequenceNumber": sequence_of(records[-1]),
        "approximateArrivalOfFirstRecord": moment(arrival_of(records[0])),
        "approximateArrivalOfLastRecord": moment(arrival_of(records[-1])),
        "batchSize": len(records),
        "streamArn": mapping["EventSourceArn"],
    }
    context = {"requestId": str(uuid.uuid4()), "functionArn": config.get("FunctionArn", ""), "condition": why}
    error = {"functionError": "Unhandled"} if result and result.get("error") else {}
    answer = {"responseContext": {"statusCode": 200, "executedVersion": "$LATEST", **error}} if result else {}
    document = {
        "requestContext": {**context, "approximateInvokeCount": given_up.tries},
        **answer,
        "version": "1.0",
        "timestamp": moment(time.time()),
        "KinesisBatchInfo" if "kinesis" in records[0] else "DDBStreamBatchInfo": info,
    }
    deliver(target, json.dumps(document))


def shard_of(record: Record) -> str:
    """Return the shard of a record; a table of the local AWS has one."""
    shard, separator, _ = str(record["eventID"]).partition(":")
    return shard if separator else "shardId-00000000000000000000-00000000"


def sequence_of(record: Record) -> str:
    """Return what an answer calls a record."""
    return str(record["kinesis"]["sequenceNumber"] if "kinesis" in record else record["dynamodb"]["SequenceNumber"])


def arrival_of(record: Record) -> float:
    """Return when a record came, in seconds since 1970."""
    kinesis_time = record.get("kinesis", {}).get("approximateArrivalTimestamp")
    return float(kinesis_time or record.get("dynamodb", {}).get("ApproximateCreationDateTime") or time.time())


def create_mapping(settings: Record) -> Any:
    """Create a mapping with all its settings, and begin where it says (``_create_esm``)."""
    answer = stock_create_mapping(settings)
    mapping = keep(answer, settings)
    if mapping is not None and mapping.get("StartingPosition") == "AT_TIMESTAMP":
        begin_at(mapping, float(settings["StartingPositionTimestamp"]))
    return lambda_svc.json_response(lambda_svc._esm_response(mapping), 202) if mapping is not None else answer


def update_mapping(mapping_id: str, settings: Record) -> Any:
    """Change a mapping with all its settings (``_update_esm``)."""
    answer = stock_update_mapping(mapping_id, settings)
    mapping = keep(answer, settings)
    return lambda_svc.json_response(lambda_svc._esm_response(mapping)) if mapping is not None else answer


def keep(answer: Any, settings: Mapping[str, Any]) -> Record | None:
    """Return the mapping that an answer is of, with what MiniStack does not keep; None where it was refused."""
    mapping: Record | None = lambda_svc._esms.get(json.loads(answer[2]).get("UUID"))
    if mapping is not None:
        mapping.update({name: settings[name] for name in KEPT if name in settings})
    return mapping


def begin_at(mapping: Record, earliest: float) -> None:
    """Let a mapping begin with the first record that came at a time or later."""
    name = str(mapping["EventSourceArn"]).rpartition("/")[2]
    shards = (kinesis._streams.get(name) or {}).get("shards", {})
    lambda_svc._kinesis_positions[mapping["UUID"]] = {
        shard_id: sum(arrived(record) < earliest for record in shard["records"]) for shard_id, shard in shards.items()
    }
