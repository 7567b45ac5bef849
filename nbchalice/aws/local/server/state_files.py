"""The state of MiniStack's services: a file for each, loaded apart from the others, saved soon after a change.

What cannot be loaded is never saved over: a damaged file is moved aside, one of a newer release stops the start.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack import app as ministack_app
from ministack.core import persistence, responses
from ministack.services import lambda_svc

from ..shared.home import Home, set_aside, write_text
from .clock_patches import LEAST_SECONDS, move_back, told
from .object_files import ObjectFiles
from .uncopied import apply_uncopied, uncopied

FORMAT = "__ministack_format__"
TRIES = 10
SCOPED = (responses.AccountScopedDict, responses.AccountRegionScopedDict)
QUEUE_URL = re.compile(rb"http://127\.0\.0\.1:(\d+)/\d{12}/")
# What MiniStack saves of a service: its tables, by name.
State = dict[str, Any]
logger = logging.getLogger("nbchalice.state")


class NewerStateError(Exception):
    """The state was saved by a newer release."""


class StateFiles:
    """The files of the state folder.

    Parameters
    ----------
    home : Home
        The folder of the local AWS.
    port : int
        The port that queue URLs bear from now on.
    previous_port : int
        The one that they bore, or 0.
    """

    def __init__(self, home: Home, port: int, previous_port: int = 0) -> None:
        self.home = home
        self._port, self._previous_port = port, previous_port
        self._found: dict[str, State] = {}
        self._unknown: dict[str, State] = {}  # parts that this MiniStack does not know, to be saved again
        self._untouchable: set[str] = set()  # their files could not be loaded, nor moved aside
        self._saved: dict[str, str] = {}  # digest of what each service's file holds
        self._problems: dict[str, str] = {}
        self._ahead = 0.0  # of the clock, as far as is known, is what was saved last
        self.objects = ObjectFiles()
        self._stock_prune = lambda_svc._prune_orphan_code_blobs

    def apply(self) -> None:
        """Put loading in the place of MiniStack's, and keep code that a damaged file may still need."""
        ministack_app._load_persisted_state = self.load
        lambda_svc._prune_orphan_code_blobs = self.prune_code
        self.objects.apply()
        apply_uncopied()

    def read(self) -> None:
        """Read all files; move aside what is damaged.

        Raises
        ------
        NewerStateError
            A newer release saved some of it; nothing was touched.
        """
        contents, damaged = self._contents()
        saved = [self._path(name).stat().st_mtime for name in contents]
        self._ahead = max(saved, default=0.0) - time.time()
        ports = {self._previous_port, *map(int, QUEUE_URL.findall(contents.get("sqs", b"")))} - {0, self._port}
        newer = []
        for name, content in contents.items():
            try:
                document = parse(moved(content, ports, self._port))
            except Exception as error:
                damaged[name] = f"{type(error).__name__}: {error}"
                continue
            if document[FORMAT] > persistence._state_format_version(name):
                newer.append(name)
            elif isinstance(document.get("payload"), dict):
                self._found[name] = document["payload"]
            else:
                damaged[name] = "it has no payload"
        if newer:
            raise NewerStateError(f"the state of {', '.join(newer)} in {self.home.state} was saved by a newer release")
        for name, reason in damaged.items():
            self._set_aside(name, reason)

    def _contents(self) -> tuple[dict[str, bytes], dict[str, str]]:
        contents, unreadable = {}, {}
        for name in ministack_app._state_map:
            path = self._path(name)
            if not os.path.lexists(path):
                continue
            if not path.is_file():  # for example a link to a disk that is not there; a pipe would never end
                unreadable[name] = "it is no file"
                continue
            try:
                contents[name] = path.read_bytes()
            except OSError as error:
                unreadable[name] = str(error)
        return contents, unreadable

    def load(self) -> None:
        """Restore each service; where one fails, the others are restored all the same (``_load_persisted_state``)."""
        for name, module_name in ministack_app._state_map.items():
            if not (payload := self._found.pop(name, None)):
                continue
            module = ministack_app._get_module(module_name)
            before = tables(module)
            try:
                check_shapes(module, payload)
                coded = functions_with_code(payload) if name == "lambda" else {}
                module.load_persisted_state(payload)
            except Exception as error:
                for table, content in before:
                    table._data.clear()
                    table._data.update(content)
                self._set_aside(name, f"{type(error).__name__}: {error}")
                continue
            self._unknown[name] = payload
            self._tell_lost_code(coded)
        if self._ahead > LEAST_SECONDS:
            move_back(self._ahead)
            self.home.add_note(told(self._ahead))

    def _tell_lost_code(self, coded: State) -> None:
        """Make a function whose code file is gone differ from what was deployed, so that a deploy mends it."""
        for name, record in coded.items():
            code = record["code_zip"]
            if code is None or b64encode(hashlib.sha256(code).digest()).decode() != record["config"]["CodeSha256"]:
                lost = "missing" if code is None else "damaged"
                record["config"]["CodeSha256"] = ""
                self.home.add_note(f"the code of function {name} is {lost} in the local AWS: deploy it again")

    def prune_code(self, referenced: set[str]) -> None:
        """Remove code that no function has, unless a damaged file may name it (``_prune_orphan_code_blobs``)."""
        if "lambda" not in self._untouchable and not any(self.home.state.glob("lambda.json.damaged-*")):
            self._stock_prune(referenced)

    def save(self) -> list[str]:
        """Write the state of all services that changed; return what went wrong."""
        for name, get_state in ministack_app._build_persistence_save_dict().items():
            if name in self._untouchable:
                self._problems[name] = f"{self._path(name)} could not be read, and is not written over"
                continue
            try:
                self._save(name, get_state)
                self._problems.pop(name, None)
            except Exception as error:
                self._problems[name] = str(error)
                logger.warning("the state of %s was not saved: %s", name, error)
        return [*(f"{name}: {problem}" for name, problem in self._problems.items()), *self.objects.save()]

    def _save(self, name: str, get_state: Callable[[], State | None]) -> None:
        for tries_left in reversed(range(TRIES)):
            try:
                text = self._text(name, get_state)
                break
            except RuntimeError:  # a table grew meanwhile
                if not tries_left:
                    raise
        digest = hashlib.sha256(text.encode()).hexdigest()
        if text and self._saved.get(name) != digest:
            write_text(self._path(name), text)
            self._saved[name] = digest

    def _text(self, name: str, get_state: Callable[[], State | None]) -> str:
        """Return what the file of a service is to hold; an empty text where it has nothing to save."""
        with uncopied():
            state = get_state()
            if state is None:
                return ""
            document = {
                FORMAT: persistence._state_format_version(name),
                "payload": {**self._kept(name, state), **state},
            }
            return json.dumps(document, default=encoded)

    def _kept(self, name: str, state: State) -> State:
        """Return what was loaded and is unknown here: another release of nbchalice may have saved it."""
        kept = {key: value for key, value in self._unknown.get(name, {}).items() if key not in state}
        self._unknown[name] = kept
        return kept

    def save_all_anew(self) -> None:
        """Let the next save write every file: the date of one is how a start sees that the clock was set back since."""
        self._saved.clear()

    def reset(self) -> None:
        """Forget all resources."""
        ministack_app._reset_all_state()
        for memory in (self._unknown, self._saved, self._problems, self.objects.unsaved):
            memory.clear()
        self._untouchable.clear()
        self.home.clear_damaged()

    def _path(self, name: str) -> Path:
        return self.home.state / f"{name}.json"

    def _set_aside(self, name: str, reason: str) -> None:
        path = self._path(name)
        logger.warning("%s is damaged: %s", path, reason)
        what = f"what the local AWS had saved of {name} is damaged and was not loaded"
        try:
            aside = set_aside(path)
        except OSError as error:
            self._untouchable.add(name)
            self.home.add_note(f"{what}, nor is it saved any more: {path} cannot be moved ({error.strerror})", path)
        else:
            self.home.add_note(f"{what}: it is kept as {aside}; deploy again what is missing", aside)


