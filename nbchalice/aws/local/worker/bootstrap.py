"""Runs a Python function's handler in its own process, as AWS's Python runtime does.

Standard library only, simplejson as there, and nothing of nbchalice: the process must hold no more than Lambda's
would. Output that the handler or its subprocesses write to fd 1 and 2 goes through a pipe of plain text. Everything
else goes through the channel socket, each message announced by a marker in the pipe, so that the server sees both in
the order they happened.
"""

from __future__ import annotations

import base64
import contextlib
import decimal
import importlib
import json
import logging
import math
import os
import resource
import signal
import socket
import struct
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable
from types import TracebackType
from typing import Any

LIMITS = "_nbchalice_limits"  # the file beside this one
FOLDERS: dict[str, str] = {}  # where code and layers are, and where they would be on Lambda
NO_BREAK_SPACE = "\u00a0"  # what AWS indents a logged traceback with
Message = dict[str, Any]  # of the channel, and what AWS says of an error


class Channel:
    """The connection to the server: length-prefixed JSON, announced in the output pipe."""

    def __init__(self, fd: int, marker: str) -> None:
        self._socket = socket.socket(fileno=fd)
        self._marker = b"\0" + marker.encode() + b"\n"
        self._output = os.dup(2)  # stays the pipe when a handler replaces fd 2
        self._owner = os.getpid()
        self._lock = threading.RLock()

    def send(self, message: Message) -> None:
        """Send a message, ordered after all output written so far."""
        if os.getpid() != self._owner:  # a fork of the handler: the channel is its parent's
            os.write(self._output, message.get("text", "").encode() + b"\n")
            return
        body = json.dumps(message).encode()
        with self._lock:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
            os.write(self._output, self._marker)
            self._socket.sendall(struct.pack(">I", len(body)) + body)

    def receive(self) -> Message:
        """Wait for the next message; the end of the stream means the server has gone."""
        (size,) = struct.unpack(">I", self._read(4))
        message: Message = json.loads(self._read(size))
        return message

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._socket.recv(min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


class CognitoIdentity:
    """Who called through Cognito; nobody does here."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class LambdaContext:
    """What a handler gets as its second argument.

    Parameters
    ----------
    request_id, arn : str
        Of the invocation, and of the function as it was called.
    deadline_ms : int
        When the function's timeout ends, in milliseconds since 1970.
    client : Message or None
        The caller's ``ClientContext``.
    log : Callable[[str], None]
        Writes a log event.
    """

    def __init__(
        self, request_id: str, arn: str, deadline_ms: int, client: Message | None, log: Callable[[str], None]
    ) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.tenant_id = None
        self.client_context = client_context(client)
        self.identity = CognitoIdentity()
        # Whoever sets the clock, or lets the computer sleep, changes no timeout.
        self._deadline = time.monotonic() + deadline_ms / 1000 - time.time()
        self._log = log

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left until the function's timeout."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def log(self, msg: object) -> None:
        """Write a log event."""
        self._log(str(msg))


def client_context(given: Message | None) -> types.SimpleNamespace | None:
    """Return a caller's ``ClientContext`` as an object, or None."""
    if given is None:
        return None
    fields = "installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"
    client = given.get("client")
    seen = client and types.SimpleNamespace(**{name: client.get(name) for name in fields})
    return types.SimpleNamespace(custom=given.get("custom"), env=given.get("env"), client=seen)


class LambdaLogHandler(logging.Handler):
    """The handler that AWS installs on the root logger: one log event a record."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel
        self.request_id = ""
        formatter = logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        formatter.converter = time.gmtime
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record with the id of the running request."""
        try:
            record.aws_request_id = self.request_id
            text = as_on_lambda(self.format(record))
            self._channel.send({"type": "log", "text": text, "timestamp": int(record.created * 1000)})
        except Exception:
            self.handleError(record)


class InitError(Exception):
    """The handler cannot be loaded; carries the payload that AWS answers."""

    def __init__(self, kind: str, message: str, stack: list[str] | None = None) -> None:
        super().__init__(message)
        self.payload = error_payload(kind, message, stack or [])


def error_payload(kind: str, message: str, stack: list[str], request_id: str = "") -> Message:
    """Return AWS's error document."""
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": stack}


def exception_payload(error: BaseException, request_id: str = "") -> Message:
    """Return AWS's error document of an exception, without the frames of this file."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    while frames and frames[0].filename.startswith("<frozen importlib"):
        del frames[0]
    stack = [as_on_lambda(entry) for entry in traceback.format_list(frames)]
    return error_payload(type(error).__name__, str(error), stack, request_id)


def as_on_lambda(entry: str) -> str:
    """Show the folders of code and layers by their names on Lambda."""
    for folder, name in FOLDERS.items():
        entry = entry.replace(f'File "{folder}/', f'File "{name}/')
    return entry


def error_text(payload: Message) -> str:
    """Return the log event that AWS writes for an error."""
    head = f"[ERROR] {payload['errorType']}"
    lines = [
        f"{head}: {payload['errorMessage']}" if payload["errorMessage"] else head,
        "Traceback (most recent call last):",
    ]
    for entry in payload["stackTrace"]:
        for line in entry.splitlines():
            text = line.lstrip(" ")
            lines.append(NO_BREAK_SPACE * (len(line) - len(text)) + text)
    return "\n".join(lines)


def load_handler(name: str) -> Callable[[object, object], object]:
    """Import ``module.function`` as AWS does, with its errors."""
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        message = f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        raise InitError("Runtime.MalformedHandlerName", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise InitError("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        stack = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise InitError("Runtime.UserCodeSyntaxError", message, stack) from error
    if not hasattr(module, attribute):
        message = f"Handler '{attribute}' missing on module '{module_name}'"
        raise InitError("Runtime.HandlerNotFound", message)
    handler: Callable[[object, object], object] = getattr(module, attribute)
    return handler


def run_handler(
    handler: Callable[[object, object], object], message: Message, log: Callable[[str], None]
) -> tuple[bytes, Message | None]:
    """Call the handler; return what it answers as Lambda writes it, or the error document."""
    request_id = message["request_id"]
    try:
        context = LambdaContext(request_id, message["arn"], message["deadline_ms"], message.get("client_context"), log)
        response = handler(message["event"], context)
    except Exception as error:
        return b"", exception_payload(error, request_id)
    try:
        return marshalled(response), None
    except Exception as error:
        text = f"Unable to marshal response: {error}"
        return b"", error_payload("Runtime.MarshalError", text, [], request_id)


def marshalled(response: object) -> bytes:
    """Return the bytes of an answer, as AWS's runtime client for Python makes them."""
    if isinstance(response, bytes):
        return response
    simplejson, escapes = sys.modules["simplejson"], sys.version_info < (3, 12)
    text = simplejson.dumps(response, use_decimal=False, ensure_ascii=escapes, allow_nan=True, default=raw_decimal)
    return str(text).encode()


def raw_decimal(value: object) -> object:
    """Return a Decimal as the number that it is, with all its digits."""
    if isinstance(value, decimal.Decimal):
        return math.nan if value.is_nan() else sys.modules["simplejson"].RawJSON(str(value))
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def import_own(folder: str) -> None:
    """Import what the runtime itself uses before the function's code is in the search path, as AWS's runtime does."""
    for place, name in ((folder, "simplejson"), (os.path.dirname(os.path.abspath(__file__)), LIMITS)):  # noqa: PTH100, PTH120
        sys.path.append(place)
        importlib.import_module(name)
        sys.path.remove(place)


def peak_memory_mb() -> int:
    """Return the most memory that this process, or one that it started and that has ended, has used."""
    return max(_own_peak_mb(), _megabytes(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))


def _own_peak_mb() -> int:
    if sys.platform == "linux":  # there ru_maxrss counts the server's memory, from before exec
        with contextlib.suppress(OSError, StopIteration), open("/proc/self/status") as status:  # noqa: PTH123 - starts fast
            return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) // 1024
    return _megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _megabytes(peak: int) -> int:
    return int(peak / (1024 * 1024 if sys.platform == "darwin" else 1024))


