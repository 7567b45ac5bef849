"""Blueprints: as Chalice's, for what handles events."""

import pytest

from nbchalice import Blueprint, Chalice

SQS = {
    "Records": [
        {"messageId": "1", "body": "x", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:orders"}
    ]
}


@pytest.fixture
def extra():
    return Blueprint("extra")


@pytest.fixture
def app():
    return Chalice("shop")


def bodies(blueprint, **options):
    @blueprint.on_sqs_message("orders", **options)
    def read(event):
        return [record.body for record in event]

    return read


def test_an_app_has_its_handlers_when_it_has_registered_it(app, extra):
    read = bodies(extra, timeout=20)
    assert (app.handlers, read(SQS, None)) == ({}, ["x"])
    app.register_blueprint(extra)
    handler = app.handlers["read"]
    assert (handler(SQS, None), read(SQS, None), handler.settings) == (["x"], ["x"], {"timeout": 20})
    assert [trigger.options["queue"] for trigger in handler.triggers] == ["orders"]


def test_each_registration_has_a_prefix_of_its_own_and_each_app_its_handlers(app, extra):
    bodies(extra, name="all")
    other = Chalice("other")
    app.register_blueprint(extra, "eu_")
    app.register_blueprint(extra, name_prefix="us_", url_prefix="/us")
    other.register_blueprint(extra)
    assert (list(app.handlers), list(other.handlers)) == (["eu_all", "us_all"], ["all"])
    assert {handler.name for handler in app.handlers.values()} == {"eu_all", "us_all"}
    assert all(handler.app is app for handler in app.handlers.values()) and extra.current_app is other


def test_the_same_registration_twice_changes_nothing(app, extra):
    bodies(extra)
    for _ in range(2):
        app.register_blueprint(extra)
    bodies(extra)
    assert list(app.handlers) == ["read"] and len(app.handlers["read"].triggers) == 1


def test_what_it_gets_later_is_added_too(app, extra):
    app.register_blueprint(extra, "eu_")

    @extra.on_sns_message("news")
    @extra.on_sqs_message("orders")
    def both(event):
        return None

    @extra.middleware("sqs")
    def around(event, get_response):
        return "around"

    assert [trigger.source for trigger in app.handlers["eu_both"].triggers] == ["on_sqs_message", "on_sns_message"]
    assert app.handlers["eu_both"](SQS, None) == "around"


def test_its_middleware_is_around_all_handlers_of_the_app_as_in_chalice(app, extra):
    @extra.middleware("sqs")
    def around(event, get_response):
        return [*get_response(event), "around"]

    @extra.middleware("sns")
    def of_others(event, get_response):
        return None

    own, of_app = bodies(extra), bodies(app, name="own")
    assert own(SQS, None) == ["x"]
    app.register_blueprint(extra)
    assert own(SQS, None) == of_app(SQS, None) == app.handlers["read"](SQS, None) == ["x", "around"]


def test_what_it_has_of_its_app_is_there_when_an_app_has_registered_it(app, extra):
    for name in ("current_app", "log", "lambda_context", "current_request"):
        with pytest.raises(RuntimeError, match=rf"Blueprint.{name} is there when .*app.register_blueprint"):
            getattr(extra, name)
    seen = []

    @extra.lambda_function()
    def look(event, context):
        seen.append((extra.current_app, extra.log, extra.lambda_context))

    app.register_blueprint(extra)
    context = object()
    app.handlers["look"]({}, context)
    assert seen == [(app, app.log, context)] and app.current_request is None
    with pytest.raises(RuntimeError, match="current_request"):
        _ = extra.current_request


def test_a_batch_that_fails_before_it_is_registered_says_which_record(extra, caplog):
    @extra.on_sqs_message("orders", batch_size=2, per_record=True)
    def each(record):
        assert record.body != "x"

    two = {"Records": [*SQS["Records"], {**SQS["Records"][0], "messageId": "2", "body": "y"}]}
    assert each(two, None) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert "message 1 failed" in caplog.text


def test_what_has_nothing_to_do_with_events_is_noted_by_the_app(app, extra):
    @extra.route("/", methods=["GET"])
    def index():
        return "plain"

    app.register_blueprint(extra, url_prefix="/x")
    assert (app.handlers, app.left_out, index()) == ({}, ["@app.route on index"], "plain")


@pytest.mark.parametrize("other", [object(), None, "extra", Blueprint])
def test_anything_else_is_refused(app, other):
    with pytest.raises(TypeError, match="takes a Blueprint .from nbchalice import Blueprint., not a"):
        app.register_blueprint(other)


def test_it_refuses_what_an_app_refuses(extra):
    with pytest.raises(TypeError, match="batch_sise"):
        extra.on_sqs_message("orders", batch_sise=3)
    with pytest.raises(AttributeError, match="'Blueprint' object has no attribute 'on_sqs_mesage'"):
        extra.on_sqs_mesage("orders")
    with pytest.raises(ValueError, match="event_type"):
        extra.middleware("sqqs")(lambda event, get_response: None)
