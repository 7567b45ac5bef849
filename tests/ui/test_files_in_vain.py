"""Without a kernel: what a file of this computer would have made is not known, wherever its lack is caught."""

import sqlite3

import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook_file import read_project
from nbchalice.operations import verified_packages

from ..notebooks import write

pytestmark = pytest.mark.slow

H = "%%lambda_function\ndef h(event):\n    return "
TRIED = "try:\n    R = {}\nexcept Exception:\n    R = []"
READ = {
    "pandas": ("import pandas as pd", "pd.read_csv('sample.csv')['ID'].tolist()"),
    "pandas' C reader": ("import pandas as pd", "pd.read_csv('sample.csv', engine='c').ID.tolist()"),
    "pandas looks first": ("import pandas as pd", "pd.read_json('rows.json').ID.tolist()"),
    "open": ("", "open('sample.csv').readlines()"),
    "a whole path": ("", "open({folder!r} + '/sample.csv').readlines()"),
    "the descriptor": ("import os", "os.read(os.open('sample.csv', os.O_RDONLY), 99)"),
    "open_code": ("import io", "io.open_code({folder!r} + '/sample.csv').read()"),
    "pathlib": ("from pathlib import Path", "Path('sample.csv').read_text()"),
    "NumPy": ("import numpy as np", "np.loadtxt('sample.csv', skiprows=1).tolist()"),
    "a raw array": ("import numpy as np", "np.fromfile('sample.csv', 'u1').tolist()"),
    "SQLite": ("import sqlite3", "sqlite3.connect('rows.db').execute('select id from rows').fetchall()"),
    "SQLite's address": (
        "import sqlite3",
        "sqlite3.connect('file:rows.db?mode=ro', uri=True).execute('select id from rows').fetchall()",
    ),
    "a class of the library": (
        "import configparser",
        "dict(configparser.ConfigParser().read('rows.ini') and {{1: 2}})",
    ),
    "a local module": ("import reader", "reader.rows()"),
}
LISTED = {
    "a folder": ("import os", "[name for name in os.listdir('.') if name.endswith('.csv')]"),
    "a folder below": ("import os", "os.listdir('data')"),
    "a pattern": ("from glob import glob", "glob('*.csv')"),
    "a pattern of pathlib": ("from pathlib import Path", "[str(one) for one in Path('.').glob('*.csv')]"),
}


