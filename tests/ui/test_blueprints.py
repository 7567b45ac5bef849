"""Blueprints in a notebook, as Chalice's docs write them: what stands on one is a handler of the app that registers it."""

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.notebook.capture.discover import handlers_in_text
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.cells import Cell
from nbchalice.notebook_file import read_project
from nbchalice.operations import write_packages
from nbchalice.test import Client

from .test_everyday import answers
from .test_registrations import write
from .test_registry import names, with_id

APP = "from nbchalice import Blueprint, Chalice\napp = Chalice(app_name='shop')"
EXTRA = "extra = Blueprint(__name__)"
ORDERS = (
    "RATE = 2\n\n@extra.on_sqs_message('orders')\ndef price(event):\n    return [int(r.body) * RATE for r in event]"
)
REGISTER = "app.register_blueprint(extra)"
SQS = {
    "Records": [
        {"messageId": "1", "body": "21", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:orders"}
    ]
}


def described(handlers):
    return {handler.name: [(trigger.source, handler.function) for trigger in handler.triggers] for handler in handlers}


def package(tmp_path, cells, name, event, **files):
    """Package a notebook's file and return what a handler answers in another process, without a kernel."""
    for file, text in files.items():
        (tmp_path / f"{file}.py").write_text(text)
    project = read_project(write(tmp_path / "n.ipynb", cells))
    write_packages(project, tmp_path / "out")
    return answers(tmp_path, tmp_path / "out", name, event)


def in_kernel(run, name):
    """Return the handler of the live notebook, and the module that is captured for it."""
    handler = run.notebook.project().handler(name)
    cells, namespace = run.notebook.session.cells(), run.names
    return slice_handler(cells, handler.function, notebook="n.ipynb", namespace=namespace, order=handler.order).module


@pytest.mark.parametrize(("prefix", "late"), [("", False), ("eu_", True)], ids=["as in Chalice", "registered first"])
def test_a_handler_of_a_blueprint_is_deployed_from_the_file(tmp_path, prefix, late):
    register = f"app.register_blueprint(extra, name_prefix={prefix!r}, url_prefix='/x')"
    cells = [APP, EXTRA, register, ORDERS] if late else [APP, EXTRA, ORDERS, register]
    assert package(tmp_path, cells, f"{prefix}price", SQS) == [42]


MIDDLEWARE = "@extra.middleware('sqs')\ndef twice(event, get_response):\n    return get_response(event) * 2"


REGISTERED = {
    "statement": [APP, EXTRA, ORDERS, MIDDLEWARE, REGISTER],
    "loop": [APP, EXTRA, ORDERS, MIDDLEWARE, "for one in [extra]:\n    app.register_blueprint(one)"],
    "function": [
        APP, "def add(app, blueprint):\n    app.register_blueprint(blueprint)", EXTRA, MIDDLEWARE, ORDERS, "add(app, extra)",
    ],
    "dotted": [
        "import nbchalice.app\napp = nbchalice.app.Chalice('shop')\nextra = nbchalice.app.Blueprint('x')",
        ORDERS, MIDDLEWARE, "app.register_blueprint(blueprint=extra)",
    ],
    "call": [
        APP, EXTRA, MIDDLEWARE, "RATE = 2\ndef work(event):\n    return [int(r.body) * RATE for r in event]",
        "price = extra.on_sqs_message('orders', name='price')(work)", REGISTER,
    ],
    "of the app": [APP, EXTRA, REGISTER, MIDDLEWARE, ORDERS.replace("@extra", "@app")],
    "of another": [
        APP, EXTRA, "other = Blueprint('other')", MIDDLEWARE, ORDERS.replace("@extra", "@other"),
        f"{REGISTER}\napp.register_blueprint(other)",
    ],
}  # fmt: skip
CHEAP = ("statement", "call")


@pytest.mark.parametrize(
    "cells",
    [pytest.param(REGISTERED[way], id=way, marks=[] if way in CHEAP else [pytest.mark.slow]) for way in REGISTERED],
)
def test_its_middleware_comes_along_however_it_is_registered(tmp_path, cells):
    """As in Chalice: around all handlers of the app."""
    assert package(tmp_path, cells, "price", SQS) == [42, 42]


def test_one_of_a_local_module_is_deployed_from_the_file(tmp_path):
    module = f"from nbchalice import Blueprint\n{EXTRA}\n{ORDERS}\n{MIDDLEWARE}\n@extra.route('/')\ndef index(): ..."
    register = "app.register_blueprint(shared.extra, 'eu_')"
    assert package(tmp_path, [APP, "import shared", register], "eu_price", SQS, shared=module) == [42, 42]
    assert read_project(tmp_path / "n.ipynb").notes == (
        "@app.route on index (cell 3, line 1) is not deployed: it belongs to no event source",
    )


def test_one_that_is_registered_twice_gives_two_handlers(tmp_path):
    cells = [APP, EXTRA, ORDERS, "for region in ('eu_', 'us_'):\n    app.register_blueprint(extra, name_prefix=region)"]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    assert described(project.handlers) == {name: [("on_sqs_message", "price")] for name in ("eu_price", "us_price")}
    assert package(tmp_path, cells, "us_price", SQS) == [42]


def test_one_that_no_app_registers_is_told_and_stops_nobody(tmp_path, run):
    cells = [APP, EXTRA, ORDERS, "@app.lambda_function()\ndef other(event, context):\n    return 1"]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    assert [handler.name for handler in project.handlers] == ["other"] and not project.unread
    note = "is not deployed: write app.register_blueprint(extra)"
    assert [one for one in project.notes if "price" in one] == [f"price (cell 3, line 3) {note}"]
    for cell in cells:
        run(cell)
    assert names(run) == ["other"] and f"price {note}" in run.notebook.project().notes
    run(REGISTER)
    assert sorted(names(run)) == ["other", "price"] and not run.notebook.project().notes


TEXTS = {
    "app.register_blueprint(extra)": {"price"},
    "app.register_blueprint(blueprint=extra, url_prefix='/x')": {"price"},
    "app.register_blueprint(extra, 'eu_')\napp.register_blueprint(extra, name_prefix='us_')": {"eu_price", "us_price"},
    "pass": set(),
    "app.register_blueprint(extra, name_prefix=PREFIX)": None,
    "for prefix in ('eu_', 'us_'):\n    app.register_blueprint(extra, prefix)": None,
    "app.register_blueprint(*both)": None,
    "list(map(app.register_blueprint, [extra]))": None,
    "def add(app, blueprint):\n    app.register_blueprint(blueprint)": None,
}


@pytest.mark.parametrize("register", TEXTS, ids=str)
def test_the_text_says_the_names_or_that_it_does_not(register):
    """Without running anything: so a status knows which deployed functions still stand in the file."""
    cells = [
        Cell(str(place), f"cell {place}", text, place) for place, text in enumerate([APP, EXTRA, ORDERS, register])
    ]
    found = [one.names for one in handlers_in_text(cells, "n.ipynb")]
    assert (None in found) == (TEXTS[register] is None)
    assert TEXTS[register] is None or set().union(*found) == TEXTS[register]


def test_a_route_on_it_is_one_note_and_stops_nobody(tmp_path, run, capsys):
    cells = [APP, EXTRA, "@extra.route('/')\ndef index():\n    return {}", ORDERS, REGISTER]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    assert [handler.name for handler in project.handlers] == ["price"] and not project.unread
    assert [one for one in project.notes if "index" in one] == [
        "index (cell 3, line 1) is not deployed: @extra.route belongs to no event source"
    ]
    for cell in cells:
        run(cell)
    assert names(run) == ["price"]
    assert capsys.readouterr().err.count("@app.route on index is not deployed") == 1


@pytest.mark.parametrize("one_cell", [False, True], ids=["cells", "one cell"])
def test_a_kernel_deploys_what_it_has_run(run, one_cell):
    cells = [APP, EXTRA, ORDERS, REGISTER]
    for cell in ["\n".join(cells)] if one_cell else cells:
        run(cell)
    assert described(run.notebook.project().handlers) == {"price": [("on_sqs_message", "price")]}
    space = {"__name__": "n"}
    exec(in_kernel(run, "price"), space)
    assert Client(space["app"]).lambda_.invoke("price", SQS).payload == [42]


def test_the_cell_of_a_handler_is_that_of_its_function(run):
    for cell in (APP, EXTRA, ORDERS, REGISTER):
        run(cell)
    (handler,) = run.notebook.project().handlers
    assert str(handler.location).startswith("cell 5, line 3")


@pytest.mark.parametrize("again", [["c"], ["c", "d"], ["b", "c", "d"], ["d"], ["a", "b", "c", "d"]], ids="".join)
def test_cells_may_run_again(run, again):
    texts = {"a": APP, "b": EXTRA, "c": ORDERS, "d": REGISTER}
    for key, text in texts.items():
        with_id(run, key, text)
    texts["c"] = ORDERS.replace("* RATE", "* RATE + 1")
    if "c" not in again:
        texts["c"] = ORDERS
    for key in again:
        with_id(run, key, texts[key])
    assert names(run) == ["price"]
    assert run.notebook.project().problems == ()
    space = {"__name__": "n"}
    exec(in_kernel(run, "price"), space)
    assert Client(space["app"]).lambda_.invoke("price", SQS).payload == [43 if "c" in again else 42]


def test_without_an_app_that_has_it_the_way_to_register_it_is_the_fix(run):
    for cell in (APP, EXTRA, ORDERS):
        run(cell)
    with pytest.raises(InvalidInputError, match="has no handlers") as refused:
        run("%chalice plan")
    assert refused.value.hint == "price is not deployed: write app.register_blueprint(extra)"


def test_a_renamed_function_takes_the_place_of_the_old_one_and_never_comes_back(run):
    for key, text in {"a": APP, "b": EXTRA, "c": ORDERS, "d": REGISTER}.items():
        with_id(run, key, text)
    with_id(run, "c", ORDERS.replace("price", "cost"))
    assert names(run) == ["cost"]
    with_id(run, "d", REGISTER)
    assert names(run) == ["cost"]
    run("del cost")
    with_id(run, "d", REGISTER)
    assert names(run) == []


def test_another_prefix_takes_the_place_of_the_first(run):
    for key, text in {"a": APP, "b": EXTRA, "c": ORDERS, "d": "app.register_blueprint(extra, 'eu_')"}.items():
        with_id(run, key, text)
    with_id(run, "d", "app.register_blueprint(extra, 'us_')")
    assert names(run) == ["us_price"]
    with_id(run, "c", ORDERS)
    assert names(run) == ["us_price"]
    with_id(run, "d", "pass")
    assert names(run) == [] and run.names["extra"].app_name is None


def test_a_local_modules_may_be_registered_again(run, tmp_path, monkeypatch):
    (tmp_path / "of_blueprints.py").write_text(f"from nbchalice import Blueprint\n{EXTRA}\n{ORDERS}")
    monkeypatch.syspath_prepend(tmp_path)
    with_id(run, "a", APP)
    with_id(run, "b", "from of_blueprints import extra")
    for _ in range(2):
        with_id(run, "c", REGISTER)
        assert names(run) == ["price"]
    assert "from of_blueprints import extra" in in_kernel(run, "price")


def test_a_name_that_a_handler_of_the_app_has_is_refused(run):
    run(APP)
    with_id(run, "x", "@app.on_sns_message('news')\ndef price(event): ...")
    with_id(run, "b", EXTRA)
    with_id(run, "c", ORDERS)
    result = run.shell.run_cell(REGISTER, store_history=True, cell_id="d")
    with pytest.raises(InvalidInputError, match="price"):
        result.raise_error()


MODULE = """
def register(app, source="q"):
    @app.on_sqs_message(source)
    def chat(event):
        return [record.body for record in event]

    @app.schedule("rate(1 hour)")
    def tick(event):
        return "tick"
"""


@pytest.mark.parametrize("call", ["from jobs import register\nregister(app)", "import jobs\njobs.register(app=app)"])
def test_what_a_local_module_registers_that_is_given_the_app_is_a_handler(tmp_path, call):
    assert package(tmp_path, [APP, call], "chat", SQS, jobs=MODULE) == ["21"]
    project = read_project(tmp_path / "n.ipynb")
    assert described(project.handlers) == {"chat": [("on_sqs_message", "chat")], "tick": [("schedule", "tick")]}
    assert not project.unread


TICK = "@app.schedule('rate(1 hour)')\ndef tick(event):\n    return 1"


def test_a_local_module_that_fails_with_the_app_is_told(tmp_path):
    (tmp_path / "jobs.py").write_text("def register(app):\n    raise OSError('no')")
    project = read_project(write(tmp_path / "n.ipynb", [APP, "import jobs\njobs.register(app)", TICK]))
    (unread,) = project.unread
    assert "not read as a handler" in str(unread.error) and "cell 2, line 2: jobs.register(app) (OSError: no)" in str(
        unread.error
    )
    assert [one.name for one in project.handlers] == ["tick"]


@pytest.mark.parametrize("call", ["import pprint\npprint.isreadable(app)", "import jobs\njobs.name(app)"])
def test_what_registers_nothing_may_have_the_app(tmp_path, call):
    (tmp_path / "jobs.py").write_text("def name(app):\n    return app.app_name")
    project = read_project(write(tmp_path / "n.ipynb", [APP, call, TICK]))
    assert [one.name for one in project.handlers] == ["tick"] and not project.unread
