"""Execution environments of Python functions: one process each, reused while warm, as on Lambda."""

from __future__ import annotations

import base64
import contextlib
import contextvars
import json
import os
import secrets
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..shared.spec import FunctionSpec, Invocation, Outcome
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

BOOTSTRAP = Path(__file__).parents[1] / "worker" / "bootstrap.py"
INIT_SECONDS = 10.0  # AWS's limit of the Init phase
POLL_SECONDS = 0.1  # how often a wait looks whether the process still lives
Message = dict[str, Any]  # what the process says through its channel


class WorkerExit(Exception):
    """The process of an execution environment has ended."""


class Worker:
    """One execution environment.

    Parameters
    ----------
    spec : FunctionSpec
        The function it runs.
    log : LogStream
        Takes its log events as they come.
    scratch : Path
        Folder that becomes the handler's TMPDIR and HOME.
    environment : Mapping[str, str]
        All its variables, but for those two.
    """

    def __init__(self, spec: FunctionSpec, log: LogStream, scratch: Path, environment: Mapping[str, str]) -> None:
        self.spec = spec
        self.busy = True
        self.born = self.last_used = time.monotonic()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = log
        self._scratch = scratch
        self._environment = environment
        self._messages: list[Message] = []
        self._arrived = threading.Condition()
        self._reader: OutputReader | None = None
        self._server_end: socket.socket | None = None
        self._lifeline = -1

    @property
    def alive(self) -> bool:
        """Whether the process runs and can take another invocation."""
        return self.process is not None and self.process.poll() is None

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run the handler, starting the process first if it does not run."""
        init_ms = None
        if not self.alive:
            failure, init_ms = self._initialize()
            if failure is not None:
                self._announce_start(invocation)
                return self._finish(invocation, Report(0.0, init_ms, "error"), Outcome(b"", failure))
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
        error = message["error"]
        response = b"" if error else base64.b64decode(message["response"])
        outcome = Outcome(response, error)
        return self._finish(invocation, Report(elapsed, init_ms, "", message["memory_mb"]), outcome)

    def interrupt(self) -> None:
        """Signal the end without waiting for it."""
        process = self.process
        if process is not None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the process, its children and its folder."""
        process, self.process = self.process, None
        if process is not None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
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

    def _initialize(self) -> tuple[Message | None, float]:
        """Start the process and wait for its handler; return the error document and the time it took."""
        self.kill()
        started = time.perf_counter()
        self.log(init_lines(self.spec))
        try:
            self._spawn()
            message = self._wait("ready", time.monotonic() + INIT_SECONDS + self.spec.timeout)
        except WorkerExit:
            failure = exit_payload(self._exit_status(), "")
        except OSError as error:
            failure = {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": f"the worker did not start: {error}"}
        else:
            if message is not None and message["type"] == "ready":
                return None, (time.perf_counter() - started) * 1000
            failure = message["payload"] if message else init_timeout_payload(self.spec.timeout)
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
            "channel": worker_end.fileno(),
            "lifeline": lifeline_end,
            "marker": marker,
            "layers": self.spec.layers,
            "packages": self.spec.runtime.packages,
        }
        environment = {
            **self._environment,
            "TMPDIR": str(self._scratch),
            "HOME": str(self._scratch),
            "_NBCHALICE_WORKER": json.dumps(setup),
        }
        # -u: each write is sent at once, as on Lambda, and is not lost when the process ends.
        command = [self.spec.runtime.executable, "-I", "-S", "-u", str(BOOTSTRAP)]
        try:
            self.process = subprocess.Popen(
                command,
                cwd=self.spec.task_root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output_end,
                stderr=output_end,
                pass_fds=(worker_end.fileno(), lifeline_end),
                process_group=0,
            )
        finally:
            worker_end.close()
            os.close(output_end)
            os.close(lifeline_end)
        self._messages.clear()
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
        body = json.dumps(message).encode()
        assert self._server_end is not None
        try:
            self._server_end.sendall(struct.pack(">I", len(body)) + body)
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
            if self._messages:
                return self._messages.pop(0)
        self._drain_after_exit()
        with self._arrived:
            if self._messages:  # it answered just before it ended
                return self._messages.pop(0)
        raise WorkerExit(kind)

    def _drain_after_exit(self) -> None:
        if self.process is not None:
            with contextlib.suppress(OSError):  # a grandchild that lives on would keep the pipe open
                os.killpg(self.process.pid, signal.SIGKILL)
        if self._reader is not None:
            self._reader.join()

    def _exit_status(self) -> int | None:
        return self.process.returncode if self.process is not None else None

    def _announce_start(self, invocation: Invocation) -> None:
        self.log([start_line(invocation, self.spec)])

    def _crashed(self, invocation: Invocation, started: float, init_ms: float | None) -> Outcome:
        elapsed = (time.perf_counter() - started) * 1000
        payload = exit_payload(self._exit_status(), invocation.request_id)
        self.log([f"{payload['errorMessage']}\n{payload['errorType']}"])
        self.kill()
        return self._finish(invocation, Report(elapsed, init_ms, "error"), Outcome(b"", payload))

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


def read_message(connection: socket.socket) -> Message | None:
    """Read one length-prefixed JSON message; None at the end of the stream."""

    def read(size: int) -> bytes:
        parts = []
        while size:
            part = connection.recv(min(size, 1 << 20))
            if not part:
                return b""
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    try:
        head = read(4)
        body = read(struct.unpack(">I", head)[0]) if head else b""
    except OSError:
        return None
    if not body:
        return None
    message: Message = json.loads(body)
    return message


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
