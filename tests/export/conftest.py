"""Chalice itself, in an environment of its own: its pins are not those of these tests."""

import json
import os
import subprocess
import sys

import pytest
import uv

VERSION = "1.34.0"
# Its own command, but for the five seconds that botocore pauses wherever it waits for a function to be active.
COMMAND = """
import sys, time, types
import botocore.waiter
from chalice.cli import main
botocore.waiter.time = types.SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 0.05)))
sys.argv[0] = "chalice"
sys.exit(main())
"""


@pytest.fixture(scope="session")
def chalice_python(tmp_path_factory):
    """The interpreter of an environment with Chalice and nothing of nbchalice."""
    folder = tmp_path_factory.mktemp("chalice") / "venv"
    tool, python = uv.find_uv_bin(), folder / "bin" / "python"
    subprocess.run([tool, "venv", "-q", "-p", sys.executable, str(folder)], check=True)
    subprocess.run([tool, "pip", "install", "-q", "-p", str(python), f"chalice=={VERSION}"], check=True)
    return python


@pytest.fixture
def in_chalice(chalice_python, tmp_path):
    """``in_chalice(code, *words, folder=...)``: run code there, and return the JSON that it prints last."""

    def run(code, *words, folder=tmp_path):
        command = [str(chalice_python), "-c", code, *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture
def chalice(chalice_python, local_aws):
    """``chalice("deploy", folder=...)``: Chalice's own command, on the local AWS."""

    def run(*words, folder):
        environment = {**os.environ, **local_aws.env()}
        command = [str(chalice_python), "-c", COMMAND, *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
