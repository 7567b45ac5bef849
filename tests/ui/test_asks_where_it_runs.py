"""What asks for folders and their files is a question only where a run shows, or cannot show, that a value keeps it."""

import os
from pathlib import Path

import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook_file import read_project

from .test_proof import H, from_the_file, in_the_kernel
from .test_registrations import write

pytestmark = pytest.mark.slow

IMPORTS = "import glob, os\nfrom pathlib import Path\n"
ONLY_NAMES = {
    "the folder": "ROOT = Path.cwd()\nX = (ROOT / 'rates.csv').name",
    "in a loop": "X = []\nfor folder in [os.getcwd()]:\n    X.append(len(X))",
    "the home": "X = Path('~/models/m.bin').expanduser().stem",
    "absolute": "X = Path('missing/x.csv').absolute().suffix",
    "a function": "def root():\n    return Path.cwd()\nX = root().anchor",
}
KEPT = {
    "the folder": "X = Path.cwd().name",
    "a text": "X = os.path.expanduser('~/x')",
    "in an object": "class C:\n    def __init__(self):\n        self.root = Path.cwd()\nX = C()",
    "its files": "X = sorted(path.stem for path in Path('.').glob('*.csv'))",
    "files by the module": "X = [name.upper() for name in glob.glob('*.csv')]",
    "not to be compared": "X = (path for path in [Path.cwd()])",
}


@pytest.mark.parametrize("way", ["kernel", "file"])
@pytest.mark.parametrize("case", ONLY_NAMES)
def test_what_only_builds_names_needs_no_mark(case, way, run, tmp_path):
    cells = [IMPORTS + ONLY_NAMES[case], f"{H}X"]
    if way == "kernel":
        answer, here = in_the_kernel(run, tmp_path, cells)
        assert answer == here
    else:
        project, answer = from_the_file(tmp_path, cells)
        assert project.proven.notes() == [] and answer is not None


@pytest.mark.parametrize("way", ["kernel", "file"])
@pytest.mark.parametrize("case", KEPT)
def test_what_a_value_keeps_is_refused(case, way, run, tmp_path):
    (tmp_path / "rates.csv").write_text("1")
    cells = [IMPORTS + KEPT[case], f"{H}str(X)"]
    if way == "kernel":
        for cell in cells:
            run(cell)
        error = run.error("%chalice package --out out")
    else:
        project = read_project(write(tmp_path / "n.ipynb", cells))
        with pytest.raises(CaptureError) as caught:
            project.verify(project.handlers[0])
        error = caught.value
    assert error.code == "machine-value" and error.location.line > 2


def test_a_kernel_in_the_very_folder_of_the_proof(run):
    before = Path.cwd()
    try:
        for cell in ("import os\nos.chdir(os.sep)", "X = os.getcwd()", f"{H}X"):
            run(cell)
        assert run.error("%chalice package --out /tmp/nowhere").code == "machine-value"
    finally:
        os.chdir(before)


def test_where_nothing_is_run_it_is_refused(run):
    for cell in (IMPORTS + ONLY_NAMES["the folder"], f"{H}X"):
        run(cell)
    assert run.error("%chalice package --out out --no-verify").code == "machine-value"


@pytest.mark.parametrize("way", ["kernel", "file"])
def test_the_hint_for_the_main_guard_works(way, run, tmp_path):
    guarded = 'if __name__ == "__main__":\n    MODE = "here"\nelse:\n    MODE = "there"'
    handler = f"{H}MODE"
    if way == "kernel":
        for cell in (guarded, handler):
            run(cell)
        error = run.error("%chalice package --out out")
    else:
        project = read_project(write(tmp_path / "n.ipynb", [guarded, handler]))
        with pytest.raises(CaptureError) as caught:
            project.verify(project.handlers[0])
        error = caught.value
    assert error.hint.endswith("is false on Lambda: set MODE outside of this condition")
    cells = ['MODE = "here"', handler]
    answer = in_the_kernel(run, tmp_path, cells)[0] if way == "kernel" else from_the_file(tmp_path, cells)[1]
    assert answer == "here"
