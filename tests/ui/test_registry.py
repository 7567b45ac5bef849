"""Magics and decorators feed one registry; running a cell again replaces."""

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
