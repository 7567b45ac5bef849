"""The app has one name for a whole notebook, wherever in it the name is given."""

import json
import subprocess
import sys

import nbformat
import pytest

from nbchalice.notebook_file import read_project, read_text
from nbchalice.operations import verified_packages
from nbchalice.runtime.app import Chalice
from nbchalice.runtime.cells import load_module

IMPORT = "from nbchalice import Chalice\n"
FIRST = f"{IMPORT}app = Chalice(app_name='first')"
SECOND = f"{IMPORT}app = Chalice('second')"
MAGIC = "%%on_sqs_message orders\ndef price(event):\n    app.log.info(event)"
APART = "%%on_sqs_message orders\ndef price(event):\n    return 1"  # does not use app
DECORATED = "@app.on_sqs_message('orders')\ndef price(event):\n    app.log.info(event)"
MADE = f"{IMPORT}def make(name):\n    return Chalice(name)\napp = make('first')"
WRAPPED = "@app.middleware()\ndef wrap(event, get_response):\n    return get_response(event)"
SHOP = "%chalice app shop"

# cells, how the app is called in the end, the cell that names it below the handler
CASES = {
    "below a magic": ([MAGIC, SHOP], "shop", "cell 3"),
    "below a magic that needs no app": ([APART, SHOP], "shop", "cell 3"),
    "below a decorator": ([FIRST, DECORATED, SHOP], "shop", "cell 4"),
    "below a decorator of an app that a function made": ([MADE, DECORATED, SHOP], "shop", "cell 4"),
    "below a middleware": ([FIRST, WRAPPED, DECORATED, SHOP], "shop", "cell 5"),
    "a magic of an app that code made": ([FIRST, MAGIC, SHOP], "shop", "cell 4"),
    "renamed": (["%chalice app one", MAGIC, "%chalice app two"], "two", "cell 4"),
    "renamed twice": ([MAGIC, "%chalice app one", "%chalice app two", SHOP], "shop", "cell 5"),
    "renamed and back": ([SHOP, MAGIC, "%chalice app other", SHOP], "shop", None),
    "the same name again": ([SHOP, MAGIC, SHOP], "shop", None),
    "code replaces the app": ([FIRST, DECORATED, SECOND], "second", "cell 4"),
    "code makes the app again": ([FIRST, DECORATED, FIRST], "first", None),
    "code after the magic": ([SHOP, MAGIC, SECOND], "second", "cell 4"),
    "app taken by something else": ([APART, "app = 5", SHOP], "shop", "cell 4"),
    "deleted": ([MAGIC, "del app", SHOP], "shop", "cell 4"),
    "an app in another variable": (
        [FIRST.replace("app =", "mine ="), DECORATED.replace("app.", "mine."), SHOP], "shop", "cell 4",
    ),
}  # fmt: skip


def saved(folder, cells):
    cells = [nbformat.v4.new_code_cell(text) for text in ["%load_ext nbchalice", *cells]]
    path = folder / "nb.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def app_of_module(project):
    """Run the module that is deployed; return how the app is called that its handler finds as `app`."""
    piece = project.slice(project.handlers[0])
    module = load_module(piece.module, piece.segments, piece.notebook, "captured")
    app = getattr(module, "app", None)
    return app.app_name if isinstance(app, Chalice) and "app.log" in piece.module else None


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_in_the_kernel_handlers_belong_to_the_app_that_is_named_last(bare, case):
    cells, name, _ = CASES[case]
    for cell in ["%load_ext nbchalice", *cells]:
        bare(cell)
    project = bare.notebook.project()
    assert (project.name, [*verified_packages(project)], bare.notebook._problems()) == (name, ["price"], [])
    assert app_of_module(project) in {name, None} or case.startswith("an app in")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_in_a_file_handlers_belong_to_the_app_that_is_named_last(tmp_path, case):
    cells, name, cell = CASES[case]
    path = saved(tmp_path, cells)
    project = read_project(path)
    assert (project.name, read_text(path).name, [*verified_packages(project)]) == (name, name, ["price"])
    told = [note for note in project.notes if note.startswith("price belongs to app")]
    assert [f"app {name}: {cell}," in note for note in told] == ([True] if cell else [])


