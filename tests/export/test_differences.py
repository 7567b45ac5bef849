"""What differs between Chalice 1.34 and nbchalice: both sides of each row of docs/chalice.md, Chalice's from Chalice itself."""

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nbchalice
import nbchalice.app
import nbchalice.testing
from nbchalice import Chalice
from nbchalice.cli import code_of
from nbchalice.config import KEYS, ROLE_KEYS, TOP, UNUSED, read_config, settings_for
from nbchalice.deploy.desired import desired
from nbchalice.errors import InvalidInputError
from nbchalice.export import chalice as facts
from nbchalice.export.usage import OF_APP
from nbchalice.handlers import DEFAULTS
from nbchalice.resources.base import key_of
from nbchalice.runtime import routes
from nbchalice.runtime.blueprint import Blueprint
from nbchalice.runtime.names import HOMES
from nbchalice.templates.places import Anywhere
from nbchalice.ui.commands import COMMANDS

from ..deploy.harness import app as one_app
from ..deploy.harness import handler, package, sqs
from ..notebooks import write

pytestmark = pytest.mark.slow
ROOT = Path(nbchalice.__file__).parent.parent
ROW = re.compile(r"^\| (?P<what>.+?) \| (?P<theirs>.+?) \| (?P<ours>.+?) \| `(?P<file>tests/\S+?)::(?P<test>\w+)` \|$")
SQS = {"Records": [{"body": "1", "receiptHandle": "r", "messageId": "m", "eventSource": "aws:sqs"}]}


@pytest.fixture(scope="module")
def theirs(chalice_python, tmp_path_factory):
    """What Chalice is and does."""
    command = [str(chalice_python), "-W", "ignore", str(Path(__file__).with_name("in_chalice.py"))]
    folder = tmp_path_factory.mktemp("in-chalice")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["version"].startswith(f"{facts.VERSION}.")
    return told


@pytest.fixture
def app():
    return Chalice("shop")


def table():
    """Return the rows of the page."""
    text = (ROOT / "docs" / "chalice.md").read_text()
    lines = text.partition("## Differences to Chalice 1.34")[2].splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| what |")]
    found = [ROW.match(line) for line in rows]
    assert all(found), [line for line, match in zip(rows, found, strict=True) if match is None]
    return found


def named(text):
    return set(re.findall(r"`([^`]+)`", text))


def documented():
    return set().union(*(named(row["what"]) | named(row["theirs"]) for row in table()))


def packaged(tmp_path, cells, capsys, *words):
    """Return the template of a notebook."""
    notebook = write(tmp_path / "shop.ipynb", ["%load_ext nbchalice\n%chalice app shop", *cells])
    out = tmp_path / "out"
    assert code_of(["package", str(notebook), "--format", "sam", "--out", str(out), *words]) == 0
    capsys.readouterr()
    return json.loads((out / "template.json").read_text())["Resources"]


def of_type(resources, kind):
    return [one for one in resources.values() if one["Type"] == kind]


PRICE = "%%on_sqs_message orders\ndef price(event):\n    print(1)"
PLAIN = "%%lambda_function\ndef plain(event):\n    import boto3\n    return boto3.client('s3').list_buckets()"


def test_each_row_names_a_test_that_is_there():
    rows = table()
    assert len(rows) > 40
    for row in rows:
        text = (ROOT / row["file"]).read_text()
        assert re.search(rf"def {row['test']}\(", text), row[0]
    assert len({row["what"] for row in rows}) == len(rows)


def test_every_name_of_chalice_is_here_or_in_the_table(theirs):
    known = documented()
    lacking = [name for name in theirs["names"] if not hasattr(nbchalice.app, name) and name not in known]
    lacking += [name for name in theirs["chalice"] if not hasattr(nbchalice, name) and name not in known]
    lacking += [name for name in theirs["test"] if not hasattr(nbchalice.testing, name) and name not in known]
    lacking += [name for name in theirs["app"] if not hasattr(Chalice("x"), name) and name not in known]
    ours = {*KEYS, *ROLE_KEYS, *UNUSED, *TOP}
    lacking += [key for key in theirs["keys"] if key not in ours and key not in known]
    lacking += [name for name in theirs["commands"] if name not in COMMANDS and name not in known]
    assert not lacking


