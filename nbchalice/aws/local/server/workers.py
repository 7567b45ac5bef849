"""Execution environments of Python functions: one process each, reused while warm, as on Lambda."""

from __future__ import annotations

import base64
import contextlib
import contextvars
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from ..shared.spec import FunctionSpec, Invocation, Outcome
from .bytecode import ByteCodeWriter
from .lambda_files import Names, files_of, folders_seen
from .messages import Message, packed, read_message
from .output import LogStream, OutputReader
from .platform_log import (
    Report,
    end_line,
    exit_payload,
    init_lines,
    init_timeout_payload,
    report_line,
    start_line,
    timeout_line,
    timeout_payload,
)
from .processes import Process, Spawner

BYTE_CODE = ByteCodeWriter()
INIT_SECONDS = 10.0  # AWS's limit of the Init phase
LARGEST_RESPONSE = 6_291_556  # bytes
TOO_LARGE = {
    "errorMessage": f"Response payload size exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes).",
    "errorType": "Function.ResponseSizeTooLarge",
}
POLL_SECONDS = 0.1  # how often a wait looks whether the process still lives


class WorkerExit(Exception):
    """The process of an execution environment has ended."""


class EnvironmentKey(Protocol):
    """Credentials that live as long as a process."""

    def issue(self) -> Mapping[str, str]:
        """Return new ones as variables."""

    def end(self) -> None:
        """Let them be worth nothing any more."""


