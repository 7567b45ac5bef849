"""The server process: MiniStack behind the guard, with faithful Lambda, saving its state."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..shared.home import NEWER_STATE_STATUS, Home, Record, lock_file, set_aside, signature_of_path, write_json
from ..shared.limits import not_enforced
from ..shared.logfile import keep_log_small

if TYPE_CHECKING:
    from .patches import StateFiles

logger = logging.getLogger("nbchalice.service")

TICK_SECONDS = 0.25
# How long after a save the next one may begin: saving takes a twentieth of the time, but where that would be too late.
SAVE_SHARE, LEAST_PAUSE, MOST_PAUSE = 20, 0.1, 0.3


@dataclass(frozen=True)
class Settings:
    """What the parent tells the server, on its standard input."""

    home: str
    socket_fd: int
    record: Record
    packages: str
    user_home: str
    user_path: str
    idle_seconds: float
    per_function: int
    total: int
    worker_idle_seconds: float
    retry_delays: tuple[float, ...]
    extensions: tuple[str, ...]
    confinement: str

    @classmethod
    def read(cls, text: str) -> Settings:
        """Parse the JSON document of the parent."""
        document: dict[str, Any] = json.loads(text)
        document["record"] = Record(**document["record"])
        for name in ("retry_delays", "extensions"):
            document[name] = tuple(document[name])
        return cls(**document)


class Service:
    """Wires the parts together and ends them in order."""

    def __init__(self, settings: Settings, state: StateFiles) -> None:
        from ..shared.interpreters import Interpreters
        from .control import Control
        from .extensions import Extension, load_extension
        from .functions import FunctionFolder
        from .guard import Guard
        from .patches import (
            Clock,
            Patches,
            application,
            apply_checks,
            apply_events,
            apply_filters,
            apply_log_groups,
            apply_notifications,
            apply_object_events,
            apply_queue_requests,
            apply_queues,
            apply_recursion,
            apply_requests,
            apply_simulation,
            apply_streams,
            apply_topic_requests,
            role_key,
            wake_poller,
        )
        from .pool import WorkerPool
        from .processes import Spawner
        from .signature import Key, Keys

        record = settings.record
        self.settings = settings
        self.home = Home(Path(settings.home))
        self.endpoint = f"http://127.0.0.1:{record.port}"
        self.spawner = Spawner(settings.confinement, self.home.temporary)
        self.folder = FunctionFolder(self.home.temporary / "functions", self.home.native_layers)
        self.pool = WorkerPool(self._create_worker, settings.per_function, settings.total, freed=wake_poller)
        self.wake_poller = wake_poller
        interpreters = Interpreters(settings.packages, Path(settings.user_home), settings.user_path)
        self.patches = Patches(
            self.pool,
            self.folder,
            interpreters,
            settings.retry_delays,
            settings.per_function,
            sign=partial(signature_of_path, record.token),
        )
        self.patches.apply()
        apply_requests()
        apply_queue_requests()
        apply_queues()
        apply_events()
        apply_filters()
        apply_topic_requests()
        apply_streams()
        apply_notifications()
        apply_recursion()
        apply_object_events()
        apply_log_groups()
        apply_simulation()
        apply_checks()
        self.clock = Clock(self._tell_of_clock)
        self.state = state
        self.state.apply()
        hosts = frozenset(f"{name}:{record.port}" for name in ("127.0.0.1", "localhost"))
        app = application()
        self.extensions: dict[str, Extension] = {}
        for file in map(Path, settings.extensions):
            app = self.extensions[file.stem] = load_extension(file, app)
        self.guard = Guard(
            app,
            control=Control(self),
            token=record.token,
            hosts=hosts,
            keys=Keys(Key(record.access_key, record.secret_key), role_key, self.clock.was_set),
            on_startup=self.restore_events,
            on_call=self.clock.follow,
        )
        self._stopping = asyncio.Event()
        self._save_lock = threading.Lock()
        self._save_cost = 0.0
        self.save_problems: list[str] = []
        self._ending = False

    def _create_worker(self, spec: Any) -> Any:
        from .functions import lambda_variables, log_stream_name
        from .lambda_files import names_of
        from .output import LogStream
        from .patches import RoleKey, log_store
        from .workers import Worker

        name = spec.key.split(":")[-2]
        stream, scratch = log_stream_name(spec.version, name, spec.log_group), self.folder.scratch()
        names = names_of(spec, self.confinement, scratch)
        for text in not_enforced(self.confinement):
            self.home.add_note(text, once=True)
        environment = {
            **lambda_variables(spec, stream, names),
            **spec.environment,
            "AWS_ENDPOINT_URL": self.endpoint,
        }
        function = spec.key.rpartition(":")[0]
        key = RoleKey(spec.role, function)
        store = log_store(spec.log_group, stream, function)

        def write(events: list[tuple[int, str]]) -> None:
            self.guard.unsaved.note()
            store(events)

        log = LogStream(write, self.clock.now)
        return Worker(spec, log, self.spawner, scratch, names=names, environment=environment, key=key)

    async def run(self) -> None:
        """Serve until told to stop."""
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        config = Config()
        config.bind = [f"fd://{self.settings.socket_fd}"]
        config.keep_alive_timeout = 75
        config.loglevel = "WARNING"
        config.graceful_timeout = 0
        saving, housekeeping = loop.create_task(self._saving()), loop.create_task(self._housekeeping())
        serving = loop.create_task(serve(self.guard, config, shutdown_trigger=asyncio.Event().wait))
        stopping = loop.create_task(self._stopping.wait())
        await asyncio.wait({serving, stopping, saving, housekeeping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (serving, saving, housekeeping):
            if task.done() and (error := task.exception()):
                logger.error("the server failed", exc_info=error)
        self.finish()

    def stop_soon(self) -> None:
        """End the process once the answer being written is out."""
        asyncio.get_running_loop().call_later(0.02, self._stopping.set)

    def finish(self) -> None:
        """End everything: workers, state, folders, and this process with its group."""
        self.prepare_end()
        self.home.clear_temporary()
        write_json(self.home.record, {**self.settings.record.as_dict(), "pid": 0})
        for handler in logging.getLogger().handlers:
            handler.flush()
        os.killpg(0, signal.SIGKILL)

    def prepare_end(self) -> list[str]:
        """Refuse calls, end the workers and save, once; return what went wrong."""
        if not self._ending:
            self._ending = True
            self.guard.close()
            self.pool.close()
            self.save()
        return self.save_problems

    def save(self) -> list[str]:
        """Write what changed to disk; return what went wrong."""
        from .patches import trim_logs

        with self._save_lock:
            started = time.thread_time()  # what it costs others, however busy the machine is
            self.guard.unsaved.begin()
            trim_logs()
            self.save_problems = self.state.save()
            try:
                write_json(self.home.events, self.patches.events.pending())
            except OSError as error:
                self.save_problems.append(f"asynchronous events: {error}")
            self.guard.unsaved.end(failed=bool(self.save_problems))
            self._save_cost = time.thread_time() - started
            return self.save_problems

    @property
    def confinement(self) -> str:
        """What confines handlers on this machine."""
        return self.spawner.means

    @property
    def unsaved(self) -> bool:
        """Whether something changed that a crash would lose."""
        return self.guard.unsaved.any

    def restore_events(self) -> None:
        """Take up the asynchronous events that a stop had interrupted."""
        self.guard.unsaved.note()  # what was read may be saved in another form, with another port
        try:
            self.patches.events.restore(json.loads(self.home.events.read_bytes()))
        except FileNotFoundError:
            pass
        except Exception as error:
            aside = set_aside(self.home.events)
            logger.warning("%s is damaged: %s", self.home.events, error)
            self.home.add_note(f"asynchronous events of the local AWS are lost: a damaged file, kept as {aside}", aside)

    def reset(self) -> None:
        """Forget all resources, events and environments."""
        self.patches.events.clear()
        self.pool.kill_all()
        self.state.reset()
        self.folder.clear()

    def _tell_of_clock(self, seconds: float) -> None:
        from .patches import told

        self.home.add_note(told(seconds))
        self.state.save_all_anew()
        self.guard.unsaved.note()

    async def _saving(self) -> None:
        """Save what changed, again and again."""
        while True:
            await asyncio.sleep(min(max(self._save_cost * SAVE_SHARE, LEAST_PAUSE), MOST_PAUSE))
            if self.guard.unsaved.waits:
                await asyncio.to_thread(self.save)

    async def _housekeeping(self) -> None:
        """Reap idle environments, keep the log small, and stop when nobody calls."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.clock.follow()
            await asyncio.to_thread(self.pool.reap, self.settings.worker_idle_seconds)
            if self.pool.has_denied():
                self.wake_poller()
            keep_log_small(self.home.log)
            if time.monotonic() - self.guard.last_call > self.settings.idle_seconds:
                logger.warning("stopping after %s s without a call", self.settings.idle_seconds)
                self._stopping.set()


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
    except (ValueError, OSError):
        pass


def main(environment: Mapping[str, str] = os.environ) -> None:
    """Run the server; called by the launcher."""
    settings = Settings.read(sys.stdin.readline())
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    home = Home(Path(settings.home))
    lock = lock_file(home.server_lock, blocking=False)
    if lock is None:
        raise SystemExit("another local AWS is using this folder")
    record = settings.record.with_pid(os.getpid())
    raise_file_limit()
    from .patches import NewerStateError, StateFiles, check_version

    check_version()
    previous = home.read_record()
    state = StateFiles(home, record.port, previous.port if previous else 0)
    try:
        state.read()
    except NewerStateError as error:
        print(error, file=sys.stderr, flush=True)
        raise SystemExit(NEWER_STATE_STATUS) from None
    write_json(home.record, record.as_dict())
    lock.truncate(0)
    lock.write(json.dumps(record.as_dict()).encode())  # a copy, should the record be damaged
    lock.flush()
    asyncio.run(run(settings, state))


async def run(settings: Settings, state: StateFiles) -> None:
    """Make the service inside the event loop and run it."""
    await Service(settings, state).run()
