import asyncio
import hashlib
import io
import json
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
import uv

import nbchalice
from nbchalice.errors import PackagingError
from nbchalice.packaging.artifact import build
from nbchalice.packaging.bundles import bundle_files, make_bundle, part
from nbchalice.packaging.errors import BundleRefusedError
from nbchalice.packaging.imports import find_imports
from nbchalice.runtime.bundles import BundleError, load_bundle

REPO = Path(nbchalice.__file__).parent.parent
PLAIN = {"a": [1, 2.5, "grüße", True, None, {"b": []}], "c": float("inf")}


def written(folder, *bundles, **options):
    for path, content in bundle_files(bundles, **options).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def test_plain_data_travels_as_json(tmp_path):
    bundle = make_bundle("rates", PLAIN)
    assert bundle.format == "json" and bundle.path == "bundles/rates.json" and bundle.requirements == ()
    assert bundle.sha256 == hashlib.sha256(bundle.read()).hexdigest() and bundle.size == len(bundle.read())
    assert load_bundle("rates", written(tmp_path, bundle)) == PLAIN


def test_it_is_loaded_only_as_it_was_bundled(tmp_path, monkeypatch):
    root = written(tmp_path, make_bundle("other", [2]), stored=[make_bundle("big", [7])])
    (root / "bundles/other.json").write_text("[3]")
    with pytest.raises(BundleError, match="other.*hash differs"):
        load_bundle("other", root)
    (root / "bundles/other.json").unlink()
    with pytest.raises(BundleError, match="other.*cannot be read"):
        load_bundle("other", root)
    with pytest.raises(BundleError, match="'third'; bundles: big, other"):
        load_bundle("third", root)
    monkeypatch.delenv("NBCHALICE_BUNDLES", raising=False)
    with pytest.raises(BundleError, match="'big' is not in the package, and NBCHALICE_BUNDLES does not say where"):
        load_bundle("big", root)


@pytest.mark.parametrize(
    ("room", "inside", "outside"), [(100, "ab", "c"), (600, "abc", ""), (5, "", "abc"), (-1, "", "abc")]
)
def test_the_smallest_bundles_stay_in_the_zip_as_long_as_there_is_room(room, inside, outside):
    bundles = [make_bundle(name, [0] * count) for name, count in (("c", 200), ("a", 5), ("b", 30))]
    kept, stored = part(bundles, room)
    assert ("".join(one.name for one in kept), "".join(one.name for one in stored)) == (inside, outside)
    files = bundle_files(kept, stored)
    index = json.loads(files["bundles/index.json"])
    assert set(index) == set("abc") and {name for name in index if "file" in index[name]} == set(inside)
    assert set(files) == {"bundles/index.json", *(f"bundles/{name}.json" for name in inside)}


def test_no_bundles_are_no_files():
    assert bundle_files([]) == {}


@pytest.mark.parametrize("value", [(1, 2), {1, 2}, b"x", {1: "a"}, [1 + 2j], Counter("a"), Path(), re.compile("a")])
def test_a_pickle_has_to_be_asked_for(value, tmp_path):
    with pytest.raises(PackagingError, check=lambda error: error.code == "bundle-format") as caught:
        make_bundle("thing", value)
    assert "only a pickle" in caught.value.message and "%chalice bundle thing --format pickle" in caught.value.hint
    with pytest.raises(PackagingError, check=lambda error: error.code == "bundle-format", match="JSON"):
        make_bundle("thing", value, "json")
    bundle = make_bundle("thing", value, "pickle")
    assert load_bundle("thing", written(tmp_path, bundle)) == value


def test_it_says_what_of_a_plain_container_no_json_holds():
    for value, what in (({1: "a"}, "a dict with keys that are no texts"), ([1 + 2j], "a list with what JSON does not")):
        with pytest.raises(PackagingError, match=what):
            make_bundle("thing", value)


def test_an_unknown_format_and_formats_that_do_not_fit():
    with pytest.raises(PackagingError, check=lambda error: error.code == "bundle-format", match="xml") as caught:
        make_bundle("x", 1, "xml")
    assert "joblib" in caught.value.hint
    for format in ("npy", "parquet"):
        with pytest.raises(PackagingError, check=lambda error: error.code == "bundle-format"):
            make_bundle("x", [1], format)


def generator():
    yield 1


async def coroutine():
    pass


def closed_coroutine():
    waiting = coroutine()
    waiting.close()
    return waiting


