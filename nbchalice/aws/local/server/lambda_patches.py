"""Lambda as AWS has it: our execution environments, its asynchronous events, its rules of partial batches."""

from __future__ import annotations

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ministack.services import eventbridge, lambda_svc, s3, scheduler, sns, sqs

from ..shared.native_layers import BUNDLES_PLACE, NATIVE_ARCHIVE
from ..shared.spec import FunctionSpec, Invocation, Runtime
from .async_events import AsyncEvent, AsyncEventQueue, Attempt, Delivery
from .failure_patches import give_up, put_event_invoke_config
from .filter_patches import drop
from .function_records import Record, async_limits, function_record, serve_code
from .functions import FunctionFolder
from .guard import Call, current_call
from .pool import TooManyWorkersError, WorkerPool
from .recursion_patches import (
    STOPPED,
    current_trace,
    is_stopped,
    leave_looping,
    log_group_of,
    trace_of_batch,
    trace_of_invocation,
)

STREAMED = "streamed"  # log_source of results whose log events are written already
TICK_SECONDS = 1
STATE_TRANSITION_SECONDS = 0.1
ACCOUNT_CONCURRENCY = 1000  # AWS's; the pool keeps the number of processes far below
RUNTIME_SETTINGS = frozenset(
    {
        "Environment",
        "EphemeralStorage",
        "Handler",
        "Layers",
        "LoggingConfig",
        "MemorySize",
        "Role",
        "Runtime",
        "Timeout",
    }
)
partial_batch: ContextVar[list[str] | None] = ContextVar("partial_batch", default=None)
admitted: ContextVar[str] = ContextVar("admitted", default="")  # the function of an event that has a place
asked_version: ContextVar[str] = ContextVar("asked_version", default="$LATEST")
logger = logging.getLogger("nbchalice.patches")


