"""Handlers that say by an annotation what their records are: in the kernel, in the form, and deployed."""

import json
from decimal import Decimal

import pytest

from nbchalice.cli import code_of
from nbchalice.errors import InvalidInputError

from ..notebooks import write

pytestmark = pytest.mark.timeout(180)
TYPES = """
{future}
import json
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum

class Kind(Enum):
    TEA = "tea"
    COFFEE = "coffee"

@dataclass
class Customer:
    name: str
    vip: bool = False

@dataclass
class Order:
    id: int
    net: Decimal
    placed: date
    customer: Customer
    kind: Kind = Kind.TEA
    tags: list[str] = field(default_factory=list)
"""
HANDLER = """%%on_sqs_message typed-orders --batch-size 10 --per-record --dlq typed-lost --max-receive-count 1
def price(order: {annotation}):
    app.log.info("%s %s %s %s", order.id, order.net * 2, order.placed.year, order.kind.name)
"""
GOOD = {"id": 7, "net": 0.1, "placed": "2026-01-31", "customer": {"name": "Ann"}, "kind": "coffee"}


def typed(run, annotation="Order", future=""):
    run("%chalice app typed")
    run(TYPES.format(future=future))
    return run(HANDLER.format(annotation=annotation))


@pytest.mark.parametrize(
    ("annotation", "future"), [("Order", ""), ('"Order"', ""), ("Order", "from __future__ import annotations")]
)
def test_types_of_the_notebook_come_along_however_they_are_named(run, annotation, future, local_aws, aws):
    assert "gets      Order, from the JSON of its messages" in repr(typed(run, annotation, future))
    run("%chalice deploy")
    assert "class Order" in repr(run("%chalice show price"))
    done = run(f"%chalice send price --message '{json.dumps(GOOD)}'")
    assert [record.message for record in done.invocation.records] == ["7 0.2 2026 COFFEE"]
    assert run("price(Order(1, Decimal('2'), date(2026, 1, 1), Customer('Ann')))") is None


def test_a_record_that_does_not_fit_fails_alone_and_becomes_a_dead_letter(run, local_aws, aws):
    aws("sqs").create_queue(QueueName="typed-orders", Attributes={"VisibilityTimeout": "2"})
    typed(run)
    run("%chalice deploy")
    failed = run(f"%chalice send price --message '{json.dumps({**GOOD, 'placed': 'soon'})}'")
    assert failed.status == "failed"
    text = f"the body of message {failed.message_id} is no Order: placed wants a date such as 2026-11-28, not 'soon'"
    assert failed.invocation.error.message == text
    queue = aws("sqs").get_queue_url(QueueName="typed-lost")["QueueUrl"]
    lost = aws("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    assert json.loads(lost[0]["Body"])["placed"] == "soon"


def test_the_form_is_made_from_the_type(run, local_aws):
    from nbchalice.ui.widgets.sender import Sender

    typed(run)
    run("%chalice deploy")
    sender = Sender(run.notebook.pinned(), "price")
    message = sender.event.form.inputs["message"]
    boxes = {leaf.label: box for leaf, box in message.leaves}
    assert list(boxes) == ["id", "net", "placed", "customer.name", "customer.vip", "kind", "tags"]
    assert json.loads(message.read()) == {
        "id": 1, "net": 1.5, "placed": "2026-01-31", "customer": {"name": "text", "vip": False}, "kind": "tea"
    }  # fmt: skip
    assert (boxes["id"].value, boxes["kind"].value, boxes["customer.vip"].value) == ("1", "tea", False)
    assert [value for _, value in boxes["kind"].options] == [None, "tea", "coffee"]
    boxes["kind"].value, boxes["net"].value, boxes["customer.name"].value = "coffee", "0.10", "Ann"
    boxes["tags"].value, boxes["customer.vip"].value = '["new"]', None
    assert json.loads(message.read()) == {
        "id": 1, "net": "0.10", "placed": "2026-01-31", "customer": {"name": "Ann"}, "kind": "coffee", "tags": ["new"]
    }  # fmt: skip
    message.write(json.dumps({**GOOD, "more": 1}))
    assert (boxes["id"].value, boxes["tags"].value) == ("7", "")
    boxes["id"].value = "8"
    assert json.loads(message.read()) == {**GOOD, "id": 8, "more": 1}
    sender.send_button.click()
    sender.wait(60)
    assert sender.results[-1].ok


def test_without_a_message_one_that_fits_is_sent(run, local_aws):
    typed(run)
    run("%chalice deploy")
    assert run("%chalice send price").ok
    assert run("%chalice invoke price --sample").error is None


def test_a_shell_sends_one_that_fits_too(tmp_path, capsys, local_aws):
    handler = HANDLER.format(annotation="Order").replace("def price", "@logged\ndef price")
    handler = handler.replace("typed-orders", "shell-orders")
    wrapped = (
        "import functools\ndef logged(run):\n    @functools.wraps(run)\n    def call(*args): return run(*args)\n"
        "    return call"
    )
    cells = ["%load_ext nbchalice", "%chalice app typedshell", TYPES.format(future=""), wrapped, handler]
    file = write(tmp_path / "typed.ipynb", cells)
    assert code_of(["deploy", str(file)]) == 0
    for command in ("send", "invoke"):
        capsys.readouterr()
        code, told = code_of([command, str(file), "price"]), capsys.readouterr()
        assert (code, "1 3.0 2026 TEA" in told.out) == (0, True), told


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("%%on_sqs_message typed-orders\ndef price(order: Order): pass",
         "price wants Order, but gets batches\n  at cell 4, line 2: def price(order: Order): pass\n"
         "  fix: add --per-record (per_record=True), or write list[Order]"),
        ("%%on_s3_event uploads\ndef price(order: Order): pass",
         "price wants Order, but a trigger of on_s3_event has no content of that kind\n"
         "  at cell 4, line 2: def price(order: Order): pass\n"
         "  fix: write event: S3Event, and make the Order in the function"),
        ("from nbchalice import SNSRecord\n@app.on_sns_message('news')\ndef price(record: SNSRecord): pass",
         "price wants SNSRecord, but gets SNSEvent\n  at cell 4, line 2: @app.on_sns_message('news')\n  fix: write SNSEvent"),
        ("%%on_sqs_message typed-orders --per-record\ndef price(order: 'Bad'): pass",
         "price wants Bad: at: no JSON can be read as complex\n  at cell 4, line 2: def price(order: 'Bad'): pass\n"
         "  fix: take a Pydantic model, or dict"),
    ],
    ids=["batch", "s3", "record", "unread"],
)  # fmt: skip
def test_an_annotation_that_the_trigger_cannot_give_is_told_as_the_cell_runs(run, cell, text, tmp_path, capsys):
    types = TYPES.format(future="") + "@dataclass\nclass Bad:\n    at: complex\n"
    run(types)
    error = run.error(cell)
    assert isinstance(error, InvalidInputError)
    assert str(error) == text
    assert "price" not in run.names["app"].handlers
    file = tmp_path / "typed.ipynb"
    write(file, ["%load_ext nbchalice", "%chalice app shop", types, cell])
    assert code_of(["package", str(file), "--out", str(tmp_path / "out")]) == 2
    message, *_, fix = text.split("\n")
    told = capsys.readouterr().err
    assert told.startswith(f"error: {message}\n  at cell 4, line ")
    assert told.endswith(f"{fix}\n")


