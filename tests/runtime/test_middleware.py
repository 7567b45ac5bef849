import pytest

from nbchalice import ConvertToMiddleware, LambdaFunctionEvent, SQSEvent


def test_middleware_runs_in_order_around_the_handlers_of_its_kind(app, event):
    calls = []

    @app.middleware("all")
    def first(event, get_response):
        calls.append("first")
        return ("first", get_response(event))

    @app.middleware("sqs")
    def second(event, get_response):
        calls.append(type(event))
        return ("second", get_response(event))

    @app.middleware("s3")
    def other(event, get_response):
        raise AssertionError

    @app.on_sqs_message("orders")
    def price(event):
        return "done"

    assert price(event("sqs")) == ("first", ("second", "done"))
    assert calls == ["first", SQSEvent]


def test_middleware_registered_later_counts_too(app, event):
    @app.on_sns_message("news")
    def read(event):
        return 1

    app.register_middleware(lambda event, get_response: get_response(event) + 1, "sns")
    app.register_middleware(lambda event, get_response: get_response(event) * 10)
    assert read(event("sns")) == 11


def test_a_cell_that_is_run_again_replaces_its_middleware(app, event):
    @app.on_sns_message("news")
    def read(event):
        return 1

    def define(number):
        namespace = {"__name__": "notebook"}
        exec(f"def plus(event, get_response): return get_response(event) + {number}", namespace)
        app.register_middleware(namespace["plus"])

    define(1)
    define(2)
    assert read(event("sns")) == 3


def test_an_unknown_kind_of_event_is_refused(app):
    with pytest.raises(ValueError, match="event_type is 'htp'; allowed is all, scheduled, s3, sns"):
        app.middleware("htp")(lambda event, get_response: None)


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_that_of_routes_is_noted_as_routes_are(app, event, kind):
    @app.middleware(kind)
    def around(event, get_response):
        raise AssertionError

    @app.on_sns_message("news")
    def read(event):
        return event.message

    assert (read(event("sns")), app.left_out) == (
        event("sns")["Records"][0]["Sns"]["Message"],
        [f"@app.middleware({kind!r}) on around"],
    )


def test_middleware_of_a_plain_function_sees_an_event_object(app, context):
    @app.middleware("pure_lambda")
    def look(event, get_response):
        assert isinstance(event, LambdaFunctionEvent)
        return get_response(event)

    @app.lambda_function()
    def direct(event, context):
        return event, context

    assert direct({"a": 1}, context) == ({"a": 1}, context)


def test_a_decorator_for_lambda_handlers_becomes_middleware(app, event, context):
    seen = []

    def log_calls(handler):
        def wrapper(raw, context):
            seen.append((raw["Records"][0]["EventSource"], context))
            return handler(raw, context)

        return wrapper

    app.register_middleware(ConvertToMiddleware(log_calls))

    @app.on_sns_message("news")
    def read(event):
        return event.subject

    assert read(event("sns"), context) == "prices"
    assert seen == [("aws:sns", context)]
