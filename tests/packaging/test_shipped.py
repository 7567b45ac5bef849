import ast
import io
import sys
import zipfile
from pathlib import Path

import pytest

from nbchalice.packaging.lean import lean_source
from nbchalice.packaging.shipped import needed_modules, runtime_archive, runtime_sources, unused_names
from nbchalice.runtime.event_kinds import BUILT_IN

from ..interpreters import OTHERS_SLOW
from ..notebook.harness import run_script


def test_a_package_ships_with_its_modules_and_the_archive_is_whole():
    modules = needed_modules(["from nbchalice.runtime import cron"])
    assert {"nbchalice", "nbchalice.runtime", "nbchalice.runtime.cron", "nbchalice.runtime.entry"} <= modules
    archive = zipfile.ZipFile(io.BytesIO(runtime_archive(modules, False)))
    assert archive.testzip() is None and len(archive.namelist()) == len(modules)
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_sources_that_cannot_be_parsed_ask_for_nothing():
    assert needed_modules(["from nbchalice.errors import ("]) == needed_modules([])


@pytest.mark.parametrize(
    ("source", "ships"),
    [
        ("from nbchalice import Chalice", False),
        ("from nbchalice import Chalice, Rate", True),
        ("import nbchalice", False),
        ("from nbchalice import *", True),
        ("import nbchalice as n\nn.Rate(1, n.Rate.HOURS)", True),
        ("from nbchalice import app\napp.Cron", True),
        ("from nbchalice.app import *", True),
        ("import nbchalice\ngetattr(nbchalice, name)", True),
        ("from nbchalice.runtime.schedules import Cron", True),
    ],
)
def test_schedules_ship_only_with_code_that_may_ask_for_them(source, ships):
    assert ("nbchalice.runtime.schedules" in needed_modules([source])) is ships


def test_blueprints_ship_with_code_that_makes_one():
    assert "nbchalice.runtime.blueprint" not in needed_modules(["from nbchalice import Chalice\napp = Chalice('shop')"])
    assert "nbchalice.runtime.blueprint" in needed_modules(["from nbchalice import Blueprint\nextra = Blueprint('x')"])


@pytest.mark.parametrize(
    ("text", "ships"),
    [
        ("@app.on_sqs_message('q')\ndef f(event): pass", {"on_sqs_message"}),
        ("@app.schedule('rate(1 day)')\n@app.on_s3_event('b')\ndef f(event): pass", {"schedule", "on_s3_event"}),
        ("getattr(app, name)('q')(f)", {kind.name for kind in BUILT_IN}),
    ],
)
def test_only_decorators_that_the_code_may_ask_for_ship(text, ships):
    source = f"from nbchalice import Chalice\napp = Chalice('shop')\n{text}"
    packed = runtime_archive(needed_modules([source]), True, unused_names([source]))
    shipped = zipfile.ZipFile(io.BytesIO(packed)).read("nbchalice/runtime/decorators.py").decode()
    assert {kind.name for kind in BUILT_IN if f"def {kind.name}(" in shipped} == ships


@pytest.mark.parametrize(
    ("text", "knows", "without"),
    [
        ("@app.on_sqs_message('q')\ndef f(event): pass", {"on_sqs_message"}, {"_is_of_s3", "_request_id", "_item_id"}),
        (
            "@app.schedule('rate(1 day)')\n@app.on_s3_event('b')\ndef f(event): pass",
            {"schedule", "on_s3_event"},
            {"_item_id"},
        ),
        # It is given the events of others.
        ("@app.lambda_function()\ndef f(event): pass", {kind.name for kind in BUILT_IN}, set()),
        ("getattr(app, name)('q')(f)", {kind.name for kind in BUILT_IN}, set()),
    ],
)
def test_only_kinds_of_events_that_the_code_may_be_given_ship(text, knows, without):
    source = f"from nbchalice import Chalice\napp = Chalice('shop')\n{text}"
    packed = runtime_archive(needed_modules([source]), True, unused_names([source]))
    shipped = zipfile.ZipFile(io.BytesIO(packed)).read("nbchalice/runtime/event_kinds.py").decode()
    assert {kind.name for kind in BUILT_IN if f"EventKind('{kind.name}'" in shipped} == knows
    helpers = {"_is_of_s3", "_request_id", "_item_id", "_is_scheduled", "_is_other_event", "_bridge_id"}
    assert not any(name in shipped for name in without) and all(name in shipped for name in helpers if not without)


