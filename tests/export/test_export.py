"""A notebook's handlers become a Chalice project: what it holds, what is left out, and that nothing is replaced."""

import json
from itertools import chain
from pathlib import Path

import pytest

import nbchalice
from nbchalice.cli import code_of
from nbchalice.export import chalice as facts
from nbchalice.export.lacking import LOST, SILENT, STOPS
from nbchalice.export.rewrite import for_chalice
from nbchalice.export.settings import EXPORTED
from nbchalice.export.usage import troubles
from nbchalice.handlers.settings import SETTINGS
from nbchalice.sources import BUILT_IN

from ..notebooks import write
from ..shells import close

CELLS = [
    "%load_ext nbchalice\n%chalice app shop",
    "import json\nimport prices\nfrom nbchalice import Rate, SQSEvent\nRATE, unused = 1.2, 'not needed'",
    "def total(text):\n    return prices.net(json.loads(text)) * RATE",
    "%%on_sqs_message sales --batch-size 5 --timeout 20 --env CURRENCY=EUR --allow s3:GetObject=arn:aws:s3:::in/*\n"
    "def price(event: SQSEvent, context):\n"
    '    """Log each price."""\n'
    "    for record in event:\n        app.log.info('%s costs %.2f', context.function_name, total(record.body))",
    "@app.schedule(Rate(5, Rate.MINUTES), memory=256, env={'CURRENCY': 'EUR'})\ndef tick(event):\n    print(RATE)",
    "%%lambda_function --env CURRENCY=EUR\ndef bare(event):\n    return RATE",
]
APP = '''"""The event handlers of shop.ipynb, exported by nbchalice."""

from chalice import Chalice, Rate
from chalice.app import SQSEvent

app = Chalice(app_name='shop')
app.log.setLevel("INFO")  # as in the notebook; Chalice's own is ERROR

import json
import prices

RATE, unused = 1.2, 'not needed'


def total(text):
    return prices.net(json.loads(text)) * RATE


@app.on_sqs_message(queue='sales', batch_size=5)
def price(event: SQSEvent):
    """Log each price."""
    context = event.context
    for record in event:
        app.log.info('%s costs %.2f', context.function_name, total(record.body))


@app.schedule(Rate(5, Rate.MINUTES))
def tick(event):
    print(RATE)


@app.lambda_function()
def bare(event, context):
    return RATE
'''
PRICES = "from nbchalice import Rate\n\n\ndef net(order):\n    return order['net']\n"


@pytest.fixture
def shop(tmp_path):
    """A notebook of three handlers, with a module beside it."""
    (tmp_path / "prices.py").write_text(PRICES)
    return write(tmp_path / "shop.ipynb", CELLS)