@pytest.fixture
def beside(tmp_path):
    (tmp_path / "sample.csv").write_text("ID\n1\n2\n")
    (tmp_path / "rows.json").write_text('[{"ID": 1}]')
    (tmp_path / "rows.ini").write_text("[a]\nb = 1\n")
    (tmp_path / "reader.py").write_text(
        "def rows():\n    try:\n        return list(open('sample.csv'))\n    except OSError:\n        return []\n"
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.csv").write_text("x")
    with sqlite3.connect(tmp_path / "rows.db") as database:
        database.execute("create table rows (id)")
    database.close()
    return tmp_path


def notes(folder, *cells):
    project = read_project(write(folder / "n.ipynb", cells))
    verified_packages(project)
    return project.proven.notes()


@pytest.mark.parametrize("case", READ)
def test_what_a_file_would_have_made_is_not_compared_though_its_lack_is_caught(case, beside):
    imports, read = READ[case]
    cells = [imports or "pass", TRIED.format(read.format(folder=str(beside))), f"{H}R"]
    told = notes(beside, *cells)
    assert any("not compared with a run of the notebook: R (cell 2, line 1 asks for" in note for note in told), told


@pytest.mark.parametrize("case", LISTED)
def test_what_is_made_of_the_names_of_files_is_refused(case, beside):
    imports, read = LISTED[case]
    with pytest.raises(CaptureError, match="R comes from .* which tells of this computer"):
        notes(beside, imports, TRIED.format(read), f"{H}R")


def test_a_function_that_catches_it_is_seen_through(beside):
    cells = [
        "def rows(name):\n    try:\n        return open(name).read()\n    except OSError:\n        return ''",
        "R = rows('sample.csv')",
    ]
    assert any("R (cell 2, line 1 asks for sample.csv, a file of" in note for note in notes(beside, *cells, f"{H}R"))


def test_settings_of_a_file_of_variables_are_not_compared(beside):
    (beside / ".env").write_text("REPORT_TO=ops@example.org\n")
    pytest.importorskip("pydantic_settings")
    cells = [
        "from pydantic_settings import BaseSettings, SettingsConfigDict",
        "class S(BaseSettings):\n    model_config = SettingsConfigDict(env_file='.env')\n    report_to: str = 'nobody'",
        "settings = S()",
        f"{H}settings.report_to",
    ]
    assert any("settings (cell 3, line 1 asks for .env, a file" in note for note in notes(beside, *cells))


@pytest.mark.parametrize(
    "made",
    [
        "try:\n    R = open('absent.csv').read()\nexcept OSError:\n    R = []",
        "import sqlite3\ndatabase = sqlite3.connect(':memory:')\nR = database.execute('select 1').fetchall()",
        "NAME = 'sample.csv'\nR = NAME.upper()",
        "import os\nR = os.path.basename('data/one.csv')",
        "import matplotlib, pandas, sqlite3, http.client\nR = 1",
    ],
)
def test_what_no_file_of_this_computer_made_is_compared(made, beside):
    assert not [note for note in notes(beside, made, f"{H}R") if "not compared" in note]


DOTENV = {
    "the .env beside it": (".env", "load_dotenv()"),
    "by its name": ("prod.env", "load_dotenv('prod.env')"),
    "of the module": (".env", "dotenv.load_dotenv(override=True)"),
}


@pytest.mark.parametrize("case", DOTENV)
def test_a_variable_that_a_file_would_set_is_told(case, tmp_path, monkeypatch):
    monkeypatch.delenv("REPORT_TO", raising=False)
    file, loads = DOTENV[case]
    (tmp_path / file).write_text("# of the report\nexport REPORT_TO = 'ops@example.org'\nOTHER=1\n")
    cells = [f"import os, dotenv\nfrom dotenv import load_dotenv\n{loads}", "TO = os.getenv('REPORT_TO', 'nobody')"]
    says = "h: set here only, not for the function: REPORT_TO (cell 2, line 1); give it with --env REPORT_TO=VALUE"
    assert says in notes(tmp_path, *cells, f"{H}TO")
    given = H.replace("%%lambda_function", "%%lambda_function --env REPORT_TO=ops")
    assert not [note for note in notes(tmp_path, *cells, f"{given}TO") if "set here only" in note]
    assert not [
        note for note in notes(tmp_path, cells[0].rpartition("\n")[0], cells[1], f"{H}TO") if "set here" in note
    ]


def test_the_first_cause_is_named_and_not_what_followed(beside):
    cells = ["A = [1]", "TEXT = open('sample.csv').read()", "env = {'a': TEXT}", "print(A, env['a'])", f"{H}A"]
    (left,) = notes(beside, *cells)
    assert "not compared with a run of the notebook: A (cell 2, line 1: FileNotFoundError" in left
    assert "NameError" not in left


@pytest.mark.parametrize(("options", "variable"), [("", "REPORT_TO"), (", env_prefix='shop_'", "SHOP_REPORT_TO")])
def test_a_field_of_settings_that_a_file_would_set_is_told(options, variable, tmp_path, monkeypatch):
    monkeypatch.delenv(variable, raising=False)
    (tmp_path / ".env").write_text(f"{variable}=ops@example.org\n")
    cells = [
        "from dotenv import load_dotenv\nfrom pydantic_settings import BaseSettings\nload_dotenv()",
        f"class S(BaseSettings{options}):\n    cc: str = ''\n    report_to: str = 'nobody'",
        "settings = S()",
    ]
    says = f"h: set here only, not for the function: {variable} (cell 2, line 3); give it with --env {variable}=VALUE"
    assert says in notes(tmp_path, *cells, f"{H}settings.report_to")