class Worker:
    """One execution environment.

    Parameters
    ----------
    spec : FunctionSpec
        The function it runs.
    log : LogStream
        Takes its log events as they come.
    spawner : Spawner
        Starts its processes.
    scratch : Path
        Folder for what it needs outside of its own files.
    names : Names
        The folders that it sees.
    environment : Mapping[str, str]
        All its variables but its credentials.
    key : EnvironmentKey
        Makes its credentials.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        log: LogStream,
        spawner: Spawner,
        scratch: Path,
        *,
        names: Names,
        environment: Mapping[str, str],
        key: EnvironmentKey,
    ) -> None:
        self.spec = spec
        self.busy = True
        self.born = self.last_used = time.monotonic()
        self.process: Process | None = None
        self.log = log
        self._spawner, self._scratch, self._names = spawner, scratch, names
        self._too_large = False
        self._environment, self._key = environment, key
        self._messages: list[Message] = []
        self._arrived = threading.Condition()
        self._reader: OutputReader | None = None
        self._server_end: socket.socket | None = None
        self._lifeline = -1
        self._ending = threading.Lock()  # a reset ends what a call that crashes ends, too

    @property
    def alive(self) -> bool:
        """Whether the process runs and can take another invocation."""
        return self.process is not None and self.process.poll() is None

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run the handler, starting the process first if it does not run."""
        init_ms = None
        if not self.alive:
            failure, init_ms = self._initialize(invocation.request_id)
            if failure is not None:
                return self._not_loaded(invocation, failure, init_ms)
        self._announce_start(invocation)
        started = time.perf_counter()
        deadline = time.monotonic() + self.spec.timeout
        try:
            self._send(invocation)
            message = self._wait("result", deadline)
        except WorkerExit:
            return self._crashed(invocation, started, init_ms)
        elapsed = (time.perf_counter() - started) * 1000
        if message is None:
            return self._timed_out(invocation, elapsed, init_ms)
        if self._took_too_much(message):
            return self._crashed(invocation, started, init_ms)
        error = message["error"]
        response = b"" if error else base64.b64decode(message["response"])
        if len(response) > LARGEST_RESPONSE:
            self.log([TOO_LARGE["errorMessage"]])
            error, response = TOO_LARGE, b""
        outcome = Outcome(response, error)
        return self._finish(invocation, Report(elapsed, init_ms, "", message["memory_mb"]), outcome)

    def interrupt(self) -> None:
        """Signal the end without waiting for it."""
        process = self.process
        if process is not None:
            process.kill()

    def kill(self) -> None:
        """End the process, its children and its folder."""
        with self._ending:
            self._end()

    def _end(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
        self._key.end()
        if self._server_end is not None:
            with contextlib.suppress(OSError):
                self._server_end.shutdown(socket.SHUT_RDWR)
        if self._reader is not None:
            self._reader.join()
            self._reader = None
        if self._server_end is not None:
            self._server_end.close()
            self._server_end = None
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        remove_tree(self._scratch)

    def _initialize(self, request_id: str) -> tuple[Message | None, float]:
        """Start the process and wait for its handler; return the error document and the time it took."""
        self.kill()
        self._too_large = False
        started = time.perf_counter()
        self.log(init_lines(self.spec))
        try:
            self._spawn()
            message = self._wait("ready", time.monotonic() + INIT_SECONDS + self.spec.timeout)
        except WorkerExit:
            failure = exit_payload(self._exit_status(), request_id)
            if self.process is not None and self.process.failure:
                failure = not_started(self.process.failure)
        except OSError as error:
            failure = not_started(error)
        else:
            if message is None:
                failure = init_timeout_payload(self.spec.timeout)
            elif message["type"] != "ready":
                failure = message["payload"]
            elif self._took_too_much(message):
                failure = exit_payload(self._exit_status(), request_id)
            else:
                return None, (time.perf_counter() - started) * 1000
        elapsed = (time.perf_counter() - started) * 1000
        self.kill()
        return failure, elapsed

    def _spawn(self) -> None:
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._server_end, worker_end = socket.socketpair()
        output, output_end = os.pipe()
        lifeline_end, self._lifeline = os.pipe()
        marker = f"nbchalice:{secrets.token_hex(8)}"
        setup = {
            "marker": marker,
            "layers": self._names.layers,
            "packages": self._names.packages,
        }
        request = {
            # -u: each write is sent at once, as on Lambda, and is not lost when the process ends.
            "command": [self._names.python, "-I", "-S", "-u", self._names.bootstrap],
            "environment": {**self._environment, **self._key.issue()},
            "cwd": self._names.code,
            "files": files_of(self.spec, self._scratch),
            "setup": setup,
        }
        try:
            self.process = self._spawner.start(request, [output_end, worker_end.fileno(), lifeline_end])
        finally:
            worker_end.close()
            os.close(output_end)
            os.close(lifeline_end)
        self._messages.clear()
        self._too_large = False
        folders = {str(self.spec.task_root): "/var/task", **({self.spec.layers: "/opt"} if self.spec.layers else {})}
        self._reader = OutputReader(output, marker, self._receive, self.log, folders)
        context = contextvars.copy_context()
        self._reader.start(context)

    def _send(self, invocation: Invocation) -> None:
        deadline_ms = int((time.time() + self.spec.timeout) * 1000)
        message = {
            "request_id": invocation.request_id,
            "event": invocation.event,
            "arn": invocation.arn,
            "deadline_ms": deadline_ms,
            "trace_id": invocation.trace_id,
            "client_context": invocation.client_context,
        }
        assert self._server_end is not None
        try:
            self._server_end.sendall(packed(message))
        except OSError as error:
            raise WorkerExit from error

    def _receive(self) -> str | None:
        """Read the message that a marker announced; return the text and time of a log record."""
        assert self._server_end is not None
        message = read_message(self._server_end)
        if message is None:
            return None
        if message["type"] == "log":
            self.log([message["text"]], message["timestamp"])
            return None
        if message["type"] == "imported":
            BYTE_CODE.add(self.spec.runtime.executable, folders_seen(self.spec, self._names), message["sources"])
            return None
        with self._arrived:
            self._messages.append(message)
            self._arrived.notify_all()
        return None

    def _wait(self, kind: str, deadline: float) -> Message | None:
        """Wait for a message; None when the deadline passed."""
        with self._arrived:
            while not self._messages:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._arrived.wait(min(POLL_SECONDS, left))
                if not self._messages and not self.alive:
                    break
                self._end_if_too_large()
            if self._messages:
                return self._messages.pop(0)
        self._drain_after_exit()
        with self._arrived:
            if self._messages:  # it answered just before it ended
                return self._messages.pop(0)
        raise WorkerExit(kind)

    def _took_too_much(self, message: Message) -> bool:
        """Whether a process that answers had more memory than its function, and nobody looked just then."""
        if message["memory_mb"] > self.spec.memory_mb:
            self._too_large = True
        return self._too_large

    def _end_if_too_large(self) -> None:
        """Kill a process that has more memory than its function, as Lambda does."""
        if self.process is not None and self.process.uses_more_than(self.spec.memory_mb):
            self._too_large = True
            self.process.kill()

    def _drain_after_exit(self) -> None:
        if self.process is not None:
            self.process.kill_left()  # a grandchild that lives on would keep the pipe open
        if self._reader is not None:
            self._reader.join()

    def _exit_status(self) -> int | None:
        if self._too_large:
            return -signal.SIGKILL
        return self.process.returncode if self.process is not None else None

    def _announce_start(self, invocation: Invocation) -> None:
        self.log([start_line(invocation, self.spec)])

    def _crashed(self, invocation: Invocation, started: float, init_ms: float | None) -> Outcome:
        elapsed = (time.perf_counter() - started) * 1000
        payload = exit_payload(self._exit_status(), invocation.request_id)
        self.log([f"{payload['errorMessage']}\n{payload['errorType']}"])
        self.kill()
        return self._finish(invocation, Report(elapsed, init_ms, "error", self._used()), Outcome(b"", payload))

    def _not_loaded(self, invocation: Invocation, failure: Message, init_ms: float) -> Outcome:
        """Write why there is no handler, where the process itself could not."""
        self._announce_start(invocation)
        if failure["errorType"] == "Runtime.ExitError":
            self.log([f"{failure['errorMessage']}\n{failure['errorType']}"])
        elif failure["errorType"] == "Sandbox.Timedout":
            self.log([timeout_line(invocation, self.spec)])
        return self._finish(invocation, Report(0.0, init_ms, "error", self._used()), Outcome(b"", failure))

    def _used(self) -> int:
        return self.spec.memory_mb if self._too_large else 0

    def _timed_out(self, invocation: Invocation, elapsed: float, init_ms: float | None) -> Outcome:
        self.kill()
        self.log([timeout_line(invocation, self.spec)])
        outcome = Outcome(b"", timeout_payload(invocation, self.spec))
        return self._finish(invocation, Report(elapsed, init_ms, "timeout"), outcome)

    def _finish(self, invocation: Invocation, report: Report, outcome: Outcome) -> Outcome:
        """Write the lines that end an invocation."""
        self.log([end_line(invocation), report_line(invocation, self.spec, report)])
        self.last_used = time.monotonic()
        return outcome


def not_started(reason: object) -> Message:
    """Return the error document of an environment that could not be made."""
    return {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": f"the worker did not start: {reason}"}


def remove_tree(path: Path) -> None:
    """Remove a folder, also where a handler took its own permissions away."""
    import shutil

    def retry(function: Callable[..., object], name: str, _: object) -> None:
        with contextlib.suppress(OSError):
            Path(name).parent.chmod(0o700)
            Path(name).chmod(0o700)
            function(name)

    if path.exists():
        if sys.version_info >= (3, 12):
            shutil.rmtree(path, onexc=retry)
        else:
            shutil.rmtree(path, onerror=retry)