def export(notebook, capsys, *words):
    """Export a notebook, and return the document."""
    assert code_of(["export", str(notebook), "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def refused(notebook, capsys, *words):
    """Return why a notebook is not exported."""
    assert code_of(["export", str(notebook), *words]) == 2
    return capsys.readouterr().err


def told_of(cell, tmp_path, capsys):
    """Return what is told of one handler, beside another one that has nothing to be told."""
    plain = "%%on_sns_message news\ndef plain(event):\n    print(event.message)"
    notebook = write(tmp_path / "one.ipynb", [CELLS[0], plain, cell])
    return export(notebook, capsys, "--no-verify")["notes"]


def test_one_app_has_all_handlers_with_what_they_share_once_and_modules_travel(shop, capsys):
    made = export(shop, capsys)
    folder = shop.parent / "shop"
    assert {Path(name).relative_to(folder).as_posix() for name in made["files"]} == {
        "app.py", "requirements.txt", "vendor/prices.py", ".chalice/config.json",
        *(f".chalice/policy-dev-{name}.json" for name in ("price", "tick", "bare")),
    }  # fmt: skip
    assert (folder / "app.py").read_text() == APP
    assert (folder / "vendor" / "prices.py").read_text() == PRICES.replace("nbchalice", "chalice")
    assert (folder / "requirements.txt").read_text() == ""


def test_the_configuration_says_once_what_all_have_and_each_role_may_do_what_a_deploy_allows(shop, capsys):
    export(shop, capsys, "--stage", "prod", "--out", str(shop.parent / "out"))
    folder = shop.parent / "out" / ".chalice"
    assert json.loads((folder / "config.json").read_text()) == {
        "version": "2.0", "app_name": "shop", "stages": {"prod": {
            "environment_variables": {"CURRENCY": "EUR"}, "autogen_policy": False, "lambda_functions": {
                "price": {"lambda_timeout": 20, "iam_policy_file": "policy-prod-price.json"},
                "tick": {"lambda_memory_size": 256, "iam_policy_file": "policy-prod-tick.json"},
                "bare": {"iam_policy_file": "policy-prod-bare.json"},
            },
        }},
    }  # fmt: skip
    log, queue, allowed = json.loads((folder / "policy-prod-price.json").read_text())["Statement"]
    assert log["Resource"][0] == "arn:*:logs:*:*:log-group:/aws/lambda/shop-prod-price"
    assert queue["Resource"] == "arn:*:sqs:*:*:sales"
    assert allowed == {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::in/*"}


def test_settings_of_chalices_own_configuration_go_along_by_their_keys(tmp_path, capsys):
    role = "arn:aws:iam::123456789012:role/shop"
    section = {
        "tags": {"team": "sales"}, "lambda_architecture": "arm64", "xray": True, "reserved_concurrency": 2,
        "log_retention_in_days": 7, "subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"],
        "layers": ["arn:aws:lambda:us-east-1:123456789012:layer:one:1"],
    }  # fmt: skip
    own = {"iam_role_arn": role, "manage_iam_role": False}
    configured = {"version": "2.0", "stages": {"dev": {**section, "lambda_functions": {"plain": own}}}}
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(configured))
    cells = [CELLS[0], "%%on_sns_message news\ndef plain(event):\n    print(event.message)"]
    made = export(write(tmp_path / "one.ipynb", cells), capsys, "--no-verify")
    stage = json.loads((tmp_path / "shop" / ".chalice" / "config.json").read_text())["stages"]["dev"]
    assert stage == {**section, **own}
    assert len(made["files"]) == 3  # There is no policy for a role of the user's.


def test_what_looks_secret_is_named_and_not_written(tmp_path, capsys):
    cell = "%%on_sns_message news --env DB_PASSWORD=hunter2secret --env A_B=c --allow-secret DB_PASSWORD\n"
    notebook = write(tmp_path / "one.ipynb", [CELLS[0], f"{cell}def plain(event):\n    print(event.message)"])
    made = export(notebook, capsys)
    assert "plain: the value of DB_PASSWORD is not written" in made["notes"][0]
    texts = [Path(name).read_text() for name in made["files"]]
    assert not any("hunter2secret" in text for text in texts) and any('"A_B": "c"' in text for text in texts)


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%%on_sqs_message q --per-record\ndef one(record):\n    print(record.body)", "--per-record has nothing in Chalice: go"),
        ("%%on_sqs_message q --filter '{\"body\": {\"a\": [1]}}'\ndef one(event):\n    print(1)", "--filter has nothing"),
        ("%%on_dynamodb_record arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-01-01T00:00:00.000 --filter "
         "'{\"eventName\": [\"INSERT\"]}'\ndef one(event):\n    print(1)", "--filter has nothing in Chalice: look at"),
        ("%%on_sns_message t --filter-policy '{\"a\": [\"b\"]}'\ndef one(event):\n    print(1)", "--filter-policy has"),
        ("%%on_cw_event '{\"source\": [\"a\"]}' --bus other\ndef one(event):\n    print(1)", "--bus has nothing"),
        ("%%schedule cron(0 9 * * ? *) --timezone Europe/Vienna\ndef one(event):\n    print(1)", "--timezone has"),
        ("%%schedule at(2090-01-31T09:00:00)\ndef one(event):\n    print(1)", "runs once, by at(...)"),
        ("%%schedule rate(1 hour) --input '{}'\ndef one(event):\n    print(1)", "--input has nothing in Chalice: let"),
        ("%%on_s3_event in-1 --via eventbridge\ndef one(event):\n    print(1)", "--via has nothing in Chalice: take"),
        ("%%on_sqs_message q --also 'on_sns_message t'\ndef one(event):\n    print(1)", "has 2 triggers, and Chalice"),
        ("%%on_sqs_message q --report-failures\ndef one(event):\n    return {'batchItemFailures': []}", "answers with"),
        ("%%on_sqs_message q\ndef one(event):\n    for r in event:\n        r.done()",
         "uses r.done: Chalice's SQSRecord has body, receipt_handle, context and to_dict() (cell 3, line 4): do without"),
        ("def log(f):\n    def wrapper(event, context):\n        return f(event, context)\n    return wrapper\n"
         "@app.lambda_function(name='one')\n@log\ndef one(event, context):\n    return 1", "loses its name by its decorator log"),
        ("%%on_s3_event in-1\ndef one(event):\n    for record in event:\n        print(record.key)", "goes through the records"),
        ("%%on_sns_message q\ndef one(event):\n    print(len(event))", "asks for len() of the event"),
        ("%%on_sqs_message q\ndef one(event):\n    print(app.lambda_context)", "uses app.lambda_context"),
        ("from nbchalice import At\n@app.lambda_function()\ndef one(event):\n    return At", "uses At of nbchalice"),
        ("from dataclasses import dataclass\n@dataclass\nclass Order:\n    item: str\n"
         "@app.on_sqs_message('q')\ndef one(orders: list[Order]):\n    print(orders)", "takes list[Order], and Chalice"),
    ],
)  # fmt: skip
def test_what_chalice_has_nothing_for_is_left_out_and_named_with_what_to_do(cell, told, tmp_path, capsys):
    (note,) = [note for note in told_of(cell, tmp_path, capsys) if note.startswith("one ")]
    assert note.startswith(f"one is left out: it {told}") and "\n" not in note
    text = (tmp_path / "shop" / "app.py").read_text()
    assert "def plain" in text and "def one" not in text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("lambda_function --url iam", "--url has nothing in Chalice: aws lambda create-function-url-config"),
        ("on_sqs_message q --ephemeral-storage 1024", "--ephemeral-storage has nothing in Chalice: after each deploy"),
        ("on_kinesis_record s --bisect", "--bisect has nothing in Chalice: after the first deploy, aws lambda update-"),
    ],
)
def test_what_is_lost_is_named_and_the_handler_exported(line, told, tmp_path, capsys):
    notes = told_of(f"%%{line}\ndef one(event):\n    print(1)", tmp_path, capsys)
    assert [note for note in notes if note.startswith(f"one: {told}")]
    assert "def one(event" in (tmp_path / "shop" / "app.py").read_text()


def test_each_option_and_setting_goes_along_or_has_a_line():
    options = {one.name for one in chain.from_iterable(source.all_options() for source in BUILT_IN.values())}
    parameters = set().union(*facts.PARAMETERS.values())
    known = parameters | STOPS.keys() | LOST.keys() | SILENT
    assert options <= known and {option.name for option in SETTINGS} <= known | EXPORTED
    assert not (STOPS.keys() & LOST.keys()) and not (EXPORTED & LOST.keys())


def test_with_nothing_to_export_it_is_an_error_and_nothing_is_written(tmp_path, capsys):
    notebook = write(
        tmp_path / "one.ipynb", [CELLS[0], "%%on_sqs_message q --per-record\ndef one(record):\n    print(1)"]
    )
    said = refused(notebook, capsys)
    assert "no handler of one.ipynb can be exported for Chalice: one is left out: it --per-record" in said
    assert not (tmp_path / "shop").exists()


def test_blueprints_of_cells_and_of_modules_are_those_of_chalice(tmp_path, capsys):
    (tmp_path / "chalicelib").mkdir()
    (tmp_path / "chalicelib" / "__init__.py").write_text("")
    (tmp_path / "chalicelib" / "stock.py").write_text(
        "from nbchalice import Blueprint\n\nextra = Blueprint(__name__)\n\n\n"
        "@extra.on_sns_message(topic='restocked', memory=256)\ndef restocked(event):\n    print(event.message)\n"
    )
    cells = [
        "from nbchalice import Blueprint, Chalice\nfrom chalicelib import stock\nshop = Chalice('shop', debug=True)",
        "mine = Blueprint(__name__)\n@mine.on_sqs_message('orders')\ndef price(event):\n    shop.log.info('one')",
        "shop.register_blueprint(mine, name_prefix='my_')\nshop.register_blueprint(stock.extra)",
    ]
    export(write(tmp_path / "one.ipynb", cells), capsys, "--out", str(tmp_path / "out"))
    assert (
        (tmp_path / "out" / "app.py")
        .read_text()
        .endswith("shop.register_blueprint(stock.extra)\n\napp = shop  # the name that Chalice looks for\n")
    )
    module = (tmp_path / "out" / "chalicelib" / "stock.py").read_text()
    assert "from chalice import Blueprint" in module and "@extra.on_sns_message(topic='restocked')\n" in module
    stage = json.loads((tmp_path / "out" / ".chalice" / "config.json").read_text())["stages"]["dev"]
    assert (
        stage["lambda_functions"]["restocked"]["lambda_memory_size"] == 256 and "my_price" in stage["lambda_functions"]
    )


def test_an_app_that_a_module_makes_has_the_name_that_chalice_looks_for(tmp_path, capsys):
    (tmp_path / "common.py").write_text("from nbchalice import Chalice\n\nshop = Chalice('shop')\n")
    cells = ["from common import shop", "@shop.lambda_function()\ndef bare(event):\n    return 1"]
    export(write(tmp_path / "one.ipynb", cells), capsys, "--out", str(tmp_path / "out"))
    assert (tmp_path / "out" / "app.py").read_text().endswith("app = shop  # the name that Chalice looks for\n")


def test_files_that_are_there_are_replaced_with_force_only(shop, capsys):
    app = shop.parent / "shop" / "app.py"
    export(shop, capsys)
    export(shop, capsys)  # What would be written is there.
    app.write_text("mine")
    assert "shop has app.py already" in refused(shop, capsys) and app.read_text() == "mine"
    export(shop, capsys, "--force")
    assert app.read_text() == APP
    app.unlink()
    app.mkdir()
    assert "has app.py already" in refused(shop, capsys, "--force")
    assert "is a file" in refused(shop, capsys, "--out", str(shop))


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("import nbchalice as chalice, os", "import chalice, os"),
        ("import nbchalice", "import chalice as nbchalice"),
        ("from nbchalice.app import SQSEvent as E", "from chalice.app import SQSEvent as E"),
        ("if 1:\n    from nbchalice import Cron, S3Event",
         "if 1:\n    from chalice import Cron\n    from chalice.app import S3Event"),
        ("@app.on_sns_message('t', memory=256)\ndef f(e): pass", "@app.on_sns_message('t')\ndef f(e): pass"),
        ("app.on_sns_message('t', memory=256)(f)", "app.on_sns_message('t')(f)"),
        ("@app.on_sns_message('t')\ndef f(e, c): return c", "@app.on_sns_message('t')\ndef f(e): c = e.context; return c"),
        ("@app.on_sns_message('ü')\ndef f(e, c):\n    @g\n    def h(): pass",
         "@app.on_sns_message('ü')\ndef f(e):\n    c = e.context\n    @g\n    def h(): pass"),
        ("@app.lambda_function()\ndef f(e, c): pass", "@app.lambda_function()\ndef f(e, c): pass"),
        ("@app.lambda_function()\ndef f(*a): pass", "@app.lambda_function()\ndef f(*a): pass"),
        ("@app.on_sns_message('t')\ndef f(e, times=3): pass", "@app.on_sns_message('t')\ndef f(e, times=3): pass"),
    ],
)  # fmt: skip
def test_the_text_changes_only_where_chalice_differs(text, changed):
    assert for_chalice(text) == changed and not troubles(text)


ORDERS = """'Orders.'
from nbchalice.app import KinesisRecord


def one(r):
    return r.json()["n"], f'{r.message_id!r:>9} of "{r.queue_name}"', r.attributes["SenderId"]


def other(record: KinesisRecord):
    return record.json()


@app.on_sqs_message('q')
def orders(event):
    return [one(r) for r in event] + [(i, r.receive_count) for i, r in enumerate(event)] + [len(event)]


@app.on_s3_event('b')
def files(event):
    return event.size, event.event_name, event.version_id


@app.on_sns_message('t')
def news(event):
    return event.json(), event.message_id, event.topic_arn, event.timestamp
"""
RAW = {
    "orders": {"Records": [{
        "body": '{"n": 1}', "messageId": "m", "receiptHandle": "r", "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q", "messageAttributes": {},
        "attributes": {"SenderId": "s", "ApproximateReceiveCount": "2"},
    }]},
    "files": {"Records": [{
        "eventName": "ObjectCreated:Put", "eventSource": "aws:s3",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "k", "size": 3, "eTag": "e"}},
    }]},
    "news": {"Records": [{"EventSource": "aws:sns", "Sns": {
        "Message": "[1]", "MessageId": "m", "TopicArn": "a", "Timestamp": "now", "Subject": None, "MessageAttributes": {},
    }}]},
}  # fmt: skip
ANSWERS = """
import json, sys
import chalice
names = {"app": chalice.Chalice("x")}
exec(sys.argv[2], names)
print(json.dumps({name: names[name](event, None) for name, event in json.loads(sys.argv[1]).items()}))
"""


@pytest.mark.slow
def test_what_nbchalices_events_have_besides_is_written_for_those_of_chalice(in_chalice):
    assert not troubles(ORDERS)
    names = {"app": nbchalice.Chalice("x")}
    exec(ORDERS, names)
    here = json.loads(json.dumps({name: names[name](event, None) for name, event in RAW.items()}))
    assert in_chalice(ANSWERS, json.dumps(RAW), for_chalice(ORDERS)) == here
    assert for_chalice(ORDERS).startswith("'Orders.'\nimport json\nfrom chalice.app import KinesisRecord\n")


def test_each_attribute_of_nbchalice_has_something_instead_or_a_reason():
    refused = {"S3Event": {"is_test"}, "SQSRecord": {"done", "is_done"}, "KinesisRecord": {"done", "is_done"}}
    for name in ("S3Event", "SNSEvent", "SQSRecord", "KinesisRecord"):
        mine = {one for one in dir(getattr(nbchalice, name)) if not one.startswith("_")}
        more = mine - {*facts.ATTRIBUTES[name], "to_dict", "record_class"} - refused.get(name, set())
        assert {one.removesuffix("()") for one in facts.INSTEAD[name]} == more


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("def one(r):\n    return r.json()\n@app.on_sqs_message('q')\ndef f(e):\n    return [one(r) for r in e]\n"
         "@app.on_kinesis_record('s')\ndef g(e):\n    return [one(r) for r in e]", 2, "of records of two kinds"),
        ("json = 1\n@app.on_sns_message('q')\ndef f(e):\n    return e.json()", 4, "calls something else json"),
        ("def one(r):\n    return r.is_done\n@app.on_sqs_message('q')\ndef f(e):\n    for n, r in enumerate(e):\n"
         "        one(r)", 2, "uses r.is_done"),
    ],
)  # fmt: skip
def test_what_functions_do_with_records_is_followed(text, line, told):
    (one,) = troubles(text)
    assert one.line == line and told in one.text


def test_a_notebook_is_exported_by_the_magic_too(tmp_path, monkeypatch):
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell()
    try:
        for cell in [
            "%load_ext nbchalice\n%chalice app shop",
            "RATE = 2",
            "%%lambda_function\ndef bare(event):\n    return RATE",
        ]:
            shell.run_cell(cell, store_history=True).raise_error()
        result = shell.run_cell("%chalice export --out made", store_history=True)
        result.raise_error()
        assert [path.name for path in result.result.paths][0] == "app.py"
    finally:
        close(shell)
    assert "def bare(event, context):\n    return RATE" in (tmp_path / "made" / "app.py").read_text()
