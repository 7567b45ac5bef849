import pytest

from nbchalice.notebook.analysis.search_path import added_folders
from nbchalice.notebook.cells import Cell
from nbchalice.packaging.requirements import find_dependencies


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import sys\nsys.path.append('../lib')", ["lib"]),
        ("sys.path.insert(0, os.path.abspath('../lib'))", ["lib"]),
        ("sys.path.append(os.path.abspath(os.path.join('..', 'lib')))", ["lib"]),
        ("sys.path.append(os.path.abspath(os.path.join(os.pardir, 'lib')))", ["lib"]),
        ("sys.path.insert(0, str(Path.cwd().parent / 'lib'))", ["lib"]),
        ("sys.path += [1]\nsys.path.extend(['../lib', '../other'])", ["lib", "other"]),
        ("root = os.path.abspath('../lib')\nif root not in sys.path:\n    sys.path.append(root)", ["lib"]),
        ("sys.path.append(os.getcwd())", ["nb"]),
        ("%matplotlib inline\nawait x\nsys.path.append('../lib')", ["lib"]),
        ("sys.path.append('../missing')\nsys.path.append(somewhere)\nprint(sys.path)", []),
        ("if x:\n    !ls\nsys.path.append(", []),
        ("# sys.path.append('../lib')", []),
    ],
)
def test_folders_added_by_the_notebook(source, expected, tmp_path):
    for name in ("nb", "lib", "other"):
        (tmp_path / name).mkdir()
    found = added_folders([Cell("a", "cell 1", source, 0)], tmp_path / "nb")
    assert [path.resolve().name for path in found] == expected


def test_modules_in_them_come_along(tmp_path):
    (tmp_path / "far.py").write_text("import yaml\n")
    found = find_dependencies("import far\n", added=[tmp_path])
    assert [name for name, _ in found.vendored] == ["far.py"] and found.requirements[0].startswith("pyyaml==")
