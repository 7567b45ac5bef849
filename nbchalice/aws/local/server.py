"""Starts, finds, stops and resets the one local AWS of a user."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import platformdirs

from ...errors import LocalAWSError
from . import environment
from .home import Home, Record, lock_file
from .logfile import last_lines
from .process import end_process, is_ours, process_exists, remember_child

REGION = "us-east-1"
ACCOUNT = "000000000000"
START_SECONDS = 60.0
HEALTH_SECONDS = 5.0
STOP_SECONDS = 10.0
NEEDED_BYTES = 32 * 1024 * 1024
TOKEN_HEADER = "x-nbchalice-token"


@dataclass(frozen=True)
class LocalAWS:
    """A running local AWS and how to reach it."""

    endpoint: str
    access_key: str
    secret_key: str
    region: str
    account: str
    pid: int
    state_dir: str
    version: str

    def client_kwargs(self) -> dict[str, str]:
        """Return the arguments that point a boto3 client here."""
        return {
            "endpoint_url": self.endpoint,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "region_name": self.region,
        }

    def env(self) -> dict[str, str]:
        """Return the variables that point boto3, the AWS CLI or Chalice here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
        }


def ensure_running() -> LocalAWS:
    """Return the running local AWS, starting it if there is none."""
    home = local_home()
    record = home.read_record()
    if record is not None and is_healthy(record):
        return describe(home, record)
    prepare(home)
    with start_lock(home):
        record = home.read_record()
        if record is not None:
            if is_healthy(record, HEALTH_SECONDS if is_ours(record.pid, record.instance) else 0.5):
                return describe(home, record)
            clear_dead(record)
        return describe(home, start(home, record))


def status() -> LocalAWS | None:
    """Return the running local AWS, or None; starts nothing."""
    home = local_home()
    record = home.read_record()
    return describe(home, record) if record is not None and is_healthy(record) else None


def stop() -> bool:
    """Save the state and end the local AWS with all its handlers; whether one was running."""
    home = local_home()
    if not home.root.exists():
        return False
    with start_lock(home):
        record = home.read_record()
        if record is None or not is_ours(record.pid, record.instance):
            return False
        problems: list[str] = []
        if is_healthy(record):
            problems = call_control(record, "POST", "stop").get("problems", [])
            wait_for_end(record.pid, STOP_SECONDS)
        end_process(record.pid)
        if problems:
            hint = f"free some space in {home.root} and deploy again what is missing"
            raise LocalAWSError("the local AWS stopped, but part of its state was not saved: " + problems[0], hint)
        return True


def reset() -> None:
    """Forget all resources of the local AWS, running or not."""
    home = local_home()
    if not home.root.exists():
        return
    with start_lock(home):
        record = home.read_record()
        if record is not None and is_healthy(record):
            call_control(record, "POST", "reset")
        else:
            if record is not None:
                clear_dead(record)
            home.clear_state()


def control(method: str, name: str, body: object = None) -> dict[str, Any]:
    """Call an administration endpoint of the running local AWS (``faults``, ``info``, ``save``)."""
    record = local_home().read_record()
    if record is None or not is_healthy(record):
        raise LocalAWSError("the local AWS is not running", "start it: nbchalice local start")
    return call_control(record, method, name, body)


def local_home() -> Home:
    """Return the folder of the local AWS (``NBCHALICE_LOCAL_HOME`` overrides it)."""
    override = os.environ.get("NBCHALICE_LOCAL_HOME")
    return Home(Path(override).absolute() if override else platformdirs.user_state_path("nbchalice") / "local")


def describe(home: Home, record: Record) -> LocalAWS:
    """Return what a user of the server needs."""
    return LocalAWS(
        endpoint=f"http://127.0.0.1:{record.port}",
        access_key=record.access_key,
        secret_key=record.secret_key,
        region=REGION,
        account=record.account,
        pid=record.pid,
        state_dir=str(home.root),
        version=record.version,
    )


def prepare(home: Home) -> None:
    """Create the folder, or say why it cannot be used."""
    hint = "free some space, make the folder writable, or set NBCHALICE_LOCAL_HOME to another folder"
    try:
        home.make()
        probe = home.root / f".probe-{os.getpid()}"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
        free = shutil.disk_usage(home.root).free
    except OSError as error:
        raise LocalAWSError(f"cannot write to {home.root}: {error.strerror or error}", hint) from error
    if free < NEEDED_BYTES:
        raise LocalAWSError(f"the disk of {home.root} is full: {free // 1024} KB are left", hint)


def start_lock(home: Home) -> Any:
    """Keep other kernels and commands from starting or stopping the server at the same time."""
    try:
        return lock_file(home.start_lock, blocking=True)
    except OSError as error:
        hint = "make the folder writable, or set NBCHALICE_LOCAL_HOME to another folder"
        raise LocalAWSError(f"cannot write to {home.root}: {error.strerror or error}", hint) from error


def is_healthy(record: Record, seconds: float = HEALTH_SECONDS) -> bool:
    """Whether the recorded server answers, and proves that it is the one that was recorded."""
    if not record.pid or not process_exists(record.pid):
        return False
    nonce = secrets.token_hex(16)
    try:
        answer = request(record, "GET", f"health?nonce={nonce}", seconds)
    except (OSError, HTTPException, ValueError):
        return False
    expected = hmac.new(record.token.encode(), nonce.encode(), "sha256").hexdigest()
    return isinstance(answer, dict) and hmac.compare_digest(str(answer.get("proof", "")), expected)


def clear_dead(record: Record) -> None:
    """End a recorded server that does not answer; never a process that only bears its number."""
    if is_ours(record.pid, record.instance):
        end_process(record.pid)


