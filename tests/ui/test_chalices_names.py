"""Code of event sources that was written for Chalice runs with ``chalice`` replaced by ``nbchalice`` throughout."""

import pytest

from nbchalice.notebook_file import read_project
from nbchalice.operations import write_packages

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


@pytest.mark.parametrize("module", ["nbchalice.app", "nbchalice.test", "nbchalice"])
def test_each_name_is_there(module):
    found = __import__(module, fromlist=["x"])
    assert [name for name in found.__all__ if not hasattr(found, name)] == []
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'nothing'"):
        getattr(found, NAME)
