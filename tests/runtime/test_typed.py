"""Records as dataclasses, TypedDicts, Pydantic models and msgspec structs, without a notebook."""

import base64
import json
import re
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from types import ModuleType
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, Optional, TypedDict

import msgspec
import pydantic
import pytest

from nbchalice import KinesisEvent, S3Event, ShapeError, SNSRecord, SQSEvent, SQSRecord
from nbchalice.handlers.records import record_of
from nbchalice.runtime.app import Trigger
from nbchalice.runtime.convert import convert
from nbchalice.runtime.shape_checks import unheeded
from nbchalice.runtime.shapes import parse


class Kind(Enum):
    TEA = "tea"
    COFFEE = "coffee"


class Size(IntEnum):
    SMALL = 1


@dataclass
class Line:
    sku: str
    count: int = 1


@dataclass
class Order:
    id: int
    net: Decimal
    lines: list[Line] = field(default_factory=list)
    note: str | None = None


class Row(TypedDict):
    id: int
    net: NotRequired[Decimal]


class Model(pydantic.BaseModel):
    id: int
    net: Annotated[Decimal, pydantic.Field(gt=0)]
    kind: Kind = Kind.TEA


class Struct(msgspec.Struct):
    id: int
    net: Decimal


@dataclass
class Positive:
    id: int

    def __post_init__(self):
        if self.id < 1:
            raise ValueError(f"{self.id} is not positive")


@dataclass
class Node:
    name: str
    below: "list[Node]" = field(default_factory=list)


Sku = NewType("Sku", str)
FIT = '{"id": 1, "net": 1.1}'
MISFIT = '{"id": "x", "net": 1.1}'


def queue(*bodies, name="orders", groups=()):
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    return {
        "Records": [
            {"messageId": f"m{at}", "body": body, "eventSource": "aws:sqs", "eventSourceARN": arn,
             "attributes": {"MessageGroupId": groups[at] if groups else "a"}}
            for at, body in enumerate(bodies)
        ]
    }  # fmt: skip


def stream(*texts):
    return {
        "Records": [
            {"eventSource": "aws:kinesis", "eventID": f"e{at}",
             "kinesis": {"sequenceNumber": str(at), "data": base64.b64encode(text.encode()).decode()}}
            for at, text in enumerate(texts)
        ]
    }  # fmt: skip


def failed(answer):
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


KINDS = [Order, Row, Model, Struct]


@pytest.mark.parametrize("kind", KINDS)
def test_each_record_alone(app, kind, capsys):
    seen = []

    @app.on_sqs_message("orders", batch_size=10, per_record=True)
    def price(order: kind):
        seen.append(order)

    assert failed(price(queue(FIT, MISFIT, "{", '{"id": 2}', FIT))) == ["m1", "m2"] + (
        ["m3"] if kind is not Row else []
    )
    ones = [one for one in seen if (one["id"] if kind is Row else one.id) == 1]
    nets = [one["net"] if kind is Row else one.net for one in ones]
    assert nets == [Decimal("1.1")] * 2
    told = capsys.readouterr().out
    assert f"the body of message m1 is no {kind.__name__}: id" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("kind", KINDS)
def test_batches(app, kind, capsys):
    seen = []

    @app.on_sqs_message("orders", batch_size=10, report_failures=True)
    def price(orders: list[kind]):
        seen.append(len(orders))

    assert failed(price(queue(FIT, FIT))) == []
    assert failed(price(queue(FIT, MISFIT, FIT, "{"))) == ["m1", "m3"]
    assert seen == [2, 2]
    assert "message m1 failed: the body of message m1 is no" in capsys.readouterr().out
    with pytest.raises(ShapeError, match="2 of 2 messages do not fit"):
        price(queue(MISFIT, "{"))
    with pytest.raises(ShapeError, match="the body of message m0 is no"):
        price(queue(MISFIT))
    assert seen == [2, 2]


def test_what_a_batch_raises_or_names_counts_beside_what_does_not_fit(app):
    @app.on_sqs_message("orders", batch_size=10, report_failures=True)
    def price(orders: list[Order]):
        if orders[0].id == 9:
            raise RuntimeError
        return {"batchItemFailures": [{"itemIdentifier": "m2"}]}

    assert failed(price(queue(FIT, MISFIT, FIT))) == ["m1", "m2"]
    with pytest.raises(RuntimeError):
        price(queue(FIT.replace("1,", "9,"), MISFIT))


