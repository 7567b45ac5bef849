"""What would pass unnoticed in the tests is told."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .log_groups import read_events, read_lines, read_streams

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
EACH_PYTHON = """
import pytest
from .interpreters import VERSIONS

@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("python", VERSIONS, indirect=True)
def test_it(python, number):
    assert python.exists()
"""
STARTS = """
import subprocess, sys

def test_before():
    pass

def test_culprit():
    {start}

def test_after():
    pass
"""
MARKERS = "local_aws: x"


@pytest.fixture
def tests(tmp_path):
    """Run tests that have the fixtures of these tests; return what pytest says."""

    def run(text, *words, **environment):
        folder = tmp_path / "tests"
        folder.mkdir()
        (folder / "local_aws").mkdir()
        helpers = [path.name for path in HERE.glob("*.py") if not path.name.startswith("test_")]
        for name in (*helpers, "local_aws/faults.py"):
            shutil.copy(HERE / name, folder / name)
        (folder / "test_it.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
        command += ["--basetemp", tmp_path / "inner"]
        command += ["--rootdir", tmp_path, "-c", os.devnull, "-o", f"markers={MARKERS}", *words, folder]
        environment = {**os.environ, **environment}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.run(command, env=environment, cwd=tmp_path, **streams).stdout

    return run


@pytest.mark.parametrize("words", [[], ["-n", "1"]], ids=["one process", "xdist"])
def test_a_python_that_is_missing_is_named_with_what_was_not_run(tests, tmp_path, words):
    nowhere = str(tmp_path / "nowhere")
    out = tests(EACH_PYTHON, *words, HOME=nowhere, PATH=nowhere, UV_PYTHON_INSTALL_DIR=nowhere)
    own = f"3.{sys.version_info[1]}"
    told = {
        version: f"No Python {version} here, so 2 tests were not run" in out
        for version in ("3.11", "3.12", "3.13", "3.14")
    }
    assert told == {version: version != own for version in told}, out
    assert "2 passed, 6 skipped" in out


@pytest.mark.local_aws
@pytest.mark.parametrize(
    ("start", "outcome"),
    [
        ("from nbchalice.aws.local.client import server; server.ensure_running()", "1 failed, 2 passed"),
        ("subprocess.run([sys.executable, '-m', 'nbchalice', 'local', 'start'], check=True)", "3 passed, 1 error"),
    ],
    ids=["here", "in another process"],
)
def test_who_starts_a_local_aws_unmarked_is_named(tests, start, outcome):
    out = tests(STARTS.format(start=start), "-m", "not local_aws")
    assert "test_it.py::test_culprit starts a local AWS, without the marker local_aws" in out and outcome in out, out


def test_a_log_group_that_is_not_there_yet_has_no_lines_yet(aws):
    """An environment that is still starting has no log group; on a slow machine a test asks before there is one."""
    logs = aws("logs")
    assert [read(logs, "not-started-yet") for read in (read_events, read_lines, read_streams)] == [[], [], []]


def test_logs_are_read_in_one_place():
    reads = re.compile(r"""(filter_log_events|describe_log_streams)(\(logGroupName|"\))""")
    found = [path.relative_to(HERE).as_posix() for path in HERE.rglob("*.py") if reads.search(path.read_text())]
    assert found == ["log_groups.py"]
