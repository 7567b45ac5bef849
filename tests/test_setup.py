"""Which Python `make demo` and `make test` take: the first in PATH that runs and fits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "setup.sh"
NAMES = ["python3", "python3.11", "python3.12", "python3.13", "python3.14", "python3.15"]
SHIM = "#!/bin/sh\necho 'pyenv: python3: command not found' >&2\nexit 127\n"
OLD = "#!/bin/sh\n# Python 3.9 runs, and says that it does not fit.\nexit 1\n"


def program(folder, name, text):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)


def chosen(*path, **environment):
    environment = {"HOME": "/nonexistent", "PATH": os.pathsep.join(map(str, path)), **environment}
    done = subprocess.run(
        ["/bin/sh", SCRIPT, "python"], env=environment, capture_output=True, text=True, check=True, cwd=path[0]
    )
    return done.stdout.strip()


@pytest.fixture
def tools(tmp_path):
    """What the script itself calls, without any Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "mkdir").symlink_to("/bin/mkdir")
    return folder


@pytest.fixture
def good(tmp_path):
    """A folder, with a space in its name, where `python3` is this interpreter."""
    folder = tmp_path / "good python"
    program(folder, "python3", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    return folder


@pytest.mark.parametrize("first", [SHIM, OLD], ids=["shim", "old"])
def test_one_that_does_not_run_or_fit_hides_none_behind_it(tmp_path, tools, good, first):
    for name in NAMES:
        program(tmp_path / "first", name, first)
    assert chosen(tmp_path / "first", tools, good) == sys.executable
    assert chosen(tmp_path / "first", tools) == "none"


def test_the_first_that_fits_is_taken(tools, good, tmp_path):
    program(tmp_path / "later", "python3", "#!/bin/sh\necho later\n")
    assert chosen(good, tools, tmp_path / "later") == sys.executable


def test_no_home_is_no_hindrance(tools, good):
    assert chosen(good, tools, HOME="") == sys.executable
    assert chosen(good, tools, XDG_CACHE_HOME="/dev/null/nowhere") == sys.executable