def test_without_reported_failures_nothing_of_a_batch_runs_that_comes_back(app):
    @app.on_sqs_message("orders", batch_size=10)
    def price(orders: list[Order]):
        raise AssertionError

    with pytest.raises(ShapeError, match="message m1"):
        price(queue(FIT, MISFIT))


def test_in_a_fifo_queue_nothing_overtakes_what_does_not_fit(app):
    seen = []

    @app.on_sqs_message("orders.fifo", batch_size=10, report_failures=True)
    def price(orders: list[Order]):
        seen.extend(order.note for order in orders)

    bodies = [json.dumps({**json.loads(FIT), "note": note}) for note in "abc"]
    event = queue(bodies[0], MISFIT, bodies[1], bodies[2], name="orders.fifo", groups="aaab")
    assert failed(price(event)) == ["m1", "m2"]
    assert seen == ["a", "c"]


def test_a_stream_goes_on_from_what_does_not_fit(app):
    seen = []

    @app.on_kinesis_record("clicks", report_failures=True)
    def count(orders: list[Order]):
        seen.append(len(orders))

    @app.on_kinesis_record("clicks", per_record=True)
    def each(order: Model | Struct):
        seen.append(order)

    assert failed(count(stream(FIT, MISFIT, FIT))) == ["1", "2"]
    assert seen == [1]
    with pytest.raises(ShapeError, match="the data of record 0 is no Order: it is not JSON"):
        count(stream("no", FIT))
    assert failed(each(stream(FIT, MISFIT))) == ["1"]
    assert isinstance(seen[1], Model)


def test_a_topic_and_a_function_that_is_invoked(app, event):
    @app.on_sns_message("news")
    def tell(order: Order, context):
        return order.id

    @app.lambda_function()
    def direct(order: Order):
        return order

    raw = event("sns")
    raw["Records"][0]["Sns"]["Message"] = FIT
    assert tell(raw) == 1
    raw["Records"][0]["Sns"]["Message"] = "hello"
    with pytest.raises(ShapeError, match=r"message \S+ is no Order: it is not JSON"):
        tell(raw)

    @app.lambda_function()
    def hinted(row: Row):
        return row

    assert hinted({"path": "/"}, None) == {"path": "/"}
    assert direct({"id": 1, "net": 2}, None) == Order(1, Decimal(2))
    with pytest.raises(ShapeError, match="the event is no Order: net is missing"):
        direct({"id": 1}, None)


def test_a_notebook_calls_it_with_what_it_takes(app):
    @app.on_sqs_message("orders", report_failures=True, batch_size=2)
    def prices(orders: list[Order]):
        return [order.id for order in orders]

    @app.lambda_function()
    def one(order: Struct):
        return order.id

    assert prices([Order(1, Decimal(1)), Order(2, Decimal(1))]) == [1, 2]
    assert one(Struct(3, Decimal(1))) == 3


def test_a_decorated_function_and_one_whose_type_comes_later_are_read(app):
    import functools

    def logged(function):
        @functools.wraps(function)
        def run(*args):
            return function(*args)

        return run

    @app.lambda_function()
    @logged
    def price(order: Order):
        return order.id

    @app.lambda_function()
    def later(order: "Late"):  # noqa: F821 - defined below
        return order.id

    assert price({"id": 1, "net": 1}, None) == 1
    globals()["Late"] = Order
    assert later({"id": 1, "net": 1}, None) == 1