def test_what_an_export_knows_of_chalice_is_so(theirs):
    assert set(theirs["chalice"]) == facts.NAMES
    assert set(theirs["names"]) >= facts.APP_NAMES and not facts.APP_NAMES & facts.NAMES
    assert all(hasattr(nbchalice.app, name) for name in facts.NAMES | facts.APP_NAMES)
    both = {*HOMES, *routes.__all__} & set(theirs["names"])
    assert both - facts.NAMES - facts.APP_NAMES == {"LambdaFunction"}
    web = {"on_ws_connect", "on_ws_disconnect", "on_ws_message"}
    assert {name: tuple(given) for name, given in theirs["parameters"].items() if name not in web} == facts.PARAMETERS
    for name, given in facts.ATTRIBUTES.items():
        assert set(given) == set(theirs["events"][name]), name
    of_blueprints = {"current_app", "register", "current_request"}
    assert OF_APP - of_blueprints <= set(theirs["app"]) and facts.NOT_PACKAGED in theirs["of a package"]["bucket"]


def test_decorators_have_chalices_parameters_first_and_further_ones_by_name(theirs):
    import inspect

    for name in facts.PARAMETERS:
        given = inspect.signature(getattr(Chalice, name)).parameters.values()
        positional = [one.name for one in given if one.kind is one.POSITIONAL_OR_KEYWORD and one.name != "self"]
        assert positional == theirs["parameters"][name]


def test_names_that_only_one_has(theirs):
    (row,) = [row for row in table() if row["what"].startswith("names of `chalice.app`")]
    assert named(row["theirs"]) == {name for name in theirs["names"] if not hasattr(nbchalice.app, name)}
    assert named(row["ours"]) == {name for name in HOMES if name not in theirs["names"]}


def test_attributes_of_apps_that_only_one_has(theirs, app):
    (row,) = [row for row in table() if row["what"].startswith("attributes of an app")]
    mine = {name for name in dir(app) if not name.startswith("_")} - COMMANDS.keys()
    assert named(row["theirs"]) == {name for name in theirs["app"] if not hasattr(app, name)}
    assert named(row["ours"]) == mine - set(theirs["app"]) - {"current_request", "lambda_context"}


@pytest.mark.parametrize("name", facts.ATTRIBUTES)
def test_attributes_of_events_that_only_nbchalice_has(theirs, name):
    mine = {one for one in dir(getattr(nbchalice, name)) if not one.startswith("_")}
    more = mine - set(theirs["events"][name]) - {"to_dict", "record_class"}
    rows = [row for row in table() if row["what"] == f"`{name}`"]
    assert [named(row["ours"]) for row in rows] == ([more] if more else [])
    assert set(theirs["events"][name]) <= mine


def test_a_handler_may_have_several_triggers(theirs, app):
    one = app.on_sqs_message("a", name="one")(app.on_sns_message("b")(lambda event: 1))
    assert len(one.triggers) == 2 and theirs["of an app"]["stacked"] == "AttributeError"


def test_a_handler_takes_the_context_where_it_wants_it(theirs, app):
    assert app.on_sqs_message("q", name="two")(lambda event, context: context)(SQS, 7) == 7
    assert app.lambda_function(name="one")(lambda event: event)({"n": 1}, None) == {"n": 1}
    assert (theirs["of an app"]["two arguments"], theirs["of an app"]["one argument"]) == ("TypeError", "TypeError")


def test_a_handler_can_be_called_with_an_event_alone(theirs, app):
    price = app.on_sqs_message("q", name="two")(lambda event: [record.body for record in event])
    assert price(nbchalice.SQSEvent(SQS)) == ["1"] == theirs["of an app"]["answer"]
    assert theirs["of an app"]["event object"] == "TypeError"


def test_a_name_that_comes_again_replaces_the_handler(theirs, app):
    for answer in (1, 2):
        app.lambda_function(name="one")(lambda event, answer=answer: answer)
    assert len(app.handlers) == 1 and theirs["of an app"]["same name"] == [2, "ValueError"]


