"""The events that came to a handler, kept beside the notebook for the person alone: a file each, a bounded number."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from nbchalice.events.listeners import LISTENERS
from nbchalice.events.past import Answer, PastEvent
from nbchalice.files import order_of, replace_file
from nbchalice.notebook.secrets import find_secret_value
from nbchalice.runtime.redaction import redacted
from nbchalice.text import readable
from nbchalice.typed import JSON

SWITCH, OFF = "NBCHALICE_HISTORY", "off"
FOLDER = Path(".nbchalice") / "history"
MOST_EVENTS = 100
MOST_BYTES = 256 * 1024
# What is kept is somebody's data: neither other users nor git get it.
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
IGNORED_BY_GIT = b"*\n"
HIDDEN = "(not kept: it holds what looks like a credential)"


class History:
    """The events of one handler: ``.nbchalice/history/<handler>/``.

    Parameters
    ----------
    folder : Path
        The notebook's folder.
    handler : str
        The handler's name.
    redact : Iterable[str]
        Fields whose values are not kept: those of ``--redact``.
    """

    trouble = ""
    """Why the last event could not be kept, or an empty text."""

    def __init__(self, folder: Path, handler: str, redact: Iterable[str] = ()) -> None:
        self.redact = tuple(redact)
        self.root = folder / FOLDER
        self.folder = self.root / handler

    @property
    def off(self) -> str:
        """Why nothing is kept, or an empty text."""
        return f"{SWITCH} is {OFF}" if os.environ.get(SWITCH) == OFF else ""

    def keep(self, one: PastEvent) -> None:
        """Keep an event in place of what is known of it; where that fails, `trouble` says why, and nothing is raised.

        What live mode was given stands for what `send` made: the one that was received is the real one.
        """
        if self.off:
            _tell(one)
            return
        path = self.folder / f"{hashlib.sha256(f'{one.function} {one.id}'.encode()).hexdigest()[:20]}.json"
        standing = _read(path)
        if standing is not None and standing.origin == "live" and one.origin == "send":
            one = replace(standing, values=one.values)
        if standing is not None and standing.answer.is_ended and not one.answer.is_ended:
            one = replace(one, answer=standing.answer)  # it was sent a second time, and dropped as a duplicate
        _tell(one)
        try:
            self._write(path, kept(self._redacted(one)))
            self._prune()
        except OSError as error:
            History.trouble = f"{self.folder} cannot be written: {error.strerror}"
        else:
            History.trouble = ""

    def events(self, function: str) -> list[PastEvent]:
        """Return the events of a function, by its ARN, the oldest first."""
        every = [one for path in self._files() if (one := _read(path)) and one.function == function]
        return sorted(every, key=lambda one: order_of(one.at / 1000))

    def forget(self, function: str) -> int:
        """Remove what is kept of a function, of every target; return how many events that were.

        Parameters
        ----------
        function : str
            Its name, as ``shop-dev-price``: another notebook of the folder may have a handler of the same name.

        Raises
        ------
        OSError
            They cannot be removed.
        """
        every = [(path, _read(path)) for path in self._files()]
        files = [path for path, one in every if one is None or one.function.rpartition(":")[2] == function]
        for path in files:
            path.unlink(missing_ok=True)
        with suppress(OSError):  # it is not there, or something else is in it
            self.folder.rmdir()
        return len(files)

    def _redacted(self, one: PastEvent) -> PastEvent:
        if not self.redact:
            return one
        return replace(one, event=redacted(one.event, self.redact), values=redacted(one.values, self.redact))

    def _files(self) -> Iterator[Path]:
        return self.folder.glob("*.json")

    def _write(self, path: Path, one: PastEvent) -> None:
        ignored = self.root / ".gitignore"
        if not ignored.exists():
            replace_file(ignored, IGNORED_BY_GIT)
        for folder in (self.root, self.folder):
            folder.mkdir(exist_ok=True)
            folder.chmod(PRIVATE_FOLDER)
        replace_file(path, json.dumps(one.to_dict(), default=str).encode(), mode=PRIVATE_FILE)

    def _prune(self) -> None:
        """Remove the oldest above the number that is kept; another kernel may do the same now."""
        ages: list[tuple[tuple[bool, float], Path]] = []
        for path in self._files():
            with suppress(FileNotFoundError):
                ages.append((order_of(path.stat().st_mtime), path))
        for _, path in sorted(ages)[:-MOST_EVENTS]:
            path.unlink(missing_ok=True)


def _tell(one: PastEvent) -> None:
    for tell in LISTENERS:
        tell(one)


def _read(path: Path) -> PastEvent | None:
    """Return an event, or None where its file is gone, damaged, or of another release."""
    try:
        return PastEvent.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def kept(one: PastEvent) -> PastEvent:
    """Return an event as it may be kept: without what is too long, and without what looks like a credential."""
    what = secret_in([one.event, one.values])
    size = len(json.dumps([one.event, one.values], default=str))
    if what:
        missing = f"it was not kept: it holds what looks like {what}"
    elif size > MOST_BYTES:
        missing = f"it was not kept: it has {readable(size)}, more than {readable(MOST_BYTES)}"
    else:
        missing = one.missing
    if missing:
        one = replace(one, event=None, values={}, missing=missing)
    return replace(one, answer=_kept(one.answer))


def _kept(answer: Answer) -> Answer:
    log = tuple(HIDDEN if find_secret_value("", line) else line for line in answer.log)
    if len(json.dumps(answer.result, default=str)) > MOST_BYTES or secret_in(answer.result):
        answer = replace(answer, result=None, has_result=False)
    error = HIDDEN if answer.error and find_secret_value("", answer.error) else answer.error
    return replace(answer, log=log, error=error)


def secret_in(value: object, name: str = "") -> str | None:
    """Name the kind of credential that a value holds, by its look or by its key's name; None: none is seen."""
    if isinstance(value, str):
        return find_secret_value(name, value) or _secret_in_json(value)
    if isinstance(value, dict):
        return next((what for key, inner in value.items() if (what := secret_in(inner, str(key)))), None)
    if isinstance(value, list | tuple):
        return next((what for inner in value if (what := secret_in(inner, name))), None)
    return None


def _secret_in_json(text: str) -> str | None:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        inner: JSON = json.loads(text)
    except ValueError:
        return None
    return secret_in(inner)
