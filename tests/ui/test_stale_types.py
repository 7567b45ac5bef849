"""Types of records that are edited after the handler's cell ran."""

import importlib
import json

import pytest

from ..waiting import wait_until

pytestmark = pytest.mark.timeout(180)
ADDR = "from dataclasses import dataclass\n@dataclass\nclass Addr:\n    street: str"
ORDER = "@dataclass\nclass Order:\n    a: int\n    to: Addr | None = None"
HANDLER = "%%on_sqs_message stale --per-record\ndef price(order: Order):\n    return order.a"
EVENT = {"Records": [{"messageId": "m", "body": '{"a": 1}', "eventSource": "aws:sqs", "eventSourceARN": "x:stale"}]}


@pytest.fixture
def typed(run):
    for cell in (ADDR, ORDER, HANDLER):
        run(cell)
    return run


def test_an_edited_type_is_told_until_the_handlers_cell_is_run_again(typed, tmp_path, local_aws):
    run = typed
    run.shell.kernel = object()  # where it is patient, it gives a view
    (tmp_path / "event.json").write_text(json.dumps(EVENT))
    run("%chalice deploy")
    run(ORDER.replace("to:", "b: str\n    to:"))
    text = "price still takes Order as it was before cell 7 was run again"
    for command in ("deploy", "plan", "package", "invoke price --here --event event.json", "invoke price --sample"):
        error = run.error(f"%chalice {command}")
        assert str(error).startswith(text)
        assert "fix: run cell 5 again" in str(error)
    assert f"{text}; run cell 5 again" in repr(run("%chalice status"))
    assert f"{text}; run cell 5 again" in repr(run("%chalice send price --message '{\"a\": 1}'"))
    live = run("%chalice live price")
    assert f"{text}; run cell 5 again" in str(live)
    wait_until(lambda: text in live.view.trouble)
    run("%chalice live price --stop")
    run(HANDLER)
    assert "price still" not in repr(run("%chalice status"))
    assert run("%chalice plan")


def test_one_within_another_names_both_cells(typed):
    run = typed
    run(ADDR.replace("str", "int"))
    error = str(run.error("%chalice invoke price --sample"))
    assert "price still takes Addr (in Order) as it was before cell 6 was run again" in error
    assert "fix: run cell 4 and cell 5 again" in error
    run(ORDER)
    assert str(run.error("%chalice invoke price --sample")).endswith("fix: run cell 5 again")
    run(HANDLER)
    assert run("%chalice invoke price --sample").error is None


def test_cells_that_are_run_again_as_they_were_are_no_edit(typed):
    run = typed
    run(ADDR)
    run(ORDER)
    assert run("%chalice invoke price --sample").error is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import pydantic\nclass Order(pydantic.BaseModel):\n    a: int", "    b: str"),
        ("import pydantic\nclass Order(pydantic.BaseModel):\n    a: int", "    @pydantic.field_validator('a')\n    def of_a(cls, a): return a"),
        ("import msgspec\nclass Order(msgspec.Struct):\n    a: int", "    b: str = ''"),
        ("from typing import TypedDict\nclass Order(TypedDict):\n    a: int", "    b: str"),
        ("from enum import Enum\nclass Kind(Enum):\n    A = 1", "    B = 2"),
    ],
)  # fmt: skip
def test_types_of_each_library(typed, old, new):
    run = typed
    run(old)
    if "class Kind" in old:
        run("@dataclass\nclass Order:\n    a: Kind")
    run(HANDLER)
    run(old)
    assert run("%chalice invoke price --sample")
    run(f"{old}\n{new}")
    assert "price still takes" in str(run.error("%chalice invoke price --sample"))


def test_a_module_that_was_reloaded(typed, tmp_path, monkeypatch):
    run, file = typed, tmp_path / "stale_shapes.py"
    monkeypatch.syspath_prepend(tmp_path)
    file.write_text("from dataclasses import dataclass\n@dataclass\nclass Order:\n    a: int\n")
    importlib.invalidate_caches()
    run("import importlib, stale_shapes\nfrom stale_shapes import Order")
    run(HANDLER)
    file.write_text(file.read_text() + "    other: str\n")
    run("importlib.reload(stale_shapes)")
    error = str(run.error("%chalice invoke price --sample"))
    assert "price still takes Order as it was before stale_shapes was reloaded" in error
    assert "fix: run cell 6 and cell 7 again" in error