OPEN_THINGS = {
    "client": lambda: boto3.client("sqs", region_name="us-east-1"),
    "session": lambda: boto3.Session(region_name="us-east-1"),
    "lock": threading.Lock,
    "thread": threading.Thread,
    "socket": socket.socket,
    "context": ssl.create_default_context,
    "database": lambda: sqlite3.connect(":memory:"),
    "generator": lambda: generator(),
    "coroutine": closed_coroutine,
    "queue": asyncio.Queue,
    "file": io.BytesIO,
    "module": lambda: os,
    "lambda": lambda: lambda: 1,
    "local": lambda: make_local(),
    "key": lambda: "AKIAABCDEFGHIJKLMNOP",
    "pem": lambda: "-----BEGIN RSA PRIVATE KEY-----\nabc",
    "config": lambda: {"password": "hunter2hunter2"},
    "bytes": lambda: b"-----BEGIN PRIVATE KEY-----\nabc",
    "environment": lambda: os.environ,
    "pickle of a class of the notebook": lambda: b"c__main__\nSeat\n.",
}


def make_local():
    def inner():
        return 1

    return inner


@pytest.mark.parametrize("what", sorted(OPEN_THINGS))
@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "inside"])
@pytest.mark.parametrize("format", ["auto", "pickle"])
def test_what_must_not_travel_is_refused_with_the_reason(what, wrapped, format):
    value = OPEN_THINGS[what]()
    with pytest.raises(BundleRefusedError) as caught:
        make_bundle("thing", {"x": [value]} if wrapped else value, format)
    assert caught.value.message.startswith("thing cannot be bundled: ") and caught.value.hint
    assert "hunter2" not in str(caught.value) and "AKIA" not in str(caught.value)
    if what in ("socket", "database"):
        value.close()


def test_what_has_a_credentials_name_and_what_comes_along_as_source_is_refused(monkeypatch):
    with pytest.raises(BundleRefusedError, match="db_password cannot be bundled: it holds a password or token"):
        make_bundle("db_password", "hunter2hunter2")
    monkeypatch.setattr(make_local, "__module__", "__main__")
    with pytest.raises(BundleRefusedError, match="a function of the notebook comes along as source by itself"):
        make_bundle("make_local", make_local, "pickle")


@pytest.mark.parametrize(
    "value",
    [
        {"user": "app", "password": "hun" + "ter2x9"},
        ["Server=x;Uid=sa;Pwd=" + "hun" + "ter2x9"],
        b"redis://:" + b"hunter2x9@cache",
        [{"Authorization": "Bearer " + "9b" + "aB3dE5" * 4}],
    ],
)
def test_what_only_looks_like_a_credential_is_let_through(value):
    with pytest.raises(BundleRefusedError, match="x cannot be bundled: it holds a") as caught:
        make_bundle("x", value, "pickle")
    assert "--allow-secret" in caught.value.hint and "hunter" not in str(caught.value)
    assert make_bundle("x", value, "pickle", allow_secret=True).read()


def test_every_text_and_nothing_endless_travels_as_json(tmp_path):
    texts = ["\ud800", "\U0001f600", "\x00"]
    assert load_bundle("texts", written(tmp_path, make_bundle("texts", texts))) == texts
    endless = []
    endless.append(endless)
    with pytest.raises(
        PackagingError, check=lambda error: error.code == "bundle-format", match="nested too deep, or holds itself"
    ):
        make_bundle("endless", endless)


def test_what_pickle_cannot_do_is_explained():
    class Local:
        pass

    with pytest.raises(
        PackagingError, check=lambda error: error.code == "bundle-format", match="cannot be pickled"
    ) as caught:
        make_bundle("thing", Local(), "pickle")
    assert caught.value.hint


@pytest.mark.slow
def test_a_zip_loads_a_bundle_with_a_class_of_the_notebook_when_it_is_looked_up(tmp_path):
    notebook = """\
class Price:
    def __init__(self, value): self.value = value
"""
    script = f"""
import json, sys
{notebook}
from nbchalice.packaging.bundles import make_bundle, bundle_files
b = make_bundle("prices", [Price(3), Price(4)], "pickle")
open(sys.argv[1], "wb").write(b.read())
print(json.dumps([b.notebook_names, b.imports, b.sha256]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "prices.pickle"], capture_output=True, text=True, check=True
    )
    names, imports, digest = json.loads(done.stdout)
    assert names == ["Price"] and imports == []
    from nbchalice.packaging.bundles import Bundle

    path = tmp_path / "prices.pickle"
    bundle = Bundle("prices", "pickle", path, digest, path.stat().st_size)
    module = f"""\
from nbchalice import Chalice
from nbchalice.runtime.bundles import load_bundle
app = Chalice(app_name='a')
{notebook}
def values():
    return [p.value for p in prices]
prices = [1]
first = prices[0]
prices = load_bundle('prices')
gone = load_bundle('gone')
class Prices:
    known = ['prices' in globals()]
@app.on_sqs_message(queue='q')
def total(event):
    Prices.known.append('prices' in globals())
    result = first, sum(values()), len(prices), Prices.known, 'prices' in globals(), type(prices).__name__
    try:
        gone
    except Exception as error:
        return [*result, type(error).__name__]
