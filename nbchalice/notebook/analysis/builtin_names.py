"""The builtins that Lambda has: IPython and extensions put more into the kernel's own."""

from __future__ import annotations

import builtins
import subprocess
import sys
from functools import cache

from nbchalice.files import kept

# What Python's own start adds; hooks in site-packages, which Lambda does not have, may add more.
_ASK = "import builtins, site; site.setquit(); site.setcopyright(); site.sethelper(); print(*dir(builtins))"


@cache
def lambda_builtins() -> frozenset[str]:
    """Return the names of builtins of an interpreter into which nobody put anything; each Python is asked once."""
    try:
        return frozenset(kept("builtins", (sys.version, sys.executable, _ASK), _ask).decode().split())
    except (OSError, ValueError, subprocess.SubprocessError):  # Python is embedded in another program
        return frozenset(dir(builtins))


def _ask() -> bytes:
    command = [sys.executable, "-I", "-S", "-c", _ASK]
    return subprocess.run(command, capture_output=True, check=True, timeout=20).stdout


def is_kernels_own(name: str) -> bool:
    """Tell whether a builtin stands in this process that Lambda does not have."""
    return hasattr(builtins, name) and name not in lambda_builtins()
