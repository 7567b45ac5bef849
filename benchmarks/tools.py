"""Other tools: installed into environments of their own, and run as in a shell."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

SECONDS = 600


def tool(folder: Path, *packages: str) -> Path:
    """Install a tool into an environment of its own; return its folder of programs."""
    import uv

    keep = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    commands = (
        ["venv", "--no-project", "--seed", "--python", sys.executable, str(folder)],
        ["pip", "install", "--compile-bytecode", "--python", str(folder / "bin" / "python"), *packages],
    )
    for command in commands:
        subprocess.run(
            [uv.find_uv_bin(), *command, "--quiet"], env=keep, check=True, capture_output=True, timeout=SECONDS
        )
    return folder / "bin"


def version(programs: Path, package: str) -> str:
    """Return the version of a tool that was installed."""
    code = f"import importlib.metadata; print(importlib.metadata.version('{package}'))"
    return subprocess.run(
        [programs / "python", "-c", code], check=True, capture_output=True, text=True, timeout=SECONDS
    ).stdout.strip()


def timed(command: list[str], cwd: Path, environment: dict[str, str]) -> float:
    """Return how long a command takes; raise with its last lines when it fails."""
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=SECONDS, input="y\n" * 9, check=False
    )
    if done.returncode:
        raise RuntimeError(" ".join((done.stderr or done.stdout).split())[-300:])
    return time.perf_counter() - started


def environment_of(server: Any, home: Path) -> dict[str, str]:
    """Return variables that lead a tool to the local AWS."""
    return {
        **server.env(), "AWS_REGION": "us-east-1", "HOME": str(home), "PATH": f"{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip


def sam_server_cache(folder: Path) -> Path:
    """Make the local AWS's environments in a folder, with SAM's transform in them; return the folder.

    The user's own are kept as they are: what is installed there brings another botocore, and other answers with it.
    """
    import uv

    from nbchalice.aws.local.client.environment import server_python

    with mock.patch.dict(os.environ, {"NBCHALICE_LOCAL_CACHE": str(folder)}):
        command = [uv.find_uv_bin(), "pip", "install", "--python", str(server_python()), "aws-sam-translator"]
        subprocess.run([*command, "--quiet"], check=True, capture_output=True, timeout=SECONDS)
    return folder
