import base64
import hashlib
import io
import json
import os
import time
import zipfile
from types import SimpleNamespace

import pytest

from nbchalice.errors import PackagingError
from nbchalice.packaging.artifact import build
from nbchalice.packaging.shipped import runtime_archive
from nbchalice.runtime.cells import Segment

from ..interpreters import OWN

MODULE = "def greet(event):\n    return 'grüße'\n"


SEGMENTS = (Segment("cell 1", "a", 1, 2, 1),)


def a_slice(module=MODULE, segments=SEGMENTS):
    return SimpleNamespace(module=module, segments=segments, function="greet", notebook="shop.ipynb")


def opened(artifact):
    return zipfile.ZipFile(io.BytesIO(artifact.zip))


def runtime_names(artifact):
    return set(zipfile.ZipFile(opened(artifact).open("nbchalice.zip")).namelist())


def test_the_zip_holds_module_runtime_and_manifest():
    artifact = build(a_slice(), "greeter", python="3.13", requirements=["numpy==2.0.0"])
    archive = opened(artifact)
    assert archive.namelist() == ["lambda_function.py", "nbchalice.json", "nbchalice.zip", "notebook_code.py"]
    assert {"nbchalice/__init__.py", "nbchalice/runtime/__init__.py", "nbchalice/runtime/entry.py"} <= runtime_names(
        artifact
    )
    assert archive.read("notebook_code.py").decode() == MODULE
    assert (
        json.loads(archive.read("nbchalice.json"))
        == artifact.manifest
        == {
            "function": "greeter",
            "handler": "lambda_function.lambda_handler",
            "notebook": "shop.ipynb",
            "python": "3.13",
            "requirements": ["numpy==2.0.0"],
            "cells": [{"cell": "cell 1@e8b7be43", "line": 1, "count": 2, "cell_line": 1, "id": "a"}],
            "sha256": hashlib.sha256(MODULE.encode()).hexdigest(),
        }
    )


def test_only_modules_that_something_imports_ship():
    plain = runtime_names(build(a_slice(), "g", python="3.13"))
    assert "nbchalice/errors.py" not in plain and "nbchalice/runtime/cron.py" not in plain
    local = [("helper.py", b"def f():\n    from nbchalice.errors import NbChaliceError\n")]
    assert runtime_names(build(a_slice(), "g", python="3.13", vendored=local)) == plain | {"nbchalice/errors.py"}
    module = MODULE + "from nbchalice.runtime import cron\n"
    assert "nbchalice/runtime/cron.py" in runtime_names(build(a_slice(module), "g", python="3.13"))


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_a_pure_handler_takes_less_than_40_kb_with_some_to_spare(python):
    module = """from nbchalice import Chalice

# cell 1
app = Chalice(app_name="shop")

# cell 2
RATE = 1.2

# cell 3
@app.on_sqs_message(queue="orders", batch_size=10)
def greet(event):
    for record in event:
        app.log.info("%s -> %.2f", record.body, float(record.body) * RATE)
"""
    segments = [Segment(f"cell {n}", f"exec-{n}", n, n, 1) for n in (1, 2, 3)]
    assert len(build(a_slice(module, segments), "greet", python=python).zip) <= 38 * 1024


ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-01-01T00:00:00.000"
PURE = {
    "by the clock": "@app.schedule('rate(1 hour)')\ndef f(event): print(event.detail)",
    "a rate": "from nbchalice import Rate\n@app.schedule(Rate(1, unit=Rate.HOURS))\ndef f(event): print(event.detail)",
    "the package": "import nbchalice\n@app.schedule(nbchalice.Cron(0, 1, '*', '*', '?', '*'))\ndef f(event): print(event)",
    "objects": "@app.on_s3_event('b', suffix='.csv')\ndef f(event): app.log.info(event.key)",
    "a topic": "@app.on_sns_message('t')\ndef f(event): app.log.info(event.message)",
    "reported": "@app.on_sqs_message('q', report_failures=True)\ndef f(event):\n    for r in event: r.done()",
    "each": "@app.on_sqs_message('q', per_record=True, skip_failed_groups=True)\ndef f(record): app.log.info(record.json())",
    "a stream": "@app.on_kinesis_record('s', bisect=True, per_record=True)\ndef f(record): print(record.data)",
    "a table": f"@app.on_dynamodb_record('{ARN}', report_failures=True)\ndef f(event):\n    for r in event: print(r.keys)",
    "each change": f"@app.on_dynamodb_record('{ARN}', per_record=True)\ndef f(record): print(record.new_image)",
    "a pattern": "@app.on_cw_event({'source': ['shop']})\ndef f(event): print(event.detail)",
    "no trigger": "@app.lambda_function()\ndef f(event, context): return event",
    "middleware": "@app.middleware('all')\ndef m(event, go): return go(event)\n@app.on_sqs_message('q')\ndef f(event): print(event)",
    "a blueprint": "from nbchalice import Blueprint\nb = Blueprint(__name__)\n"
    "@b.on_sqs_message('q')\ndef f(event): print(event)\napp.register_blueprint(b)",
    "a hint": "from nbchalice.app import SQSEvent\n@app.on_sqs_message('q')\ndef f(event: SQSEvent): print(event)",
}  # fmt: skip


