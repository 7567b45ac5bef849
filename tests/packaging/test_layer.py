import csv
import io
import subprocess
import sys
import zipfile

import pytest

from nbchalice.packaging import uvtool
from nbchalice.packaging.layer import build_layer
from nbchalice.packaging.lock import Lock, lock
from nbchalice.packaging.targets import LambdaTarget

pytestmark = pytest.mark.slow


def test_layout_is_what_lambda_wants(shared_cache):
    layer = build_layer(
        lock(["charset-normalizer==3.4.0"], LambdaTarget("3.12"), cache=shared_cache), cache=shared_cache
    )
    archive = zipfile.ZipFile(layer.path)
    names = archive.namelist()
    assert archive.testzip() is None and names == sorted(names)
    assert all(name.startswith("python/") for name in names)
    assert not [
        name for name in names if "__pycache__" in name or name.startswith("python/bin/") or name.endswith("/.lock")
    ]
    record = archive.read("python/charset_normalizer-3.4.0.dist-info/RECORD").decode()
    listed = {f"python/{row[0]}" for row in csv.reader(io.StringIO(record))}
    assert listed == set(names)
    assert layer.zip_size == layer.path.stat().st_size and layer.requirements == ("charset-normalizer==3.4.0",)


def test_tests_are_left_out_unless_something_imports_them(make_wheel, tmp_path):
    files = {
        "shop/__init__.py": "# the tests are elsewhere\n",
        "shop/testing.py": "",
        "shop/data/tests.csv": "",
        "shop/tests/__init__.py": "from shop.core.tests import helper",
        "shop/tests/data/big.csv": "1",
        "shop/core/__init__.py": "",
        "shop/core/tests/test_core.py": "",
        "shop/io/__init__.py": "def check():\n    from .tests import run\n",
        "shop/io/tests/__init__.py": "from ...old.tests.rows import ROWS\n",
        "shop/old/tests/rows.py": "",
        "shop/ui/__init__.py": "from shop.ui import (\n    buttons,\n    tests,\n)\n",
        "shop/ui/tests/x.py": "",
        "shop/python2.py": "print 'tests'; import shop.core.tests\n",
        "shop/test/public.py": "",
    }
    make_wheel("shop", files)
    layer = build_layer(lock(["shop"], LambdaTarget("3.13"), cache=tmp_path), cache=tmp_path)
    archive = zipfile.ZipFile(layer.path)
    gone = {"shop/tests/__init__.py", "shop/tests/data/big.csv", "shop/core/tests/test_core.py"}
    found = {name.removeprefix("python/") for name in archive.namelist() if "dist-info" not in name}
    assert found == set(files) - gone
    listed = {row[0] for row in csv.reader(io.StringIO(archive.read("python/shop-1.0.dist-info/RECORD").decode()))}
    assert found < listed and not listed & gone


def test_two_machines_make_the_same_bytes(tmp_path):
    target = LambdaTarget("3.13", "arm64")
    found = lock(["markupsafe==3.0.2", "charset-normalizer==3.4.0"], target, cache=tmp_path)
    layers = [build_layer(Lock(found.text, target), cache=tmp_path / name) for name in "ab"]
    assert layers[0].read() == layers[1].read() and layers[0].code_sha256 == layers[1].code_sha256


def test_a_second_deploy_neither_resolves_nor_installs(tmp_path, monkeypatch):
    def ask():
        return build_layer(lock(["six==1.16.0"], LambdaTarget("3.13"), cache=tmp_path), cache=tmp_path)

    first = ask()

    def refuse(*_, **__):
        raise AssertionError("uv was run")

    monkeypatch.setattr(uvtool.subprocess, "run", refuse)
    assert ask() == first


def test_a_torn_cache_is_built_again(tmp_path):
    found = lock(["six==1.16.0"], LambdaTarget("3.13"), cache=tmp_path)
    layer = build_layer(found, cache=tmp_path)
    whole = layer.read()
    layer.path.write_bytes(whole[:100])
    assert build_layer(found, cache=tmp_path).read() == whole
    next(tmp_path.glob("layers/*.json")).write_text("{")
    assert build_layer(found, cache=tmp_path) == layer


def test_the_environment_says_where_the_cache_is(tmp_path, monkeypatch):
    monkeypatch.setenv("NBCHALICE_CACHE", str(tmp_path / "elsewhere"))
    layer = build_layer(lock(["six==1.16.0"], LambdaTarget("3.13")))
    assert layer.path.is_relative_to(tmp_path / "elsewhere")


def test_the_layer_can_be_imported(tmp_path, shared_cache):
    target = LambdaTarget(f"{sys.version_info.major}.{sys.version_info.minor}")
    layer = build_layer(lock(["six==1.16.0"], target, cache=shared_cache), cache=shared_cache)
    zipfile.ZipFile(layer.path).extractall(tmp_path)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import six, importlib.metadata as m; print(six.__file__, m.version('six'))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, tmp_path / "python"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(tmp_path / "python/six.py"), "1.16.0"]


def test_a_wrong_hash_is_refused(tmp_path):
    target = LambdaTarget("3.13")
    text = lock(["six==1.16.0"], target, cache=tmp_path).text
    forged = text.replace("sha256:8", "sha256:0").replace("sha256:1", "sha256:0")
    assert forged != text
    with pytest.raises(uvtool.PackagingError, match="(?i)hash"):
        build_layer(Lock(forged, target), cache=tmp_path)
    assert not list(tmp_path.glob("layers/*"))
