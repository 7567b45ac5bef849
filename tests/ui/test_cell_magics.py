"""A cell magic registers the cell's function, and says shortly what is wrong."""

import traceback

import pytest

from nbchalice import SQSEvent
from nbchalice.errors import CaptureError, InvalidInputError, NbChaliceError

PRICE = "%%on_sqs_message orders --batch-size 10\ndef price(event):\n    return [record.body for record in event]\n"
RAW = {"Records": [{"body": "a", "messageId": "1", "receiptHandle": "r", "eventSource": "aws:sqs"}]}


def test_the_card_tells_name_trigger_settings_and_needs(run):
    run("RATE = 2\ndef double(x):\n    return x * RATE")
    card = run("%%on_sqs_message orders --batch-size 10 --timeout 20\ndef price(event):\n    return double(RATE)")
    assert card.handler.name == "price"
    assert "queue orders, batches of 10" in card.text
    assert "timeout 20 s, memory 128 MB" in card.text
    assert card.needs == {"double": "cell 3", "RATE": "cell 3"}
    assert "shop-dev-price" in card.html


def test_a_name_that_nothing_defines_is_noted_on_the_card(run):
    card = run("%%schedule rate(5 minutes)\ndef tick(event):\n    return LATER")
    assert "LATER is not defined yet" in card.notes


def test_what_is_left_out_is_noted_on_the_card_and_below_the_module(run):
    run("import os\nRATE = 2\nos.makedirs('.', exist_ok=True)\nos.environ['NB_TABLE'] = 'orders'")
    card = run("%%on_sqs_message orders\ndef price(event):\n    return RATE")
    (note,) = [note for note in card.notes if note.startswith("left out")]
    assert note.startswith("left out: os.makedirs('.', exist_ok=True) (cell 3, line 3): ")
    shown = run("%chalice show price")
    assert "os.environ['NB_TABLE'] = 'orders'" in shown.modules[0]
    assert "makedirs" not in shown.modules[0]
    assert f"\n# {note}\n" in shown.text.removeprefix(shown.modules[0])
    assert note.split(" (")[0] in shown.html.replace("&#x27;", "'")


def test_the_function_is_defined_in_the_notebook_and_takes_raw_events_and_event_objects(run):
    run(PRICE)
    run.names["RAW"] = RAW
    assert run("price(RAW, None)") == ["a"]
    assert run.names["price"](SQSEvent(RAW, None)) == ["a"]


@pytest.mark.parametrize(
    ("magic", "described"),
    [
        ("%%schedule rate(5 minutes)", "rate(5 minutes)"),
        ("%%schedule 'cron(0 9 ? * MON-FRI *)'", "cron(0 9 ? * MON-FRI *)"),
        ("%%on_s3_event uploads --prefix in/ --events s3:ObjectCreated:Put", "bucket uploads, s3:ObjectCreated:Put"),
        ("%%on_sns_message news", "topic news"),
        ("%%on_sqs_message orders", "queue orders"),
    ],
)
def test_each_source_has_its_magic(run, magic, described):
    assert described in run(f"{magic}\ndef handle(event):\n    pass").text


def test_running_the_cell_again_replaces_the_handler(run):
    run(PRICE)
    run(PRICE.replace("10", "5"))
    (handler,) = run.notebook.project().handlers
    assert handler.triggers[0].options["batch_size"] == 5


def test_braces_and_dollars_on_the_line_stay_as_typed(run):
    run("orders = 'other'")
    run("""%%on_sqs_message orders --filter '{"body": {"x": ["$orders"]}}'\ndef price(event):\n    pass""")
    (handler,) = run.notebook.project().handlers
    assert handler.triggers[0].options["filter"] == {"body": {"x": ["$orders"]}}


def test_comments_and_blank_lines_may_stand_above_the_magic(run):
    assert run("# prices the orders\n\n" + PRICE).handler.name == "price"
    assert run("\n\n" + PRICE).handler.name == "price"


def test_handler_says_which_function_of_several(run):
    cell = "%%on_sqs_message orders --handler second\ndef first(event):\n    pass\ndef second(event):\n    return 2\n"
    assert run(cell).handler.name == "second"


def test_name_names_the_handler_on_aws(run):
    card = run("%%on_sqs_message orders --name prices-v2\ndef price(event):\n    pass")
    assert "shop-dev-prices-v2" in card.text


def test_help_lists_the_options_made_from_the_source(run):
    text = run("%%on_sqs_message --help").text
    for flag in ("--batch-size", "--report-failures", "--timeout", "--handler", "--env"):
        assert flag in text
    assert text.rstrip().endswith("Example: %%on_sqs_message orders")