def start(home: Home, previous: Record | None) -> Record:
    """Start the server process and wait until it answers."""
    python = environment.server_python()
    packages = environment.handler_packages()
    listener = bind(previous.port if previous else 0)
    with listener:
        record = new_record(listener.getsockname()[1], previous)
        home.clear_temporary()
        home.make()
        process = spawn(home, python, packages, listener, record)
    remember_child(process)
    wait_until_healthy(home, record.with_pid(process.pid), process)
    return record.with_pid(process.pid)


def new_record(port: int, previous: Record | None) -> Record:
    """Make the record of a new server; keys stay, so that clients made before a restart go on working."""
    return Record(
        instance=secrets.token_hex(8),
        port=port,
        access_key=previous.access_key if previous else "LKIA" + secrets.token_hex(16).upper(),
        secret_key=previous.secret_key if previous else secrets.token_urlsafe(30),
        token=secrets.token_hex(32),
        account=ACCOUNT,
        version=environment.MINISTACK_VERSION,
    )


def bind(preferred_port: int) -> socket.socket:
    """Listen on the loopback interface, on the port of last time if it is free."""
    for port in {preferred_port: None, 0: None}:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(512)
        except OSError as error:
            listener.close()
            failure = error
        else:
            return listener
    raise LocalAWSError(f"no loopback port can be opened: {failure}", "check the firewall of this machine") from failure


def spawn(home: Home, python: Path, packages: Path, listener: socket.socket, record: Record) -> subprocess.Popen[bytes]:
    """Start the launcher in a session of its own, with nothing of this process but the socket."""
    settings = server_settings(home, packages, listener.fileno(), record)
    command = [str(python), "-I", str(Path(__file__).with_name("launcher.py")), "--instance", record.instance]
    try:
        with home.log.open("ab") as log:
            home.log.chmod(0o600)
            process = subprocess.Popen(
                command,
                cwd=home.root,
                env=server_environment(home, record),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(listener.fileno(),),
                start_new_session=True,
            )
    except OSError as error:
        raise LocalAWSError(
            f"the local AWS did not start: {error}", f"remove {python.parents[1]} and try again"
        ) from error
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(settings).encode() + b"\n")
        process.stdin.close()
    except OSError:
        pass  # it ended already; waiting for it tells why
    return process


def server_settings(home: Home, packages: Path, fd: int, record: Record) -> dict[str, Any]:
    """Return what the server process is told."""
    delays = os.environ.get("NBCHALICE_LOCAL_RETRY_DELAYS", "1,2")
    return {
        "home": str(home.root),
        "socket_fd": fd,
        "record": record.as_dict(),
        "handler_access_key": "ASIA" + secrets.token_hex(16).upper(),
        "handler_secret_key": secrets.token_urlsafe(30),
        "packages": str(packages),
        "user_home": str(Path.home()),
        "user_path": os.environ.get("PATH", ""),
        "idle_seconds": float(os.environ.get("NBCHALICE_LOCAL_IDLE", 4 * 3600)),
        "per_function": int(os.environ.get("NBCHALICE_LOCAL_WORKERS", 4)),
        "total": int(os.environ.get("NBCHALICE_LOCAL_WORKERS_TOTAL", 10)),
        "worker_idle_seconds": float(os.environ.get("NBCHALICE_LOCAL_WORKER_IDLE", 300)),
        "retry_delays": [float(delay) for delay in delays.split(",")],
    }


def server_environment(home: Home, record: Record) -> dict[str, str]:
    """Return all the variables that the server gets; nothing of the user's own."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home.empty),
        "LANG": "C.UTF-8",
        "TMPDIR": str(home.temporary),
        "STATE_DIR": str(home.state),
        "S3_DATA_DIR": str(home.objects),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": record.account,
        "GATEWAY_PORT": str(record.port),
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "LOG_LEVEL": "WARNING",
    }


def wait_until_healthy(home: Home, record: Record, process: subprocess.Popen[bytes]) -> None:
    """Wait for the first answer; raise with the end of the log if it does not come."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if is_healthy(record):
            return
        time.sleep(0.01)
    ended = process.poll() is not None
    if not ended:
        end_process(process.pid)
    what = f"ended with status {process.returncode}" if ended else f"did not answer within {START_SECONDS:.0f} s"
    lines = "\n".join(f"    {line}" for line in last_lines(home.log))
    raise LocalAWSError(f"the local AWS {what}; its log ends with:\n{lines}", f"the whole log: {home.log}")


def wait_for_end(pid: int, seconds: float) -> None:
    """Wait until a process is gone, or the time is up."""
    deadline = time.monotonic() + seconds
    while process_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.005)


def call_control(record: Record, method: str, name: str, body: object = None) -> dict[str, Any]:
    """Call an administration endpoint."""
    try:
        answer = request(record, method, name, 60.0, body)
    except (OSError, HTTPException, ValueError) as error:
        raise LocalAWSError(f"the local AWS did not answer: {error}", "nbchalice local stop, then start") from error
    if not isinstance(answer, dict):
        raise LocalAWSError(f"the local AWS answered {answer!r}")
    return answer


def request(record: Record, method: str, name: str, seconds: float, body: object = None) -> Any:
    """Send one request; the token travels only with administration calls."""
    connection = HTTPConnection("127.0.0.1", record.port, timeout=seconds)
    try:
        headers = {} if name.startswith("health") else {TOKEN_HEADER: record.token}
        content = json.dumps(body) if body is not None else None
        connection.request(method, f"/_nbchalice/{name}", content, headers)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