@pytest.mark.parametrize(
    ("value", "kind", "made"),
    [
        (1, float, 1.0), (None, int | None, None), (1, int | str, 1), ("2026-01-31", date | None, date(2026, 1, 31)),
        ("2026-01-31T09:00:00Z", datetime, datetime(2026, 1, 31, 9, tzinfo=UTC)), ("09:00", time, time(9)),
        ("coffee", Kind, Kind.COFFEE), (1, Size, Size.SMALL), ("a", Literal["a", 1], "a"), ("1.10", Decimal, Decimal("1.10")),
        ([1, 2], tuple[int, ...], (1, 2)), ([1, "a"], tuple[int, str], (1, "a")), ([1], set[int], {1}),
        ([1], Sequence[int], [1]), ({"1": 2}, dict[int, int], {1: 2}), ({"a": [1]}, Mapping[str, list[int]], {"a": [1]}),
        ({"a": 1.5}, Any, {"a": 1.5}), ("s", Sku, "s"), ("s", Annotated[str, "note"], "s"),
        ("00000000-0000-4000-8000-000000000000", uuid.UUID, uuid.UUID("00000000-0000-4000-8000-000000000000")),
        ({"name": "a", "below": [{"name": "b"}]}, Node, Node("a", [Node("b")])),
        ({"sku": "a", "more": 1}, Line, Line("a")), ({"id": 1, "more": 1}, Row, {"id": 1, "more": 1}),
    ],
)  # fmt: skip
def test_what_json_holds_becomes_what_the_type_says(value, kind, made):
    assert convert(value, kind) == made


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, int, "wants a whole number, not True"), (1.0, int, "wants a whole number, not 1.0"),
        ("1", int, "wants a whole number, not '1'"), (1, str, "wants a text, not 1"), (1, bool, "wants true or false, not 1"),
        ("NaN", Decimal, "wants a number, also as text, not 'NaN'"), (True, Decimal, "wants a number, also as text, not True"),
        ("soon", date | None, "wants a date such as 2026-11-28, not 'soon'"),
        ("milk", Kind, "wants one of 'tea', 'coffee', not 'milk'"), (True, Literal[1], "wants one of 1, not True"),
        ({"id": 1, "net": 1, "lines": [{"sku": "a"}, {"sku": 1}]}, Order, "lines[1].sku wants a text, not 1"),
        ({"id": 1, "net": 1, "lines": 5}, Order, "lines wants a list, not 5"), ([], Order, "wants an object for Order, not []"),
        ({"id": 0}, Positive, "Positive refuses it: 0 is not positive"), ([1], tuple[int, int], "wants 2 values, not 1"),
        ([], int | date, "fits none of a whole number (wants a whole number, not []); "
         "a date such as 2026-11-28 (wants a date such as 2026-11-28, not [])"),
        ({"a": 1}, dict[int, int], "wants whole numbers for names, not 'a'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_the_field_and_the_reason(value, kind, text):
    with pytest.raises(ShapeError) as error:
        convert(value, kind)
    assert str(error.value) == text


def test_what_a_typeddict_may_lack_is_read_from_annotations_that_are_texts_too(monkeypatch):
    module = """from __future__ import annotations
from typing import Annotated, NotRequired, Required, TypedDict
class Row(TypedDict):
    id: int
    name: NotRequired[str]
class More(Row, total=False):
    note: Annotated[NotRequired[str], "note"]
    sku: Annotated[Required[str], "sku"]
    more: int
"""
    monkeypatch.setitem(sys.modules, "lazy_rows", lazy := ModuleType("lazy_rows"))
    exec(compile(module, "<cell>", "exec", dont_inherit=True), names := vars(lazy))
    assert convert({"id": 1}, names["Row"]) == {"id": 1}
    assert convert({"id": 1, "sku": "a"}, names["More"]) == {"id": 1, "sku": "a"}
    for lacking in ("id", "sku"):
        given = {name: value for name, value in {"id": 1, "sku": "a"}.items() if name != lacking}
        with pytest.raises(ShapeError, match=f"^{lacking} is missing$"):
            convert(given, names["More"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("NaN", "it is not JSON (JSON has no NaN)"), ("-Infinity", "it is not JSON (JSON has no -Infinity)"),
        ("1e999", "size wants a number, not 1e999"), ("1" * 400, "size wants a number, not 111"),
    ],
)  # fmt: skip
def test_a_float_holds_numbers_that_json_has(text, told):
    with pytest.raises(ShapeError, match=f"^{re.escape(told)}"):
        parse(f'{{"size": {text}}}', dataclass(type("Sized", (), {"__annotations__": {"size": float}})))


def test_libraries_say_the_field_too():
    with pytest.raises(
        ShapeError, match=r"^net: Input should be greater than 0, not -1; kind: Input should be 'tea' or"
    ):
        parse('{"id": 1, "net": -1, "kind": "milk"}', Model)
    with pytest.raises(ShapeError, match=r"^id: Expected int, got str$"):
        parse(MISFIT, Struct)


@pytest.mark.parametrize("kind", [Order, Row, Model, Struct, Node, Positive, Model | Struct])
def test_the_sample_fits(kind):
    def price(order: kind): ...

    record = record_of(price)
    assert record.samples
    for _, text in record.samples:
        parse(text, kind)


def test_annotations_that_are_no_records_mean_nothing(app, event):
    for annotation in (dict, Any, "Unknown", SQSEvent, list[int], None, "dict[str, Order]"):

        @app.on_sqs_message("orders")
        def price(event: annotation):
            return type(event)

        assert price(event("sqs")) is SQSEvent


@pytest.mark.parametrize(
    ("decorator", "annotation", "text"),
    [
        (lambda app: app.on_sqs_message("q"), Order, "gets batches: add --per-record (per_record=True), or write list[Order]"),
        (lambda app: app.on_sqs_message("q", per_record=True), list[Order], "per_record gives it one at a time: write Order"),
        (lambda app: app.on_sns_message("q"), list[Order], "the events of on_sns_message come one by one: write Order"),
        (lambda app: app.schedule("rate(5 minutes)"), Row, "a trigger of schedule has no content of that kind"),
        (lambda app: app.on_sqs_message("q"), SQSRecord, "gets SQSEvent: add --per-record (per_record=True), or write SQSEvent"),
        (lambda app: app.on_sns_message("q"), SNSRecord, "gets SNSEvent: write SNSEvent"),
        (lambda app: app.on_s3_event("b"), KinesisEvent, "gets S3Event: write S3Event"),
        (lambda app: app.on_sqs_message("q", per_record=True), dataclass(type("Bad", (), {"__annotations__": {"at": complex}})),
         "at: no JSON can be read as complex: take a Pydantic model, or dict"),
    ],
)  # fmt: skip
def test_what_the_trigger_cannot_give_is_refused(app, decorator, annotation, text):
    def price(order: annotation): ...

    with pytest.raises(TypeError) as error:
        decorator(app)(price)
    assert text in str(error.value)
    assert "price" not in app.handlers


def test_a_function_with_two_triggers_may_name_the_event_of_one(app):
    @app.on_s3_event("uploads")
    @app.on_sqs_message("orders")
    def both(event: SQSEvent | S3Event): ...

    assert len(both.triggers) == 2


@pytest.mark.parametrize(
    "annotation",
    [Order | None, Optional[Order], "Order | None", Annotated[Order | None, "note"]],  # noqa: UP045 - as older code has it
)
def test_a_record_that_may_be_null(app, annotation):
    seen = []

    @app.on_sqs_message("orders", per_record=True)
    def price(order: annotation):
        seen.append(order)

    assert failed(price(queue(FIT, "null", MISFIT))) == ["m2"]
    assert seen == [Order(1, Decimal("1.1")), None]
    assert [leaf.label for leaf in record_of(price.function).leaves][:2] == ["id", "net"]
    assert record_of(price.function).samples


class Plain:
    pass


class Pair(NamedTuple):
    id: int


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ("Ordr", "the annotation of its argument cannot be read (name 'Ordr' is not defined): it gets SQSRecord"),
        (Plain, "the annotation Plain changes nothing, it gets SQSRecord: the type of a record is a dataclass, "),
        (Pair, "the annotation Pair changes nothing"), (str, "the annotation str changes nothing"),
        (dict[str, int], "the annotation dict[str, int] changes nothing"), (Plain | None, "the annotation"),
        (list[int], "the annotation list[int] changes nothing"),
        *((harmless, "") for harmless in (
            Order, Order | None, dict, dict[str, Any], Any, object, Mapping[str, object], SQSRecord, None, list[Order])),
    ],
)  # fmt: skip
def test_what_says_nothing_of_the_record_is_told(annotation, text):
    def price(order: annotation): ...

    trigger = Trigger("on_sqs_message", {"queue": "q", "per_record": True})
    told = unheeded(price, [trigger])
    assert told.startswith(text) if text else not told
    assert not unheeded(price, [Trigger("lambda_function", {})])