def test_what_is_wrong_with_a_decorator_is_told_where_it_stands(theirs, app):
    with pytest.raises(ValueError):
        app.on_sqs_message("q", queue_arn="arn:aws:sqs:us-east-1:123456789012:q")
    with pytest.raises(ValueError):
        app.schedule("every week")
    with pytest.raises(TypeError, match="with parentheses"):
        app.lambda_function(lambda event: 1)
    with pytest.raises(ValueError):
        app.register_middleware(print, "sqss")
    behaves = theirs["of an app"]
    assert not any(behaves[one] for one in ("queue and arn", "schedule", "without parentheses", "middleware"))
    assert behaves["no queue"] == "ValueError"


def passed_on(event, get_response):
    SEEN.append(event)
    return get_response(event)


SEEN = []


def test_middleware_that_is_defined_again_replaces_the_one_of_its_name(theirs, app):
    SEEN.clear()
    app.register_middleware(passed_on, "sqs")
    app.register_middleware(passed_on, "sqs")
    app.on_sqs_message("q", name="one")(lambda event: 1)(SQS, None)
    assert len(SEEN) == 1 and theirs["of an app"]["middleware ran"] == 2


def test_a_blueprint_may_get_handlers_after_it_was_registered(theirs, app):
    extra = Blueprint("app")
    app.register_blueprint(extra)
    extra.on_sns_message("t", name="late")(lambda event: 1)
    assert "late" in app.handlers and theirs["of an app"]["late"] == ["price"]


def test_the_app_knows_the_context_of_the_last_call(theirs, app):
    assert app.current_request is None
    app.on_sqs_message("q", name="one")(lambda event: 1)(SQS, 7)
    assert app.lambda_context == 7
    assert not theirs["of an app"]["context"] and not theirs["of an app"]["request"]


def test_the_log_is_written_from_info_on(theirs, app, monkeypatch):
    assert (app.log.level, theirs["of an app"]["level"]) == (logging.INFO, logging.ERROR)
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "WARNING")
    assert Chalice("other").log.level == logging.WARNING


def test_on_lambda_a_log_line_is_one_of_lambdas_with_the_request(theirs):
    from nbchalice.runtime.logs import LAMBDA_FORMAT, NOTEBOOK_FORMAT

    assert theirs["of an app"]["format"] == NOTEBOOK_FORMAT and "aws_request_id" in LAMBDA_FORMAT


def test_the_environment_is_left_alone(theirs):
    env = {}
    Chalice("shop", env=env)
    assert not env and "AWS_EXECUTION_ENV" not in os.environ
    assert "aws-chalice/1.34" in theirs["of an app"]["execution env"]


def test_what_an_event_lacks_is_none(theirs):
    sns = nbchalice.SNSEvent({"Records": [{"Sns": {"Message": "m", "MessageAttributes": {}}}]})
    change = nbchalice.DynamoDBRecord({"dynamodb": {}})
    own = nbchalice.CloudWatchEvent({"mine": 1})
    test = nbchalice.S3Event({"Event": "s3:TestEvent", "Bucket": "b"})
    assert sns.subject is None and change.timestamp is None and not own.source and test.is_test
    behaves = theirs["of events"]
    assert {behaves[one] for one in ("subject", "time", "own input", "test event")} == {"KeyError"}


