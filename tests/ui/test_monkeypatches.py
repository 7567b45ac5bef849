"""A notebook that replaces what the helper process works with: the report is made with what was bound before."""

import json
import sys

import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook.sandbox.unpatched import Unpatched
from nbchalice.notebook_file import read_project

from ..notebooks import write
from .test_proof import from_the_file, in_the_kernel

pytestmark = pytest.mark.slow

PATCHES = {
    "json.dumps": "import json\njson.dumps = lambda *a, **k: 'x'",
    "json.dumps, gone": "import json\ndel json.dumps",
    "JSONEncoder.encode": "import json\njson.JSONEncoder.encode = json.JSONEncoder.iterencode = None",
    "open": "import builtins\nbuiltins.open = None",
    "sorted": "import builtins\nbuiltins.sorted = lambda rows, **k: list(rows)[::-1]",
    "sorted, gone": "import builtins\ndel builtins.sorted",
    "print": "import builtins\nbuiltins.print = None",
    "sys.stdout": "import io, sys\nsys.stdout = sys.stderr = io.StringIO()",
    "pickle.dumps": "import pickle\npickle.dumps = None",
    "os.write": "import os\nos.write = None",
    "os._exit": "import os\nos._exit = lambda code: None",
    "time": "import time\ntime.monotonic = time.process_time = time.time = lambda: 0",
    "time, gone": "import time\ndel time.monotonic, time.process_time",
    "os.fork": "import os\nos.fork = None",
    "Thread": "import threading\nthreading.Thread = None",
    "signal": "import signal\nsignal.signal = signal.setitimer = None",
    "ast": "import ast\nast.parse = ast.walk = None",
    "sys.modules": "import sys\nsys.modules['json'] = None",
    "an open descriptor": "import os\nos.closerange(3, 256)",
    "recursion": "import sys\nsys.setrecursionlimit(100)",
    "trace": "import sys\nsys.settrace(lambda *a: None)",
}


@pytest.mark.parametrize("case", PATCHES)
def test_a_patched_function_changes_no_proof(case, tmp_path):
    value = "[1, {'a': (2, [[[[[[3]]]]]])}]"
    cells = [f"X = {value}", f"%%lambda_function\n{PATCHES[case]}\ndef h(event):\n    return X"]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    handler = project.handlers[0]
    project.verify(handler)
    assert project.proven.notes() == []
    assert PATCHES[case].splitlines()[-1] in project.slice(handler).module


@pytest.mark.parametrize("case", ["json.dumps", "sorted, gone", "os.write", "time", "ast", "trace"])
def test_a_change_after_a_patch_is_seen(case, tmp_path):
    cells = [f"X = [1]\n{PATCHES[case]}", "globals()['X'].append(2)", "%%lambda_function\ndef h(event):\n    return X"]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    project.verify(project.handlers[0])
    assert "globals()['X'].append(2)" in project.slice(project.handlers[0]).module


def test_a_function_that_a_cell_patches_comes_along(tmp_path):
    cells = [
        "import textwrap\ndef quiet(text):\n    return 'quiet'\ntextwrap.dedent = quiet",
        "%%lambda_function\ndef h(event):\n    return textwrap.dedent('  a')",
    ]
    assert from_the_file(tmp_path, cells)[1] == "quiet"


def test_a_patch_in_the_kernel(run, tmp_path, monkeypatch):
    monkeypatch.setattr(json, "dumps", json.dumps)
    cells = [
        "import json, functools\njson.dumps = functools.partial(json.dumps, default=str)",
        "X = [1]",
        "%%lambda_function\ndef h(event):\n    return json.dumps({'x': X, 'of': {1}.__class__})",
    ]
    answer, here = in_the_kernel(run, tmp_path, cells)
    assert answer == here


UNREPORTED = {
    "the process ends": ("import os\nos._exit(3)", "exit status 3", "os._exit"),
    "a signal": (
        "import signal\nsignal.raise_signal(signal.SIGKILL)",
        "signal SIGKILL",
        "signal.raise_signal(signal.SIGKILL)",
    ),
    "all descriptors are closed": ("import os\nos.closerange(3, 1 << 20)", "os.closerange", "os.closerange"),
    "an audit hook": (
        "import sys\ndef refuse(event, arguments):\n    raise RuntimeError(event)\nsys.addaudithook(refuse)",
        "cannot be read: RuntimeError: ",
        "audit hooks",
    ),
}


@pytest.mark.parametrize("case", UNREPORTED)
def test_what_cannot_be_reported_says_why(case, tmp_path):
    ends, why, where = UNREPORTED[case]
    cells = ["X = [1]", f"%%lambda_function\n# nbchalice: include\n{ends}\ndef h(event):\n    return X"]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    try:
        project.verify(project.handlers[0])
        told = "\n".join(project.proven.notes())
    except CaptureError as error:
        told = str(error)
    assert why in told and where in told


def test_what_the_notebook_bound_is_given_back(monkeypatch):
    own, before = lambda: None, json.loads
    held = Unpatched()
    held.hold()
    monkeypatch.setattr(json, "loads", own)
    monkeypatch.delattr(json.JSONDecoder, "raw_decode")
    monkeypatch.delitem(sys.modules, "json.scanner")
    held.restore()
    assert json.loads is before and json.JSONDecoder.raw_decode and "json.scanner" in sys.modules
    assert held.bound(json)["loads"] is own and "raw_decode" not in held.bound(json.JSONDecoder)
    held.give_back()
    assert json.loads is own and not hasattr(json.JSONDecoder, "raw_decode") and "json.scanner" not in sys.modules