def test_what_changes_nothing_is_told_by_the_card_and_by_plan(run, tmp_path, capsys, local_aws):
    cell = "%%on_sqs_message typed-orders --per-record\ndef price(order: {}): pass"
    assert "cannot be read (name 'Later' is not defined): it gets SQSRecord" in repr(run(cell.format('"Later"')))
    plain = "class Later: pass"
    run(plain)
    note = "the annotation Later changes nothing, it gets SQSRecord"
    assert note in repr(run("%chalice plan"))
    file = tmp_path / "typed.ipynb"
    write(file, ["%load_ext nbchalice", "%chalice app shop", plain, cell.format("Later")])
    assert code_of(["plan", str(file)]) == 0
    assert f"price: {note}" in capsys.readouterr().out


def test_a_type_that_says_how_it_is_exact_stays_so(run, local_aws):
    typed(run)
    body = '{"id": 1, "net": 0.12345678901234567890, "placed": "2026-01-31", "customer": {"name": "Ann"}}'
    seen = []
    run.names["price"].function.__globals__["note"] = seen.append
    run("@app.on_sqs_message('typed-exact', per_record=True)\ndef exact(order: Order): note(order.net)")
    record = {"messageId": "m", "body": body, "eventSource": "aws:sqs", "eventSourceARN": "a:typed-exact"}
    run.names["exact"]({"Records": [record]}, None)
    assert seen == [Decimal("0.12345678901234567890")]


def test_a_card_does_not_say_that_a_typed_dict_of_an_invoked_function_is_checked(run):
    run("%chalice app typedhint")
    run("from dataclasses import dataclass\nfrom typing import TypedDict\nclass T(TypedDict):\n    a: int")
    run("@dataclass\nclass D:\n    a: int")
    card = repr(run("%%lambda_function\ndef f(event: T):\n    return event['a']"))
    assert "gets      the event as it is: that it is a T is not checked" in card
    assert "gets      D, from the event" in repr(run("%%lambda_function\ndef g(event: D):\n    return event.a"))
