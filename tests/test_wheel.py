"""What is installed: only what runs, and only libraries that something imports."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import uv

import nbchalice

from .wheels import build_wheel

ROOT = Path(nbchalice.__file__).parent
# They run in the environment of the local AWS's server, which tests/local_aws starts.
SERVER = ("nbchalice.aws.local.server.", "nbchalice.aws.local.worker.")
IMPORTS = """
import importlib, sys
for name in sys.stdin.read().split():
    importlib.import_module(name)
bad = sorted({name.split(".")[0] for name in sys.modules} & {"pytest", "_pytest", "moto", "mypy_boto3_sqs", "jupyterlab"})
print("test tools:", *bad)
"""


@pytest.fixture(scope="module")
def wheel_file(tmp_path_factory):
    """The built wheel."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def wheel(wheel_file):
    """The names of the files of the built wheel."""
    return zipfile.ZipFile(wheel_file).namelist()


@pytest.mark.slow
@pytest.mark.local_aws
def test_the_wheel_alone_deploys_sends_looks_writes_a_template_and_deletes(wheel_file, tmp_path, empty_local_aws):
    """In an environment that has nothing else, on a copy of the quickstart."""
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([uv.find_uv_bin(), "venv", "-q", "-p", sys.executable, str(tmp_path / "venv")], check=True)
    subprocess.run([uv.find_uv_bin(), "pip", "install", "-q", "-p", str(python), str(wheel_file)], check=True)
    notebook = tmp_path / "copied.ipynb"
    notebook.write_bytes((ROOT.parent / "notebooks" / "quickstart.ipynb").read_bytes())

    def run(command, *words):
        done = subprocess.run(
            [python.with_name("nbchalice"), command, notebook, *words, "--json"], cwd=tmp_path,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return json.loads(done.stdout)

    assert len(run("deploy")["functions"]) == 4
    sent = run("send", "price", "--message", '{"item": "tea", "net": 10}')
    assert [one["message"] for one in sent["invocation"]["records"]] == ["tea costs 12.00"]
    assert run("logs", "price", "--since", "5m")["status"] == "ok"
    assert {one["state"] for one in run("status")["handlers"]} == {"deployed"}
    assert len(run("package", "--format", "sam", "--out", "build")["files"]) == 5
    assert run("delete", "--yes")["changes"] and not run("delete", "--yes")["changes"]
    assert {one["state"] for one in run("status")["handlers"]} == {"registered"}


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_beside_it(wheel):
    ours = {name for name in wheel if not name.startswith("nbchalice-")}
    assert {name.split("/")[0] for name in ours} == {"nbchalice"}
    assert {Path(name).suffix for name in ours} <= {".py", ".typed", ".js", ".css"}
    assert not [name for name in ours if re.search(r"(^|/)(test_|conftest|faults|demo)", name)]


@pytest.mark.slow
def test_each_module_of_the_wheel_can_be_imported(wheel):
    modules = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in wheel if name[-3:] == ".py"
    ]
    modules = [name for name in modules if not f"{name}.".startswith(SERVER) and not name.endswith("__main__")]
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], input="\n".join(modules), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "test tools:"), done.stderr


def test_each_library_that_is_installed_is_imported():
    imported = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            imported |= {name.split(".")[0].lower() for name in names}
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]
    assert [line for line in project["dependencies"] if re.split(r"[<>=!~; ]", line)[0] not in imported] == []