class Patches:
    """The changed parts and what they share.

    Parameters
    ----------
    pool : WorkerPool
        Execution environments of Python functions.
    folder : FunctionFolder
        Unpacks code and layers.
    runtimes : Callable[[str], Runtime]
        Finds the interpreter of a runtime such as ``python3.13``.
    retry_delays : tuple[float, ...]
        Seconds before each retry of an asynchronous event.
    width : int
        How many events of one function run at the same time.
    sign : Callable[[str], str]
        Signs the path under which a function's code can be read.
    """

    def __init__(
        self,
        pool: WorkerPool,
        folder: FunctionFolder,
        runtimes: Callable[[str], Runtime],
        retry_delays: tuple[float, ...],
        width: int,
        *,
        sign: Callable[[str], str],
    ) -> None:
        self.pool = pool
        self.folder = folder
        self.runtimes = runtimes
        self.width = width
        self.sign = sign
        self.events = AsyncEventQueue(self.deliver, give_up, async_limits, retry_delays, width)
        self._stock_execute = lambda_svc._execute_function_warm
        self._stock_emit = lambda_svc._emit_lambda_logs
        self._stock_invalidate = lambda_svc.invalidate_worker
        self._stock_run_batch = lambda_svc._run_sqs_batch
        self._stock_dispatch = lambda_svc._dispatch_esm_batch
        self._stock_concurrency = lambda_svc._sqs_esm_concurrency
        self._stock_get_function = lambda_svc._get_function
        self._stock_code_url = lambda_svc._presigned_code_url

    def apply(self) -> None:
        """Put the changed parts in place."""
        lambda_svc._execute_function_warm = self.execute
        lambda_svc._emit_lambda_logs = self.emit_logs
        lambda_svc.invalidate_worker = self.invalidate
        lambda_svc.invoke_async_with_retry = self.submit
        lambda_svc._run_sqs_batch = self.run_sqs_batch
        lambda_svc._dispatch_esm_batch = self.dispatch_batch
        lambda_svc._sqs_esm_concurrency = self.concurrency
        lambda_svc._get_function = self.get_function
        lambda_svc._put_event_invoke_config = put_event_invoke_config
        lambda_svc._presigned_code_url = self.code_url
        lambda_svc.serve_function_code = serve_code
        lambda_svc._ESM_SQS_DEFAULT_CONCURRENCY = self.width
        lambda_svc._ACCOUNT_CONCURRENCY_CAP = ACCOUNT_CONCURRENCY
        lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = STATE_TRANSITION_SECONDS
        sns._lambda_svc = AsynchronousLambda(self.submit)
        eventbridge._dispatch_to_lambda = self.dispatch_rule
        eventbridge._SCHEDULER_TICK_INTERVAL = TICK_SECONDS
        scheduler._SCHEDULE_TICK_INTERVAL = TICK_SECONDS
        s3._verify_presigned_sigv4 = accept_signed
        s3._reject_response_overrides_if_unsigned = accept_signed

    def execute(self, func: Record, event: object, request_id: str) -> Record:
        """Run a Python function in our execution environment (``_execute_function_warm``)."""
        config, code = func.get("config") or func, func.get("code_zip")
        if not code or not str(config.get("Runtime", "")).startswith("python"):
            result: Record = self._stock_execute(func, event, request_id)
            return result
        call = current_call.get() or Call()
        request_id = call.next_request_id or request_id
        call.request_id = request_id
        arn, trace_id = config.get("FunctionArn", ""), trace_of_invocation(config)
        invocation = Invocation(request_id, event, arn, trace_id, call.client_context)
        try:
            spec = self.function_spec(config, code)
            expected = admitted.get() == spec.key
            with self.pool.lease(spec, call.caller, expected=expected) as worker:
                admitted.set("")
                worker.log.take_tail()
                outcome = worker.invoke(invocation)
                tail = worker.log.take_tail()
        except TooManyWorkersError as error:
            throttled: Record = lambda_svc._throttle_response("ConcurrentInvocationLimitExceeded", str(error))
            return throttled
        except Exception as error:
            logger.exception("invocation %s of %s", request_id, config.get("FunctionName"))
            message = f"RequestId: {request_id} Error: {error}"
            return failure({"errorType": "Runtime.Unknown", "errorMessage": message}, "")
        if outcome.error is not None:
            return failure(outcome.error, tail)
        body: object = outcome.response if call.direct else parsed(outcome.response)
        if (message_ids := partial_batch.get()) is not None:
            body = {"batchItemFailures": [{"itemIdentifier": name} for name in failed_items(body, message_ids)]}
        return {"body": body, "log": tail, "log_source": STREAMED}

    def emit_logs(self, *arguments: object, log_source: str | None = None) -> None:
        """Leave out the log events that were written while the handler ran (``_emit_lambda_logs``)."""
        if log_source != STREAMED:
            self._stock_emit(*arguments, log_source=log_source)

    def get_function(self, name: str, qualifier: str | None = None) -> Any:
        """Remember which version is asked for, whose code the answer's URL must lead to (``_get_function``)."""
        asked_version.set(qualifier or "$LATEST")
        return self._stock_get_function(name, qualifier)

    def code_url(self, name: str) -> str:
        """Return a URL that the guard lets pass, of the version asked for (``_presigned_code_url``)."""
        address = urlsplit(self._stock_code_url(f"{name}:{asked_version.get()}"))
        return str(urlunsplit(address._replace(query=f"signature={self.sign(address.path)}")))

    def invalidate(self, name: str, *arguments: object, **options: object) -> None:
        """End the environments of a changed function, but not a running invocation (``invalidate_worker``)."""
        self._stock_invalidate(name, *arguments, **options)
        self.pool.discard(lambda key: key.split(":")[6] == name)

    def submit(self, func: Record, event: object) -> None:
        """Queue an asynchronous event (``invoke_async_with_retry``)."""
        config = func.get("config") or func
        self.submit_to(config["FunctionArn"], event)

    def submit_to(self, arn: str, event: object) -> None:
        """Queue an asynchronous event under the id that all its attempts will bear."""
        request_id = str(uuid.uuid4())
        if (call := current_call.get()) is not None:
            call.request_id = request_id
        self.events.submit(AsyncEvent(arn, event, request_id, trace=current_trace()))

    def run_sqs_batch(self, mapping: Record, func: Record, event: object, batch: list[Record], *queue: str) -> None:
        """Run a batch with AWS's rules for partial responses (``_run_sqs_batch``)."""
        config = func.get("config") or func
        admitted.set(environment_key(config))
        current_call.set(Call(trace=trace_of_batch(config["FunctionArn"], batch)))
        if "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []):
            partial_batch.set([message["id"] for message in batch])
        try:
            self._stock_run_batch(mapping, func, event, batch, *queue)
        finally:
            partial_batch.set(None)
            if unused := admitted.get():
                admitted.set("")
                self.pool.expect_no_more(unused)

    def concurrency(self, mapping: Record, func: Record, config: Record, queue: Record | None = None) -> int:
        """Let the poller receive only what an environment is free for (``_sqs_esm_concurrency``).

        A message that was received and waits would come back after the queue's visibility timeout, and end in its
        dead-letter queue without having been tried.
        """
        limit: int = self._stock_concurrency(mapping, func, config, queue)
        running: int = lambda_svc._esm_inflight.get(mapping["UUID"], 0)
        if running >= limit or queue is None or not has_visible(queue):
            return min(limit, running)
        reserved = lambda_svc._reserved_concurrency(func, config)
        if reserved is not None and lambda_svc._inflight.get(lambda_svc._inflight_key(config), 0) >= reserved:
            return running
        return limit if self.pool.admits(environment_key(config)) else running

    def dispatch_batch(self, mapping_id: str, run: Callable[..., None], *arguments: Any) -> None:
        """Keep a place for a batch that was received (``_dispatch_esm_batch``)."""
        if run == self.run_sqs_batch:
            mapping, func, event, batch, queue_url, queue_name = arguments
            batch = leave_looping(func, event, drop(mapping, event, batch, queue_url))
            if not batch:
                return
            arguments = (mapping, func, event, batch, queue_url, queue_name)
            self.pool.expect(environment_key(func.get("config") or func))
        self._stock_dispatch(mapping_id, run, *arguments)

    def dispatch_rule(self, arn: str, payload: str) -> None:
        """Queue the event of an EventBridge rule (``_dispatch_to_lambda``)."""
        try:
            event = json.loads(payload)
        except (json.JSONDecodeError, TypeError):
            event = {"body": payload}
        self.submit_to(arn, event)

    def deliver(self, event: AsyncEvent) -> Attempt:
        """Run the handler once for an asynchronous event."""
        func = function_record(event.arn)
        if func is None:
            logger.warning("event %s: no function %s", event.request_id, event.arn)
            return Attempt(Delivery.NO_FUNCTION)
        if is_stopped(event.arn, event.trace, event.request_id, log_group_of(func["config"])):
            return Attempt(Delivery.STOPPED, {"errorType": "RecursiveInvocationException", "errorMessage": STOPPED})
        current_call.set(Call(next_request_id=event.request_id, trace=event.trace))
        result = lambda_svc._execute_function_with_config_scope(func, event.payload)
        if result.get("throttle"):
            return Attempt(Delivery.THROTTLED)
        return Attempt(Delivery.FAILED, result["body"]) if result.get("error") else Attempt(Delivery.DONE)

    def function_spec(self, config: Record, code: bytes) -> FunctionSpec:
        """Describe what the execution environments of a function depend on."""
        runtime = self.runtimes(str(config["Runtime"]))
        layers = [(layer["Arn"], lambda_svc._resolve_layer_zip(layer)) for layer in config.get("Layers") or []]
        environment = lambda_svc._runtime_env_vars(config)
        native = self.folder.native_archive(environment.get(BUNDLES_PLACE, ""), runtime.version)
        layer_folder = self.folder.layers(
            [(arn, archive) for arn, archive in layers if archive], runtime.version, native
        )
        task_root = self.folder.code(config["CodeSha256"], code)
        _, region = lambda_svc._account_region_from_function_config(config)
        settings = {key: value for key, value in config.items() if key in RUNTIME_SETTINGS}
        parts = json.dumps([settings, str(task_root), layer_folder], sort_keys=True, default=str)
        return FunctionSpec(
            key=environment_key(config),
            fingerprint=hashlib.sha256(parts.encode()).hexdigest(),
            handler=config.get("Handler", ""),
            timeout=float(config.get("Timeout", 3)),
            memory_mb=int(config.get("MemorySize", 128)),
            version=config.get("Version", "$LATEST"),
            runtime=runtime,
            task_root=task_root,
            layers=layer_folder,
            log_group=log_group_of(config),
            region=region,
            environment={**environment, **({NATIVE_ARCHIVE: native} if native else {})},
            storage_mb=int((config.get("EphemeralStorage") or {}).get("Size", 512)),
            role=str(config["Role"]),
        )


