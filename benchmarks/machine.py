"""On what it was measured: the computer, and the versions of what was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from pathlib import Path

PACKAGES = ("boto3", "ipython", "aws-lambda-powertools")


def machine() -> dict[str, str]:
    """Return processor, cores, memory and system; nothing that names the computer or its user."""
    system = _first("/etc/os-release", r'PRETTY_NAME="?([^"\n]*)') or platform.system()
    return {
        "processor": _first("/proc/cpuinfo", r"model name\s*: (.*)") or platform.processor() or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": _memory(),
        "system": f"{system}, {platform.system()} {platform.release().split('-')[0]}",
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of what is measured in this process."""
    found = {"Python": platform.python_version(), "nbchalice": importlib.metadata.version("nbchalice")}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def load() -> str:
    """Return how many processes wanted a processor in the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _memory() -> str:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return f"{pages * size / 2**30:.0f} GiB"


def _first(path: str, pattern: str) -> str:
    file = Path(path)
    found = re.search(pattern, file.read_text(errors="replace")) if file.is_file() else None
    return found[1].strip() if found else ""
