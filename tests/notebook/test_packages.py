"""Every tricky notebook is packaged without being executed, as `nbchalice package` does, where reading it suffices."""

import base64
import functools
import json
import zipfile

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.notebook_file import read_project
from nbchalice.operations import write_packages

from ..interpreters import OWN, VERSIONS, find
from .harness import FIXTURES, NAMES, ROOT, expectation, run_clean, run_script
from .test_fixtures import captured

pytestmark = pytest.mark.slow

MANIFEST = {"function", "handler", "notebook", "python", "requirements", "cells", "sha256"}
# What only the order or the outcome of executions tells cannot be read.
READ = [name for name in NAMES if not any(expectation(name).get(key) for key in ("live", "runs"))]
WRONG = [name for name in READ if any(expectation(name).get(key) for key in ("error", "discover_error"))]
RIGHT = [name for name in READ if name not in WRONG]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the zips of a notebook's handlers, by the handler's name."""

    @functools.cache
    def write(name):
        out = tmp_path_factory.mktemp(name)
        project = read_project(FIXTURES / f"{name}.ipynb")
        assert project.handlers or project.wrong, (
            f"{name} wants a last cell with %%lambda_function, for `nbchalice package`"
        )
        packages = write_packages(project, out)
        return {path.stem: path for path in packages.paths if not path.name.startswith("layer-")}

    return write


def chosen(zips, name):
    expect = expectation(name)
    return zips.get("packaged") or zips[expect.get("name") or expect.get("function", "h")]


@pytest.fixture(scope="module")
def answers(written):
    names = [name for name in RIGHT if not expectation(name).get("skip_run")]
    requests = [
        {
            "zip": base64.b64encode(chosen(written(name), name).read_bytes()).decode(),
            "event": expectation(name).get("event"),
            "restore": expectation(name).get("restore"),
        }
        for name in names
    ]
    return dict(zip(names, run_clean(find(OWN), requests), strict=True))


@pytest.mark.parametrize("name", RIGHT)
def test_the_package_of_a_notebook_that_is_only_read(name, written, answers):
    zips = written(name)
    for handler, path in zips.items():
        manifest = json.loads(zipfile.ZipFile(path).read("nbchalice.json"))
        assert set(manifest) == MANIFEST
        assert manifest["function"] == handler
        assert manifest["handler"] == "lambda_function.lambda_handler"
        assert manifest["notebook"] == f"{name}.ipynb"
        assert path.stat().st_size < 45 * 1024
    if name in answers:
        assert "error" not in answers[name], answers[name]
        if not expectation(name).get("static"):
            assert answers[name]["result"] == expectation(name).get("result", captured(name)[1])


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_by_reading(name, written):
    with pytest.raises(NbChaliceError) as caught:
        written(name)
    code, *parts = expectation(name).get("error") or expectation(name)["discover_error"]
    assert caught.value.code == code
    for part in parts:
        assert part in str(caught.value)


BUILD = """
import hashlib, json, os, sys, time
from types import SimpleNamespace
root, cache, module, segments = json.load(sys.stdin)
os.environ.update(NBCHALICE_CACHE=cache, TZ="Pacific/Kiritimati")
time.tzset()
os.umask(0o077)
sys.path.insert(0, root)
from nbchalice.packaging.artifact import build
from nbchalice.runtime.cells import Segment
piece = SimpleNamespace(module=module, segments=[Segment(**entry) for entry in segments], notebook="app_settings.ipynb")
json.dump(hashlib.sha256(build(piece, "h", python="3.10", vendored=[("é.py", b"1")]).zip).hexdigest(), sys.stdout)
"""


@pytest.mark.parametrize("python", VERSIONS, indirect=True)
def test_every_python_time_zone_and_mask_gives_the_same_bytes(python, tmp_path):
    """For a Python that none of them is: each adds byte code for its own."""
    from nbchalice.packaging.artifact import build

    piece, _, _ = captured("app_settings")
    request = [str(ROOT), str(tmp_path / "cache"), piece.module, list(map(vars, piece.segments))]
    assert run_script(python, BUILD, request) == build(piece, "h", python="3.10", vendored=[("é.py", b"1")]).sha256
