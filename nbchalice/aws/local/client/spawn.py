"""Starts the server process and waits for its first answer."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path

from nbchalice.aws.local.shared.home import NEWER_STATE_STATUS, Home, Record
from nbchalice.aws.local.shared.logfile import last_lines
from nbchalice.errors import LocalAWSError
from nbchalice.polling import Pace, poll
from nbchalice.runtime import __version__
from nbchalice.typed import JSON

from . import environment
from .connection import is_healthy
from .process import end_process

LAUNCHER = Path(__file__).parents[1] / "server" / "launcher.py"
ACCOUNT = "000000000000"
START_SECONDS = 60.0


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
        release=__version__,
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
    command = [str(python), "-I", str(LAUNCHER), "--instance", record.instance]
    command += ["--home", str(home.root)]
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


def server_settings(home: Home, packages: Path, fd: int, record: Record) -> JSON:
    """Return what the server process is told."""
    delays = os.environ.get("NBCHALICE_LOCAL_RETRY_DELAYS", "1,2")
    return {
        "home": str(home.root),
        "socket_fd": fd,
        "record": record.as_dict(),
        "packages": str(packages),
        "user_home": str(Path.home()),
        "user_path": os.environ.get("PATH", ""),
        "idle_seconds": float(os.environ.get("NBCHALICE_LOCAL_IDLE") or 4 * 3600),
        "per_function": int(os.environ.get("NBCHALICE_LOCAL_WORKERS") or 4),
        "total": int(os.environ.get("NBCHALICE_LOCAL_WORKERS_TOTAL") or 10),
        "worker_idle_seconds": float(os.environ.get("NBCHALICE_LOCAL_WORKER_IDLE") or 300),
        "retry_delays": [float(delay) for delay in delays.split(",")],
        "confinement": os.environ.get("NBCHALICE_LOCAL_CONFINEMENT") or "namespaces",
        "extensions": [file for file in os.environ.get("NBCHALICE_LOCAL_EXTENSIONS", "").split(os.pathsep) if file],
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

    def healthy_or_ended() -> bool:
        return process.poll() is not None or is_healthy(record)

    answers = poll(healthy_or_ended, time.monotonic() + START_SECONDS, Pace(0.01, 0.1))
    ended = process.poll() is not None
    if answers and not ended:
        return
    if process.returncode == NEWER_STATE_STATUS:
        hint = "upgrade nbchalice, or start from nothing: nbchalice local reset"
        raise LocalAWSError(f"{last_lines(home.log)[-1]}; nothing was changed", hint)
    if not ended:
        end_process(process.pid)
    what = f"ended with status {process.returncode}" if ended else f"did not answer within {START_SECONDS:.0f} s"
    lines = "\n".join(f"    {line}" for line in last_lines(home.log))
    hint = (
        f"if files of {environment.server_folder()} are damaged, remove it: it is made anew; the whole log: {home.log}"
    )
    raise LocalAWSError(f"the local AWS {what}; its log ends with:\n{lines}", hint)
