"""The warm helper process: started once, then asked."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from json import dumps, loads
from pathlib import Path
from typing import Any

from nbchalice.errors import CaptureError
from nbchalice.typed import JSON

ROOT = Path(__file__).parents[3]
_START = "import sys; sys.path.append(sys.argv.pop()); from nbchalice.notebook.sandbox.worker import main; main()"
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_LIKE_LAMBDA = {
    "TZ": ":UTC",
    "HOME": "/home/sbx_user1051",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_CONFIG_FILE": os.devnull,
}


class Helper:
    """One helper process; requests are answered one after the other, each in a fresh, confined fork of it.

    Parameters
    ----------
    seed : int or None
        Of the hashes of texts, which decide about the order of sets. Default: by chance.

    ``confined_by`` tells what confined the last one, as ``sandbox.confine`` returns it, or None before the first.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.confined_by: str | None = None
        self._seed = seed
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Start the process if it is not running; it gets ready while others work."""
        with self._lock:
            self._running()

    def ask(self, request: JSON, folder: Path, timeout: float, modules: Path | None = None) -> Any:
        """Send a request and return its answer.

        Parameters
        ----------
        request : JSON
            ``action`` and what belongs to it; perhaps ``added``, more folders with modules of the user's.
        folder : Path
            The notebook's folder, whose files are not on Lambda.
        timeout : float
            Seconds after which the code is stopped.
        modules : Path or None
            Where the local modules are that come along; by default where the kernel finds them.

        Raises
        ------
        CaptureError
            The process cannot be started or died.
        """
        elsewhere = [path for path in sys.path if path and Path(path).resolve() != folder]
        libraries = [path for path in elsewhere if _holds_libraries(Path(path))]
        own = [str(folder), *request.get("added", ()), *(path for path in elsewhere if path not in libraries)]
        where = {"own": own, "modules": [str(modules)] if modules else own, "libraries": [str(ROOT), *libraries]}
        line = dumps({**request, **where, "along": modules is not None, "timeout": timeout})
        with self._lock:
            for _ in range(2):
                process = self._running()
                try:
                    assert process.stdin is not None and process.stdout is not None
                    process.stdin.write(line + "\n")
                    process.stdin.flush()
                    answer = process.stdout.readline()
                except (BrokenPipeError, OSError):
                    answer = ""
                except BaseException:
                    self._abandon()  # Its answer would be taken for that of the next request.
                    raise
                if answer:
                    return self._told(loads(answer))
                self._stop()
        raise CaptureError("the helper process that checks captured code died", "run it again", code="helper-died")

    @property
    def notes(self) -> list[str]:
        """What the user has to know of how code was confined: nothing where the kernel does it."""
        if self.confined_by != "python":
            return []
        return [
            "this system cannot confine a process (Landlock, seccomp): only Python's own hook held back what was run"
        ]

    def _told(self, answer: JSON) -> Any:
        self.confined_by = answer.get("confined", self.confined_by)
        return answer.get("answer", answer)

    def close(self) -> None:
        """Stop the process."""
        with self._lock:
            self._stop()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
            if self._seed is not None:
                environment["PYTHONHASHSEED"] = str(self._seed)
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-c", _START, str(ROOT)],  # as -I, but for the seed
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**environment, **_LIKE_LAMBDA},
                text=True,
                start_new_session=True,
            )
        return self._process

    def _abandon(self) -> None:
        """Let the process end with the request at hand: only so it ends what that request began."""
        process, self._process = self._process, None
        for pipe in (process.stdin, process.stdout) if process is not None else ():
            if pipe is not None:
                pipe.close()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            if process.stdout is not None:
                process.stdout.close()
            process.kill()
            process.wait()


def _holds_libraries(path: Path) -> bool:
    """Tell whether a folder of ``sys.path`` is Python's own or one of installed packages, not one of local code."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix}
    return bool({"site-packages", "dist-packages"} & set(path.parts)) or any(path.is_relative_to(p) for p in prefixes)


FIRST_SEED = 1
HELPER = Helper(FIRST_SEED)
"""Loads what would be deployed."""
RERUNS = Helper()
"""Runs notebooks from the top."""
_SEEDED: OrderedDict[int, Helper] = OrderedDict()
_MOST_SEEDED = 3


def seeded(seed: int) -> Helper:
    """Return a helper process in which sets of texts have the order of a seed; the last few are kept.

    Parameters
    ----------
    seed : int
        The seed.
    """
    helper = _SEEDED.pop(seed, None) or Helper(seed)
    _SEEDED[seed] = helper
    while len(_SEEDED) > _MOST_SEEDED:
        _SEEDED.popitem(last=False)[1].close()
    return helper


@atexit.register
def _close() -> None:
    for helper in (HELPER, RERUNS, *_SEEDED.values()):
        helper.close()
