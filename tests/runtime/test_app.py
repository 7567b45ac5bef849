import functools
import inspect
import json
import subprocess
import sys

import pytest

import nbchalice
from nbchalice import (
    Chalice,
    CloudWatchEvent,
    DynamoDBEvent,
    KinesisEvent,
    Rate,
    S3Event,
    SNSEvent,
    SQSEvent,
    SQSRecord,
    Trigger,
)
from nbchalice.runtime.function import _parameters

CHALICES_SIGNATURES = {
    "schedule": "expression name=None description=''",
    "on_s3_event": "bucket events=None prefix=None suffix=None name=None",
    "on_sns_message": "topic name=None",
    "on_sqs_message": "queue=None batch_size=1 name=None queue_arn=None maximum_batching_window_in_seconds=0 maximum_concurrency=None",
    "on_cw_event": "event_pattern name=None",
    "on_kinesis_record": "stream batch_size=100 starting_position='LATEST' name=None maximum_batching_window_in_seconds=0",
    "on_dynamodb_record": "stream_arn batch_size=100 starting_position='LATEST' name=None maximum_batching_window_in_seconds=0",
    "lambda_function": "name=None",
    "middleware": "event_type='all'",
    "register_middleware": "func event_type='all'",
}


@pytest.mark.parametrize("name", CHALICES_SIGNATURES)
def test_a_decorator_has_chalices_parameters_in_order(name):
    parameters = list(inspect.signature(getattr(Chalice, name)).parameters.values())[1:]
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    shown = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in positional]
    assert " ".join(shown) == CHALICES_SIGNATURES[name]


def test_the_app_has_chalices_parameters():
    shown = [str(p).split(":")[0].split("=")[0] for p in inspect.signature(Chalice).parameters.values()]
    assert shown == ["app_name", "debug", "configure_logs", "env"]


def register(app, source, *args, **kwargs):
    def handler(event):
        return event

    return getattr(app, source)(*args, **kwargs)(handler)


SOURCES = [
    ("schedule", ("rate(1 hour)",), "schedule", CloudWatchEvent),
    ("on_s3_event", ("photos",), "s3_put", S3Event),
    ("on_sns_message", ("news",), "sns", SNSEvent),
    ("on_sqs_message", ("orders",), "sqs", SQSEvent),
    ("on_cw_event", ({"source": ["aws.ec2"]},), "cloudwatch_ec2", CloudWatchEvent),
    ("on_kinesis_record", ("clicks",), "kinesis", KinesisEvent),
    ("on_dynamodb_record", ("arn:aws:dynamodb:::table/prices/stream/1",), "dynamodb", DynamoDBEvent),
]


@pytest.mark.parametrize(("source", "args", "fixture", "event_class"), SOURCES)
def test_a_handler_gets_the_event_of_its_source(app, event, context, source, args, fixture, event_class):
    handler = register(app, source, *args)
    raw = event(fixture)
    got = handler(raw, context)
    assert type(got) is event_class
    assert got.to_dict() is raw
    assert got.context is app.lambda_context is context


@pytest.mark.parametrize(("source", "args", "fixture", "event_class"), SOURCES)
def test_a_handler_can_be_called_with_an_event_object(app, event, source, args, fixture, event_class):
    given = event_class(event(fixture))
    assert register(app, source, *args)(given) is given


@pytest.mark.parametrize(("source", "args"), [entry[:2] for entry in SOURCES])
def test_a_trigger_is_json_ready(app, source, args):
    (trigger,) = register(app, source, *args).triggers
    assert trigger.source == source
    assert "name" not in trigger.options
    assert json.loads(json.dumps(trigger.options)) == trigger.options


def test_a_trigger_holds_the_options_with_defaults(app):
    handler = register(app, "on_s3_event", "photos", suffix=".jpg", timeout=30, env={"AB": "1"})
    assert handler.triggers == [
        Trigger(
            "on_s3_event",
            {
                "bucket": "photos",
                "events": ["s3:ObjectCreated:*"],
                "prefix": None,
                "suffix": ".jpg",
                "via": None,
                "min_size": None,
                "max_size": None,
            },  # fmt: skip
        )
    ]
    assert handler.settings == {"timeout": 30, "env": {"AB": "1"}}
    assert app.handlers == {"handler": handler}


def test_a_rate_becomes_its_string(app):
    handler = register(app, "schedule", Rate(1, unit=Rate.HOURS), description="tick", timezone="Europe/Vienna")
    assert handler.triggers[0].options == {
        "expression": "rate(1 hour)",
        "description": "tick",
        "input": None,
        "enabled": True,
        "timezone": "Europe/Vienna",
        "flexible_window": None,
    }


def test_a_wrong_schedule_registers_nothing(app):
    with pytest.raises(ValueError, match="with 5 the unit must be minutes"):
        register(app, "schedule", "rate(5 minute)")
    assert app.handlers == {}