def die_with_server(lifeline: int) -> None:
    """End this process and its children when the server has gone, however it went."""
    with contextlib.suppress(OSError):
        while os.read(lifeline, 1):
            pass
    os.killpg(0, signal.SIGKILL)


def set_search_path(task_root: str, layers: str, runtime_packages: str) -> None:
    """Order ``sys.path`` as on Lambda: code, layers, standard library, the runtime's boto3."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    FOLDERS[task_root] = "/var/task"
    if layers:
        FOLDERS[layers] = "/opt"
    user_path = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    in_layers = [f"{layers}/python/lib/{version}/site-packages", f"{layers}/python"] if layers else []
    sys.path[:] = [task_root, *in_layers, *user_path, *sys.path, runtime_packages]


def add_site_builtins() -> None:
    """Define ``exit`` and ``quit``, which ``python -S`` leaves out and Lambda has."""
    import site

    site.setquit()


def write_unhandled(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Keep the default traceback off the screen for a server that has gone."""
    if not issubclass(kind, (EOFError, ConnectionError)):
        sys.__excepthook__(kind, error, trace)


def main() -> int:
    """Load the handler, then serve invocations until the server goes."""
    setup = json.loads(os.environ.pop("_NBCHALICE_WORKER"))
    for fd in (setup["channel"], setup["lifeline"]):
        os.set_inheritable(fd, False)
    threading.Thread(target=die_with_server, args=(setup["lifeline"],), daemon=True).start()
    channel = Channel(setup["channel"], setup["marker"])
    sys.excepthook = write_unhandled
    import_own(setup["packages"])
    set_search_path(os.environ["LAMBDA_TASK_ROOT"], setup["layers"], setup["packages"])
    add_site_builtins()
    limits = sys.modules[LIMITS]
    sys.meta_path.insert(0, limits.NoSharedMemory())
    time.tzset()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    log_handler = LambdaLogHandler(channel)
    logging.getLogger().addHandler(log_handler)
    started = time.perf_counter()
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:
        payload = error.payload if isinstance(error, InitError) else exception_payload(error)
        channel.send({"type": "log", "text": error_text(payload), "timestamp": int(time.time() * 1000)})
        channel.send({"type": "init_error", "payload": payload})
        return 1
    import_ms = (time.perf_counter() - started) * 1000
    channel.send({"type": "ready", "import_ms": import_ms, "memory_mb": peak_memory_mb()})
    told = False
    while True:
        serve_one(channel, handler, log_handler)
        if not told:
            told = True
            channel.send({"type": "imported", "sources": limits.imported_sources([*FOLDERS, setup["packages"]])})


def serve_one(channel: Channel, handler: Callable[[object, object], object], log_handler: LambdaLogHandler) -> None:
    """Wait for an invocation, run it and send its result."""
    message = channel.receive()
    log_handler.request_id = message["request_id"]
    if message.get("trace_id"):
        os.environ["_X_AMZN_TRACE_ID"] = message["trace_id"]

    def log(text: str) -> None:
        channel.send({"type": "log", "text": text, "timestamp": int(time.time() * 1000)})

    response, error = run_handler(handler, message, log)
    if error is not None:
        log(error_text(error))
    answer = base64.b64encode(response).decode()
    channel.send({"type": "result", "response": answer, "error": error, "memory_mb": peak_memory_mb()})


if __name__ == "__main__":
    sys.exit(main())
