"""A slice is proved before it is deployed."""

import hashlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.capture.verify import verify, warm
from nbchalice.notebook.cells import Cell
from nbchalice.notebook.sandbox.helper import HELPER

from .harness import expectation
from .test_fixtures import captured, packaged


def piece_of(*sources, namespace=None):
    cells = [Cell(f"c{order}", f"cell {order + 1}", source, order) for order, source in enumerate(sources)]
    return slice_handler(cells, "h", notebook="nb.ipynb", namespace=namespace)


def kernel_of(*sources):
    space = {"__name__": "__main__"}
    for source in sources:
        exec(source, space)
    return space


H = "def h(event):\n    return "


@pytest.fixture(autouse=True, scope="module")
def helper():
    warm()


@pytest.mark.parametrize(
    "sources",
    [
        ["A = [1, {'x': (2, 3.5)}, {4}, b'x', None]", H + "A"],
        ["def f(x, y=[1]):\n    return [g(x) for _ in y]\ndef g(x):\n    return x", H + "f(1)"],
        ["class P:\n    k = 1\n    def __init__(self):\n        self.v = [self.k]\np = P()\np.v.append(2)", H + "p.v"],
        [
            "import json, re\nR = re.compile('a+')\nfrom functools import partial\nf = partial(int, base=2)",
            H + "[R, f, json]",
        ],
        ["def make(n):\n    def inner():\n        return n\n    return inner\none = make(1)", H + "one()"],
        ["from enum import Enum\nclass C(Enum):\n    A = 1\nX = C.A", H + "X"],
        [
            "import datetime, decimal, pathlib\nX = [datetime.date(2020, 1, 1), decimal.Decimal('1.5'), pathlib.Path('/a')]",
            H + "X",
        ],
        ["from dataclasses import dataclass\n@dataclass(frozen=True)\nclass D:\n    x: int = 1\nd = D(2)", H + "d"],
    ],
)
def test_equal_values_pass(sources):
    space = kernel_of(*sources)
    assert not verify(piece_of(*sources), namespace=space).cached
    assert verify(piece_of(*sources), namespace=space).cached


@pytest.mark.parametrize(
    ("source", "behind", "says"),
    [
        ("A = [1]", "A.append(2)", "A is [1, 2] in the kernel, [1] in the captured module (from cell 1)"),
        ("A = 1", "A = 1.0", "A is 1.0 in the kernel, 1 in the captured module"),
        ("A = {'x': {'y': 1}}", "A['x']['y'] = 2", "A is {'x': {'y': 2}}"),
        ("def A():\n    return 1", "def A():\n    return 2", "A (constants) is 2 in the kernel, 1 in"),
        ("class A:\n    x = 1", "A.x = 2", "A.x is 2 in the kernel, 1 in the captured module"),
        ("class K:\n    pass\nA = K()", "A.z = 1", "A.z is 1 in the kernel, and is not in the captured module"),
        ("A = 'short'", "A = 'AKIA' + 'QWERTYUIOPASDFGH'", "A is <hidden> in the kernel"),
        ("A = 'short'", "A = 'redis://:hun' + 'ter2x9@cache'", "A is <hidden> in the kernel, 'short' in"),
        ("A = {'password': 'a'}", "A['password'] = 'hun' + 'ter2x9'", "A is <hidden> in the kernel, {'password': 'a'}"),
        ("A = {'n': 1}", "A['db'] = {'pwd': b'hun' + b'ter2x9'}", "A is <hidden> in the kernel, {'n': 1} in"),
        ("class K:\n    pass\nA = K()", "A.db_password = 'hun' + 'ter2x9'", "A.db_password is <hidden> in the kernel"),
    ],
)
def test_a_difference_names_variable_values_and_cells(source, behind, says):
    space = kernel_of(source, H + "A")
    exec(behind, space)
    with pytest.raises(NbChaliceError) as caught:
        verify(piece_of(source, H + "A"), namespace=space)
    assert type(caught.value).__name__ == "DivergedError"
    assert says in str(caught.value)
    assert "hunter" not in str(caught.value)
    assert "run cell 1" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        ("A = 1 / 0", "import-failed", "ZeroDivisionError"),
        ("import no_such_module_here as A", "import-failed", "No module named"),
        ("import os\nA = os.environ['NB_NOT_THERE']", "import-failed", "--env NAME=VALUE"),
        (
            "import socket\nA = socket.create_connection(('127.0.0.1', 9))  # nbchalice: include",
            "needs-bundle",
            "network is not used",
        ),
        (
            "import subprocess\nA = subprocess.run(['true'])  # nbchalice: include",
            "needs-bundle",
            "no other program",
        ),
        ("A = open('LOCAL').read()  # nbchalice: include", "reads-local-file", "reads a local file"),
        ("A = open('data.csv').read()  # nbchalice: include", "reads-local-file", "data.csv"),
        ("A = open('out.txt', 'w')  # nbchalice: include", "import-failed", "write below /tmp"),
        ("import logging\nA = logging.FileHandler('app.log')", "import-failed", "write below /tmp"),
        ("import os\nA = os._exit(3)", "import-failed", "ended the process"),
        ("while True:\n    A = 1", "import-failed", "within 1 s"),
    ],
)
def test_what_does_not_import_by_itself(source, code, says, tmp_path):
    local = tmp_path / "local.txt"
    local.write_text("of this computer")
    source = source.replace("LOCAL", str(local))
    with pytest.raises(NbChaliceError) as caught:
        verify(piece_of(source, H + "A"), timeout=1)
    assert caught.value.code == code, caught.value
    assert says in str(caught.value)


