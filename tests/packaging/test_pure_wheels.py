"""A pure-Python package of which the registry has only the source comes along as it is installed."""

import subprocess
import sys
import zipfile
from importlib import metadata

import pytest
import uv

from nbchalice.packaging.layer import build_layer
from nbchalice.packaging.lock import lock
from nbchalice.packaging.pure_wheels import make_wheel, wheels_folder
from nbchalice.packaging.targets import LambdaTarget


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The source-only package docopt, installed as in a kernel, and an empty cache."""
    monkeypatch.setenv("NBCHALICE_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "kernel"
    command = [uv.find_uv_bin(), "pip", "install", "-q", "-p", sys.executable, "--target", str(place), "docopt==0.6.2"]
    subprocess.run(command, check=True)
    monkeypatch.syspath_prepend(str(place))
    return place


@pytest.mark.parametrize("target", [LambdaTarget("3.11", "x86_64"), LambdaTarget("3.13", "arm64")], ids=str)
def test_it_is_in_the_layer_as_it_is_installed(installed, target):
    found = lock(["docopt==0.6.2", "six==1.17.0"], target)
    assert {pin.partition("==")[0] for pin in found.pins} == {"docopt", "six"}
    layer = zipfile.ZipFile(build_layer(found).path)
    assert layer.read("python/docopt.py") == (installed / "docopt.py").read_bytes()
    assert any(name.endswith("docopt-0.6.2.dist-info/METADATA") for name in layer.namelist())


def test_the_wheel_is_the_same_wherever_it_is_made_and_has_nothing_of_this_computer(installed):
    assert make_wheel("docopt") and not make_wheel("docopt")
    (path,) = wheels_folder().iterdir()
    made = path.read_bytes()
    names = zipfile.ZipFile(path).namelist()
    assert path.name == "docopt-0.6.2-py3-none-any.whl"
    assert not [name for name in names if name.endswith(("INSTALLER", "REQUESTED", ".pyc"))]
    path.unlink()
    assert make_wheel("docopt") and path.read_bytes() == made


def test_what_is_compiled_or_not_here_is_no_wheel_of_ours():
    assert "Root-Is-Purelib: false" in metadata.distribution("numpy").read_text("WHEEL")
    assert not make_wheel("numpy") and not make_wheel("not-installed-at-all")
