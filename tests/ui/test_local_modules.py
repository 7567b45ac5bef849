"""Local modules come along, and what is deployed is what the kernel imported."""

import importlib
import os
import sys

import pytest

from .test_registering import shipped

HANDLER = "%%lambda_function\ndef price(event):\n    return convert(event)"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write files beside the notebook, as an editor does; their modules are forgotten at the end."""
    monkeypatch.syspath_prepend(tmp_path)
    before, clock = set(sys.modules), iter(range(10, 1000, 10))

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (next(clock),) * 2)
        importlib.invalidate_caches()
        return path

    yield write
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def test_a_package_may_read_its_own_files_when_it_is_imported(run, write, local_aws):
    write(
        "rates/__init__.py",
        "import json, pathlib\nRATES = json.loads(pathlib.Path(__file__).with_name('r.json').read_text())\n",
    )
    write("rates/r.json", '{"a": 2}')
    run("from rates import RATES")
    run("%%lambda_function\ndef price(event):\n    return RATES['a']")
    run("%chalice deploy")
    assert run("%chalice invoke price").result == 2
    run("%chalice delete --yes")


def test_a_file_that_a_module_finds_beside_itself_comes_along(run, write, local_aws):
    write("beside.py", "import pathlib\nRATES = pathlib.Path(__file__).with_name('r.json').read_text()\n")
    write("r.json", '{"a": 2}')
    run("from beside import RATES")
    run("%%lambda_function\ndef price(event):\n    return RATES")
    run("%chalice deploy")
    assert run("%chalice invoke price").result == '{"a": 2}'
    run("%chalice delete --yes")


def test_a_file_that_a_module_finds_in_the_working_folder_is_not_on_lambda(run, write, local_aws):
    write("lone.py", "import pathlib\nRATES = pathlib.Path('r.json').read_text()\n")
    write("r.json", '{"a": 2}')
    run("from lone import RATES")
    run("%%lambda_function\ndef price(event):\n    return RATES")
    error = run.error("%chalice plan")
    assert error.code == "reads-local-file" and "r.json" in error.message


def test_a_module_found_by_a_path_that_the_notebook_added(run, write, local_aws, tmp_path):
    write("../lib/far.py", "def convert(event):\n    return 'far'\n")
    run("import sys\nsys.path.append('../lib')")
    run("from far import convert")
    run(HANDLER)
    assert run("%chalice plan").changes
    sys.path.remove("../lib")


KEEPS = (
    "RATES = {'a': 1}\nLEVEL = 1\ndef convert(event):\n    return [RATES, LEVEL]\ndef note(key):\n    RATES[key] = 2\n"
)


@pytest.mark.parametrize(
    "change",
    [
        "todo = {'now': keeps.note}\ntodo['now']('b')",
        "globals()['keeps'].LEVEL = 7",
        "exec('keeps.LEVEL = 7')",
        "keeps.LEVEL = 7\n\nimport importlib\nfor one in [keeps]:\n    importlib.reload(one)\n\nfrom keeps import convert",
        "keeps.LEVEL = 7\n\nimport importlib\nimportlib.reload(keeps)\n\nfrom keeps import convert",
    ],
)
def test_what_a_local_module_keeps_is_as_in_the_kernel(run, write, tmp_path, change):
    write("keeps.py", KEEPS)
    run("from keeps import convert\nimport keeps")
    for cell in change.split("\n\n"):
        run(cell)
    run(HANDLER)
    kernel = sys.modules["keeps"].convert({})
    run("%chalice package --out out")
    assert shipped(tmp_path, tmp_path / "out", "price") == kernel


def test_what_a_local_module_keeps_and_cannot_be_set_there_is_told(run, write):
    write("keeps.py", KEEPS)
    run("from keeps import convert")
    run("vars(__import__('ke' + 'eps'))['LEVEL'] = 7")
    run(HANDLER)
    notes = "\n".join(run("%chalice package --out out").notes)
    assert "keeps.LEVEL is not here what it will be on Lambda" in notes


def test_what_a_local_module_reads_of_the_moment_is_no_error(run, write):
    write("clock.py", "import time, threading\nSTART = time.time_ns()\nlock = threading.Lock()\nconvert = str\n")
    run("import clock")
    run("%%lambda_function\ndef price(event):\n    return clock.convert(1)")
    run("%chalice package --out out")


def test_a_module_edited_after_it_was_imported_stops_the_deploy(run, write, local_aws):
    write("edited.py", "def convert(event):\n    return 1\n")
    run("import edited\nfrom edited import convert")
    run(HANDLER)
    assert run("%chalice plan").changes
    write("edited.py", "def convert(event):\n    return 22\n")
    assert str(run.error("%chalice package")) == str(run.error("%chalice plan"))
    error = run.error("%chalice plan")
    assert error.message == "edited.py was edited after the kernel imported it" and "importlib.reload" in error.hint
    run("import importlib\nimportlib.reload(edited)")
    error = run.error("%chalice plan")
    assert error.message == "convert is still the one from before edited was reloaded"
    assert "cell 3, line 2: from edited import convert" in str(error)
    run("from edited import convert")
    assert run("%chalice plan").changes
    assert "22" not in run("%chalice show price").text
    write("edited.py", "def convert(event):\n    return 22\n")
    assert run("%chalice plan").changes, "the same text is not an edit"


def test_autoreload_keeps_the_kernel_at_the_file(run, write, local_aws):
    write("watched.py", "RATE = 1\ndef convert(event):\n    return RATE\n")
    run("from watched import convert")
    run(HANDLER)
    write("watched.py", "RATE = 10\ndef convert(event):\n    return RATE\n")
    run("%load_ext autoreload\n%autoreload 2")
    assert run.error("%chalice plan").code == "stale-module"
    write("watched.py", "RATE = 2\ndef convert(event):\n    return RATE + 1\n")
    assert run("%chalice plan").changes
    run("%autoreload 0")


def test_an_edit_is_verified_again_where_the_notebook_is_only_read(write, local_aws, tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    from nbchalice.errors import CaptureError
    from nbchalice.notebook_file import read_project
    from nbchalice.operations import verified_packages

    nbformat.write(
        new_notebook(cells=[new_code_cell(c) for c in ("from sound import convert", HANDLER)]), tmp_path / "n.ipynb"
    )
    write("sound.py", "def convert(event):\n    return 1\n")
    assert verified_packages(read_project(tmp_path / "n.ipynb"))
    write("sound.py", "def convert(event):\n    return 1\n1 / 0\n")
    with pytest.raises(CaptureError, match="ZeroDivisionError"):
        verified_packages(read_project(tmp_path / "n.ipynb"))


@pytest.mark.parametrize(
    ("made", "reads"),
    [
        ("import os\nNAME = 'r.json'", "open(os.path.join('.', NAME)).read()"),
        ("from pathlib import Path\nNAMES = ['r.json']", "[(Path('.') / name).read_text() for name in NAMES]"),
        ("import os", "os.path.exists('r.json')"),
        ("import os\nBASE = 'data'", "open(BASE + '/' + 'deep.csv').read()"),
        ("YEAR = 'de'", "open(f'data/{YEAR}ep.csv').read()"),
        ("def load(name):\n    return open('%s.json' % name)", "load('r').read()"),
        (
            "import jinja2\nPAGES = jinja2.Environment(loader=jinja2.FileSystemLoader('data'))",
            "PAGES.get_template('deep.csv').render()",
        ),
    ],
)
def test_a_file_whose_path_is_computed_when_the_handler_runs_is_told(run, write, made, reads):
    write("r.json", "{}")
    write("data/deep.csv", "a\n")
    run(made)
    run(f"%%lambda_function\ndef price(event):\n    return {reads}")
    notes = "\n".join(run("%chalice package --out out").notes)
    assert "price: files of this computer, which are not on Lambda, are named: " in notes
    assert "cell 4, line 3" in notes or "cell 3, line" in notes


@pytest.mark.parametrize(
    "body",
    [
        "{'r.json': 1}.get(event)",
        "open(event + '.json').read()",
        "open('/tmp/r.json', 'w').write('r')",
        "open('/etc/' + 'hostname').read()",
    ],
)
def test_a_text_that_is_no_file_here_is_not_told(run, write, body):
    write("r.json", "{}")
    run(f"%%lambda_function\ndef price(event):\n    return {body}")
    assert not [note for note in run("%chalice package --out out").notes if "files of this computer" in note]


def test_a_value_that_differs_because_its_file_is_not_on_lambda_names_the_file(run, write, monkeypatch, tmp_path):
    write("rates.csv", "49\n")
    monkeypatch.chdir(tmp_path)
    run("try:\n    with open('rates.csv') as file:\n        RATE = file.read()\nexcept OSError:\n    RATE = ''")
    run("%%lambda_function\ndef price(event):\n    return RATE")
    error = run.error("%chalice package --out out")
    assert error.code == "diverged" and "RATE is" in error.message
    assert error.hint.startswith("cell 3, line 1 asks for rates.csv, a file of this computer, which is not on Lambda: ")
    assert "%chalice bundle RATE" in error.hint
    run("%chalice bundle RATE")
    run("%chalice package --out out")
    assert shipped(tmp_path, tmp_path / "out", "price") == "49\n"