def test_scratch_files_may_be_written():
    source = "import logging\nA = logging.FileHandler('/tmp/nbchalice-test.log')"
    Path("/tmp/nbchalice-test.log").touch()
    assert verify(piece_of(source, H + "A.name"))


@pytest.mark.parametrize("shape", ["libraries below the notebook", "the notebook below libraries"])
def test_data_of_libraries_may_be_read(shape, tmp_path, monkeypatch):
    (tmp_path / "site-packages" / "lib").mkdir(parents=True)
    (tmp_path / "site-packages" / "lib" / "__init__.py").write_text("")
    (tmp_path / "site-packages" / "lib" / "data.json").write_text("1")
    (tmp_path / "site-packages" / "notebooks").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    source = (
        "import lib, pathlib\nA = (pathlib.Path(lib.__file__).parent / 'data.json').read_text()  # nbchalice: include"
    )
    below = shape.startswith("libraries")
    assert verify(piece_of(source, H + "A"), folder=tmp_path if below else tmp_path / "site-packages" / "notebooks")


def test_data_of_local_packages_comes_along(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "__init__.py").write_text(
        "import pathlib\nA = pathlib.Path(__file__).with_name('a.txt').read_text()"
    )
    (tmp_path / "own" / "a.txt").write_text("1")
    (tmp_path / "beside.txt").write_text("1")
    along = [(f"own/{path.name}", path.read_bytes()) for path in (tmp_path / "own").iterdir()]
    assert verify(piece_of("from own import A", H + "A"), folder=tmp_path, vendored=along)
    reads = f"import own\nA = open({str(tmp_path / 'beside.txt')!r}).read()  # nbchalice: include"
    with pytest.raises(NbChaliceError, match="reads a local file"):
        verify(piece_of(reads, H + "A"), folder=tmp_path, vendored=along)


def test_a_bundle_is_loaded_once_for_all_edits_of_the_handler(tmp_path):
    source = "import time\n%chalice bundle m\nA = 1"
    content = b"[1, 2]"
    (tmp_path / "m.json").write_bytes(content)
    entry = {"format": "json", "sha256": hashlib.sha256(content).hexdigest(), "file": str(tmp_path / "m.json")}

    def check(edit, kernel, **changed):
        cells = [Cell("a", "cell 1", source, 0), Cell("b", "cell 2", f"def h(event):\n    return m, A, {edit}", 1)]
        piece = slice_handler(cells, "h", notebook="nb.ipynb", bundles={"m": ()})
        verify(piece, namespace={"m": kernel, "A": 1}, bundles={"m": {**entry, **changed}})

    check(1, [1, 2])
    (tmp_path / "m.json").unlink()
    check(2, [1, 2])
    with pytest.raises(NbChaliceError, match="the bundle 'm' cannot be read"):
        check(2, [1, 2, 3])
    with pytest.raises(NbChaliceError, match="the bundle 'm' cannot be read"):
        check(3, [1, 2], sha256="0")
    (tmp_path / "m.json").write_bytes(content)
    with pytest.raises(NbChaliceError, match=r"m is \[1, 2, 3\] in the kernel, \[1, 2\] in the captured module"):
        check(4, [1, 2, 3])


def test_a_failing_line_is_named():
    with pytest.raises(NbChaliceError) as caught:
        verify(piece_of("B = 0\n\nA = 1 / B", H + "A"))
    assert "cell 1, line 3: A = 1 / B" in str(caught.value)