def test_all_records_of_s3_and_sns_can_be_gone_through(theirs):
    record = {"s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}
    assert [one.key for one in nbchalice.S3Event({"Records": [record, record]})] == ["k", "k"]
    assert len(nbchalice.SQSEvent(SQS)) == 1
    assert theirs["of events"]["iterated"] == theirs["of events"]["length"] == "TypeError"


def test_failed_records_are_named_to_lambda_where_that_is_asked_for(theirs, tmp_path, capsys):
    cell = "%%on_sqs_message orders --report-failures\ndef price(event):\n    return {'batchItemFailures': []}"
    (mapping,) = of_type(packaged(tmp_path, [cell], capsys), "AWS::Lambda::EventSourceMapping")
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "ReportBatchItemFailures" not in json.dumps(theirs["of a package"]["template"])


def test_the_test_client_gives_what_lambda_would(theirs, app):
    app.lambda_function(name="give")(lambda event: (1, 2))
    with nbchalice.testing.Client(app) as client:
        assert client.lambda_.invoke("give").payload == [1, 2] and theirs["of the client"]["payload"] == "tuple"


def test_the_test_client_has_no_http(theirs, app):
    with pytest.raises(AttributeError):
        nbchalice.testing.Client(app).http  # noqa: B018
    assert not theirs["of the client"]["http"]


def test_the_generators_of_events_are_the_same(theirs):
    import inspect

    for name, given in theirs["of the client"]["generators"].items():
        own = inspect.signature(getattr(nbchalice.testing.TestEventsClient, name)).parameters
        assert list(own)[1:] == given


def test_an_unknown_handler_is_an_error_of_nbchalice_too(theirs, app):
    with pytest.raises(nbchalice.testing.FunctionNotFoundError) as told:
        nbchalice.testing.Client(app).lambda_.invoke("nobody")
    assert isinstance(told.value, InvalidInputError) and theirs["of the client"]["unknown"] == "FunctionNotFoundError"


def test_handlers_of_a_file_can_be_tested(tmp_path):
    notebook = write(tmp_path / "shop.ipynb", ["%load_ext nbchalice", PRICE.replace("print(1)", "return 7")])
    with nbchalice.testing.Client(nbchalice.testing.notebook_app(notebook)) as client:
        event = client.events.generate_sqs_event(["1"], queue_name="orders")
        assert client.lambda_.invoke("price", event).payload == 7


def configured(tmp_path, **content):
    (tmp_path / ".chalice").mkdir(exist_ok=True)
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(content))
    return read_config(tmp_path)


def test_keys_that_nobody_knows_are_refused(theirs, tmp_path):
    with pytest.raises(InvalidInputError, match="there is no key lambda_tiemout; did you mean lambda_timeout"):
        configured(tmp_path, lambda_tiemout=5)
    assert theirs["of configuration"]["timeout"] == 7  # It has that key besides.


def test_functions_are_configured_within_a_stage_only(theirs, tmp_path):
    with pytest.raises(InvalidInputError, match="there is no key lambda_functions"):
        configured(tmp_path, lambda_functions={"f": {"lambda_timeout": 7}})
    assert theirs["of configuration"]["timeout"] == 7


def test_the_processor_may_be_one_of_a_function(theirs, tmp_path):
    stages = {"dev": {"lambda_functions": {"f": {"lambda_architecture": "arm64"}}}}
    assert settings_for(configured(tmp_path, stages=stages), "dev", "f") == {"arch": "arm64"}
    assert theirs["of configuration"]["architecture"] == "x86_64"


def test_a_policy_counts_without_autogen_policy(theirs, tmp_path):
    assert settings_for(configured(tmp_path, iam_policy_file="p.json"), "dev", "f") == {"policy": ".chalice/p.json"}
    # There is no such file, and Chalice did not look for it.
    assert of_type(theirs["of a package"]["template"]["Resources"], "AWS::IAM::Role")


def test_settings_have_the_same_defaults(theirs):
    assert [DEFAULTS["timeout"], DEFAULTS["memory"]] == theirs["defaults"]


def test_a_value_that_looks_secret_is_refused(theirs, tmp_path, capsys):
    configured(tmp_path, environment_variables=theirs["of configuration"]["variables"])
    notebook = write(tmp_path / "shop.ipynb", ["%load_ext nbchalice", PRICE])
    assert code_of(["package", str(notebook), "--out", str(tmp_path / "out")]) == 2
    assert "environment variable DB_PASSWORD of .chalice/config.json holds a password" in capsys.readouterr().err


