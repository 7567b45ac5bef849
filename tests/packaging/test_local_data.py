"""Files beside a local module of one file come along where the module finds them by its own place."""

import io
import json
import subprocess
import sys
import zipfile

import pytest

from nbchalice.notebook_file import read_project
from nbchalice.operations import verified_packages
from nbchalice.packaging.requirements import find_dependencies

from ..notebooks import write

CALL = (
    "import json, sys; sys.path.insert(0, sys.argv[1]); import lambda_function as f; print(f.lambda_handler({}, None))"
)
READS = {
    "os.path": "import os\ndef load():\n    return open(os.path.join(os.path.dirname(__file__), 'rates.txt')).read()",
    "pathlib": "from pathlib import Path\ndef load():\n    return (Path(__file__).parent / 'rates.txt').read_text()",
    "with_name": "from pathlib import Path\ndef load():\n    return Path(__file__).with_name('rates.txt').read_text()",
    "get_data": "import pkgutil\ndef load():\n    return pkgutil.get_data(__name__, 'rates.txt').decode()",
    "sum": "import os\ndef load(name='rates'):\n    return open(os.path.join(os.path.dirname(__file__), name + '.txt')).read()",
    "f-string": "from pathlib import Path\ndef load(n='rates'):\n    return (Path(__file__).parent / f'{n}.txt').read_text()",
    "import": "from pathlib import Path\nTEXT = (Path(__file__).resolve().parent / 'rates.txt').read_text()\nload = lambda: TEXT",
}


def along(folder, source, *files):
    (folder / "helper.py").write_text(source)
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("2.5")
    found = find_dependencies("import helper", folder=folder)
    return [path for path, _ in found.vendored]


@pytest.mark.slow
@pytest.mark.parametrize("way", READS)
def test_a_file_that_a_module_opens_beside_itself_is_there_on_lambda(way, tmp_path):
    assert along(tmp_path, READS[way], "rates.txt", "others.csv") == ["helper.py", "rates.txt"]
    cells = ["import helper", "%%lambda_function\ndef work(event):\n    return helper.load()"]
    (result,) = verified_packages(read_project(write(tmp_path / "n.ipynb", cells))).values()
    root = tmp_path / "root"
    zipfile.ZipFile(io.BytesIO(result.zip)).extractall(root)
    done = subprocess.run([sys.executable, "-I", "-c", CALL, root], capture_output=True, text=True, cwd="/")
    assert json.loads(done.stdout) == 2.5, done.stderr


def test_a_folder_comes_along_where_it_is_part_of_a_path_only(tmp_path):
    files = ["data/a.txt", "data/deep/b.txt", "data/.hidden", "data/c.py"]
    head = "from pathlib import Path\nHERE = Path(__file__).parent\n"
    key = "def load(row):\n    return row['data'], row.get('data'), HERE"
    assert along(tmp_path, head + key, *files) == ["helper.py"]
    assert along(tmp_path, f"{head}DATA = HERE / 'data'", *files) == ["data/a.txt", "data/deep/b.txt", "helper.py"]


@pytest.mark.parametrize(
    "source",
    [
        "def load():\n    return 'rates.txt'",
        "import os\nHERE = os.path.dirname(__file__)\nNAME = '../rates.txt'",
        "import os\nHERE = os.path.dirname(__file__)\nNAME = '.env'\nEND = f'{HERE}' + ''",
        "import os\nHERE = os.path.dirname(__file__)\nNAME = '*.txt'\nTEXT = 'rates.txt\\n'",
    ],
)
def test_nothing_else_comes_along(source, tmp_path):
    (tmp_path / "rates.txt").write_text("outside")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    assert along(folder, source, "rates.txt", ".env") == ["helper.py"]


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (tmp_path / "private.txt").write_text("private")
    (folder / "rates.txt").symlink_to(tmp_path / "private.txt")
    assert along(folder, READS["pathlib"]) == ["helper.py"]
