"""Magics and decorators are the same thing: names, defaults, values, help."""

import inspect
import json

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.handlers import META, SETTINGS, HelpShown, parse_cell_magic
from nbchalice.notebook.analysis.handler_function import trigger_options
from nbchalice.runtime.app import Chalice
from nbchalice.runtime.event_kinds import KINDS
from nbchalice.runtime.settings import SETTINGS as RUNTIME_SETTINGS
from nbchalice.sources import BUILT_IN, SOURCES
from nbchalice.sources.options import Option
from nbchalice.sources.s3 import S3
from nbchalice.ui.magics.completion import candidates

STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2024-01-01T00:00:00.000"
SAME = {
    "schedule rate(5 minutes) --description 'every five' --input '{\"a\": 1}' --no-enabled": lambda app: app.schedule(
        "rate(5 minutes)", description="every five", input={"a": 1}, enabled=False
    ),
    "schedule cron(0 9 ? * MON-FRI *) --timezone Europe/Vienna --flexible-window 15": lambda app: app.schedule(
        "cron(0 9 ? * MON-FRI *)", timezone="Europe/Vienna", flexible_window=15
    ),
    "on_s3_event shop --events s3:ObjectCreated:Put --events s3:ObjectRemoved:* --prefix in/ --suffix .csv": lambda app: (
        app.on_s3_event("shop", events=["s3:ObjectCreated:Put", "s3:ObjectRemoved:*"], prefix="in/", suffix=".csv")
    ),
    'on_sns_message news --filter-policy \'{"kind": ["a"]}\' --filter-scope MessageBody --redrive-dlq dead': lambda app: (
        app.on_sns_message("news", filter_policy={"kind": ["a"]}, filter_scope="MessageBody", redrive_dlq="dead")
    ),
    "on_sqs_message orders --batch-size 20 --maximum-batching-window-in-seconds 5 --maximum-concurrency 7 --report-failures": lambda app: (
        app.on_sqs_message(
            queue="orders",
            batch_size=20,
            maximum_batching_window_in_seconds=5,
            maximum_concurrency=7,
            report_failures=True,
        )
    ),
    "on_sqs_message --queue-arn arn:aws:sqs:us-east-1:123456789012:orders --per-record --fix-visibility-timeout": lambda app: (
        app.on_sqs_message(
            queue_arn="arn:aws:sqs:us-east-1:123456789012:orders", per_record=True, fix_visibility_timeout=True
        )
    ),
    'on_sqs_message orders --filter \'{"body": {"n": [1]}}\' --max-receive-count 4 --dlq dead': lambda app: (
        app.on_sqs_message("orders", filter={"body": {"n": [1]}}, max_receive_count=4, dlq="dead")
    ),
    'on_cw_event \'{"source": ["shop"]}\'': lambda app: app.on_cw_event({"source": ["shop"]}),
    'on_kinesis_record clicks --filter \'{"data": {"n": [1]}}\'': lambda app: app.on_kinesis_record(
        "clicks", filter={"data": {"n": [1]}}
    ),
    "on_kinesis_record clicks --batch-size 5 --starting-position TRIM_HORIZON": lambda app: app.on_kinesis_record(
        "clicks", batch_size=5, starting_position="TRIM_HORIZON"
    ),
    f"on_dynamodb_record {STREAM} --maximum-batching-window-in-seconds 3": lambda app: app.on_dynamodb_record(
        STREAM, maximum_batching_window_in_seconds=3
    ),
    "lambda_function": lambda app: app.lambda_function(),
    "schedule rate(1 hour) --timeout 30 --memory 256 --arch arm64 --tracing --json-logs --ephemeral-storage 1024 --dlq d --on-failure f": lambda app: (
        app.schedule(
            "rate(1 hour)",
            timeout=30,
            memory=256,
            arch="arm64",
            tracing=True,
            json_logs=True,
            ephemeral_storage=1024,
            dlq="d",
            on_failure="f",
        )
    ),
}


@pytest.mark.parametrize("line", SAME, ids=lambda line: line[:50])
def test_a_magic_line_and_a_decorator_mean_the_same(line, registered):
    magic, _, rest = line.partition(" ")
    parsed = parse_cell_magic(magic, rest)
    handler = registered(SAME[line])
    assert trigger_options(magic, dict(parsed.options)) == handler.triggers[0].options
    assert parsed.settings == handler.settings
    assert handler.problems() == []
    assert handler.describe()
    json.dumps(handler.triggers[0].options)


@pytest.mark.parametrize("name", SOURCES)
def test_declared_options_are_the_decorators_parameters(name):
    parameters = dict(inspect.signature(getattr(Chalice, name)).parameters)
    for extra in ("self", "name", "settings"):
        del parameters[extra]
    declared = {option.name: option.default for option in SOURCES[name].all_options()}
    assert (
        list(declared)
        and set(declared) == set(parameters)
        or (name == "lambda_function" and not declared and not parameters)
    )
    for option in SOURCES[name].options:
        assert parameters[option.name].default == option.default, option.name


