"""Ends loops in which a function causes its own events, by a queue, topic, bucket or other function, as Lambda does.

Each invocation gets a trace id whose lineage says how often each function ran in this chain of events. The AWS SDK
sends it along with what the handler calls, and SQS, SNS and S3 hand it on with the events that follow.
"""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from typing import Any

from ministack.services import eventbridge, lambda_svc, sqs

from .function_records import Record, scope_of
from .functions import log_stream_name
from .guard import current_call
from .log_groups import log_store
from .platform_log import stopped_lines

MOST_ROUNDS: int = lambda_svc.MAX_INVOKE_DEPTH
ADVICE = "aws lambda put-function-recursion-config --recursive-loop Allow lets it go on"
STOPPED = (
    "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources "
    "and stopped your function's invocation"
)
stock_drop = lambda_svc._recursive_loop_drop
stock_system_attributes = sqs._build_send_sys_attrs
stock_complete_message = sqs._ensure_msg_fields
stock_dispatch_event = eventbridge._dispatch_event


def apply_recursion() -> None:
    """Put the changed parts in place."""
    lambda_svc._recursive_loop_drop = drop_call
    sqs._build_send_sys_attrs = system_attributes
    sqs._ensure_msg_fields = complete_message
    eventbridge._dispatch_event = dispatch_event


def current_trace() -> str:
    """Return the trace id that came with the call being served, or an empty text."""
    call = current_call.get()
    return call.trace if call is not None else ""


def lineage_of(trace: str) -> dict[str, int]:
    """Return how often each function ran in the chain of events of a trace id, by the function's mark."""
    fields = dict(part.strip().partition("=")[::2] for part in trace.split(";"))
    pairs = (entry.rpartition(":") for entry in fields.get("Lineage", "").split(",") if entry)
    return {mark: int(count) for mark, _, count in pairs if count.isascii() and count.isdigit()}


def mark_of(arn: str) -> str:
    """Return what stands for a function, in whatever version, in a lineage."""
    return hashlib.sha256(":".join(arn.split(":")[:7]).encode()).hexdigest()[:8]


def rounds_of(arn: str, trace: str) -> int:
    """Return which run of the function in its chain of events the next one would be."""
    return lineage_of(trace).get(mark_of(arn), 0) + 1


def trace_of_invocation(config: Record) -> str:
    """Return the trace id of a new invocation (``_X_AMZN_TRACE_ID``), which continues that of its cause."""
    arn, before = config.get("FunctionArn", ""), current_trace()
    fields = dict(part.strip().partition("=")[::2] for part in before.split(";") if part)
    active = (config.get("TracingConfig") or {}).get("Mode") == "Active"
    root = fields.get("Root") or f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    sampled = fields.get("Sampled") or ("1" if active else "0")
    lineage = {**lineage_of(before), mark_of(arn): rounds_of(arn, before)}
    chain = ",".join(f"{mark}:{count}" for mark, count in lineage.items())
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled={sampled};Lineage={chain}"


def is_stopped(arn: str, trace: str, request_id: str, group: str) -> bool:
    """Whether a function that would run once more is in a loop and must not; its log says so then."""
    if rounds_of(arn, trace) <= MOST_ROUNDS:
        return False
    scope, name = scope_of(arn), arn.split(":")[6]
    func = lambda_svc._functions.get_scoped(scope["account_id"], scope["region"], name) or {}
    config = {**(func.get("config") or {}), "FunctionArn": arn}
    if lambda_svc._run_with_function_config_scope(config, stock_drop, name, func, rounds_of(arn, trace)) is None:
        return False
    reason = f"{STOPPED} after {MOST_ROUNDS} rounds: {arn}; {ADVICE}"
    now, memory_mb = int(time.time() * 1000), int(config.get("MemorySize", 128))
    lines = stopped_lines(request_id, "$LATEST", memory_mb, reason)
    log_store(group, log_stream_name("$LATEST", name, group), arn)([(now, line) for line in lines])
    return True


def leave_looping(func: Record, event: Record, batch: list[Record]) -> list[Record]:
    """Take messages of a loop out of a batch, and return the others.

    They stay in the queue and come back when they are visible again, until its redrive policy moves them.
    """
    config = func.get("config") or func
    arn, group = config["FunctionArn"], log_group_of(config)
    stopped = {
        message["id"] for message in batch if is_stopped(arn, trace_of_message(message), str(uuid.uuid4()), group)
    }
    if stopped:
        event["Records"] = [record for record in event["Records"] if record["messageId"] not in stopped]
    return [message for message in batch if message["id"] not in stopped]


def trace_of_message(message: Record) -> str:
    """Return the trace id that a message brings along, or an empty text."""
    return str((message.get("sys") or {}).get("AWSTraceHeader", ""))


def trace_of_batch(arn: str, batch: list[Record]) -> str:
    """Return the trace id of the message of a batch that is furthest in a loop of a function."""
    return max((trace_of_message(message) for message in batch), key=lambda trace: rounds_of(arn, trace), default="")


def log_group_of(config: Record) -> str:
    """Return the name of a function's log group."""
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"


def drop_call(name: str, func: Record, depth: int) -> Any:
    """Refuse the call of a function that is in a loop (``_recursive_loop_drop``); later for asynchronous events."""
    call = current_call.get()
    if call is None or call.asynchronous:
        return None
    return stock_drop(name, func, rounds_of(lambda_svc._func_arn(name), call.trace))


def system_attributes(now: float, given: Record) -> Record:
    """Keep the trace id of the call that sends a message (``_build_send_sys_attrs``)."""
    attributes: Record = stock_system_attributes(now, given)
    if trace := current_trace():
        attributes.setdefault("AWSTraceHeader", trace)
    return attributes


def complete_message(message: Record) -> None:
    """Keep the trace id of the call that let SNS or S3 send a message (``_ensure_msg_fields``)."""
    is_new = "sys" not in message
    stock_complete_message(message)
    if is_new and (trace := current_trace()):
        message["sys"]["AWSTraceHeader"] = trace


def dispatch_event(*arguments: Any) -> Any:
    """Let events of EventBridge begin anew: no loop through it is stopped on AWS (``_dispatch_event``)."""
    token = current_call.set(None)
    try:
        return stock_dispatch_event(*arguments)
    finally:
        current_call.reset(token)