def test_a_variable_of_this_computer_is_told_as_such(monkeypatch):
    monkeypatch.setenv("NBCHALICE_TEST_TABLE", "orders")
    source = "import os\nTABLE = os.environ.get('NBCHALICE_TEST_TABLE', 'none')"
    piece = piece_of(source, H + "TABLE")
    with pytest.raises(NbChaliceError, match="TABLE is 'orders' in the kernel, 'none' in") as caught:
        verify(piece, namespace={"TABLE": "orders"})
    assert "give it to the function with --env" in caught.value.hint
    verify(piece, namespace={"TABLE": "orders"}, env={"NBCHALICE_TEST_TABLE": "orders"})


def test_the_home_folder_is_not_that_of_this_computer():
    source = "import os\nHOME = os.environ.get('HOME')"
    with pytest.raises(NbChaliceError, match="HOME is"):
        verify(piece_of(source, H + "HOME"), namespace=kernel_of(source))


def test_environment_of_the_function_is_set():
    piece = piece_of("import os\nA = os.environ['NB_TABLE']", H + "A")
    assert verify(piece, env={"NB_TABLE": "t"}, namespace={"A": "t"})


def test_credentials_are_not_there(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    verify(piece_of("import os\nA = os.environ.get('AWS_ACCESS_KEY_ID')", H + "A"), namespace={"A": None})


def test_syntax_of_the_target():
    with pytest.raises(NbChaliceError) as caught:
        verify(
            piece_of(H + "1\ntry:\n    A = 1\nexcept* ValueError:\n    A = 2", "def h(event):\n    return A"),
            python="3.10",
        )
    assert caught.value.code == "target-syntax"


def test_star_import_that_lacks_a_name():
    with pytest.raises(NbChaliceError) as caught:
        verify(piece_of("from math import *", H + "floorr(1)"))
    assert "floorr is not defined" in str(caught.value)


def test_what_the_user_answers_for_is_not_compared():
    sources = ["import random\nA = random.random()  # nbchalice: include", H + "A"]
    assert verify(piece_of(*sources), namespace=kernel_of(*sources))


def test_what_the_handler_changes_is_not_compared():
    sources = ["SEEN = {}\ndef remember(x):\n    SEEN[x] = 1", "def h(event):\n    remember(event)\n    return SEEN"]
    space = kernel_of(*sources)
    space["h"]("a")
    assert verify(piece_of(*sources), namespace=space)


def test_edits_are_verified_by_one_process_that_stays():
    from nbchalice.notebook.sandbox.helper import HELPER

    processes = set()
    for edit in range(3):
        assert verify(piece_of("A = 1", f"def h(event):\n    return A + {edit}"), namespace={"A": 1})
        processes.add(HELPER._running().pid)
    assert len(processes) == 1


@pytest.mark.parametrize("name", [name for name in packaged() if not expectation(name).get("static")])
def test_every_fixture_is_verified(name):
    piece, _, space = captured(name)
    assert verify(piece, python="3.11", namespace=space)


def test_local_modules_that_do_not_come_along_cannot_be_imported(tmp_path):
    (tmp_path / "nb_helper.py").write_text("A = 1\n")
    piece = piece_of("from nb_helper import A", H + "A")
    with pytest.raises(NbChaliceError, match="nb_helper"):
        verify(piece, folder=tmp_path)
    verify(piece, folder=tmp_path, vendored=[("nb_helper.py", b"A = 1\n")])
    with pytest.raises(NbChaliceError, match="ZeroDivisionError"):
        verify(piece, folder=tmp_path, vendored=[("nb_helper.py", b"A = 1 / 0\n")])


def test_a_check_that_was_interrupted_does_not_answer_for_the_next(tmp_path):
    def interrupt():
        while not children(helper):
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    verify(piece_of("A = 1.5", H + "A"))
    helper = HELPER._process.pid
    module = "import itertools\nfor _ in itertools.count():\n    pass"
    request = {"action": "verify", "module": module, "segments": [], "notebook": "nb.ipynb", "names": ["A"]}
    request |= {"reads": [], "imported": {}, "bundles": {}}
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        HELPER.ask(request, tmp_path, timeout=20)
    thread.join()
    verify(piece_of("A = 2", H + "A"), namespace=kernel_of("A = 2"))


def children(pid):
    """Return the processes that a process has started and that go on."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(child) for child, parent in map(str.split, listed.splitlines()) if int(parent) == pid]