def test_every_decorator_has_a_source_and_every_setting_a_name_in_the_runtime():
    assert set(SOURCES) == set(KINDS)
    assert {option.name for option in SETTINGS} == RUNTIME_SETTINGS
    assert all(SOURCES[name].kind is KINDS[name] for name in SOURCES)


REPEATS = Option("events", "which", repeats=True, choices=("put", "copy"))
NUMBERS = Option("days", "which", int, repeats=True, minimum=1, maximum=7)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        (REPEATS, ["put"], None),
        (REPEATS, ["put", "copy", "put"], None),
        (REPEATS, ("copy",), None),
        (REPEATS, [], None),
        (REPEATS, ["put", "move"], "--events is one of put, copy, not 'move'"),
        (REPEATS, "put", "--events wants a list, not 'put'"),
        (REPEATS, [3], "--events wants a list, each of it a text, not [3]"),
        (REPEATS, [["put"]], "--events wants a list, each of it a text, not [['put']]"),
        (NUMBERS, [1, 7], None),
        (NUMBERS, [1, 8], "--days is 1 to 7, not 8"),
        (NUMBERS, [True], "--days wants a list, each of it a whole number, not [True]"),
        (NUMBERS, 3, "--days wants a list, not 3"),
        (Option("event", "which", choices=("put", "copy")), ["put"], "--event wants a text, not ['put']"),
    ],
)
def test_each_value_of_an_option_that_repeats_is_checked(option, value, told):
    assert option.problem(value) == told


def test_choices_of_an_option_that_repeats_on_a_line_and_in_completion(monkeypatch):
    choices = ("s3:ObjectCreated:Put", "s3:ObjectCreated:Copy")
    option = Option("events", "which", repeats=True, choices=choices)
    monkeypatch.setitem(BUILT_IN, "on_s3_event", type("Some", (S3,), {"options": (option, *S3.options[1:])})())
    both = " ".join(f"--events {choice}" for choice in choices)
    assert parse_cell_magic("on_s3_event", f"shop {both}").options["events"] == list(choices)
    with pytest.raises(InvalidInputError, match="--events is one of s3:ObjectCreated:Put, .* not 's3:TestEvent'"):
        parse_cell_magic("on_s3_event", f"shop {both} --events s3:TestEvent")
    assert candidates(None, f"%%on_s3_event shop {both} --events ") == list(choices)
    assert "--events" in candidates(None, f"%%on_s3_event shop {both} --")


@pytest.mark.parametrize("name", SOURCES)
def test_the_help_names_every_option_with_what_it_does(name):
    with pytest.raises(HelpShown) as caught:
        parse_cell_magic(name, "--help")
    text = str(caught.value)
    source = SOURCES[name]
    assert text.startswith(f"Usage: %%{name} ")
    for option in (*source.options, *SETTINGS, *META):
        assert option.flag in text
    told = " ".join(text.split())
    for option in (*source.all_options(), *SETTINGS):
        assert " ".join(option.help.split()[:3]) in told, option.name


ALSO = (
    '''orders --also 'on_sns_message news --filter-policy "{\\"kind\\": [\\"a\\"]}"' --also "schedule rate(1 hour)"'''
)


def test_further_triggers_on_one_line():
    parsed = parse_cell_magic("on_sqs_message", ALSO)
    assert parsed.triggers == [
        ("on_sqs_message", {"queue": "orders"}),
        ("on_sns_message", {"topic": "news", "filter_policy": {"kind": ["a"]}}),
        ("schedule", {"expression": "rate(1 hour)"}),
    ]


def test_a_notebook_read_from_its_file_knows_further_triggers_and_writes_them_as_decorators(tmp_path):
    import nbformat

    from nbchalice.notebook_file import read_project

    path = tmp_path / "multi.ipynb"
    cells = ["%chalice app multi", f"%%on_sqs_message {ALSO} --name all\ndef f(event):\n    raise ValueError(event)"]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    project = read_project(path)
    handler = project.handler("all")
    assert [trigger.source for trigger in handler.triggers] == ["on_sqs_message", "on_sns_message", "schedule"]
    text = project.slice(handler).module
    assert (
        "@app.schedule(expression='rate(1 hour)')\n@app.on_sns_message(topic='news', filter_policy={'kind': ['a']})\n@app.on_sqs_message(queue='orders', name='all')\ndef f(event)"
        in text
    )
    made = project.function(handler)
    assert [trigger.source for trigger in made.triggers] == ["on_sqs_message", "on_sns_message", "schedule"]
    with pytest.raises(ValueError) as caught:
        made({"Records": []}, None)
    frame = caught.tb
    while frame.tb_next:
        frame = frame.tb_next
    assert frame.tb_lineno == 3
