"""The folder of the local AWS: state, log, locks, and the record by which the running server is found again.

Standard library only: the server process uses it too.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import shutil
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import IO, Any

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

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON-ready data."""
        return asdict(self)

    def with_pid(self, pid: int) -> Record:
        """Return the record of a running server."""
        return replace(self, pid=pid)


class Home:
    """Paths inside the folder.

    Parameters
    ----------
    root: the folder.
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
        self.twins = root / "twins"

    def make(self) -> None:
        """Create the folders, readable by their owner only."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root.chmod(0o700)
        for folder in (self.state, self.objects, self.empty, self.temporary):
            folder.mkdir(exist_ok=True, mode=0o700)

    def clear_temporary(self) -> None:
        """Remove unpacked code and the temporary files of handlers."""
        shutil.rmtree(self.temporary, ignore_errors=True)

    def clear_state(self) -> None:
        """Remove everything that was saved."""
        for folder in (self.state, self.objects, self.twins):
            shutil.rmtree(folder, ignore_errors=True)
        self.events.unlink(missing_ok=True)

    def read_record(self) -> Record | None:
        """Return the record, or None where there is none that can be read."""
        try:
            document = json.loads(self.record.read_text())
            return Record(**{item.name: document[item.name] for item in fields(Record) if item.name in document})
        except (OSError, ValueError, KeyError, TypeError):
            return None


def write_json(path: Path, document: Any) -> None:
    """Replace a file by a JSON document."""
    write_text(path, json.dumps(document))


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(fd, "w") as file:
            file.write(text)
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