def encoded(value: object) -> object:
    """Return what JSON can hold in the place of a table or of bytes; a table may grow meanwhile."""
    if isinstance(value, SCOPED):
        table = type(value)()
        table._data.update(value._data)
        value = table
    return persistence._json_default(value)


def moved(content: bytes, ports: set[int], port: int) -> bytes:
    """Return saved state with the endpoint that holds now, where queue URLs bear another port."""
    for old in ports:
        content = content.replace(f"http://127.0.0.1:{old}/".encode(), f"http://127.0.0.1:{port}/".encode())
    return content


def parse(content: bytes) -> State:
    """Return the document of a state file.

    Raises
    ------
    ValueError, and whatever the decoder raises: it is damaged.
    """
    document = json.loads(content.decode(), object_hook=persistence._json_object_hook)
    if not isinstance(document, dict) or type(document.get(FORMAT)) is not int:
        raise ValueError("it is not the state of a service")
    return document


def tables(module: object) -> list[tuple[Any, dict[object, object]]]:
    """Return the tables of a service's module with what they hold."""
    return [(table, dict(table._data)) for table in vars(module).values() if isinstance(table, SCOPED)]


def check_shapes(module: object, payload: State) -> None:
    """Raise TypeError where a saved table is none; a module names its table as its state does, behind a ``_``."""
    for key, value in payload.items():
        table = getattr(module, f"_{key}", None)
        if isinstance(table, SCOPED) and not isinstance(value, SCOPED):
            raise TypeError(f"{key} is not a table")


def functions_with_code(payload: State) -> State:
    """Return the saved functions and versions that have code, by name."""
    functions = {}
    for scope, record in payload["functions"]._data.items():
        for label, each in {"": record, **record.get("versions", {})}.items():
            if each.get("code_zip"):
                functions[f"{scope[-1]}:{label}".rstrip(":")] = each
    return functions
