"""Commands that are called from Python: ``app.send(...)``, ``nbchalice.send(...)``."""

import json

import pytest

from nbchalice import names, operations
from nbchalice.errors import InvalidInputError
from nbchalice.notebook_file import read_project
from nbchalice.ui.commands import COMMANDS
from nbchalice.ui.magics.python_commands import words_of

from ..notebooks import write

pytestmark = [pytest.mark.local_aws, pytest.mark.timeout(180)]
CELLS = [
    "%load_ext nbchalice",
    "%chalice app python",
    "%%on_sqs_message python-orders\ndef price(event):\n    app.log.info(event_text(event))",
    "def event_text(event):\n    return [(r.body, sorted(r.message_attributes)) for r in event].__repr__()",
    "import nbchalice\norder = {'item': 'tea', 'net': 2}",
    "deployed = app.deploy()",
    "sent = app.send('price', message=order, attribute={'kind': 'new', 'count:Number': 2}, wait=20)",
    "again = nbchalice.send(price, message='plain text')",
    "app.send('price', message='not kept')",
    "for item in ('tea', 'milk'):\n    results = [app.send('price', message={'item': item})]",
]


def messages(result):
    return [record.message for record in result.invocation.records]


def test_values_of_the_notebook_are_sent(run, local_aws):
    for cell in CELLS:
        run(cell)
    made = run.names
    assert made["deployed"].changes
    assert messages(made["sent"]) == ["""[('{"item": "tea", "net": 2}', ['count', 'kind'])]"""]
    assert messages(made["again"]) == ["[('plain text', [])]"]
    assert run("app.logs('price', since='1h')").invocations
    assert run("nbchalice.send(price, message='-1', twice=True)").ok
    assert "nothing changed" in str(run("%chalice deploy"))
    assert run("app.delete(yes=True)")


def test_what_is_wrong_is_told_as_on_the_line(run, local_aws):
    for cell in CELLS[:5]:
        run(cell)
    error = run.error("app.send('price', mesage=1)")
    assert isinstance(error, InvalidInputError)
    assert error.hint == "did you mean --message?"
    assert isinstance(run.error("app.sent('price')"), AttributeError)
    assert "send" in dir(run.names["app"]) and "Send a test event" in run.names["app"].send.__doc__
    run("%unload_ext nbchalice")
    assert isinstance(run.error("app.send('price')"), AttributeError)


RECORDS = """
import dataclasses, datetime, decimal, enum, uuid
import msgspec, numpy, pydantic
class Kind(enum.Enum):
    NEW = "new"
@dataclasses.dataclass
class Line:
    item: str
    net: decimal.Decimal
@dataclasses.dataclass
class Order:
    lines: list[Line]
    on: datetime.date
    kind: Kind
class Click(pydantic.BaseModel):
    user: str
    at: datetime.datetime
class Seat(msgspec.Struct):
    row: int
"""


def test_records_are_sent_as_the_json_that_a_typed_handler_reads(run):
    run(RECORDS)
    values = {
        "Order([Line('tea', decimal.Decimal('9.99'))], datetime.date(2026, 11, 28), Kind.NEW)": {
            "lines": [{"item": "tea", "net": "9.99"}], "on": "2026-11-28", "kind": "new"
        },
        "Click(user='bob', at=datetime.datetime(2026, 11, 28))": {"user": "bob", "at": "2026-11-28T00:00:00"},
        "[Seat(3), {'seats': {4}}]": [{"row": 3}, {"seats": [4]}],
        "{'n': numpy.int64(3), 'x': numpy.array([1.5])}": {"n": 3, "x": [1.5]},
        "{'id': uuid.UUID(int=1)}": {"id": "00000000-0000-0000-0000-000000000001"},
    }  # fmt: skip
    for text, wanted in values.items():
        run(f"value = {text}")
        (word,) = words_of((), {"message": run.names["value"]})
        assert json.loads(word.removeprefix("--message=")) == wanted


def test_what_json_has_nothing_for_is_refused_and_not_sent_as_its_text(run):
    run("class Basket: pass")
    run("value = {'basket': Basket()}")
    with pytest.raises(InvalidInputError, match="a Basket is nothing that JSON has"):
        words_of((), {"message": run.names["value"]})


def test_what_the_analysis_takes_for_a_command_is_one():
    assert set(COMMANDS) == names.COMMANDS


def test_a_file_with_such_calls_is_read_and_proven(local_aws, tmp_path):
    path = write(tmp_path / "python.ipynb", CELLS) or tmp_path / "python.ipynb"
    project = read_project(path)
    assert list(operations.verified_packages(project)) == ["price"]
    assert not [note for note in project.proven.notes() if "AttributeError" in note or "not compared" in note]
    module = project.slice(project.handler("price")).module
    assert "event_text" in module and "send(" not in module and "deploy(" not in module
