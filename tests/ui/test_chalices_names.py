"""Code of event sources that was written for Chalice runs with ``chalice`` replaced by ``nbchalice`` throughout."""

import pytest

import nbchalice.app
from nbchalice.notebook_file import read_project
from nbchalice.operations import write_packages
from nbchalice.packaging.shipped import needed_modules
from nbchalice.runtime import routes

from .test_everyday import MOMENT, answers
from .test_registrations import write

NAME = "nothing"
APP = """
from chalice import Chalice, Cron, Rate
from chalice.app import CloudWatchEvent, ConvertToMiddleware, LambdaFunctionEvent, ScheduleExpression, SQSEvent
import chalice.app

app = chalice.app.Chalice(app_name="shop")
"""
HANDLER = """
class Weekly(ScheduleExpression):
    def to_string(self):
        return str(chalice.app.Rate(7, Rate.DAYS))

assert issubclass(Cron, ScheduleExpression) and Chalice is chalice.app.Chalice
EVERY = {"week": Weekly()}

@app.schedule(EVERY["week"])
def report(event: CloudWatchEvent):
    return [isinstance(event, chalice.app.CloudWatchEvent), EVERY["week"].to_string(), SQSEvent.__name__]
"""
TESTS = """
from chalice.test import Client, FunctionNotFoundError

with Client(app) as client:
    assert client.lambda_.invoke("report", client.events.generate_cw_event("s", "t", {}, [])).payload[0]
    try:
        client.lambda_.invoke("repport", {})
    except FunctionNotFoundError as error:
        told = str(error)
"""


def ours(text):
    return text.replace("chalice", "nbchalice")


def test_an_app_of_chalice_runs_and_is_deployed(tmp_path):
    project = read_project(write(tmp_path / "n.ipynb", [ours(APP), ours(HANDLER)]))
    write_packages(project, tmp_path / "out")
    assert answers(tmp_path, tmp_path / "out", "report", MOMENT) == [True, "rate(7 days)", "SQSEvent"]


def test_its_tests_run():
    names = {}
    exec(ours(APP + HANDLER + TESTS), names)
    assert "shop has no handler 'repport'" in names["told"] and "its handlers are: report" in names["told"]


ROUTES = """
from chalice import (
    BadRequestError, Chalice, ChaliceViewError, CognitoUserPoolAuthorizer, CORSConfig, IAMAuthorizer, NotFoundError, Response
)
from chalice.app import Authorizer, BaseLambdaEvent, CaseInsensitiveMapping, MultiDict, Request, WebsocketAPI

app = Chalice(app_name="shop")
app.api.cors = CORSConfig(allow_origin="https://example.com", max_age=600)
pool = CognitoUserPoolAuthorizer("pool", provider_arns=["arn"])
"""
SHARED = """
def look_up(key):
    if key != "tea":
        raise NotFoundError(f"no {key}")
    return Response({"key": key}, status_code=201, headers={"a": "b"})
"""
ROUTE = """
@app.middleware("http")
def around(event, get_response):
    return get_response(event)

@app.route("/tea", methods=["GET"], authorizer=pool, cors=True)
def tea():
    return look_up("tea")
"""
EVENT = """
@app.on_sqs_message("orders")
def order(event):
    found = look_up("tea")
    try:
        look_up("milk")
    except ChaliceViewError as error:
        return [found.body, found.status_code, found.headers, error.STATUS_CODE, str(error), BadRequestError.STATUS_CODE]
"""
ANSWER = [{"key": "tea"}, 201, {"a": "b"}, 404, "no milk", 400]


def test_routes_beside_a_handler_of_events_stop_nobody(tmp_path, run, capsys):
    cells = list(map(ours, [ROUTES, SHARED, ROUTE, EVENT]))
    project = read_project(write(tmp_path / "n.ipynb", cells))
    assert [handler.name for handler in project.handlers] == ["order"] and not project.unread
    assert [note for note in project.notes if "not deployed" in note] == [
        "tea (cell 3, line 6) is not deployed: @app.route belongs to no event source"
    ]
    write_packages(project, tmp_path / "out")
    sqs = {
        "Records": [{"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:orders", "messageId": "1"}]
    }
    assert answers(tmp_path, tmp_path / "out", "order", sqs) == ANSWER
    for cell in cells:
        run(cell)
    assert [handler.name for handler in run.notebook.project().handlers] == ["order"]
    told = capsys.readouterr().err
    assert (
        told.count("@app.route on tea is not deployed") == told.count("@app.middleware('http') on around is not") == 1
    )


TRIED = """
from chalice import Chalice
from chalice.test import Client

app = Chalice(app_name="shop")

@app.on_sqs_message("orders")
def order(event):
    return [record.body for record in event]

{}
"""


@pytest.mark.parametrize(
    "trying",
    [
        "with Client(app) as client:\n    print(client.lambda_.invoke('order', client.events.generate_sqs_event(['a'])))",
        "client = Client(app)\nassert client.lambda_.invoke('order', client.events.generate_sqs_event(['a'])).payload",
        "def test_it():\n    with Client(app) as tried:\n        tried.lambda_.invoke('order', {'Records': []})\ntest_it()",
        "tried = [Client(app)]\nfor each in tried:\n    each.lambda_.invoke('order', {'Records': []})",
    ],
)
def test_what_tries_a_handler_in_its_own_cell_stays_here(tmp_path, trying):
    project = read_project(write(tmp_path / "n.ipynb", [ours(TRIED.format(trying))]))
    write_packages(project, tmp_path / "out")
    sqs = {"Records": [{"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:orders", "body": "b"}]}
    assert answers(tmp_path, tmp_path / "out", "order", sqs) == ["b"]


REGISTERING = """
from chalice import Blueprint, Chalice
routes_only = Blueprint(__name__)

@routes_only.route("/tea")
def tea():
    return {}

def create_app():
    app = Chalice(app_name="shop")
    for one in [routes_only]:
        app.register_blueprint(one, url_prefix="/shop")
    return app

app = create_app()
"""


def test_a_blueprint_of_routes_that_a_function_registers_is_read(tmp_path):
    project = read_project(
        write(tmp_path / "n.ipynb", list(map(ours, [REGISTERING, EVENT.replace("look_up", "print")])))
    )
    assert [handler.name for handler in project.handlers] == ["order"] and not project.unread
    assert [note for note in project.notes if "not" in note] == [
        "tea (cell 1, line 5) is not deployed: @routes_only.route belongs to no event source"
    ]


def test_what_routes_need_ships_only_where_it_is_used():
    assert "nbchalice.runtime.routes" not in needed_modules(["from nbchalice import Chalice"])
    assert "nbchalice.runtime.routes" in needed_modules(["from nbchalice.app import Response"])


@pytest.mark.parametrize("name", routes.__all__)
def test_each_name_of_routes_is_there(name):
    assert getattr(nbchalice, name) is getattr(nbchalice.app, name) and name not in nbchalice.__all__


@pytest.mark.parametrize("module", ["nbchalice.app", "nbchalice.test", "nbchalice"])
def test_each_name_is_there(module):
    found = __import__(module, fromlist=["x"])
    assert [name for name in found.__all__ if not hasattr(found, name)] == []
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'nothing'"):
        getattr(found, NAME)
