"""What a cold start loads beyond what AWS's runtime has loaded itself: counted in modules, not by the clock."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbchalice.packaging.artifact import build
from nbchalice.packaging.shipped import needed_modules
from nbchalice.runtime.cells import Segment
from nbchalice.sources import SOURCES

from ..interpreters import OWN, VERSIONS, find

linux = pytest.mark.skipif(sys.platform != "linux", reason="awslambdaric is for Linux")
HEAD = "from nbchalice import Chalice\napp = Chalice(app_name='shop')\n"
EVENTS = Path(__file__).parents[1] / "fixtures/events"
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2024-01-01T00:00:00.000"
# By decorator: how it is written, the module of its event's class, and an event of AWS.
CASES = {
    "schedule": ("schedule('rate(5 minutes)')", "bridge", "schedule"),
    "on_s3_event": ("on_s3_event('uploads')", "s3", "s3_put"),
    "on_sns_message": ("on_sns_message('news')", "sns", "sns"),
    "on_sqs_message": ("on_sqs_message('orders')", "sqs", "sqs"),
    "on_cw_event": ("on_cw_event({'source': ['aws.ec2']})", "bridge", "cloudwatch_ec2"),
    "on_kinesis_record": ("on_kinesis_record('clicks')", "kinesis", "kinesis"),
    "on_dynamodb_record": (f"on_dynamodb_record({ARN!r})", "dynamodb", "dynamodb"),
    "lambda_function": ("lambda_function()", "events", "sqs"),
}
EVENT_MODULES = {"bridge", "s3", "sns", "sqs", "kinesis", "dynamodb"}
HEAVY = {"ast", "inspect", "dataclasses", "pathlib", "typing", "urllib", "urllib.parse", "hashlib", "tempfile"}
RUN = """
import sys
from awslambdaric import bootstrap, lambda_config, lambda_runtime_client
import json
event, aws = json.loads(sys.argv[2]), set(sys.modules)
sys.path.insert(0, sys.argv[1])
import lambda_function
loaded = set(sys.modules) - aws
result = lambda_function.lambda_handler(event, None)
print(json.dumps([sorted(loaded), sorted(set(sys.modules) - aws), result]))
"""


def artifact(module, python=OWN, **options):
    segments = [Segment("cell 1", "a", 1, module.count("\n"), 1)]
    sliced = SimpleNamespace(module=module, segments=segments, function="f", notebook="shop.ipynb")
    return build(sliced, "f", python=python, **options)


def packed(module, folder, **options):
    """Unpack the zip of a module; return the names of nbchalice's modules in it."""
    archive = zipfile.ZipFile(io.BytesIO(artifact(module, **options).zip))
    archive.extractall(folder)
    runtime = zipfile.ZipFile(archive.open("nbchalice.zip"))
    return {
        name.removeprefix("nbchalice/runtime/").removesuffix(".py")
        for name in runtime.namelist()
        if name.endswith(".py")
    }