@pytest.mark.parametrize(
    ("cell", "message", "place"),
    [
        ("%%on_sqs_message orders --batch 3\ndef f(event):\n    pass", "has no option --batch", "line 1"),
        ("# why\n%%on_sqs_message orders --batch-size x\ndef f(event):\n    pass", "wants a whole number", "line 2"),
        ("%%on_sqs_message orders --batch-size 20\ndef f(event):\n    pass", "--batch-size over 10 needs", "line 1"),
        ("%%on_sqs_message\ndef f(event):\n    pass", "QUEUE is missing", "line 1"),
        ("%%on_sqs_message 'orders\ndef f(event):\n    pass", "no closing quotation", "line 1"),
        ("%%on_sqs_message orders\ndef f(event)\n    pass", "the cell is not valid Python", "line 2: def f(event)"),
        ("%%on_sqs_message orders\nx = 1", "no function", "line 1"),
        ("%%on_sqs_message orders\ndef f(event): ...\ndef g(event): ...", "f, g", "line 1"),
        ("%%on_sqs_message orders --handler h\ndef f(event): ...", "h", "line 1"),
        ("%%on_sqs_message orders\nasync def f(event): ...", "f is an async function", "line 1"),
        ("%%on_sqs_message orders\ndef f(event):\n    yield event", "f is a generator", "line 1"),
        ("%%schedule rate(1 minutes)\ndef f(event): ...", "minute", "line 1"),
        ("%%on_s3_event UPPER\ndef f(event): ...", "not a bucket name", "line 1"),
        ("%%on_sns_message t.fifo\ndef f(event): ...", "FIFO", "line 1"),
    ],
)
def test_a_wrong_cell_gives_one_short_error_with_its_line_and_registers_nothing(run, cell, message, place):
    error = run.error(cell)
    assert isinstance(error, NbChaliceError)
    assert message in error.message
    assert place in str(error)
    assert run.notebook.project().handlers == ()
    assert "f" not in run.names
    assert len(error._render_traceback_()) <= 4


def test_an_error_in_the_body_shows_the_cell_and_its_line(run):
    error = run.error("%%on_sqs_message orders\n\ndef price(event):\n    pass\n\nboom = 1 / 0\n")
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert isinstance(error, ZeroDivisionError)
    assert (last.lineno, last.line) == (6, "boom = 1 / 0")


def test_an_error_in_the_function_shows_the_cell_and_its_line(run):
    run("%%on_sqs_message orders\ndef price(event):\n    return 1 / 0\n")
    error = run.error("price({'Records': []}, None)")
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert (last.lineno, last.line) == (3, "return 1 / 0")


def test_the_source_of_the_function_can_be_shown(run):
    import inspect

    run("%%on_sqs_message orders\ndef price(event):\n    return 7\n")
    assert "return 7" in inspect.getsource(run.names["price"].function)


def test_line_magics_in_the_body_still_run(run):
    run("%%on_sqs_message orders\n%precision 3\ndef price(event):\n    return 1 / 0\n")
    last = traceback.extract_tb(run.error("price({'Records': []}, None)").__traceback__)[-1]
    assert last.lineno == 4


def test_the_name_app_taken_by_something_else_is_an_error(bare):
    bare("%load_ext nbchalice")
    bare("app = 3")
    error = bare.error(PRICE)
    assert isinstance(error, InvalidInputError)
    assert "the name app is taken by a int" in error.message
    assert bare.names["app"] == 3


def test_without_app_the_app_is_named_after_the_notebook(bare):
    bare("%load_ext nbchalice")
    bare("__session__ = '/some/where/Price list.ipynb'")
    assert "Price-list-dev-price" in bare(PRICE).text


def test_a_handler_of_another_notebook_that_is_run_works_here_and_cannot_be_deployed_from_here(run, tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cell = "%%on_sqs_message orders\ndef price(event):\n    return 1"
    nbformat.write(new_notebook(cells=[new_code_cell(cell)]), tmp_path / "other.ipynb")
    run("%run other.ipynb")
    assert run.names["price"].triggers[0].options["queue"] == "orders"
    error = run.error("%chalice show price")
    assert "no function price is defined in the notebook" in str(error)


@pytest.mark.parametrize("way", ["script", "silent request"])
def test_a_magic_that_is_called_while_no_cell_runs_is_a_cell_of_its_own(way, run, capsys):
    def call(line, body):
        if way == "script":
            return run.shell.run_cell_magic("on_sqs_message", line, body)
        code = f"card = get_ipython().run_cell_magic('on_sqs_message', {line!r}, {body!r})"
        run.shell.run_cell(code, silent=True).raise_error()
        return run.names["card"]

    run("RATE = 2")
    body = "def price(event):\n    return RATE\n"
    assert call("orders", body).needs == {"RATE": "cell 3"}
    assert call("bills", body.replace("price", "bill")).handler.location.cell == "cell 5"
    assert "cell 4, line 2" in run("%chalice show price").text
    with pytest.raises(InvalidInputError, match="two words"):
        call("two words", body)


def test_a_script_needs_no_cell_to_load_the_extension_and_call_a_magic(bare):
    bare.shell.run_line_magic("load_ext", "nbchalice")
    card = bare.shell.run_cell_magic("on_sqs_message", "orders", "def price(event):\n    return 1\n")
    assert (card.handler.name, card.handler.location.cell) == ("price", "cell 1")


@pytest.mark.parametrize("second", ["_", "ctx", "_context", "lambda_context"])
def test_the_context_may_have_any_name_where_one_function_alone_takes_two(run, second):
    run("%chalice app twoargs")
    assert "two: SNS handler" in repr(run(f"%%on_sns_message t-two\ndef two(event, {second}):\n    return 1"))


def test_a_decorator_that_hides_the_functions_name_is_refused_where_the_cell_is_run(run):
    run("%chalice app hides")
    run("def log(func):\n    def wrapper(event, context):\n        return func(event, context)\n    return wrapper")
    with pytest.raises(CaptureError, match="greet is called wrapper by its decorator") as caught:
        run("%%lambda_function\n@log\ndef greet(event, context):\n    return 1")
    assert caught.value.hint == "put @functools.wraps(...) above def wrapper in the decorator"
    assert "greet" not in run.notebook.registry and "wrapper" not in run.notebook.registry