def test_keys_that_only_one_has(theirs):
    (unused,) = [row for row in table() if row["what"].startswith("keys that are taken and do nothing")]
    assert named(unused["what"]) == (UNUSED - {"generated_by"}) and UNUSED & set(theirs["keys"])
    (only,) = [row for row in table() if row["what"].startswith("keys of nbchalice's own")]
    assert named(only["ours"]) <= TOP and not named(only["ours"]) & set(theirs["keys"])


def test_each_function_has_a_role_that_may_do_what_it_needs(theirs, tmp_path, capsys):
    made = packaged(tmp_path, [PRICE, PLAIN], capsys)
    own = [one["Properties"]["Policies"] for one in of_type(made, "AWS::IAM::Role")]
    assert len(own) == 2 and '"*"' not in json.dumps(own) and "s3:List" not in json.dumps(own)
    (role,) = of_type(theirs["of a package"]["template"]["Resources"], "AWS::IAM::Role")
    policies = json.dumps(role["Properties"]["Policies"])
    assert '"sqs:ReceiveMessage"' in policies and '"Resource": "*"' in policies and "s3:ListAllMyBuckets" in policies


def test_each_function_has_a_zip_of_its_own(theirs, tmp_path, capsys):
    made = packaged(tmp_path, [PRICE, PLAIN], capsys)
    assert len({one["Properties"]["CodeUri"] for one in of_type(made, "AWS::Serverless::Function")}) == 2
    functions = of_type(theirs["of a package"]["template"]["Resources"], "AWS::Serverless::Function")
    assert len(functions) == 2 and len({one["Properties"]["CodeUri"] for one in functions}) == 1


def test_local_modules_travel_where_they_are_imported(theirs, tmp_path, capsys):
    import io
    import zipfile

    (tmp_path / "other.py").write_text("N = 1\n")
    packaged(tmp_path, ["import other", "%%lambda_function\ndef plain(event):\n    return other.N"], capsys)
    (code,) = (tmp_path / "out" / "code").iterdir()
    assert "other.py" in zipfile.ZipFile(io.BytesIO(code.read_bytes())).namelist()
    assert not theirs["of a package"]["other.py"]


def test_each_function_has_its_log_group(theirs, tmp_path, capsys):
    assert len(of_type(packaged(tmp_path, [PRICE, PLAIN], capsys), "AWS::Logs::LogGroup")) == 2
    assert not of_type(theirs["of a package"]["template"]["Resources"], "AWS::Logs::LogGroup")


def test_functions_bear_tags(theirs):
    made = desired(one_app("shop", handler("price", sqs("orders"))), {"price": package()}, Anywhere())
    tags = made[key_of("function", "shop-dev-price")].all_tags()
    (row,) = [row for row in table() if row["what"] == "tags"]
    assert named(row["ours"]) <= tags.keys()
    functions = of_type(theirs["of a package"]["template"]["Resources"], "AWS::Serverless::Function")
    assert all(named(row["theirs"]) <= one["Properties"]["Tags"].keys() for one in functions)


def test_a_function_may_have_another_python(theirs, tmp_path, capsys):
    other = "3.12" if sys.version_info[:2] != (3, 12) else "3.13"
    (mine,) = of_type(
        packaged(tmp_path, [PRICE.replace("orders", f"orders --python {other}")], capsys), "AWS::Serverless::Function"
    )
    assert mine["Properties"]["Runtime"] == f"python{other}"
    functions = of_type(theirs["of a package"]["template"]["Resources"], "AWS::Serverless::Function")
    assert {one["Properties"]["Runtime"] for one in functions} == {f"python3.{sys.version_info.minor}"}


def test_templates_have_the_notifications_of_buckets(theirs, tmp_path, capsys):
    made = packaged(tmp_path, ["%%on_s3_event uploads\ndef files(event):\n    print(event.key)"], capsys)
    assert [one for one in made.values() if "uploads" in json.dumps(one)]
    assert "Unable to package" in theirs["of a package"]["bucket"]


def test_commands_that_only_one_has(theirs):
    (row,) = [row for row in table() if row["what"].startswith("commands")]
    assert named(row["theirs"]) == set(theirs["commands"]) - COMMANDS.keys()
    assert named(row["ours"]) == COMMANDS.keys() - set(theirs["commands"])
