"""What a handler finds around it: interpreter, packages, layers, variables, folders."""

import sys
from pathlib import Path

import pytest

SHOW = """
import os, sys, tempfile
def handler(event, context):
    return {
        "path": sys.path, "environment": dict(os.environ), "version": list(sys.version_info[:2]), "cwd": os.getcwd(),
        "temporary": tempfile.gettempdir(), "context": {
            "function_name": context.function_name, "function_version": context.function_version,
            "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
            "group": context.log_group_name, "stream": context.log_stream_name,
            "left": context.get_remaining_time_in_millis(),
        },
    }
"""


def test_a_forgotten_dependency_fails_as_on_lambda(functions):
    name = functions.make("import IPython\ndef handler(e, c): pass\n")
    failed, payload, _ = functions.invoke(name)
    assert failed
    assert payload["errorType"] == "Runtime.ImportModuleError"
    assert payload["errorMessage"] == "Unable to import module 'app': No module named 'IPython'"


def test_boto3_is_there_as_on_lambda(functions):
    name = functions.make(
        "import boto3\ndef handler(e, c): return boto3.client('sts').get_caller_identity()['Account']\n"
    )
    assert functions.invoke(name)[1] == "000000000000"


def test_variables_and_context(functions):
    name = functions.make(
        SHOW, MemorySize=256, Timeout=9, Environment={"Variables": {"MINE": "1", "TZ": "Europe/Berlin"}}
    )
    _, shown, _ = functions.invoke(name)
    environment = shown["environment"]
    assert environment["MINE"] == "1"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["TZ"] == "Europe/Berlin"
    assert environment["_HANDLER"] == "app.handler"
    assert shown["cwd"] == environment["LAMBDA_TASK_ROOT"] == shown["path"][0]
    assert shown["temporary"].startswith(environment["TMPDIR"])
    own = {
        "MINE",
        "TZ",
        "PATH",
        "HOME",
        "LANG",
        "LC_CTYPE",
        "TMPDIR",
        "LD_LIBRARY_PATH",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
    assert {n for n in environment if not n.startswith(("AWS_", "LAMBDA_"))} <= own
    context = shown["context"]
    assert context["function_name"] == name
    assert context["function_version"] == "$LATEST"
    assert context["arn"] == functions.arn(name)
    assert context["memory"] == "256"
    assert context["group"] == f"/aws/lambda/{name}"
    assert context["stream"] == environment["AWS_LAMBDA_LOG_STREAM_NAME"]
    assert 0 < context["left"] <= 9000


def publish_layer(functions, files):
    content = {"ZipFile": functions.archive(files)}
    return functions.aws("lambda").publish_layer_version(LayerName="layer", Content=content)["LayerVersionArn"]


def test_code_comes_before_layers_and_later_layers_over_earlier_ones(functions):
    site = f"python/lib/python3.{sys.version_info[1]}/site-packages"
    first = publish_layer(functions, {"python/shared.py": "X = 'first'", "python/own.py": "X = 'layer'"})
    second = publish_layer(functions, {"python/shared.py": "X = 'second'", f"{site}/deep.py": "X = 'deep'"})
    code = "import shared, own, deep\ndef handler(e, c): return [shared.X, own.X, deep.X]\n"
    name = functions.make({"app.py": code, "own.py": "X = 'code'"}, Layers=[first, second])
    failed, found, _ = functions.invoke(name)
    assert not failed, found
    assert found == ["second", "code", "deep"]


def test_layers_come_before_the_runtimes_boto3(functions):
    layer = publish_layer(functions, {"python/boto3/__init__.py": "X = 'of the layer'"})
    name = functions.make("import boto3\ndef handler(e, c): return boto3.X\n", Layers=[layer])
    assert functions.invoke(name)[1] == "of the layer"


def test_another_python_version_is_used_or_its_absence_told(functions):
    other = "3.13" if sys.version_info[:2] != (3, 13) else "3.12"
    name = functions.make(SHOW, runtime=f"python{other}")
    _, shown, _ = functions.invoke(name)
    if shown["version"] != [int(part) for part in other.split(".")]:
        assert any(f"python{other} is not on this machine" in message for message in functions.log(name))


def test_executables_and_folders_of_the_package_keep_their_modes(functions):
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr(
            "app.py", "import subprocess\ndef handler(e, c): return subprocess.check_output(['./tool']).decode()\n"
        )
        entry = zipfile.ZipInfo("tool")
        entry.external_attr = 0o755 << 16
        bundle.writestr(entry, "#!/bin/sh\necho made it\n")
    name = functions.make("def handler(e, c): pass\n")
    functions.aws("lambda").update_function_code(FunctionName=name, ZipFile=buffer.getvalue())
    functions.ready(name)
    assert functions.invoke(name)[1] == "made it\n"


@pytest.mark.parametrize("member", ["../escaped.py", "/tmp/nbchalice-escaped.py"])
def test_an_archive_cannot_write_outside_its_folder(functions, local_aws, member):
    name = functions.make({"app.py": "def handler(e, c): return 1\n", member: "x"})
    assert functions.invoke(name)[1] == 1
    assert not Path("/tmp/nbchalice-escaped.py").exists()
    unpacked = Path(local_aws.state_dir) / "tmp" / "functions" / "code"
    assert list(unpacked.glob("*/app.py"))
    assert not list(unpacked.glob("escaped.py"))


def test_new_code_and_new_variables_are_used_at_once(functions):
    name = functions.make("import os\ndef handler(e, c): return ['one', os.environ.get('VAR')]\n")
    assert functions.invoke(name)[1] == ["one", None]
    code = "import os\ndef handler(e, c): return ['two', os.environ.get('VAR')]\n"
    functions.aws("lambda").update_function_code(FunctionName=name, ZipFile=functions.archive({"app.py": code}))
    functions.ready(name)
    assert functions.invoke(name)[1] == ["two", None]
    functions.aws("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": {"VAR": "1"}})
    functions.ready(name)
    assert functions.invoke(name)[1] == ["two", "1"]
