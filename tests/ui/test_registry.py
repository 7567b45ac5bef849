"""Magics and decorators feed one registry; running a cell again replaces."""

import re

import nbformat
import pytest

from nbchalice.errors import InvalidInputError

DECORATED = """from nbchalice import Chalice, Rate
app = Chalice(app_name="foo")

@app.schedule(Rate(1, unit=Rate.HOURS))
def every_hour(event):
    return "hour"
"""


def names(run):
    return [handler.name for handler in run.notebook.project().handlers]


def app_of(run):
    return run.names["app"]


def with_id(run, cell_id, text):
    result = run.shell.run_cell(text, store_history=True, cell_id=cell_id)
    result.raise_error()
    return result.result


def test_decorators_register_as_magics_do(run):
    run(DECORATED)
    run("%%on_sqs_message orders\ndef price(event):\n    pass")
    assert names(run) == ["every_hour", "price"]
    assert run.notebook.project().name == "foo"


def test_a_renamed_function_takes_the_place_of_the_old_one_when_its_cell_runs_again(run):
    with_id(run, "a", "%%on_sqs_message orders\ndef price(event):\n    pass")
    with_id(run, "b", "%%on_sqs_message other\ndef other(event):\n    pass")
    with_id(run, "a", "%%on_sqs_message orders\ndef cost(event):\n    pass")
    assert sorted(names(run)) == ["cost", "other"]


def test_a_renamed_decorated_function_takes_the_place_of_the_old_one(run):
    with_id(run, "a", DECORATED)
    with_id(run, "a", DECORATED.replace("every_hour", "hourly"))
    assert names(run) == ["hourly"]


def test_a_failing_cell_removes_nothing(run):
    with_id(run, "a", DECORATED)
    result = run.shell.run_cell("1 / 0", store_history=True, cell_id="a")
    assert not result.success
    assert names(run) == ["every_hour"]


def test_a_deleted_function_is_no_handler_any_more(run):
    run("%%on_sqs_message orders --name cost\ndef price(event):\n    pass")
    run("@app.on_sqs_message('other')\ndef ship(event):\n    pass")
    run("from nbchalice import Chalice\napp.lambda_function(name='unbound')(lambda event, context: 1)")
    run("del price")
    assert (names(run), list(app_of(run).handlers)) == (["ship", "unbound"], ["ship", "unbound"])
    run("del ship")
    run("%%on_sqs_message orders --name cost\ndef price(event):\n    pass")
    assert names(run) == ["unbound", "cost"]


def test_naming_the_app_anew_keeps_the_handlers(run):
    run("%%on_sqs_message orders\ndef price(event):\n    pass")
    run("%chalice app other --stage prod")
    project = run.notebook.project()
    assert (project.name, project.stage, names(run)) == ("other", "prod", ["price"])


def test_handlers_registered_before_the_extension_was_loaded_count(bare):
    bare(DECORATED)
    bare("%load_ext nbchalice")
    assert names(bare) == ["every_hour"]


def test_stacked_decorators_make_one_handler_with_two_triggers(run):
    run("@app.on_sqs_message(queue='orders')\n@app.on_sns_message(topic='news')\ndef both(event):\n    pass")
    (handler,) = run.notebook.project().handlers
    assert sorted(trigger.source for trigger in handler.triggers) == ["on_sns_message", "on_sqs_message"]


def test_loading_twice_and_unloading_leaves_no_trace(bare):
    bare("%load_ext nbchalice")
    bare("%reload_ext nbchalice")
    bare("%unload_ext nbchalice")
    assert "UsageError" in type(bare.error("%%on_sqs_message q\npass")).__name__
    hooks = bare.shell.events.callbacks
    assert not [hook for event in hooks.values() for hook in event if "nbchalice" in getattr(hook, "__module__", "")]


S3 = "@app.on_s3_event('bkt')\ndef handler(event):\n    pass"
SQS = "@app.on_sqs_message('q')\ndef handler(event):\n    pass"
MAGIC = "%%on_sqs_message q --name handler\ndef other(event):\n    pass"
NAMED = "from nbchalice import Rate\n@app.schedule(Rate(1, unit=Rate.HOURS), name='handler')\ndef f(event):\n    pass"
LAMBDA = "%%lambda_function\ndef handler(event):\n    return 1"


def failing(run, cell_id, text):
    result = run.shell.run_cell(text, store_history=True, cell_id=cell_id)
    return result.error_in_exec or result.error_before_exec


def sources(run):
    return [[trigger.source for trigger in handler.triggers] for handler in run.notebook.project().handlers]


@pytest.mark.parametrize("second", [SQS, MAGIC, NAMED, LAMBDA, S3 + "\n"])
@pytest.mark.parametrize("first", [S3, SQS, LAMBDA])
def test_another_cell_may_not_take_a_name(run, first, second):
    second = (
        second.replace("pass", "return None").replace("return 1", "return 2")
        if first.strip() == second.strip()
        else second
    )
    with_id(run, "a", first)
    before = run.names["handler"]
    error = failing(run, "b", second)
    assert isinstance(error, InvalidInputError)
    assert re.match(r"two handlers are named handler: cell 3(, line 1)? and cell 4(, line \d)?\n", str(error))
    assert run.names["handler"] is before
    assert (names(run), app_of(run).handlers["handler"]) == (["handler"], before)


