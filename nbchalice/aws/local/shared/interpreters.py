"""Finds on this machine the interpreter that a Lambda runtime names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from .spec import Runtime

PROBE = (
    "import json, sys; print(json.dumps([list(sys.version_info[:3]),"
    " getattr(sys, '_base_executable', None) or sys.executable, sys.base_prefix, sys.base_exec_prefix]))"
)


class Interpreters:
    """Interpreters by runtime name, looked for once.

    Parameters
    ----------
    packages : str
        Folder with boto3, which Lambda's runtime has and the interpreter lacks.
    home : Path
        The user's home, where pyenv and uv keep interpreters.
    path : str
        The user's PATH.
    """

    def __init__(self, packages: str, home: Path, path: str) -> None:
        self._packages = packages
        self._home = home
        self._path = path
        self._known: dict[str, Runtime] = {}
        self._lock = threading.Lock()

    def __call__(self, runtime: str) -> Runtime:
        """Return the interpreter of a runtime such as ``python3.13``, or the nearest there is."""
        with self._lock:
            if runtime not in self._known:
                self._known[runtime] = self._find(runtime)
            return self._known[runtime]

    def _find(self, name: str) -> Runtime:
        match = re.fullmatch(r"python3\.(\d+)", name)
        minor = int(match.group(1)) if match else sys.version_info[1]
        if interpreter := self._exact(minor):
            version, executable, *prefixes = interpreter
            return Runtime(name, executable, version, self._packages, prefixes=tuple(prefixes))
        others = sorted(range(9, 20), key=lambda other: (abs(other - minor), -other))
        for other in others:
            if other != minor and (interpreter := self._exact(other)):
                version, executable, *prefixes = interpreter
                warning = f"{name} is not on this machine: the function runs on Python {version}"
                return Runtime(name, executable, version, self._packages, warning, tuple(prefixes))
        raise FileNotFoundError(f"no Python interpreter for {name}")

    def _exact(self, minor: int) -> list[str] | None:
        for candidate in self._candidates(minor):
            if interpreter := probe(candidate):
                version, *rest = interpreter
                if version[:2] == [3, minor]:
                    return [".".join(map(str, version)), *rest]
        return None

    def _candidates(self, minor: int) -> Iterator[str]:
        if sys.version_info[1] == minor:
            yield sys.executable
        name = f"python3.{minor}"
        for folder in (
            self._home / ".local/share/uv/python",
            self._home / ".pyenv/versions",
            self._home / "Library/Application Support/uv/python",
        ):
            for executable in sorted(folder.glob(f"*3.{minor}[.-]*/bin/{name}"), reverse=True):
                yield str(executable)
        for entry in self._path.split(os.pathsep):
            if entry and (Path(entry) / name).is_file():
                yield str(Path(entry) / name)


def probe(executable: str) -> tuple[list[int], str, str, str] | None:
    """Ask an interpreter for its version, the interpreter that its environment was made from, and its two prefixes."""
    try:
        done = subprocess.run(
            [executable, "-I", "-c", PROBE], capture_output=True, timeout=20, check=True, stdin=subprocess.DEVNULL
        )
        version, base, prefix, exec_prefix = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return version, base, prefix, exec_prefix
