"""The log viewer in a browser under 10,000 lines a second, for a minute."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SECONDS = 60


def main() -> None:
    """Print how long the page stood still at the most, and what page and kernel hold at the end; its test measures."""
    root = Path(__file__).parent.parent
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-s",
        "--no-header",
        "tests/browser/test_viewer.py",
        "-k",
        "thousand",
    ]
    subprocess.run(command, cwd=root, check=False, env={**os.environ, "NBCHALICE_FLOOD_LINES": str(SECONDS * 10_000)})
