"""A Chalice app becomes a notebook and a Chalice app again; a notebook becomes one that Chalice deploys: each handles its events."""

import base64
import json

import pytest

from nbchalice.cli import code_of

from ..deploy.harness import unique
from ..log_groups import read_lines
from ..notebooks import write

pytestmark = [pytest.mark.local_aws, pytest.mark.slow]

APP = '''"""Orders of a small shop."""
import json
import os

from chalice import Chalice, Rate
from chalicelib import stock
from chalicelib.prices import price_of

app = Chalice(app_name="NAME")
app.debug = True
app.register_blueprint(stock.extra, name_prefix="extra_")
CURRENCY = os.environ["CURRENCY"]


@app.middleware("sqs")
def count(event, get_response):
    app.log.info("a batch")
    return get_response(event)


@app.on_sqs_message(queue="NAME-orders", batch_size=5, maximum_concurrency=4)
def orders(event):
    for record in event:
        app.log.info("%s %s", price_of(json.loads(record.body)), CURRENCY)


@app.on_s3_event(bucket="NAME", prefix="in/", suffix=".csv", events=["s3:ObjectCreated:Put"])
def files(event):
    app.log.info("file %s", event.key)


@app.schedule(Rate(5, unit=Rate.MINUTES), description="now and then")
def clock(event):
    app.log.info("clock %s", event.source)


@app.on_cw_event({"source": ["NAME"]}, name="bus-events")
def bus(event):
    app.log.info("bus %s", event.detail)


@app.on_kinesis_record(stream="NAME", batch_size=7)
def stream(event):
    for record in event:
        app.log.info("stream %s", record.data.decode())


@app.on_dynamodb_record(stream_arn="TABLE", starting_position="TRIM_HORIZON")
def items(event):
    for record in event:
        app.log.info("item %s", record.new_image)


@app.lambda_function()
def plain(event, context):
    app.log.info("plain %s", event["n"])
    return event["n"] + 1
'''
FILES = {
    "chalicelib/__init__.py": "",
    "chalicelib/prices.py": "def price_of(order):\n    return order['net'] * 2\n",
    "chalicelib/stock.py": (
        "from chalice import Blueprint\n\nextra = Blueprint(__name__)\n\n\n"
        "@extra.on_sns_message(topic='NAME-news')\ndef news(event):\n    extra.log.info('news %s', event.message)\n"
    ),
    "requirements.txt": "",
}
CONFIG = {
    "environment_variables": {"CURRENCY": "EUR"},
    "lambda_timeout": 25,
    "lambda_functions": {"orders": {"lambda_memory_size": 256, "tags": {"team": "sales"}}},
}
# What Chalice would make of the project in the current folder.
DESCRIBED = """
import json, os, warnings
warnings.simplefilter("ignore")
from chalice.cli.factory import CLIFactory
config = CLIFactory(".", environ=os.environ).create_config_obj("dev")
app = config.chalice_app
found = {}
for one in [*app.event_sources, *app.pure_lambda_functions]:
    given = {name: value.to_string() if hasattr(value, "to_string") else value for name, value in vars(one).items()}
    given.pop("func", None)
    own = config.scope("dev", one.name)
    own_settings = [own.lambda_timeout, own.lambda_memory_size, own.environment_variables, own.tags]
    found[one.name] = [type(one).__name__, given, own_settings]
print(json.dumps(found))
"""


@pytest.fixture
def name(aws):
    """The app's name, and that of its queue, bucket, stream and table."""
    name = unique("shop")
    aws("sqs").create_queue(QueueName=f"{name}-orders", Attributes={"VisibilityTimeout": "180"})
    aws("sns").create_topic(Name=f"{name}-news")
    aws("s3").create_bucket(Bucket=name)
    aws("kinesis").create_stream(StreamName=name, ShardCount=1)
    return name