def started(folder, event):
    """Start a packaged function in a process that has what AWS's runtime loads; return what else it loads."""
    command = [sys.executable, "-I", "-c", RUN, folder, json.dumps(event)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded, later, result = json.loads(done.stdout.splitlines()[-1])
    return set(loaded), set(later), result


def handler(decorator, body="return repr(event)"):
    return f"{HEAD}@app.{decorator}\ndef f(event):\n    {body}\n"


def an_event(name):
    return json.loads((EVENTS / f"{name}.json").read_text())


def of_nbchalice(modules):
    return {one for one in modules if one.partition(".")[0] in {"nbchalice", "lambda_function", "notebook_code"}}


def test_every_source_is_tried():
    assert set(CASES) == set(SOURCES)


@linux
@pytest.mark.parametrize("name", CASES)
def test_a_handler_ships_its_own_events_and_loads_nothing_of_python(name, tmp_path):
    decorator, home, event = CASES[name]
    assert packed(handler(decorator), tmp_path) & EVENT_MODULES == {home} - {"events"}
    loaded, later, result = started(tmp_path, an_event(event))
    assert loaded == of_nbchalice(loaded)
    assert not later & HEAVY and result


@linux
@pytest.mark.parametrize("name", [name for name in CASES if name not in {"on_cw_event", "schedule"}])
def test_an_event_of_another_kind_is_given_to_the_function_as_well(name, tmp_path):
    """Somebody may press Test in Lambda's console, or add a trigger there."""
    packed(handler(CASES[name][0], "return type(event).__name__"), tmp_path)
    other = "sns" if name == "on_sqs_message" else "sqs"
    local = {}
    exec(handler(CASES[name][0], "return type(event).__name__"), local)
    for event in (an_event(other), {"odd": 1}):
        assert started(tmp_path, event)[2] == local["f"](event, None)


@linux
@pytest.mark.parametrize(
    ("head", "decorator"),
    [
        ("from nbchalice import Rate, SQSEvent, S3Record\n", "schedule(Rate(1, unit=Rate.HOURS))"),
        ("from nbchalice.app import *\n", "schedule(Cron(0, 18, '?', '*', 'MON-FRI', '*'))"),
        ("", "middleware('all')\ndef around(event, get_response): return get_response(event)\n@app.lambda_function()"),
        ("import functools\ndef deco(f):\n    @functools.wraps(f)\n    def run(*args): return f(*args)\n    return run\n",
         "lambda_function()\n@deco"),
    ],
    ids=["names", "star", "middleware", "decorated"],
)  # fmt: skip
def test_what_a_handler_uses_besides_loads_nothing_heavy(head, decorator, tmp_path):
    packed(head + handler(decorator), tmp_path)
    loaded, _, _ = started(tmp_path, an_event("schedule"))
    assert not loaded & HEAVY


@pytest.mark.parametrize(
    ("source", "ships"),
    [
        ("app.on_sqs_message('b', **options)", {"sqs"}),
        (handler("on_sns_message('a')\n@app.on_sqs_message('b')"), {"sns", "sqs"}),
        ("for kind in ['on_s3' + '_event']: getattr(app, kind)('b')\n", EVENT_MODULES),
        ("from operator import methodcaller\n", EVENT_MODULES),
        ("from nbchalice import SQSEvent\n", {"sqs"}),
        ("from nbchalice import SNSRecord as R, S3Event\n", {"sns", "s3"}),
        ("import nbchalice\n", set()),
        ("import nbchalice as n\ndef f(event: n.SQSEvent, s3: 'n.S3Event'): ...\n", {"sqs", "s3"}),
        ("from nbchalice.app import *\n", EVENT_MODULES),
        ("x = load_bundle('x')\n", EVENT_MODULES),
        ("from nbchalice.runtime.kinesis import KinesisRecord\n", {"kinesis"}),
        ("on_sqs_message_text = 1\n", set()),
    ],
)
def test_the_events_that_ship_are_those_that_the_code_may_ask_for(source, ships):
    needed = {name.rpartition(".")[2] for name in needed_modules([source])}
    assert needed & EVENT_MODULES == ships


@pytest.mark.parametrize(
    ("source", "ships"),
    [
        (handler("on_sqs_message('a')", "return 2 ** len(event), 10**3"), set()),
        (handler("on_sqs_message('a', per_record=True)"), {"batch"}),
        (handler("on_sqs_message('a', report_failures=True)"), {"batch"}),
        ("app.on_sqs_message('a', **options)", {"batch"}),
        ("app.on_sqs_message(\n    **options)", {"batch"}),
        (handler("middleware('all')"), {"middleware"}),
        ("from nbchalice import ConvertToMiddleware as C", {"middleware"}),
    ],
)
def test_options_and_middleware_ship_where_the_code_has_them(source, ships):
    needed = {name.rpartition(".")[2] for name in needed_modules([source])}
    assert needed & {"batch", "middleware"} == ships


TYPED = (
    "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom nbchalice import Chalice, SQSEvent\n"
    "app = Chalice(app_name='shop')\n@dataclass\nclass Order:\n    id: int\n"
    "@app.on_sqs_message('orders', per_record=True)\ndef f(order: {0}): print('got', order)\n"
)
TYPED_MODULES = {"annotations", "convert", "shapes"}


@pytest.mark.parametrize(
    ("source", "ships"),
    [
        (TYPED.format("Order"), TYPED_MODULES),
        (TYPED.format("'Order'"), TYPED_MODULES),
        ("d = app.on_sqs_message('q')\n@d\ndef f(orders: list[models.Order], context): pass", TYPED_MODULES),
        ("def f(order: Order): pass\napp.on_sns_message('t')(f)", TYPED_MODULES),
        ("def f(order: Order): pass\ngetattr(app, 'on_' + name)('t')(f)", TYPED_MODULES),
        ("def price(x: Money): pass\n@app.lambda_function()\ndef f(event): pass", set()),
        ("@patch\ndef double(self: Box): pass\n@app.lambda_function()\ndef f(event): pass", set()),
        (TYPED.format("SQSEvent"), set()),
        ("def f(event: dict[str, Any], context: object): pass", set()),
        ("def f(event, order: Order): pass", set()),
    ],
)
def test_what_reads_typed_records_ships_where_an_annotation_may_name_one(source, ships):
    needed = {name.rpartition(".")[2] for name in needed_modules([source])}
    assert needed & TYPED_MODULES == ships


@linux
def test_annotations_that_name_events_load_nothing(tmp_path):
    packed(handler("on_sqs_message('orders')").replace("f(event)", "f(event: 'dict')"), tmp_path)
    loaded, later, _ = started(tmp_path, an_event("sqs"))
    assert loaded == of_nbchalice(loaded) and not later & HEAVY
    assert not {name.rpartition(".")[2] for name in loaded} & {*TYPED_MODULES, "shape_checks"}


@pytest.mark.parametrize("python", VERSIONS, indirect=True)
def test_typed_records_are_read_by_each_python(python, tmp_path):
    packed(TYPED.format("Order"), tmp_path, python="3.10")
    told = run(tmp_path, python)[1]
    assert "ShapeError: none of" in told or "RuntimeError: none of 3 messages could be handled" in told


@linux
@pytest.mark.parametrize("option", ["per_record=True", "**{'report_' + 'failures': True}"])
def test_a_batch_is_answered(option, tmp_path):
    body = "return None if hasattr(event, 'body') else [r.done() for r in event] and 1 / 0"
    packed(handler(f"on_sqs_message('orders', {option})", body), tmp_path)
    assert started(tmp_path, an_event("sqs"))[2] == {"batchItemFailures": []}


@linux
def test_a_decorator_by_a_computed_name_and_an_event_in_an_annotation_work(tmp_path):
    module = (
        "from __future__ import annotations\nfrom nbchalice import Chalice, SQSEvent, SQSRecord\n"
        "app = Chalice(app_name='shop')\n"
        "def first(event: SQSEvent) -> SQSRecord: return next(iter(event))\n"
        "@getattr(app, 'on_sqs' + '_message')('orders')\ndef f(event: SQSEvent): return first(event).body\n"
    )
    packed(module, tmp_path)
    assert started(tmp_path, an_event("sqs"))[2] == "3"


ANY_PYTHON = """
import json, sys
sys.path.insert(0, sys.argv[1])
import lambda_function
try:
    result = lambda_function.lambda_handler(json.loads(sys.argv[2]), None)
except Exception as error:
    import traceback
    result = traceback.format_exc()
print(json.dumps(["nbchalice.runtime.cells" in sys.modules, result]))
"""


def run(folder, python=sys.executable, event="sqs"):
    command = [python, "-I", "-c", ANY_PYTHON, folder, json.dumps(an_event(event))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


FAILING = handler("on_sqs_message('orders')", "return sum(r.receive_count for r in event) / 0  # oh")


@pytest.mark.parametrize("made_for", ["own", "other"])
@pytest.mark.parametrize("python", VERSIONS, indirect=True)
def test_another_python_takes_the_source_and_says_the_same(python, made_for, tmp_path):
    if made_for == "own" and python in map(find, VERSIONS[: VERSIONS.index(OWN)]):
        pytest.skip("what a Python writes anew, an earlier one need not read")
    packed(FAILING, tmp_path, python=OWN if made_for == "own" else "3.10")
    compiled, told = run(tmp_path, python)
    assert compiled is not (python == find(OWN) and made_for == "own")
    assert (
        'File "shop.ipynb#cell 1@' in told
        and ", line 5, in f\n    return sum(r.receive_count for r in event) / 0  # oh" in told
    )
    assert "nbchalice.zip" not in told


def test_code_that_somebody_edits_in_lambdas_console_runs(tmp_path):
    packed(
        "import helper\n" + handler("on_sqs_message('orders')", "return [1, helper.f()]"),
        tmp_path,
        vendored=[("helper.py", b"def f(): return 2\n")],
    )
    assert run(tmp_path) == [False, [1, 2]]
    (tmp_path / "helper.py").write_text("def f(): return 3\n")
    assert run(tmp_path) == [False, [1, 3]]
    code = tmp_path / "notebook_code.py"
    code.write_text(code.read_text().replace("[1,", "[9,"))
    assert run(tmp_path) == [True, [9, 3]]


@pytest.mark.parametrize("damage", [b"", b"x" * 40, None])
def test_byte_code_that_is_damaged_or_gone_costs_nothing_but_time(damage, tmp_path):
    packed(handler("on_sqs_message('orders')", "return len(event)"), tmp_path)
    path = tmp_path / "notebook_code.bin"
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    assert run(tmp_path) == [True, 3]


SAME = """
import hashlib, sys, typing
sys.path[:0] = [sys.argv[1]]
from types import SimpleNamespace
from nbchalice.packaging.artifact import build
from nbchalice.runtime.cells import Segment
if sys.argv[2] == "busy":
    import numpy, json, logging, argparse, inspect, dataclasses
    compile("record = event = app = {'a', 'b', 'body'}", "x", "exec")
    build(SimpleNamespace(module="x = {1, 2}", segments=[], function="f", notebook="other.ipynb"), "g", python=sys.argv[3])
module = sys.stdin.read()
sliced = SimpleNamespace(module=module, segments=[Segment("cell 1", "a", 1, 9, 1)], function="f", notebook="shop.ipynb")
print(hashlib.sha256(build(sliced, "f", python=sys.argv[3], vendored=[("helper.py", b"def f(x): return x in {'a', 'b', 'c'}")]).zip).hexdigest())
"""


def test_byte_code_is_the_same_in_each_process():
    module = handler("on_sqs_message('orders')", "return {r.body for r in event} & {'a', 'b', 'c', 'ä'} or event[1:2]")
    root = Path(__file__).parents[2]
    hashes = set()
    for seed, state, flags in [("0", "fresh", []), ("1", "busy", []), ("2", "fresh", ["-OO"]), ("3", "busy", ["-B"])]:
        command = [sys.executable, *flags, "-c", SAME, root, state, OWN]
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, input=module, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        hashes.add(done.stdout)
    assert len(hashes) == 1


def test_byte_code_is_no_difference_of_what_a_function_does(monkeypatch):
    module, local = handler("lambda_function()"), [("helper.py", b"x = 1\n")]
    with_it = artifact(module, vendored=local)
    monkeypatch.setattr("nbchalice.packaging.artifact.can_compile", lambda python: False)
    without = artifact(module, vendored=local)
    assert with_it.zip != without.zip and with_it.fingerprint == without.fingerprint
    names = zipfile.ZipFile(io.BytesIO(without.zip)).namelist()
    assert names == ["helper.py", "lambda_function.py", "nbchalice.json", "nbchalice.zip", "notebook_code.py"]


def test_what_is_no_python_is_packed_as_it_is():
    broken = artifact(handler("lambda_function()"), vendored=[("old.py", b"print 1\n"), ("null.py", b"\0")])
    names = zipfile.ZipFile(io.BytesIO(broken.zip)).namelist()
    assert not [name for name in names if "old.c" in name or "null.c" in name]
