"""The Pythons on which what nbchalice makes must run, as far as this computer has them."""

import functools
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import uv

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
OWN = f"3.{sys.version_info[1]}"
OTHERS_SLOW = [version if version == OWN else pytest.param(version, marks=pytest.mark.slow) for version in VERSIONS]
MISSING = "no Python "


@functools.cache
def find(version):
    """Return the interpreter of a Python version if pyenv or uv has one on this computer."""
    if version == OWN:
        return Path(sys._base_executable)  # without the packages of the environment of the tests
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if kept:
        return kept[-1]
    command = [uv.find_uv_bin(), "python", "find", "--no-python-downloads", "--no-project", version]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def find_or_skip(version):
    """Return the interpreter, or skip the test, which `count_missing` then counts."""
    found = find(version)
    if found is None:
        pytest.skip(f"{MISSING}{version}")
    return found


def count_missing(skipped):
    """Return how many of the skipped tests wanted which Python, for their reports."""
    reasons = [report.longrepr[2].removeprefix("Skipped: ") for report in skipped]
    return Counter(reason.removeprefix(MISSING) for reason in reasons if reason.startswith(MISSING))