def test_the_way_out_that_the_error_names_works(run):
    with_id(run, "a", S3)
    assert "run del handler, then this cell again" in str(failing(run, "b", SQS))
    run("del handler")
    with_id(run, "b", SQS)
    assert sources(run) == [["on_sqs_message"]]
    run("del handler")
    with_id(run, "a", S3.replace("@app", "# moved down\n@app"))
    assert sources(run) == [["on_s3_event"]]


def test_a_name_is_also_freed_by_a_cell_that_gives_it_up(run):
    with_id(run, "a", S3)
    with_id(run, "a", "x = 1")
    with_id(run, "b", SQS)
    assert sources(run) == [["on_sqs_message"]]


def test_the_same_cell_replaces_also_when_it_was_edited_and_the_app_made_anew(run):
    with_id(run, "a", DECORATED.replace("every_hour", "handler"))
    with_id(run, "a", DECORATED.replace("every_hour", "handler").replace("1,", "2,"))
    with_id(run, "b", SQS.replace("handler", "second"))
    with_id(run, "a", S3)
    assert sorted(sources(run)) == [["on_s3_event"], ["on_sqs_message"]]


def test_a_new_app_forgets_no_cell(run):
    with_id(run, "app", "from nbchalice import Chalice\napp = Chalice('shop')")
    with_id(run, "a", S3)
    with_id(run, "app", "from nbchalice import Chalice\napp = Chalice('shop')")
    assert "two handlers are named handler" in str(failing(run, "b", SQS))
    with_id(run, "a", S3)


@pytest.mark.parametrize("second", [SQS, SQS.replace("def handler", "def other").replace("'q'", "'q', name='handler'")])
def test_a_cell_registers_a_name_once(run, second):
    error = failing(run, "a", S3 + "\n\n" + second)
    assert "two handlers are named handler: cell 3, line 1 and cell 3, line 5" in str(error)


def test_functions_of_one_name_may_be_handlers_of_two(run):
    with_id(run, "a", S3.replace("'bkt'", "'bkt', name='one'"))
    with_id(run, "b", "@app.on_sns_message('t', name='two')\n" + SQS)
    with_id(run, "c", "@app.on_sns_message('u', name='three')\n" + SQS)
    assert names(run) == ["one", "two", "three"]


def test_without_ids_of_cells_the_last_run_counts_and_says_so(run):
    run(S3)
    run(S3.replace("bkt", "other"))
    assert names(run) == ["handler"]
    project = run.notebook.project()
    assert project.problems == ()
    assert project.notes == ("takes the place of handler of cell 3, line 1 (bucket bkt, s3:ObjectCreated:*)",)
    card = run(MAGIC)
    assert "takes the place of handler of cell 4, line 1" in card.text


def test_without_ids_the_saved_file_tells_two_cells_from_one_edited(run, local_aws, tmp_path, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "shop.ipynb"))
    run(S3)
    run(SQS)
    save(tmp_path / "shop.ipynb", ["%chalice app shop", SQS])
    assert run.notebook.project().problems == ()
    save(tmp_path / "shop.ipynb", ["%chalice app shop", S3, SQS])
    (problem,) = run.notebook.project().problems
    assert "two handlers are named handler: cell 3, line 1 and cell 4, line 1" in str(problem)
    for command in ("plan", "deploy", "package"):
        assert "two handlers are named handler" in str(run.error(f"%chalice {command}"))
    assert "two handlers are named handler" in run("%chalice status").text
    run("del handler")
    run(SQS)
    assert run.notebook.project().problems == ()


def test_two_apps_of_one_cell_may_not_share_a_name(run, local_aws):
    run("from nbchalice import Chalice\ndef made(queue):\n    app = Chalice('shop')\n"
        "    @app.on_sqs_message(queue)\n    def handler(event): ...\n    return app\na, b = made('p'), made('q')")  # fmt: skip
    assert "two handlers are named handler" in str(run.error("%chalice plan"))


def test_a_name_given_up_is_free_after_the_app_was_named_anew(run):
    with_id(run, "a", S3)
    run("%chalice app other")
    run("del handler")
    run("1")
    assert (names(run), app_of(run).handlers) == ([], {})


def test_routes_beside_handlers_are_told_and_stop_nothing(run, local_aws, capsys):
    with_id(run, "a", "@app.route('/')\ndef index():\n    return {}\n\n" + SQS)
    assert "note: @app.route on index is not deployed" in capsys.readouterr().err
    with_id(run, "b", "index()")
    assert "note:" not in capsys.readouterr().err
    assert names(run) == ["handler"]
    assert "@app.route on index is not deployed" in run("%chalice plan").text
    assert "@app.route on index is not deployed" in run("%chalice status").text


def save(path, cells):
    made = [nbformat.v4.new_code_cell(text) for text in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)


def test_a_copy_of_the_cell_is_the_same_handler(run):
    first = run.shell.run_cell(SQS, store_history=True, cell_id="a")
    second = run.shell.run_cell(SQS, store_history=True, cell_id="b")
    first.raise_error()
    second.raise_error()
    assert [handler.name for handler in run.notebook.project().handlers] == ["handler"]
    assert not run.notebook.project().problems
