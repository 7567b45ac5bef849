"""Keeps the server's log file within bounds while it is being written."""

from __future__ import annotations

from pathlib import Path

MAX_BYTES = 4 * 1024 * 1024
KEPT_BYTES = 256 * 1024


def keep_log_small(path: Path) -> None:
    """Cut a long log to its end; the writer appends, so it goes on at the new end."""
    try:
        if path.stat().st_size <= MAX_BYTES:
            return
        with path.open("r+b") as file:
            file.seek(-KEPT_BYTES, 2)
            kept = file.read()
            file.seek(0)
            file.write(kept[kept.find(b"\n") + 1 :])
            file.truncate()
    except OSError:
        pass


def last_lines(path: Path, count: int = 12) -> list[str]:
    """Return the last lines of a log, for an error message."""
    try:
        return path.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return []
