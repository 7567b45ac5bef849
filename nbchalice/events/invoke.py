"""Hands an event to a function directly: the deployed one, or the one of this process."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.aws.errors import explain
from nbchalice.errors import AWSError, Interrupted, InvalidInputError, LostAnswerError
from nbchalice.events.capture import capture
from nbchalice.events.context import LocalContext
from nbchalice.logs.blob import events_of, tells_all
from nbchalice.logs.drafts import MALFORMED, malformed
from nbchalice.logs.fetch import Reader
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.parse import parse
from nbchalice.logs.places import CELLS
from nbchalice.logs.records import InvocationStatus
from nbchalice.logs.tracebacks import from_exception, from_payload, last_logged
from nbchalice.names import LONGEST_RUN
from nbchalice.resources.base import AWS, FunctionRef, is_missing
from nbchalice.runtime.event_kinds import ids_of
from nbchalice.runtime.invocation_lines import returned
from nbchalice.sources.payloads import MOST_INVOKED, require_room

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import InvocationResponseTypeDef

    from nbchalice.runtime.function import LambdaFunction

# Seconds beside those that the function runs: cold start, a queue, the way.
MARGIN = 60.0
# Seconds by which the time in an answer of AWS may be behind.
CLOCK_STEP = 2.0
TIMED_OUT = "Sandbox.Timedout"
PACKAGE = str(Path(__file__).parent.parent)


def invoke(aws: AWS, function_ref: FunctionRef, event: object) -> Invocation:
    """Invoke the deployed function once and return what it answered (Lambda: Invoke, RequestResponse).

    The answer is waited for as long as the function may run; it is never invoked a second time.

    Parameters
    ----------
    aws : AWS
        Where the function stands.
    function_ref : FunctionRef
        The function.
    event : object
        JSON-ready; as AWS would send it (`Source.sample` makes one).

    Returns
    -------
    The invocation with ``result``, its error, and its log: all, or the last 4 KB where CloudWatch has no more yet.

    Raises
    ------
    InvalidInputError
        The event is not JSON-ready, or larger than Lambda takes.
    AWSError
        The function does not exist, or AWS refused.
    LostAnswerError
        The connection broke, or no answer came; the function may still run.
    Interrupted
        The user did not want to wait.
    """
    try:
        payload = json.dumps(event).encode()
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"the event is not JSON-ready: {error}", "use dicts, lists, text and numbers") from None
    require_room(len(payload), MOST_INVOKED, "the event", "an invocation that is waited for")
    started, moment = time.monotonic(), time.time()
    try:
        client = aws.client("lambda", patience=_longest_run(aws, function_ref) + MARGIN)
        answer = client.invoke(FunctionName=function_ref.name, LogType="Tail", Payload=payload)
        body = answer["Payload"].read()
    except KeyboardInterrupt:
        text = f"the answer of {function_ref.name} was not waited for; an invocation that has begun goes on"
        raise Interrupted(text, f"the logs of {function_ref.handler} show what becomes of it") from None
    except LostAnswerError as error:
        doing = f"invoking {function_ref.name} (after {time.monotonic() - started:.0f} s)"
        hint = f"the function may still be running; its log: %chalice logs {function_ref.handler}"
        raise LostAnswerError(doing, error.cause, hint) from None
    except Exception as error:
        if is_missing(error):
            message = f"function {function_ref.name} does not exist in {aws.region}"
            raise AWSError(message, "deploy it first", code="not-deployed") from None
        raise explain(error, f"invoking {function_ref.name}") from None
    return _from_answer(function_ref.name, answer, body, _logged(aws, function_ref.name, answer, moment))


def _longest_run(aws: AWS, function_ref: FunctionRef) -> float:
    """Return how many seconds the function that stands may run; the notebook's may have changed since."""
    try:
        return float(aws.client("lambda").get_function_configuration(FunctionName=function_ref.name)["Timeout"])
    except Exception as error:
        if is_missing(error):
            raise
        return LONGEST_RUN


