"""What alters the app belongs to the decorators; of those that cannot be evaluated the cause, its line and its fix are said."""

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.notebook_file import read_project

from ..notebooks import write
from .test_registering import APP

pytestmark = pytest.mark.slow

WORK = "def work(event):\n    return app.prefix"
SETS = {
    "attribute": ["app.prefix = 'x'"],
    "setattr": ["setattr(app, 'prefix', 'x')"],
    "item of an attribute": ["app.names = {}", "app.names['p'] = 'x'\napp.prefix = app.names['p']"],
    "function": ["def configure(app, prefix):\n    app.prefix = prefix", "configure(app, 'x')"],
    "other name": ["shop = app", "shop.prefix = 'x'"],
    "set twice": ["app.prefix = 'before'", "app.prefix = 'x'"],
    "class": ["class Shop(Chalice):\n    prefix = 'x'\napp = Shop(app_name='shop')"],
}


@pytest.mark.parametrize("way", SETS)
@pytest.mark.parametrize("call", [False, True])
def test_a_decorator_sees_what_altered_the_app_above_it(way, call, tmp_path):
    decorator = "app.on_sqs_message(queue=app.prefix + '-orders')"
    cell = f"{WORK}\n{decorator}(work)" if call else f"@{decorator}\n{WORK}"
    project = read_project(write(tmp_path / "n.ipynb", [APP, *SETS[way], cell, "app.prefix = 'later'"]))
    (handler,) = project.handlers
    assert handler.triggers[0].options["queue"] == "x-orders"


def test_what_alters_the_app_and_cannot_run_here_stops_no_decorator(tmp_path):
    cells = [APP, "import time, urllib.request", "app.started = time.time()", "app.rows = open('rows.csv').read()"]
    cells += ["app.page = urllib.request.urlopen('http://127.0.0.1:9/')", f"@app.on_sqs_message(queue='q')\n{WORK}"]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    assert [handler.name for handler in project.handlers] == ["work"]


WRONG = {
    "file": (
        "Q = open('queue.txt').read()",
        "@app.on_sqs_message(queue=Q)",
        "cell 2, line 1",
        "write the value itself",
    ),
    "network": (
        "import urllib.request\nQ = urllib.request.urlopen('http://127.0.0.1:9/').read()",
        "@app.on_sqs_message(queue=Q)",
        "cell 2, line 2",
        "what the notebook asks 127.0.0.1",
    ),
    "AWS": (
        "import boto3\nQ = boto3.client('ssm', region_name='us-east-1').get_parameter(Name='q')['Parameter']['Value']",
        "@app.on_sqs_message(queue=Q)",
        "cell 2, line 2",
        "write the value itself",
    ),
    "package": ("import no_such_lib as n", "@app.on_sqs_message(queue=n.Q)", "cell 2, line 1", "install the package"),
    "name of a decorator": ("x = 1", "@app.on_sqs_messages(queue='q')", "cell 3, line 1", "write @app.on_sqs_message"),
    "decorator of a package": (
        "x = 1",
        "@app.on_commit('docs')",
        "cell 3, line 1",
        "install the package that provides @app.on_commit beside nbchalice",
    ),
    "attribute": (
        "x = 1",
        "@app.on_sqs_message(queue=app.nothing)",
        "cell 3, line 1",
        "set app.nothing in a cell above",
    ),
    "argument": ("x = None", "@app.on_sqs_message(queue=x)", "cell 3, line 1", "docs/reference.md"),
    "own mistake": ("x = {}", "@app.on_sqs_message(queue=x['q'])", "cell 3, line 1", "correct the cell"),
    "own mistake above": ("x = int('two')", "@app.on_sqs_message(queue=str(x))", "cell 2, line 1", "correct the cell"),
    "no parentheses": ("x = 1", "@app.lambda_function", "cell 3, line 1", "docs/reference.md"),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_error_names_the_line_that_fails_and_a_fix_of_its_cause(case, tmp_path):
    above, decorator, place, hint = WRONG[case]
    project = read_project(write(tmp_path / "n.ipynb", [APP, above, f"{decorator}\ndef work(event): pass"]))
    (unread,) = project.unread
    assert str(unread.error.location).startswith(place)
    assert hint in unread.error.hint
    assert "AWS_" not in str(unread.error)


def test_an_app_of_the_package_chalice_is_told_as_such(tmp_path):
    cells = [
        "from chalice import Chalice\napp = Chalice(app_name='a')",
        "@app.on_sqs_message(queue='q')\ndef work(e): pass",
    ]
    (unread,) = read_project(write(tmp_path / "n.ipynb", cells)).unread
    assert unread.error.hint == "import it from nbchalice: from nbchalice import Chalice"


@pytest.mark.parametrize("decorators", ["@staticmethod\n    @app.on_sqs_message('q')", "@app.on_sqs_message('q')"])
def test_a_handler_in_a_class_is_not_told_as_unread(decorators, tmp_path):
    cell = f"class Jobs:\n    {decorators}\n    def work(event):\n        return 1"
    project = read_project(write(tmp_path / "n.ipynb", [APP, cell]))
    assert [handler.name for handler in project.handlers] == ["work"]
    assert not project.unread


def test_a_kernel_with_an_app_of_the_package_chalice_says_so(bare, tmp_path, monkeypatch):
    cells = ["from chalice import Chalice", "def work(event):\n    pass"]
    monkeypatch.setenv("JPY_SESSION_NAME", str(write(tmp_path / "n.ipynb", cells)))
    bare("%load_ext nbchalice")
    for cell in cells:
        bare.shell.run_cell(cell, store_history=True)
    with pytest.raises(InvalidInputError, match="is one of the package chalice") as caught:
        bare("%chalice plan")
    assert str(caught.value.location).startswith("cell 2, line 1")