@pytest.mark.parametrize("options", [{}, {"queue": "a", "queue_arn": "arn:aws:sqs:::a"}])
def test_a_queue_is_given_by_name_or_arn(app, options):
    with pytest.raises(ValueError, match="either queue .* or queue_arn"):
        app.on_sqs_message(**options)


def test_a_name_can_be_given(app):
    assert register(app, "on_sns_message", "news", name="reader").name == "reader"
    assert list(app.handlers) == ["reader"]


def test_registering_a_name_again_replaces(app):
    register(app, "on_sns_message", "news")
    second = register(app, "on_sns_message", "olds")
    assert app.handlers == {"handler": second}
    assert [trigger.options["topic"] for trigger in second.triggers] == ["olds"]


def test_the_decorated_function_keeps_its_name_text_and_signature(app):
    @app.schedule("rate(1 hour)")
    def every_hour(event):
        """Tick."""

    assert (every_hour.__name__, every_hour.__doc__) == ("every_hour", "Tick.")
    assert str(inspect.signature(every_hour)) == "(event)"
    assert "def every_hour" in inspect.getsource(every_hour)
    assert repr(every_hour) == "<LambdaFunction every_hour (schedule)>"
    assert repr(app) == "<Chalice shop: every_hour>"


def test_a_function_may_take_the_context_too(app, event, context):
    @app.schedule("rate(1 hour)")
    def two(event, context):
        return context

    @app.schedule("rate(1 hour)")
    def optional(event, context=None):
        return context

    @app.schedule("rate(1 hour)")
    def other(event, retries=3):
        return retries

    @app.schedule("rate(1 hour)")
    def starred(*args):
        return args[1]

    assert two(event("schedule"), context) is context
    assert optional(event("schedule"), context) is context
    assert other(event("schedule"), context) == 3
    assert starred(event("schedule"), context) is context
    assert two(CloudWatchEvent(event("schedule")), context) is context


def test_a_function_that_cannot_take_an_event_is_refused(app):
    def none(): ...
    def three(a, b, c): ...
    def keyword(event, *, must): ...

    for function in (none, three, keyword):
        with pytest.raises(TypeError, match=rf"{function.__name__}\(.*\) must take \(event\) or \(event, context\)"):
            app.schedule("rate(1 hour)")(function)
    assert app.handlers == {}


def test_a_lambda_function_takes_what_lambda_takes(app, context):
    @app.lambda_function()
    def direct(event, context):
        return event, context

    @app.lambda_function(name="short")
    def one(event):
        return event

    raw = {"a": 1}
    assert direct(raw, context) == (raw, context)
    assert one(raw, context) is raw


class TestStackedDecorators:
    @pytest.fixture
    def both(self, app):
        @app.schedule("rate(1 hour)", timeout=5)
        @app.on_cw_event({"source": ["aws.ec2"]})
        @app.on_s3_event("photos")
        @app.on_sns_message("news", memory=256)
        @app.on_sqs_message("orders")
        @app.on_sqs_message("invoices", per_record=True)
        @app.on_kinesis_record("clicks")
        @app.on_dynamodb_record("arn")
        @app.lambda_function()
        def handler(event):
            return type(event)

        return handler

    def test_they_make_one_handler_with_many_triggers(self, app, both):
        assert list(app.handlers) == ["handler"]
        assert len(both.triggers) == 9
        assert both.settings == {"timeout": 5, "memory": 256}

    @pytest.mark.parametrize(
        ("fixture", "kind"),
        [(name, kind) for _, _, name, kind in SOURCES] + [("s3_test", S3Event), ("scheduler", CloudWatchEvent)],
    )
    def test_the_event_itself_decides_its_class(self, both, event, fixture, kind):
        assert both(event(fixture)) is kind

    def test_the_queue_decides_its_options(self, both, event):
        raw = event("sqs")
        assert both(raw) is SQSEvent
        for record in raw["Records"]:
            record["eventSourceARN"] = "arn:aws:sqs:eu-central-1:123456789012:invoices"
        assert both(raw) == {"batchItemFailures": []}

    def test_an_unknown_event_goes_to_the_plain_function(self, app):
        @app.on_sqs_message("orders")
        @app.lambda_function()
        def handler(event):
            return event

        assert handler({"a": 1}) == {"a": 1}

    def test_an_outer_name_renames_the_handler(self, app):
        @app.schedule("rate(1 hour)", name="tick")
        @app.on_sns_message("news")
        def handler(event): ...

        assert app.handlers == {"tick": handler}

    def test_two_names_are_refused(self, app):
        with pytest.raises(ValueError, match="one handler, two names: 'a' and 'b'"):

            @app.schedule("rate(1 hour)", name="b")
            @app.on_sns_message("news", name="a")
            def handler(event): ...

    def test_the_same_trigger_again_counts_once(self, app):
        handler = register(app, "on_sns_message", "news")
        app.on_sns_message("news")(handler)
        assert len(handler.triggers) == 1

    def test_a_handler_of_an_older_app_is_taken_over(self, app):
        old = register(app, "on_sns_message", "news")
        new = Chalice("shop").on_sqs_message("orders")(old)
        assert (new is not old, new.name, len(new.triggers)) == (True, "handler", 1)


