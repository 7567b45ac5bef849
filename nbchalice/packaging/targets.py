"""What Lambda runs: Python versions, architectures, and the wheels that work there."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from nbchalice.errors import PackagingError
from nbchalice.names import RUNTIMES

_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_AMAZON_LINUX_2 = frozenset({"3.11"})


@dataclass(frozen=True)
class LambdaTarget:
    """A Lambda runtime and architecture (AWS Lambda Developer Guide, "Lambda runtimes").

    Parameters
    ----------
    python : str
        `"3.11"` to `"3.15"`.
    arch : str
        `"x86_64"` (default) or `"arm64"`.

    Raises
    ------
    PackagingError
        Another Python version or architecture.
    """

    python: str
    arch: str = "x86_64"

    def __post_init__(self) -> None:
        if self.python not in RUNTIMES:
            raise PackagingError(
                f"Python {self.python} cannot be used on Lambda",
                f"use --python {', '.join(RUNTIMES)}",
                code="unsupported-target",
            )
        if self.arch not in _MACHINES:
            raise PackagingError(
                f"architecture {self.arch} cannot be used on Lambda",
                f"use --arch {' or '.join(_MACHINES)}",
                code="unsupported-target",
            )

    @property
    def uv_platform(self) -> str:
        """The platform as uv names it.

        The runtime for Python 3.11 is Amazon Linux 2 (glibc 2.26), later ones are Amazon Linux 2023
        (glibc 2.34): a wheel made for a newer glibc installs and then fails to import.
        """
        libc = "manylinux2014" if self.python in _AMAZON_LINUX_2 else "manylinux_2_28"
        return f"{_MACHINES[self.arch]}-{libc}"

    @property
    def label(self) -> str:
        """The target in words, for messages."""
        return f"Python {self.python} on {self.arch} ({self.uv_platform.partition('-')[2]})"


@dataclass(frozen=True)
class ThisMachine(LambdaTarget):
    """This machine, as far as it can stand in for Lambda.

    Parameters
    ----------
    python, arch
        As for Lambda.
    """

    @property
    def uv_platform(self) -> str:
        """The platform as uv names it."""
        system = "apple-darwin" if sys.platform == "darwin" else "manylinux_2_28"
        return f"{_MACHINES[self.arch]}-{system}"


def kernel_python() -> str:
    """Return this interpreter's version if Lambda has it, else the nearest that Lambda has."""
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    return mine if mine in RUNTIMES else RUNTIMES[-1]
