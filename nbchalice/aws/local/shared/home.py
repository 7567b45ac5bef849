"""The folder of the local AWS: state, log, locks, and the record by which the running server is found again.

Standard library only: the server process uses it too.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import IO, Any

NEWER_STATE_STATUS = 65  # of a server process that found the state of a newer release
TOKEN_HEADER = "x-nbchalice-token"  # noqa: S105 - its name, not a token


def proof(token: str, nonce: str) -> str:
    """Return what only the holder of the token can answer, without giving the token away."""
    return hmac.new(token.encode(), nonce.encode(), hashlib.sha256).hexdigest()


def signature_of_path(token: str, path: str) -> str:
    """Return what lets everyone who was given it read this one path; no `proof` gives it away."""
    return proof(f"path {token}", path)


@dataclass(frozen=True)
class Record:
    """What is known of the server; kept after a stop, so that port and keys stay the same.

    ``version`` is MiniStack's, ``release`` that of the nbchalice which started it.
    """

    instance: str
    port: int
    access_key: str
    secret_key: str
    token: str
    account: str
    version: str
    pid: int = 0
    release: str = ""

    @classmethod
    def parse(cls, content: bytes) -> Record | None:
        """Return the record that a file holds, or None where it holds none."""
        try:
            document = json.loads(content.decode())
            record = cls(**{item.name: document[item.name] for item in fields(cls) if item.name in document})
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        texts = asdict(record)
        numbers = [texts.pop("port"), texts.pop("pid")]
        # `type`, not `isinstance`: true and false are numbers to that, and neither is a port.
        right = all(type(number) is int for number in numbers) and all(type(text) is str for text in texts.values())
        return record if right and 0 < record.port < 65536 and record.pid >= 0 else None

    def as_dict(self) -> dict[str, object]:
        """Return the record as JSON-ready data."""
        return asdict(self)

    def with_pid(self, pid: int) -> Record:
        """Return the record of a running server."""
        return replace(self, pid=pid)


class Home:
    """Paths inside the folder.

    Parameters
    ----------
    root : Path
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.record = root / "server.json"
        self.start_lock = root / "start.lock"
        self.server_lock = root / "server.lock"
        self.log = root / "server.log"
        self.state = root / "state"
        self.objects = root / "objects"
        self.events = root / "events.json"
        self.empty = root / "home"
        self.temporary = root / "tmp"
        self.native_layers = root / "native-layers"
        self.notes = root / "notes.json"
        self.told = root / "notes.told"

    def make(self) -> None:
        """Create the folders, readable by their owner only."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root.chmod(0o700)
        folders = (self.state, self.objects, self.empty, self.temporary)
        files = (self.start_lock, self.server_lock, self.log)
        wrong = [path for path in folders if os.path.lexists(path) and not path.is_dir()]
        wrong += [path for path in files if os.path.lexists(path) and not path.is_file()]
        for path in wrong:
            aside = set_aside(path)
            kind = "folder" if path in folders else "file"
            self.add_note(f"{path} of the local AWS was no {kind}: it is kept as {aside}", aside)
        for folder in folders:
            folder.mkdir(exist_ok=True, mode=0o700)

    def clear_temporary(self) -> None:
        """Remove unpacked code and the temporary files of handlers."""
        shutil.rmtree(self.temporary, ignore_errors=True)

    def clear_state(self) -> None:
        """Remove everything that was saved."""
        for folder in (self.state, self.objects, self.native_layers):
            shutil.rmtree(folder, ignore_errors=True)
        self.events.unlink(missing_ok=True)
        self.clear_damaged()

    def read_record(self) -> Record | None:
        """Return the record, or None where there is none; the server's lock file holds a copy."""
        for path in (self.record, self.server_lock):
            with contextlib.suppress(OSError):
                if (record := Record.parse(path.read_bytes())) is not None:
                    return record
        return None

    def record_is_damaged(self) -> bool:
        """Whether there is a record that cannot be read."""
        try:
            return Record.parse(self.record.read_bytes()) is None
        except FileNotFoundError:
            return False
        except OSError:
            return True

    def mend_record(self) -> None:
        """Move a damaged record aside; the copy takes its place. The caller holds the start lock."""
        if not self.record_is_damaged():
            return
        aside = set_aside(self.record)
        if (copy := self.read_record()) is not None:
            write_json(self.record, copy.as_dict())
            self.add_note(
                f"{self.record.name} of the local AWS was damaged and is mended; it is kept as {aside}", aside
            )
        else:
            what = "make clients of boto3 anew, they know the old key"
            self.add_note(f"{self.record.name} of the local AWS was damaged and is kept as {aside}; {what}", aside)

    def add_note(self, text: str, path: Path | None = None, *, once: bool = False) -> None:
        """Leave a note for the next command; it is of interest as long as the file it is about exists.

        Parameters
        ----------
        once : bool
            Unless the same was noted before.
        """
        if once and any(note["text"] == text for note in self._notes()):
            return
        with contextlib.suppress(OSError):
            write_json(self.notes, [*self._notes(), {"text": text, "path": str(path) if path else None}])

    def read_notes(self, *, news: bool = False) -> list[str]:
        """Return what is to be told of files that were damaged.

        Parameters
        ----------
        news : bool
            Only what was not told yet, once.
        """
        notes = self._notes()
        known = 0
        with contextlib.suppress(OSError, ValueError):
            known = int(self.told.read_text())
        if news and len(notes) > known:
            with contextlib.suppress(OSError):
                write_text(self.told, str(len(notes)))
        return [
            note["text"]
            for number, note in enumerate(notes)
            if (number >= known) or (not news and note["path"] and Path(note["path"]).exists())
        ]

    def _notes(self) -> list[dict[str, Any]]:
        try:
            notes = json.loads(self.notes.read_bytes())
            return [note for note in notes if isinstance(note["text"], str)]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return []

    def clear_damaged(self) -> None:
        """Remove what was moved aside, and the notes of it."""
        for folder in (self.root, self.state):
            for path in folder.glob("*.damaged-*"):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)
        self.told.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Give a damaged file another name, and return that."""
    name = f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%S')}"
    number = 1
    while (aside := path.with_name(name)).exists():
        number += 1
        name = f"{name.split('+', maxsplit=1)[0]}+{number}"
    return path.rename(aside)


def write_json(path: Path, document: object) -> None:
    """Replace a file by a JSON document."""
    write_text(path, json.dumps(document))


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(fd, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a crash of the machine may leave an empty file under the final name
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def lock_file(path: Path, *, blocking: bool) -> IO[bytes] | None:
    """Lock a file until it is closed; None when another process holds it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if blocking else fcntl.LOCK_NB))
    except BlockingIOError:
        file.close()
        return None
    return file