@pytest.fixture
def table(aws, name):
    """The ARN of the table's stream."""
    made = aws("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )  # fmt: skip
    return made["TableDescription"]["LatestStreamArn"]


@pytest.fixture
def project(tmp_path, name, table):
    """A Chalice project with a handler of each source."""
    config = {"version": "2.0", "app_name": name, "stages": {"dev": CONFIG}}
    for file, text in {"app.py": APP, **FILES, ".chalice/config.json": json.dumps(config)}.items():
        path = tmp_path / "project" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", name).replace("TABLE", table))
    return tmp_path / "project"


def cause(aws, name):
    """Cause an event of each source of an app, by AWS's own calls."""
    queue = aws("sqs").get_queue_url(QueueName=f"{name}-orders")["QueueUrl"]
    aws("sqs").send_message(QueueUrl=queue, MessageBody='{"net": 21}')
    aws("sns").publish(TopicArn=f"arn:aws:sns:us-east-1:000000000000:{name}-news", Message="rain")
    aws("s3").put_object(Bucket=name, Key="in/a b.csv", Body=b"1")
    aws("events").put_events(Entries=[{"Source": name, "DetailType": "x", "Detail": '{"n": 1}'}])
    aws("kinesis").put_record(StreamName=name, PartitionKey="1", Data=b"drop")
    aws("dynamodb").put_item(TableName=name, Item={"id": {"S": "tea"}})
    tick = {"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "account": "1",
            "time": "2026-01-01T00:00:00Z", "region": "us-east-1", "resources": [], "detail": {}}  # fmt: skip
    for handler, event in (("clock", tick), ("plain", {"n": 1})):
        answer = aws("lambda").invoke(FunctionName=f"{name}-dev-{handler}", Payload=json.dumps(event), LogType="Tail")
        assert "FunctionError" not in answer, base64.b64decode(answer["LogResult"])


LOGGED = {
    "orders": "42 EUR", "extra_news": "news rain", "files": "file in/a b.csv", "bus-events": "bus {'n': 1}",
    "stream": "stream drop", "items": "item {'id': {'S': 'tea'}}", "clock": "clock aws.events", "plain": "plain 1",
}  # fmt: skip


def handled(aws, name):
    """Return the handlers that have logged what they should."""
    lines = {handler: "".join(read_lines(aws("logs"), f"{name}-dev-{handler}")) for handler in LOGGED}
    return {handler for handler, text in LOGGED.items() if text in lines[handler]}


def test_a_chalice_app_becomes_a_notebook_whose_handlers_handle_events_and_the_same_app_again(
    project, name, aws, eventually, in_chalice, capsys
):
    before = in_chalice(DESCRIBED, folder=project)
    assert code_of(["import", str(project / "app.py")]) == 0
    notebook = str(project / f"{name}.ipynb")
    stock = project / "chalicelib" / "stock.py"
    stock.write_text(stock.read_text().replace("from chalice", "from nbchalice"))  # as the command says
    assert code_of(["deploy", notebook]) == 0
    cause(aws, name)
    eventually(lambda: handled(aws, name) == LOGGED.keys())
    assert code_of(["delete", notebook, "--yes"]) == 0
    capsys.readouterr()
    out = project.parent / "out"
    assert code_of(["export", notebook, "--out", str(out), "--json"]) == 0
    assert not [note for note in json.loads(capsys.readouterr().out)["notes"] if "left out" in note]
    after = in_chalice(DESCRIBED, folder=out)
    assert after == before and after.keys() == LOGGED.keys()


CELLS = [
    "%load_ext nbchalice\n%chalice app NAME",
    "import json\nimport prices\nfrom nbchalice import Rate\nfrom nbchalice.app import SNSEvent\nCURRENCY = 'EUR'",
    "%%on_sqs_message NAME-orders --batch-size 5 --timeout 25\n"
    "def orders(event, context):\n    for record in event:\n"
    "        app.log.info('%s %s', prices.price_of(json.loads(record.body)), CURRENCY)",
    "%%on_sns_message NAME-news --name extra_news\ndef news(event: SNSEvent):\n    app.log.info('news %s', event.message)",
    "%%on_s3_event NAME --prefix in/\ndef files(event):\n    app.log.info('file %s', event.key)",
    "%%on_cw_event '{\"source\": [\"NAME\"]}' --name bus-events\ndef bus(event):\n    app.log.info('bus %s', event.detail)",
    "%%on_kinesis_record NAME\ndef stream(event):\n    for record in event:\n        print('stream', record.data.decode())",
    "%%on_dynamodb_record TABLE --starting-position TRIM_HORIZON\ndef items(event):\n"
    "    for record in event:\n        print('item', record.new_image)",
    "@app.schedule(Rate(5, Rate.MINUTES), timeout=30)\ndef clock(event):\n    app.log.info('clock %s', event.source)",
    "%%lambda_function\ndef plain(event):\n    print('plain', event['n'])\n    return event['n'] + 1",
]


def test_a_notebook_becomes_a_chalice_app_that_chalice_deploys_and_that_handles_events(
    tmp_path, name, table, aws, eventually, chalice, capsys
):
    (tmp_path / "prices.py").write_text(FILES["chalicelib/prices.py"])
    cells = [cell.replace("NAME", name).replace("TABLE", table) for cell in CELLS]
    notebook = write(tmp_path / "shop.ipynb", cells)
    assert code_of(["export", str(notebook), "--out", str(tmp_path / "out")]) == 0
    assert "left out" not in capsys.readouterr().out
    chalice("deploy", folder=tmp_path / "out")
    cause(aws, name)
    eventually(lambda: handled(aws, name) == LOGGED.keys())
    chalice("delete", folder=tmp_path / "out")