def _logged(aws: AWS, function: str, answer: InvocationResponseTypeDef, began: float) -> Invocation:
    """Return what the log says, as it came with the answer; from CloudWatch where that is cut, or leaves doubts.

    CloudWatch is asked once, and may not have it yet; who may not ask it gets what came.
    """
    request_id = str(answer["ResponseMetadata"].get("RequestId", ""))
    text = base64.b64decode(answer.get("LogResult") or b"").decode("utf-8", "replace")
    if request_id and not tells_all(text):
        headers = answer["ResponseMetadata"].get("HTTPHeaders", {})
        with suppress(Exception):
            ahead = parsedate_to_datetime(headers["date"]).timestamp() - time.time()
            since = int((began + ahead - CLOCK_STEP) * 1000)
            for found in parse(Reader(aws, function).read(since), function):
                if found.request_id == request_id and found.duration_ms is not None:
                    return found
    only = request_id if request_id and request_id in text else ""
    seen = parse(events_of(text, int(time.time() * 1000)), function, only)
    return seen[-1] if seen else Invocation(request_id, function)


def _from_answer(function: str, answer: InvocationResponseTypeDef, body: bytes, logged: Invocation) -> Invocation:
    try:
        result = json.loads(body) if body else None
    except ValueError:
        result = body.decode("utf-8", "replace")
    if not answer.get("FunctionError"):
        if logged.status in {"partial", "ignored"} or (logged.error and logged.error.type == MALFORMED):
            return replace(logged, result=result)
        return replace(logged, status="ok", error=None, result=result)
    error = from_payload(CELLS.as_now_in(result))
    known = logged.error
    told_better = known is not None and not error.frames and (known.frames or known.type == error.type)
    shown = known if told_better else error
    timed_out = TIMED_OUT in error.type or "Task timed out" in error.message
    return replace(logged, status="timeout" if timed_out else "error", error=shown, result=None)


def invoke_here(
    lambda_function: LambdaFunction,
    event: object,
    *,
    timeout: float = 60.0,
    memory: int = 128,
    cell_of_file: Callable[[str], str | None] | None = None,
) -> Invocation:
    """Call a handler in this process and return what it did, as an invocation.

    Parameters
    ----------
    lambda_function : LambdaFunction
        What a decorated name is bound to.
    event : object
        A raw event, or an event object.
    timeout, memory : float or int
        What the context tells, in seconds and megabytes. Default: 60, 128.
    cell_of_file : Callable[[str], str or None] or None
        Tells the cell of a frame's file name, for code that runs in a kernel. Default: file names as on Lambda.

    Returns
    -------
    The invocation with ``result``, records and error; an exception of the handler is not raised.
    """
    name = str(lambda_function.name)
    context = LocalContext(name, memory_limit_in_mb=memory, timeout=timeout)
    result, error = None, None
    started, begun = time.time(), time.perf_counter()
    with capture(lambda_function.app.log, context.aws_request_id) as records:
        try:
            result = lambda_function(event, context)
        except (Exception, SystemExit) as raised:
            error = from_exception(raised, cell_of_file, (PACKAGE,))
    duration = (time.perf_counter() - begun) * 1000
    raw = event.to_dict() if hasattr(event, "to_dict") else event
    report = {} if error else returned(result, raw, lambda_function.reads_failures)
    failed = tuple(report.get("failed", ()))
    if wrong := report.get("wrong"):
        error = malformed(wrong)
    status: InvocationStatus = "error" if error else "partial" if failed else "ignored" if "ignored" in report else "ok"
    return Invocation(
        context.aws_request_id,
        name,
        status,
        1,
        duration_ms=round(duration, 3),
        memory_mb=memory,
        started=int(started * 1000),
        records=tuple(records),
        error=error or (last_logged(record.message for record in records) if failed else None),
        ids=tuple(ids_of(raw)),
        failed_ids=failed,
        ignored_ids=tuple(report.get("ignored", ())),
        reached=lambda_function.reached or "",
        result=result,
    )