"""
    artifact = build(
        SimpleNamespace(module=module, segments=[], function="total", notebook="n.ipynb"),
        "total",
        python="3.13",
        files=bundle_files([bundle]),
    )
    root = tmp_path / "root"
    zipfile.ZipFile(io.BytesIO(artifact.zip)).extractall(root)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import lambda_function as f; print(f.lambda_handler({'Records': []}, None))"
    for python in [sys.executable, *Path.home().glob(".pyenv/versions/3.1[23]*/bin/python")]:
        done = subprocess.run([python, "-I", "-c", code, root], capture_output=True, text=True, cwd="/", check=False)
        assert done.stdout == "[1, 7, 2, [False, False], True, 'list', 'BundleError']\n", done.stderr


def test_the_loader_is_in_the_zip_only_where_it_is_needed(make_slice):
    def modules(module):
        archive = zipfile.ZipFile(io.BytesIO(build(make_slice(module), "f", python="3.13").zip))
        return zipfile.ZipFile(archive.open("nbchalice.zip")).namelist()

    assert "nbchalice/runtime/bundles.py" not in modules("x = 1\n")
    assert "nbchalice/runtime/bundles.py" in modules("from nbchalice.runtime.bundles import load_bundle\n")


def test_loading_imports_only_the_standard_library():
    source = (REPO / "nbchalice/runtime/bundles.py").read_text()
    assert {i.top for i in find_imports(source) if i.required} <= sys.stdlib_module_names


@pytest.fixture(scope="module")
def science(tmp_path_factory):
    """An environment with NumPy, pandas, pyarrow and scikit-learn, and a way to run code in it."""
    root = tmp_path_factory.mktemp("science")
    python = root / "venv/bin/python"
    subprocess.run([uv.find_uv_bin(), "venv", "-q", "-p", sys.executable, root / "venv"], check=True)
    subprocess.run(
        [
            uv.find_uv_bin(),
            "pip",
            "install",
            "-q",
            "-p",
            python,
            "numpy",
            "pandas",
            "pyarrow",
            "scikit-learn",
            "joblib",
            "packaging",
        ],
        check=True,
    )

    def run(code):
        head = "import numpy as np, pandas as pd, pathlib, sys\nfrom nbchalice.packaging.bundles import *\nfrom nbchalice.runtime.bundles import load_bundle\nfrom nbchalice.packaging.errors import *\nroot = pathlib.Path(sys.argv[1])\n(root / 'bundles').mkdir(exist_ok=True)\ndef travel(b):\n    for p, c in bundle_files([b]).items():\n        (root / p).write_bytes(c)\n    return load_bundle(b.name, root)\n"
        environment = {**os.environ, "PYTHONPATH": str(REPO)}
        done = subprocess.run(
            # Leave at once: the threads of pyarrow sometimes abort an orderly exit.
            [python, "-c", head + code + "\nimport os; sys.stdout.flush(); os._exit(0)", root],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run


@pytest.mark.slow
def test_arrays_travel_as_npy(science):
    out = science("""
a = np.arange(6, dtype="f4").reshape(2, 3)
b = make_bundle("a", a); c = travel(b)
print(b.format, (c == a).all(), c.dtype, *b.requirements)
try: make_bundle("o", np.array([object()]))
except PackagingError as e: print("pickle" in e.hint)
""")
    assert out[:3] == ["npy", "True", "float32"] and out[3].startswith("numpy==") and out[4] == "True"


@pytest.mark.slow
def test_frames_travel_as_parquet_and_what_would_change_is_an_error(science):
    out = science("""
f = pd.DataFrame({"n": [1, 2], "t": ["a", None], "d": pd.to_datetime(["2024-01-01", "2024-01-02"])}, index=["x", "y"])
b = make_bundle("f", f)
pd.testing.assert_frame_equal(travel(b), f)
print(b.format, *[r.split("==")[0] for r in b.requirements])
for bad in [pd.DataFrame({"o": [{1, 2}, 3]}), pd.DataFrame({"n": [1]}, index=[(1, 2)])]:
    try: make_bundle("bad", bad)
    except PackagingError as e: print("refused", "bad" in e.message and bool(e.hint))
try: make_bundle("s", f["n"])
except PackagingError as e: print("to_frame" in e.hint)
""")
    assert out[:3] == ["parquet", "pandas", "pyarrow"] and out[-1] == "True" and out[3:5] == ["refused", "True"]


@pytest.mark.slow
def test_models_travel_when_asked_with_what_they_need(science):
    out = science("""
from sklearn.linear_model import LinearRegression
m = LinearRegression().fit([[1.0], [2.0]], [2.0, 4.0])
try: make_bundle("m", m)
except PackagingError as e: print("joblib" in e.hint)
for format in ("pickle", "joblib"):
    b = make_bundle("m" + format, m, format)
    print(format, round(float(travel(b).predict([[3.0]])[0]), 3), *[r.split("==")[0] for r in b.requirements])
""")
    assert out == ["True", "pickle", "6.0", "numpy", "scikit-learn", "joblib", "6.0", "joblib", "numpy", "scikit-learn"]