def test_the_card_tells_what_moves_and_what_stays_where_it_was(bare):
    bare("%load_ext nbchalice")
    assert "note" not in str(bare("%chalice app one"))
    bare(MAGIC)
    assert str(bare("%chalice app two")).splitlines() == [
        "app two, stage dev, target local",
        "note: price belongs to app two now; anything deployed as one stays there "
        "(%chalice app one, then %chalice delete, removes it)",
    ]
    assert "note" not in str(bare("%chalice app two"))


def test_renaming_keeps_what_was_set(bare):
    for cell in ["%load_ext nbchalice", FIRST, WRAPPED, DECORATED, "app.log.setLevel('ERROR')", "app.debug"]:
        bare(cell)
    before = bare.names["app"]
    bare(SHOP)
    app = bare.names["app"]
    assert app is before
    assert (app.log.name, app.log.level, len(app.middlewares("on_sqs_message"))) == ("shop", 40, 1)


def test_several_apps_that_nothing_joins_are_an_error(tmp_path):
    other = IMPORT + "other = Chalice('b')\n@other.lambda_function()\ndef work(event, context):\n    return 1"
    path = saved(tmp_path, [FIRST, DECORATED, other])
    with pytest.raises(Exception, match="several apps: first, b"):
        read_project(path)


def test_a_handler_above_the_name_of_its_app_gets_its_events(tmp_path, local_aws):
    path = saved(tmp_path, [MAGIC.replace("info(event)", "info('seen')"), SHOP])

    def nbchalice(*words):
        command = [sys.executable, "-m", "nbchalice", words[0], str(path), *words[1:], "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert nbchalice("deploy")["app"] == "shop"
    sent = nbchalice("send", "price", "--message", "x")
    assert [record["message"] for record in sent["invocation"]["records"]] == ["seen"]


# cells, the configuration file, whether the app was named by somebody
NAMED = {
    "a magic alone": ([MAGIC], {}, False),
    "a magic that needs no app": ([APART], {}, False),
    "by the line": ([MAGIC, SHOP], {}, True),
    "by code": ([FIRST, DECORATED], {}, True),
    "by code, as the file is called": ([IMPORT + "app = Chalice(app_name='nb')", DECORATED], {}, True),
    "by code, in the cell of a magic": (
        ["%%on_sqs_message orders\n" + FIRST + "\ndef price(event):\n    app.log.info(1)"],
        {},
        True,
    ),
    "by code that computes it": ([MADE, DECORATED], {}, True),
    "by the configuration": ([MAGIC], {"app_name": "shop"}, True),
    "a configuration without a name": ([MAGIC], {"lambda_timeout": 5}, False),
}


@pytest.mark.parametrize("case", NAMED)
def test_a_name_that_was_given_is_told_from_that_of_the_file(bare, tmp_path, case):
    cells, config, named = NAMED[case]
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(config))
    for cell in ["%load_ext nbchalice", *cells]:
        bare(cell)
    path = saved(tmp_path, cells)
    assert (bare.notebook.project().is_named, read_project(path).is_named) == (named, named)
    assert read_text(path).is_named == named or case == "by code that computes it"


def test_real_aws_wants_a_name_before_anything_is_changed(bare, local_aws, aws, monkeypatch):
    for name, value in local_aws.env().items():
        monkeypatch.setenv(name, value)
    aws("sqs").create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "60"})
    bare("%load_ext nbchalice")
    bare(MAGIC)
    for command in ("deploy", "plan", "delete --yes", "live price"):
        error = bare.error(f"%chalice {command} --target aws")
        assert "has no name of its own" in str(error), command
    assert "a deploy would be refused: the app has no name of its own" in str(bare("%chalice status --target aws"))
    bare("%chalice app named")
    assert [change.action for change in bare("%chalice deploy --target aws").changes]
    functions = [function["FunctionName"] for function in aws("lambda").list_functions()["Functions"]]
    assert [name for name in functions if name.endswith("-price")] == ["named-dev-price"]
    bare("%chalice delete --yes --target aws --take-over")
