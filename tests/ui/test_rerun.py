"""Without a kernel, the notebook run from the top in the confined process proves what is shipped."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest

from nbchalice.cli import code_of
from nbchalice.errors import CaptureError
from nbchalice.notebook.capture import rerun
from nbchalice.notebook.sandbox.helper import RERUNS
from nbchalice.notebook_file import read_project
from nbchalice.operations import verified_packages, write_packages

from ..notebooks import write
from .test_registering import shipped

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def confined(request):
    """The notebook runs only where the kernel confines the process."""
    answer = RERUNS.ask(
        {
            "action": "rerun",
            "statements": [],
            "sources": {},
            "notebook": "n.ipynb",
            "names": [],
            "imported": {},
            "watch": [],
            "bundles": {},
            "codecs": [],
            "seconds": 1,
        },
        Path.cwd(),
        20,
    )
    if "missing" in answer and request.node.name != "test_where_the_kernel_confines_a_process_the_notebook_runs":
        pytest.skip(answer["missing"])
    return "missing" not in answer


def test_where_the_kernel_confines_a_process_the_notebook_runs(confined):
    from nbchalice.confinement import landlock

    assert confined == bool(landlock.version())


H = "%%lambda_function\ndef h(event):\n    return "


def from_the_top(cells):
    """Return what the handler answers after all cells ran, one after the other."""
    space = {"__name__": "__main__"}
    for cell in cells:
        exec("\n".join(line for line in cell.split("\n") if not line.startswith("%%")), space)
    return space["h"]({})


TAKEN = {
    "loop that stops": ["rows = iter([1, 2, 3])", "for head in rows:\n    break", f"{H}list(rows)"],
    "membership": ["rows = iter([1, 2, 3])", "2 in rows", f"{H}list(rows)"],
    "draw": ["import random\nrng = random.Random(1)", "first = rng.random()", f"{H}rng.random()"],
    "queue": ["import queue\nq = queue.Queue()\nq.put(1)\nq.put(2)", "x = q.get()", f"{H}q.get_nowait()"],
    "bound method": ["import array\na = array.array('i', [1])", "add = a.append\nadd(2)", f"{H}list(a)"],
    "globals": ["RATE = 1", "globals()['RATE'] = 5", f"{H}RATE"],
    "buffer": ["import io\nbuf = io.StringIO()", "print('x', file=buf)", f"{H}buf.getvalue()"],
    "function in a dict": [
        "RATES = {'a': 1}\ndef raise_rates():\n    RATES['a'] += 1\nACTIONS = {'up': raise_rates}",
        "for name in ACTIONS:\n    ACTIONS[name]()",
        f"{H}RATES",
    ],
    "two that build on each other": [
        "import io\nbuf = io.StringIO('a\\nb\\nc')",
        "one = buf.readline()",
        "two = buf.readline()",
        f"{H}buf.read()",
    ],
}


@pytest.mark.parametrize("case", TAKEN)
def test_what_the_run_shows_to_change_a_value_comes_along(case, tmp_path):
    cells = TAKEN[case]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    write_packages(project, tmp_path / "out")
    assert shipped(tmp_path, tmp_path / "out", "h") == json.loads(json.dumps(from_the_top(cells)))


def test_what_comes_along_is_told_with_cell_and_line(tmp_path, capsys):
    path = write(tmp_path / "n.ipynb", TAKEN["function in a dict"])
    assert code_of(["package", str(path), "--out", str(tmp_path / "out")]) == 0
    told = "h: cell 2, line 1: for name in ACTIONS: comes along: a run shows that it changes RATES"
    assert told in capsys.readouterr().out


def test_a_condition_that_is_true_in_a_notebook_only(tmp_path):
    cells = ["CONFIG = {}", "if __name__ == '__main__':\n    CONFIG['debug'] = True", f"{H}CONFIG"]
    with pytest.raises(CaptureError, match=r"CONFIG is \{'debug': True\} when the notebook runs from the top, \{\} in"):
        verified_packages(read_project(write(tmp_path / "n.ipynb", cells)))


@pytest.mark.parametrize("gone", ["del globals()['CONFIG']", "exec('del ' + 'CONFIG')", "globals().pop('CONFIG')"])
def test_a_name_that_the_notebook_deletes_out_of_sight(tmp_path, gone):
    cells = ["CONFIG = {}", gone, f"{H}CONFIG"]
    with pytest.raises(CaptureError, match="CONFIG is not there any more when the notebook was run from the top"):
        verified_packages(read_project(write(tmp_path / "n.ipynb", cells)))
    verified_packages(read_project(write(tmp_path / "n.ipynb", [*cells[:2], "CONFIG = {}", cells[2]])))


def test_a_module_in_a_folder_that_the_notebook_adds_is_found(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "far.py").write_text("RATES = [1]\n")
    (tmp_path / "nb").mkdir()
    cells = ["import os, sys\nsys.path.insert(0, os.path.join('..', 'lib'))", "import far\nSIZE = len(far.RATES)"]
    told = notes(tmp_path / "nb", *cells, f"{H}[far.RATES, SIZE]")
    assert not told
    project = read_project(tmp_path / "nb" / "n.ipynb")
    write_packages(project, tmp_path / "out")
    assert shipped(tmp_path, tmp_path / "out", "h") == [[1], 1]


def notes(tmp_path, *cells):
    project = read_project(write(tmp_path / "n.ipynb", cells))
    verified_packages(project)
    return project.proven.notes()


def test_what_hangs_on_what_cannot_run_is_not_compared_and_said(tmp_path):
    (tmp_path / "rates.json").write_text('{"a": 2}')
    told = notes(
        tmp_path,
        "import json\nRATES = {'a': 1}\nSIZE = 3",
        "print(len(RATES), json.load(open('rates.json')))",
        f"{H}RATES['a'] * SIZE",
    )
    assert len(told) == 1
    assert told[0].startswith("h: not compared with a run of the notebook: RATES (cell 2, line 1: FileNotFoundError")
    assert "SIZE" not in told[0]


def test_a_value_made_anew_from_what_is_known_is_compared_again(tmp_path):
    assert notes(tmp_path, "A = [1]", "print(A, open('x'))", "A = [2]", f"{H}A") == []


def test_what_is_made_of_an_unknown_value_is_not_compared_through_functions_either(tmp_path):
    cells = [
        "import json\nextra = []\nA = [1]\ndef more():\n    return len(extra)",
        "print(extra, json.load(open('extra.json')))",
        "if more():\n    A.append(more())",
        f"{H}A",
    ]
    (told,) = notes(tmp_path, *cells)
    assert "A (cell 2, line 1: FileNotFoundError" in told


def test_values_of_chance_and_of_the_moment_do_not_differ(tmp_path):
    assert notes(tmp_path, "import random\nRATE = random.Random(3).random()", "x = random.random()", f"{H}RATE") == []


def test_an_endless_cell_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(rerun, "CPU_SECONDS", 0.3)
    (told,) = notes(tmp_path, "A = [1]\nB = [2]", "while True:\n    len(B)", f"{H}A + B")
    assert "B (cell 2, line 1 takes long)" in told
    assert "A (" not in told


def test_a_cell_that_ends_the_process_leaves_the_rest_uncompared(tmp_path):
    (told,) = notes(tmp_path, "A = [1]", "import os\nos._exit(3)", f"{H}A")
    assert told.startswith("h: not compared with a run of the notebook: it ends its process")


def test_several_handlers_share_one_run(tmp_path, monkeypatch):
    asked = []
    ask = RERUNS.ask

    def counted(request, *rest, **more):
        asked.append(request["action"])
        return ask(request, *rest, **more)

    monkeypatch.setattr(RERUNS, "ask", counted)
    cells = [f"A = [{os.getpid()}]", *(f"{H}A".replace("def h", f"def {name}") for name in ("one", "two", "three"))]
    verified_packages(read_project(write(tmp_path / "n.ipynb", cells)))
    assert asked.count("rerun") == 1


def test_what_a_notebook_writes_beside_itself_is_written_elsewhere(tmp_path):
    cells = [
        "import json\nRATES = {'a': 1}",
        "with open('rates.json', 'w') as f:\n    json.dump(RATES, f)",
        "BACK = json.load(open('rates.json'))\nassert BACK == RATES",
    ]
    assert notes(tmp_path, *cells, f"{H}RATES") == []
    assert [path.name for path in tmp_path.iterdir()] == ["n.ipynb"]


def test_nobody_notices_the_run(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        marks = [tmp_path / name for name in ("open", "mkdir", "shell", "ctypes")]
        kept = tmp_path / "kept"
        kept.write_text("kept")
        notebook = write(
            tmp_path / "n.ipynb",
            [
                "A = [1]",
                f"open({str(marks[0])!r}, 'w').write('x')",
                f"import os\nos.mkdir({str(marks[1])!r})",
                f"os.system('touch {marks[2]}')",
                f"import ctypes\nctypes.CDLL(None).creat({str(marks[3]).encode()!r}, 0o600)",
                f"os.remove({str(kept)!r})",
                f"import socket\nsocket.create_connection(('127.0.0.1', {port}))",
                f"os.kill({os.getpid()}, 15)",
                f"{H}A",
            ],
        )
        verified_packages(read_project(notebook))
        with pytest.raises(TimeoutError):
            server.accept()
    assert [mark for mark in marks if mark.exists()] == []
    assert kept.read_text() == "kept"
    assert threading.main_thread().is_alive()


@pytest.mark.parametrize(
    "asks",
    [
        "try:\n    get_ipython()\n    HERE = True\nexcept NameError:\n    HERE = False",
        "def kind():\n    try:\n        return type(get_ipython()).__name__\n    except NameError:\n        return ''\nHERE = kind()",
        "import sys\nHERE = 'ipykernel' in sys.modules",
        "import sys\nHERE = hasattr(sys, 'ps1')",
        "import builtins\nHERE = hasattr(builtins, '__IPYTHON__')",
        "from IPython import get_ipython\nHERE = get_ipython() is not None",
        "import os\nHERE = 'JPY_PARENT_PID' in os.environ",
    ],
)
def test_code_that_asks_whether_it_is_in_a_notebook_hears_that_it_is(asks, tmp_path):
    with pytest.raises(CaptureError, match="HERE (is .* when the notebook runs from|comes from)"):
        verified_packages(read_project(write(tmp_path / "n.ipynb", [asks, f"{H}HERE"])))


def test_what_needs_a_kernel_is_not_compared_and_disturbs_nothing_else(tmp_path):
    cells = ["get_ipython().run_line_magic('precision', '3')", "RATE = 1", "display(RATE)\nIn, Out, _", f"{H}RATE"]
    assert notes(tmp_path, *cells) == []


def test_a_variable_that_is_set_here_only_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_TABLE", "orders")
    monkeypatch.setenv("SHOP_OTHER", "x")
    read = (
        "import os\ndef table():\n    return os.environ['SHOP_TABLE'], os.getenv('SHOP_ABSENT'), os.environ.get('PATH')"
    )
    (note,) = notes(tmp_path, read, f"{H}table()")
    says = "h: set here only, not for the function: SHOP_TABLE (cell 1, line 3); give it with --env SHOP_TABLE=VALUE"
    assert note == says
    assert notes(tmp_path, read, f"%%lambda_function --env SHOP_TABLE=orders\n{H.partition(chr(10))[2]}table()") == []
    assert notes(tmp_path, "%env SHOP_TABLE=orders", read, f"{H}table()") == []
    assert notes(tmp_path, read, "os.environ.update(SHOP_TABLE='orders')", f"{H}table()") == []
