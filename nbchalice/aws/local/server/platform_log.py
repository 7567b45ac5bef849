"""The lines and error documents that Lambda itself writes around an invocation."""

from __future__ import annotations

import math
import signal
import time
from dataclasses import dataclass

from ..shared.spec import FunctionSpec, Invocation

_SIGNALS: dict[int, str] = {
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGHUP: "hangup",
    signal.SIGILL: "illegal instruction",
    signal.SIGINT: "interrupt",
    signal.SIGKILL: "killed",
    signal.SIGPIPE: "broken pipe",
    signal.SIGQUIT: "quit",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGTERM: "terminated",
    signal.SIGTRAP: "trace/breakpoint trap",
}
"""Signals as Lambda calls them, in the words of Go."""


@dataclass(frozen=True)
class Report:
    """What the REPORT line tells.

    Parameters
    ----------
    elapsed_ms : float
        How long the handler ran.
    init_ms : float or None
        How long a cold start took, or None after a warm one.
    status : str
        ``error``, ``timeout`` or nothing.
    memory_mb : int
        The most memory the process has used.
    """

    elapsed_ms: float
    init_ms: float | None
    status: str
    memory_mb: int = 0


def init_lines(spec: FunctionSpec) -> list[str]:
    """Return what is written when an execution environment starts."""
    lines = [f"INIT_START Runtime Version: python:{spec.runtime.version}"]
    return [*lines, f"[WARNING] {spec.runtime.warning}"] if spec.runtime.warning else lines


def start_line(invocation: Invocation, spec: FunctionSpec) -> str:
    """Return the line that begins an invocation."""
    return f"START RequestId: {invocation.request_id} Version: {spec.version}"


def end_line(invocation: Invocation) -> str:
    """Return the line that ends an invocation."""
    return f"END RequestId: {invocation.request_id}"


def report_line(invocation: Invocation, spec: FunctionSpec, report: Report) -> str:
    """Return the line with duration and memory."""
    parts = [
        f"REPORT RequestId: {invocation.request_id}",
        f"Duration: {report.elapsed_ms:.2f} ms",
        f"Billed Duration: {math.ceil(report.elapsed_ms)} ms",
        f"Memory Size: {spec.memory_mb} MB",
        f"Max Memory Used: {report.memory_mb} MB",
    ]
    if report.init_ms is not None:
        parts.append(f"Init Duration: {report.init_ms:.2f} ms")
    if report.status:
        parts.append(f"Status: {report.status}")
    return "\t".join(parts)


def timeout_text(spec: FunctionSpec) -> str:
    """Return Lambda's words for a timeout."""
    return f"Task timed out after {spec.timeout:.2f} seconds"


def timeout_line(invocation: Invocation, spec: FunctionSpec) -> str:
    """Return the line that tells of a timeout."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{stamp}.{int(now * 1000) % 1000:03d}Z {invocation.request_id} {timeout_text(spec)}"


def timeout_payload(invocation: Invocation, spec: FunctionSpec) -> dict[str, str]:
    """Return AWS's error document of a timeout."""
    message = f"RequestId: {invocation.request_id} Error: {timeout_text(spec)}"
    return {"errorType": "Sandbox.Timedout", "errorMessage": message}


def stopped_lines(request_id: str, version: str, memory_mb: int, reason: str) -> list[str]:
    """Return the lines of an invocation that did not come about; Lambda itself writes none, which helps nobody."""
    return [
        f"START RequestId: {request_id} Version: {version}",
        f"RequestId: {request_id} Error: {reason}\nLambda.RecursiveInvocationException",
        f"END RequestId: {request_id}",
        f"REPORT RequestId: {request_id}\tDuration: 0.00 ms\tBilled Duration: 0 ms\tMemory Size: {memory_mb} MB\t"
        "Max Memory Used: 0 MB\tStatus: error",
    ]


def exit_payload(status: int | None, request_id: str) -> dict[str, str]:
    """Return AWS's error document of a process that ended by itself."""
    if status is not None and status < 0:
        reason = f"Runtime exited with error: signal: {_SIGNALS.get(-status, f'signal {-status}')}"
    elif status:
        reason = f"Runtime exited with error: exit status {status}"
    else:
        reason = "Runtime exited without providing a reason"
    return {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {request_id} Error: {reason}"}


def init_timeout_payload(timeout: float) -> dict[str, str]:
    """Return AWS's error document of code that does not finish loading."""
    message = f"Error: Task timed out after {timeout:.2f} seconds while the code was loaded"
    return {"errorType": "Sandbox.Timedout", "errorMessage": message}