def test_what_chalice_has_besides_is_taken_and_not_deployed(app):
    app.api.cors = True
    app.api.binary_types.append("image/png")
    app.websocket_api.session = None
    app.experimental_feature_flags.update(["WEBSOCKETS"])

    @app.authorizer(ttl_seconds=30)
    def allowed(request): ...

    @app.route("/", methods=["GET"], authorizer=allowed)
    def index():
        return "plain"

    @app.on_ws_message(name="talk")
    def talk(event): ...

    assert (index(), app.handlers) == ("plain", {})
    assert app.left_out == [
        "@app.authorizer on allowed",
        "@app.route on index",
        "@app.on_ws_message on talk",
    ]
    with pytest.raises(AttributeError, match="no attribute 'on_sqs_mesage'"):
        app.on_sqs_mesage("orders")


def test_an_error_of_the_function_shows_no_frames_of_the_package(app, event):
    @app.on_sns_message("news")
    def fails(event):
        raise KeyError("price") from ValueError("cause")

    with pytest.raises(KeyError) as caught:
        fails(event("sns"))
    assert [entry.name for entry in caught.traceback][1:] == ["fails"]
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_record_can_be_passed_directly(app, event):
    @app.on_sqs_message("orders", per_record=True)
    def double(record):
        return record.json() * 2

    assert double(next(iter(SQSEvent(event("sqs"))))) == 6
    assert double.triggers[0].options["report_failures"] is True
    assert isinstance(next(iter(SQSEvent(event("sqs")))), SQSRecord)


def test_the_extension_loads_the_magics_lazily(monkeypatch):
    calls = []
    fake = type(sys)("nbchalice.ui.magics")
    fake.load, fake.unload = (lambda ip: calls.append(("load", ip))), (lambda ip: calls.append(("unload", ip)))
    package = type(sys)("nbchalice.ui")
    package.magics = fake
    monkeypatch.setitem(sys.modules, "nbchalice.ui", package)
    monkeypatch.setitem(sys.modules, "nbchalice.ui.magics", fake)
    nbchalice.load_ipython_extension("ip")
    nbchalice.unload_ipython_extension("ip")
    assert calls == [("load", "ip"), ("unload", "ip")]


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys; before = {*sys.modules}; import nbchalice; print(sorted({name.partition('.')[0] for name in {*sys.modules} - before}))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for heavy in ("asyncio", "boto3", "botocore", "IPython", "ipywidgets", "click", "rich", "pathlib", "zoneinfo"):
        assert f"'{heavy}'" not in loaded
    ours = "import sys, nbchalice; print([n for n in sys.modules if n.startswith('nbchalice')])"
    loaded = subprocess.run([sys.executable, "-c", ours], check=True, capture_output=True, text=True).stdout
    rooms = {name.split(".")[1] for name in eval(loaded) if "." in name}
    assert rooms == {"runtime"}


@pytest.mark.parametrize(
    "source", ["lambda_function", "on_sqs_message", "on_sns_message", "on_s3_event", "on_cw_event"]
)
def test_a_decorator_without_parentheses_is_refused_where_it_stands(source):
    with pytest.raises(TypeError, match=rf"write the decorator with parentheses: @app.{source}\(\.\.\.\)"):
        getattr(Chalice("shop"), source)(lambda event: None)


FORMS = ["event", "event, context", "event, other", "event, context=None", "event, other=1", "*args", "event, *args",
         "event=None, context=None", "", "a, b, c", "a, b, c=1", "event, *, key", "event, *, key=1", "*, key", "event, /",
         "event, /, context", "**more", "event, **more"]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["plain", "wrapped", "method", "partial", "instance"])
def test_parameters_are_those_of_inspect(form, kind):
    space = {}
    exec(
        f"def f({form}): pass\nclass C:\n    def __call__({', '.join(['self', form] if form else ['self'])}): pass\n",
        space,
    )
    f = space["f"]
    function = {
        "plain": f,
        "wrapped": functools.wraps(f)(functools.wraps(f)(lambda *a, **k: f(*a, **k))),
        "method": space["C"]().__call__,
        "partial": functools.partial(f),
        "instance": space["C"](),
    }[kind]

    def told(*args):
        pass

    told.__signature__ = inspect.signature(function)
    assert _parameters(function) == _parameters(told)
