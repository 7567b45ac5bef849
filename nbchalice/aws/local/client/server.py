"""Starts, finds, stops and resets the one local AWS of a user."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs

from nbchalice.aws.local.shared import limits
from nbchalice.aws.local.shared.home import Home, Record, lock_file
from nbchalice.errors import LocalAWSError
from nbchalice.runtime import __version__
from nbchalice.typed import JSON

from . import environment
from .connection import call_control, is_healthy
from .environment import Notify
from .process import end_process, is_ours, process_exists, remember_child, servers_in, wait_for_end
from .spawn import bind, new_record, spawn, wait_until_healthy

REGION = "us-east-1"
STOP_SECONDS = 10.0
NEEDED_BYTES = 32 * 1024 * 1024
_starting_again = threading.Lock()  # of several threads whose calls fail, one starts it


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


def ensure_running(notify: Notify | None = None) -> LocalAWS:
    """Return the running local AWS, starting it if there is none.

    Parameters
    ----------
    notify : Notify or None
        Told, for the user, why the first start on a machine takes longer.
    """
    home = local_home()
    if home.record_is_damaged():
        mend(home)
    record = home.read_record()
    if record is not None and is_current(record) and is_healthy(record):
        return describe(home, record)
    prepare(home)
    with start_lock(home):
        record = home.read_record()
        if record is not None:
            if is_healthy(record):
                if is_current(record):
                    return describe(home, record)
                call_control(record, "POST", "stop")
                wait_for_end(record.pid, STOP_SECONDS)
            clear_dead(record)
        return describe(home, start(home, record, notify))


def start_again() -> bool:
    """Start the local AWS where it died, not where it was stopped; whether it had died."""
    with _starting_again:
        record = local_home().read_record()
        if record is None or not record.pid or process_exists(record.pid):
            return False
        ensure_running()
        return True


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
            hint = f"free some space in {home.root}, or make it writable; deploy again what is missing"
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


def mend(home: Home) -> None:
    """Mend the record, from its copy or by the server that still runs: it writes the record when it ends."""
    prepare(home)
    with start_lock(home):
        if home.record_is_damaged() and home.read_record() is None:
            for pid in servers_in(home.root):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGTERM)
                wait_for_end(pid, STOP_SECONDS)
        home.mend_record()


def read_notes(*, news: bool = False) -> list[str]:
    """Return what the user should know of files that were damaged.

    Parameters
    ----------
    news : bool
        Only what was not told yet; it is not told again.
    """
    return local_home().read_notes(news=news)


def not_saved() -> list[str]:
    """Return what of its state the running local AWS could not save."""
    record = local_home().read_record()
    if record is None or not is_healthy(record):
        return []
    return [str(problem) for problem in call_control(record, "GET", "info").get("problems", [])]


def cannot_save() -> str:
    """Return why the running local AWS cannot save its state now, and what helps; an empty text where it can."""
    if not (problems := not_saved()):
        return ""
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    cure = f"free some space in {local_home().root}, or make it writable: until then a crash loses what is new"
    return f"the local AWS cannot save its state ({problems[0]}{more}): {cure}"


def not_enforced() -> list[str]:
    """Return what of Lambda's rules the running local AWS cannot enforce on this machine."""
    record = local_home().read_record()
    if record is None or not is_healthy(record):
        return []
    return limits.not_enforced(str(call_control(record, "GET", "info").get("confinement", "")))


def control(method: str, name: str, body: object = None) -> JSON:
    """Call an administration endpoint of the running local AWS (``faults``, ``info``, ``save``)."""
    record = local_home().read_record()
    if record is None or not is_healthy(record):
        raise LocalAWSError("the local AWS is not running", "start it: nbchalice local start", code="local-aws-stopped")
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
        try:
            probe.write_bytes(b"\0" * 4096)
        finally:
            probe.unlink(missing_ok=True)
        free = shutil.disk_usage(home.root).free
    except OSError as error:
        raise LocalAWSError(f"cannot write to {home.root}: {error.strerror or error}", hint) from error
    if free < NEEDED_BYTES:
        raise LocalAWSError(f"the disk of {home.root} is full: {free // 1024} KB are left", hint)


def start_lock(home: Home) -> IO[bytes]:
    """Keep other kernels and commands from starting or stopping the server at the same time."""
    try:
        lock = lock_file(home.start_lock, blocking=True)
    except OSError as error:
        hint = "make the folder writable, or set NBCHALICE_LOCAL_HOME to another folder"
        raise LocalAWSError(f"cannot write to {home.root}: {error.strerror or error}", hint) from error
    assert lock is not None  # It was waited for.
    return lock


def is_current(record: Record) -> bool:
    """Whether the server runs the MiniStack that this nbchalice was written for, and is no older than it is.

    A newer one stays, so that two kernels with different releases do not stop each other's.
    """
    return record.version == environment.MINISTACK_VERSION and _order(record.release) >= _order(__version__)


def _order(release: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", release)[:3]))


def clear_dead(record: Record) -> None:
    """End a recorded server that does not answer; never a process that only bears its number."""
    if is_ours(record.pid, record.instance):
        end_process(record.pid)


def start(home: Home, previous: Record | None, notify: Notify | None) -> Record:
    """Start the server process and wait until it answers."""
    python = environment.server_python(notify)
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
