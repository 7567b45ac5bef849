import functools
import io
import json
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pytest
import uv

from nbchalice.packaging.artifact import build
from nbchalice.runtime.cells import Segment

from ..interpreters import OWN, VERSIONS, find_or_skip

HEAD = "from nbchalice import Chalice\napp = Chalice(app_name='shop')\n"
HANDLER = """\
@app.on_sqs_message(queue="orders", batch_size=10)
def price(event):
    for record in event:
        app.log.info("got %s", record.body)
        if record.body == "bad":
            raise ValueError("bad price")
    return len(event)
"""


def record(body):
    return {
        "messageId": body,
        "receiptHandle": "r",
        "body": body,
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders",
        "awsRegion": "us-east-1",
    }


def unpacked(folder, handler=HANDLER, before="", **options):
    module = before + HEAD + handler
    first = (before + HEAD).count("\n")
    segments = [
        Segment("cell 1", "exec-1", 1, first, 1),
        Segment("cell 2", "exec-2", first + 1, handler.count("\n"), 1),
    ]
    sliced = SimpleNamespace(module=module, segments=segments, function="price", notebook="shop.ipynb")
    artifact = build(sliced, "price", python="3.13", **options)
    zipfile.ZipFile(io.BytesIO(artifact.zip)).extractall(folder)
    return folder


@pytest.mark.parametrize("python", VERSIONS, indirect=True)
def test_a_clean_interpreter_imports_and_calls_it(python, tmp_path):
    root = unpacked(tmp_path)
    code = """
import json, sys
sys.path.insert(0, sys.argv[1])
import lambda_function
event = json.loads(sys.argv[2])
print(json.dumps([lambda_function.lambda_handler(event, None), sys.modules["nbchalice"].__file__]))
"""
    event = json.dumps({"Records": [record("1"), record("2")]})
    done = subprocess.run([python, "-I", "-c", code, root, event], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    result, file = json.loads(done.stdout.splitlines()[-1])
    assert result == 2 and file.startswith(str(root / "nbchalice.zip"))


linux = pytest.mark.skipif(sys.platform != "linux", reason="awslambdaric is for Linux")


@pytest.fixture(scope="module", params=VERSIONS)
def on_lambda(request, run_on_lambda, tmp_path_factory):
    """Run zips with AWS's own client in each Python."""
    if request.param == OWN:
        return run_on_lambda
    python = find_or_skip(request.param)
    folder = tmp_path_factory.mktemp("client")
    install = [
        uv.find_uv_bin(),
        "pip",
        "install",
        "-q",
        "--target",
        folder,
        "-p",
        python,
        "--only-binary",
        ":all:",
        "awslambdaric",
    ]
    subprocess.run(install, check=True)
    return functools.partial(run_on_lambda, python=python, client=[folder])


@pytest.mark.slow
@linux
def test_aws_runtime_client_success_then_exception_naming_the_cell_then_warm(tmp_path, on_lambda):
    events = [{"Records": [record(body)]} for body in ("1", "bad", "3")]
    answers, output = on_lambda(unpacked(tmp_path), events)
    assert [kind for kind, _ in answers] == ["response", "error", "response"], output
    assert answers[0][1] == answers[2][1] == 1
    error = answers[1][1]
    assert error["errorType"] == "ValueError" and error["errorMessage"] == "bad price"
    assert any("shop.ipynb#cell 2" in frame and "line 6" in frame for frame in error["stackTrace"])
    assert "got 1" in output


@pytest.mark.slow
@linux
def test_aws_runtime_client_import_error(tmp_path, on_lambda):
    helper = [("helper.py", b"import no_such_module\n")]
    answers, output = on_lambda(unpacked(tmp_path, before="import helper\n", vendored=helper), [])
    assert answers and answers[0][0] == "init", output
    assert answers[0][1]["errorMessage"].endswith("No module named 'no_such_module' (shop.ipynb#cell 1, line 1)")
    assert 'File "shop.ipynb#cell 1", line 1, in <module>\n    import helper' in output
    assert 'helper.py", line 1, in <module>\n    import no_such_module' in output


@pytest.mark.slow
@linux
@pytest.mark.parametrize(
    ("before", "said", "shown"),
    [
        ("x = = 1\n", "(shop.ipynb#cell 1, line 1)", 'File "shop.ipynb#cell 1" Line 1\n    x = = 1'),
        ("\nx = {}['a']\n", "'a'", "File \"shop.ipynb#cell 1\", line 2, in <module>\n    x = {}['a']"),
    ],
)
def test_aws_runtime_client_names_the_cell_that_fails_at_the_start(before, said, shown, tmp_path, run_on_lambda):
    answers, output = run_on_lambda(unpacked(tmp_path, before=before), [])
    assert said in answers[0][1]["errorMessage"]
    assert any(shown in frame for frame in answers[0][1]["stackTrace"]) and shown in output.replace("\xa0", " ")


CHAINED = """\
class Shop:
    def cost(self, text):
        try:
            return float(text)
        except ValueError as error:
            raise RuntimeError("no price") from error

@app.on_sqs_message(queue="orders")
def price(event):
    for record in event:
        if record.body == "many":
            raise ExceptionGroup("many", [KeyError("a")])
        return [Shop().cost(one) for one in [record.body]]
"""


@pytest.mark.slow
@linux
def test_aws_runtime_client_logs_what_led_to_an_exception(tmp_path, on_lambda):
    events = [{"Records": [record(body)]} for body in ("x", "many")]
    answers, output = on_lambda(unpacked(tmp_path, CHAINED), events)
    assert [error["errorType"] for _, error in answers] == ["RuntimeError", "ExceptionGroup"]
    assert [frame.splitlines()[0].strip() for frame in answers[0][1]["stackTrace"]][
        -1
    ] == 'File "shop.ipynb#cell 2", line 6, in cost'
    led = output.partition("what led to RuntimeError")[2]
    assert 'File "shop.ipynb#cell 2", line 4, in cost\n    return float(text)' in led
    assert "ValueError: could not convert string to float: 'x'" in led
    assert "KeyError: 'a'" in output.partition("in full: ExceptionGroup")[2]


@pytest.mark.slow
@linux
def test_aws_runtime_client_partial_batch_failure(tmp_path, on_lambda):
    handler = HANDLER.replace("batch_size=10", "batch_size=10, report_failures=True")
    handler = handler.replace("    return", "        record.done()\n    return")
    answers, output = on_lambda(
        unpacked(tmp_path, handler), [{"Records": [record(body) for body in ("1", "bad", "3")]}]
    )
    assert answers == [("response", {"batchItemFailures": [{"itemIdentifier": "bad"}, {"itemIdentifier": "3"}]})], (
        output
    )


def test_vendored_modules_and_files_are_found(tmp_path):
    handler = "import helper\n" + HANDLER.replace("len(event)", "helper.answer()")
    helper = b"from pathlib import Path\n\ndef answer():\n    return Path(__file__).with_name('data.txt').read_text()\n"
    root = unpacked(tmp_path, handler, vendored=[("helper.py", helper)], files={"data.txt": b"42"})
    code = "import sys; sys.path.insert(0, sys.argv[1]); import lambda_function as f; print(f.lambda_handler({'Records': []}, None))"
    done = subprocess.run([sys.executable, "-I", "-c", code, root], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["42"], done.stderr
