"""A handler that uses pandas, deployed for two processors and two Pythons; then edited."""

import os
import zipfile
from functools import partial
from importlib.metadata import version

import pytest

from nbchalice.aws.target import connect
from nbchalice.deploy import engine
from nbchalice.notebook_file import read_project
from nbchalice.operations import verified_packages

from ..notebooks import write

pytestmark = pytest.mark.slow

X86_64, AARCH64 = 62, 183
TARGETS = {"x86": ("3.12", "x86_64", X86_64), "arm": ("3.13", "arm64", AARCH64)}
HANDLER = """%%lambda_function --python {python} --arch {arch} --memory 512 --timeout 60
def {name}(event):
    import numpy.testing
    import pandas as pd
    from importlib.metadata import version
    numpy.testing.assert_allclose(1.0, 1.0)
    return ["{text}", int(pd.DataFrame({{"a": event["a"]}}).a.sum()), version("pandas")]
"""


@pytest.fixture(scope="module")
def connection(local_aws):
    """A connection that counts the bytes of what it sends."""
    found = connect("local")
    found.sent = []
    make = found._new_client

    def counting(*key):
        client = make(*key)
        client.meta.events.register("before-send", lambda request, **_: found.sent.append(len(request.body or b"")))
        return client

    found._new_client = counting
    return found


@pytest.fixture(scope="module")
def deploy(connection, tmp_path_factory):
    path = tmp_path_factory.mktemp("pandas") / "frames.ipynb"

    def deploy(text):
        cells = [HANDLER.format(name=n, python=p, arch=a, text=text) for n, (p, a, _) in TARGETS.items()]
        cells = ["%chalice app frames", "%pip install pandas numpy", *cells]
        project = read_project(write(path, cells))
        connection.sent.clear()
        return engine.deploy(project.app, partial(verified_packages, project), connection)

    return deploy


@pytest.fixture(scope="module")
def deployed(deploy):
    return deploy("first")


def layer_of(connection, deployed, name):
    """Return the layer that AWS has, by the file that was uploaded, and what AWS tells of it."""
    client = connection.client("lambda")
    (layer,) = client.get_function_configuration(FunctionName=f"frames-dev-{name}")["Layers"]
    found = client.get_layer_version_by_arn(Arn=layer["Arn"])
    layers = [change.resource for change in deployed.changes if change.resource.kind == "layer"]
    (package,) = [one.package for one in layers if layer["Arn"].startswith(f"{one.arn}:")]
    assert found["Content"]["CodeSha256"] == package.code_sha256
    return zipfile.ZipFile(package.path), found


@pytest.mark.parametrize("name", TARGETS)
def test_every_binary_in_the_layer_is_for_the_target(name, deployed, connection):
    python, arch, machine = TARGETS[name]
    archive, found = layer_of(connection, deployed, name)
    assert (found["CompatibleRuntimes"], found["CompatibleArchitectures"]) == ([f"python{python}"], [arch])
    heads = {entry: archive.open(entry).read(20) for entry in archive.namelist()}
    binaries = {entry: head for entry, head in heads.items() if head[:4] == b"\x7fELF"}
    assert len(binaries) > 50
    assert {int.from_bytes(head[18:20], "little") for head in binaries.values()} == {machine}
    assert not [entry for entry in heads if ".so" in entry.rsplit("/")[-1] and entry not in binaries]
    extensions = [entry for entry in binaries if "cpython-" in entry]
    assert extensions and all(f"cpython-{python.replace('.', '')}-" in entry for entry in extensions)


def test_sizes_are_told_and_tests_of_packages_stay_out(deployed, connection):
    for table in deployed.plan.sizes.values():
        rows = {row.name: row.size for row in table.rows}
        assert rows["zip"] < 40 * 1024 and 15 * 2**20 < rows["layer"] < 50 * 2**20
        assert rows["unzipped"] < 90 * 2**20
        assert {part for part, _ in table.biggest[:2]} == {"numpy", "pandas"}


def test_an_edit_uploads_less_than_40_kb(deployed, deploy, connection):
    changes = deploy("second").changes
    assert [(c.action, c.resource.kind) for c in changes] == [("update", "function")] * 2
    assert sum(connection.sent) < 2 * 40 * 1024
    assert max(connection.sent) > 8 * 1024


def test_it_runs_where_this_computer_has_its_python(deployed, connection):
    import json
    import platform
    from pathlib import Path

    from nbchalice.aws.local.shared.interpreters import Interpreters

    # A python3.12 in PATH may be a shim that does not run.
    found = Interpreters("", Path.home(), os.environ["PATH"])("python3.12")
    if platform.machine() != "x86_64" or not found.version.startswith("3.12."):
        pytest.skip("no Python 3.12 for x86_64 here")
    answer = connection.client("lambda").invoke(FunctionName="frames-dev-x86", Payload=b'{"a": [1, 2]}')
    assert json.loads(answer["Payload"].read())[1:] == [3, version("pandas")]