def test_what_nothing_asks_for_goes_and_what_an_f_string_asks_for_stays():
    source = (
        "TABLE = (Kind('tea', _a), Kind('milk', _b))\n_x = 1\n_y = _x\n_z = 2\n"
        "def _a(): return 1\ndef _b(): return _y\ndef _c(): return f'{_z}'\ndef open_(): return _c()\n"
    )
    assert lean_source(source, {"tea"}).split("\n")[:4] == [
        "TABLE = (Kind('milk', _b),)",
        "_x = 1",
        "_y = _x",
        "_z = 2",
    ]
    cut = lean_source(source, {"milk"})
    assert "_y" not in cut and "_x" not in cut and "_z = 2" in cut and "def _c" in cut and "def _a" in cut
    assert "_x = 1" in lean_source(source)


def test_what_only_the_notebook_checks_does_not_ship():
    assert not {"nbchalice.runtime.settings", "nbchalice.runtime.cron"} & needed_modules(["from nbchalice import Rate"])


ALL = runtime_sources(needed_modules(["import nbchalice\nfrom nbchalice.runtime import cron\nx = eval"]))


@pytest.mark.parametrize("path", ALL)
def test_what_ships_is_without_what_only_people_and_type_checkers_read(path):
    short = lean_source(ALL[path])
    assert '"""' not in short and "TYPE_CHECKING:" not in short and " -> " not in short
    assert lean_source(short) == short


LEAN = """
import json, sys
root, sources = json.load(sys.stdin)
sys.path.insert(0, root)
from nbchalice.packaging.lean import lean_source
json.dump({path: lean_source(source) for path, source in sources.items()}, sys.stdout)
"""


@pytest.mark.parametrize("python", OTHERS_SLOW, indirect=True)
def test_what_ships_from_one_python_can_be_read_by_every_other(python):
    """Byte code is for one Python; the source next to it is for those that a function is set to by hand."""
    root = str(Path(__file__).parents[2])
    for path, source in run_script(python, LEAN, [root, ALL]).items():
        ast.parse(source, path, feature_version=(3, 11))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.JoinedStr):
                assert ast.get_source_segment(source, node) in ALL[path]


def test_for_another_python_the_sources_ship_as_they_are():
    modules = needed_modules([])
    archive = zipfile.ZipFile(io.BytesIO(runtime_archive(modules, False)))
    assert {name: archive.read(name).decode() for name in archive.namelist()} == runtime_sources(modules)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("f = app.on_sqs_message('q', **options)(g)", True),
        ("make = partial(app.on_sqs_message, **json.load(file))", True),
        ("def f(**more):\n    return {**more, 'a': 1}", False),
        ("match event:\n    case {'id': 1, **rest}:\n        pass", False),
        ("squares = [n ** 2 for n in range(3)]", False),
    ],
)
def test_options_whose_names_the_text_does_not_say_ship_where_a_call_spreads_them(text, asks):
    both = {"nbchalice.runtime.each_record", "nbchalice.runtime.whole_batch"}
    assert both & needed_modules([text]) == (both if asks else set())


STARS = "from nbchalice import *\napp = Chalice('shop')\nlisted = sorted(name for name in {} if name == 'Rate')"


@pytest.mark.parametrize(
    ("module", "value"),
    [
        (STARS.format("globals()"), ["Rate"]),
        (STARS.format("__import__('nbchalice').__all__"), ["Rate"]),
        ("import nbchalice\nlisted = 'Rate' in dir(nbchalice)", True),
        (
            "import nbchalice as n\nlisted = [str(n.Rate(2, 'hours')), n.app.Chalice('x').app_name]",
            ["rate(2 hours)", "x"],
        ),
        (
            "import nbchalice.app as n\nlisted = [n.Cron.__name__, type(n.Blueprint('x')).__name__]",
            ["Cron", "Blueprint"],
        ),
        ("from nbchalice import app\nlisted = app.SQSEvent({'Records': []}).to_dict()", {"Records": []}),
    ],
)
def test_public_names_that_the_code_says_are_there(tmp_path, module, value):
    archive = tmp_path / "runtime.zip"
    archive.write_bytes(runtime_archive(needed_modules([module]), True, unused_names([module])))
    script = f"import json, sys\nsys.path.insert(0, {str(archive)!r})\n{module}\nprint(json.dumps(listed))"
    assert run_script(sys.executable, script, None) == value