def wake_poller() -> None:
    """Let the poller of queues look again: an environment is free."""
    lambda_svc._esm_wake.set()


def environment_key(config: Record) -> str:
    """Return the ARN of the version that an environment runs."""
    account, region = lambda_svc._account_region_from_function_config(config)
    return f"arn:aws:lambda:{region}:{account}:function:{config['FunctionName']}:{config.get('Version', '$LATEST')}"


def has_visible(queue: Record) -> bool:
    """Whether a queue has a message that may be received now."""
    now = time.time()
    with sqs._queues_lock:
        return any(message.get("visible_at", 0) <= now for message in queue["messages"])


class AsynchronousLambda:
    """Stands for ``lambda_svc`` in SNS, whose deliveries are asynchronous events on AWS."""

    def __init__(self, submit: Callable[[Record, Any], None]) -> None:
        self._execute_function_with_config_scope = submit

    def __getattr__(self, name: str) -> Any:
        """Return everything else from the module itself."""
        return getattr(lambda_svc, name)


def failed_items(response: object, message_ids: list[str]) -> list[str]:
    """Return the messages that a partial batch response leaves in the queue: all, if it is malformed."""
    if response is None:
        return []
    failures = response.get("batchItemFailures") if isinstance(response, dict) else response
    if failures is None:
        return []
    if not isinstance(response, dict) or not isinstance(failures, list):
        return message_ids
    if not all(isinstance(entry, dict) for entry in failures):
        return message_ids
    names = [str(entry.get("itemIdentifier")) for entry in failures]
    return names if set(names) <= set(message_ids) else message_ids


def accept_signed(*arguments: object) -> None:
    """Leave it to the guard whether a request is signed: it knows the keys, and lets nothing else pass."""


def parsed(answer: bytes) -> object:
    """Return what a function answered, for who looks into it: a queue's poller, a destination."""
    try:
        return json.loads(answer)
    except ValueError:  # also of bytes that are no text
        return answer.decode("utf-8", "replace")


def failure(payload: Record, log: str) -> Record:
    """Return a result in the shape of MiniStack's executors."""
    return {"body": payload, "error": True, "log": log, "log_source": STREAMED}