@pytest.mark.parametrize("how", PURE)
def test_however_it_is_written_it_takes_less_than_40_kb(how):
    module = f"from nbchalice import Chalice\napp = Chalice(app_name='shop')\n{PURE[how]}\n"
    segments = [Segment("cell 1", "a", 1, module.count("\n"), 1)]
    assert len(build(a_slice(module, segments), "f", python=OWN).zip) < 40 * 1024


def test_hashes_are_those_of_the_zip():
    artifact = build(a_slice(), "greeter", python="3.13")
    assert artifact.sha256 == hashlib.sha256(artifact.zip).hexdigest()
    assert base64.b64decode(artifact.code_sha256).hex() == artifact.sha256


def test_same_input_gives_the_same_bytes_whatever_time_zone_mask_and_order(monkeypatch, tmp_path):
    first = build(
        a_slice(),
        "g",
        python="3.12",
        requirements=["b==1", "a==1"],
        vendored=[("x.py", b"1"), ("y.py", b"2")],
    )
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    old = os.umask(0o077)
    try:
        runtime_archive.cache_clear()
        monkeypatch.setenv("NBCHALICE_CACHE", str(tmp_path))  # else the first would be found there
        second = build(
            a_slice(),
            "g",
            python="3.12",
            requirements=["a==1", "b==1"],
            vendored=[("y.py", b"2"), ("x.py", b"1")],
        )
    finally:
        os.umask(old)
        monkeypatch.undo()
        time.tzset()
    assert first.zip == second.zip


def test_members_are_sorted_undated_and_readable_by_lambda():
    infos = opened(build(a_slice(), "g", python="3.13")).infolist()
    assert [info.filename for info in infos] == sorted(info.filename for info in infos)
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in infos} == {0o100644}
    assert {info.create_system for info in infos} == {3}
    assert not [info.filename for info in infos if info.filename.endswith((".pyc", "/"))]


def test_any_change_changes_the_hash():
    base = build(a_slice(), "g", python="3.13")
    assert build(a_slice(MODULE + "\nX = 1\n"), "g", python="3.13").sha256 != base.sha256
    assert build(a_slice(), "g", python="3.12").sha256 != base.sha256
    assert build(a_slice(), "g", python="3.13", files={"data.json": b"1"}).sha256 != base.sha256


@pytest.mark.parametrize(
    "path",
    ["lambda_function.py", "notebook_code.py", "nbchalice.json", "nbchalice.zip", "nbchalice.py", "nbchalice/extra.py"],
)
def test_a_file_of_the_user_cannot_take_the_place_of_ours(path):
    with pytest.raises(PackagingError, check=lambda error: error.code == "path-conflict") as caught:
        build(a_slice(), "g", python="3.13", vendored=[(path, b"")])
    assert path in caught.value.message and "rename" in caught.value.hint


def test_two_contents_for_one_path_are_refused_but_twice_the_same_is_fine():
    build(a_slice(), "g", python="3.13", vendored=[("a.py", b"1"), ("a.py", b"1")])
    with pytest.raises(PackagingError, check=lambda error: error.code == "path-conflict", match=r"a\.py"):
        build(a_slice(), "g", python="3.13", vendored=[("a.py", b"1")], files={"a.py": b"2"})
