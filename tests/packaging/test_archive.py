"""The archive of dependencies over Lambda's limit: in parts that are whole, and checked before they are written."""

import hashlib
import json
import os
import stat
import sys
import threading
import zipfile

import pytest

from nbchalice.packaging import archive as archives
from nbchalice.packaging.archive import archive_of
from nbchalice.packaging.layer import build_layer
from nbchalice.packaging.lock import lock
from nbchalice.packaging.targets import LambdaTarget
from nbchalice.runtime import archive as runtime
from nbchalice.runtime.bundles import BundleError

from .conftest import wheel_maker

BIG = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(20_000))
FILES = {
    "shop/__init__.py": "A = 1\n",
    "shop/empty.py": "",
    "shop/prices/ä b.txt": "x",
    "shop/random.txt": BIG,
    **{f"shop/tables/{number}.txt": BIG[number * 1000 :] for number in range(8)},
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The archive of a package with files of all kinds, in parts of about 1 MB."""
    folder = tmp_path_factory.mktemp("archive")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archives, "_PART", 1 << 20)
        make = wheel_maker(folder, patch)
        make("shop", FILES)
        locked = lock(["shop"], LambdaTarget("3.12", "x86_64"), cache=folder)
        return archive_of(build_layer(locked, cache=folder))


class S3:
    """Gives ranges of a file, and counts them."""

    def __init__(self, content):
        self.content, self.asked = content, []

    def get_object(self, Bucket, Key, Range):
        first, _, last = Range.removeprefix("bytes=").partition("-")
        self.asked.append((Bucket, Key, int(first)))
        content = self.content[int(first) : int(last) + 1]
        return {"Body": type("Body", (), {"read": lambda _: content})()}


@pytest.fixture
def function(archive, tmp_path, monkeypatch):
    """A function's folder and /tmp, and an S3 that holds the archive."""
    return with_archive(archive, tmp_path, monkeypatch)


def with_archive(archive, tmp_path, monkeypatch):
    with archive.open() as file:
        s3 = S3(file.read())
    monkeypatch.setattr(runtime, "s3_client", lambda **_: s3)
    monkeypatch.setenv("NBCHALICE_BUNDLES", f"s3://bucket/folder/{archive.sha256}")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("sys.path", [str(tmp_path / "function"), "/opt/python"])
    monkeypatch.setattr("sys.meta_path", list(sys.meta_path))
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    (tmp_path / "tmp").mkdir()
    root = tmp_path / "function"
    root.mkdir()
    (root / runtime.FILE).write_bytes(archive.index)
    s3.root, s3.tmp = str(root), tmp_path / "tmp"
    return s3


def test_the_parts_are_all_of_the_archive_up_to_its_directory(archive):
    index = json.loads(archive.index)
    with archive.open() as file:
        content = file.read()
    assert hashlib.sha256(content).hexdigest() == index["sha256"] == archive.sha256
    bounds = [part[:2] for part in index["parts"]]
    assert len(bounds) > 3
    assert [end for _, end in bounds[:-1]] == [start for start, _ in bounds[1:]]
    with zipfile.ZipFile(archive.layer.path) as opened:
        assert (bounds[0][0], bounds[-1][1]) == (0, opened.start_dir)


def test_what_is_unpacked_is_what_the_layer_holds(archive, function):
    runtime.unpack(function.root)()
    (folder,) = function.tmp.iterdir()
    with zipfile.ZipFile(archive.layer.path) as opened:
        wanted = {name: opened.read(name) for name in opened.namelist()}
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".whole"
    }
    assert found == wanted
    assert found["python/shop/random.txt"].decode() == BIG
    assert sys.path == [function.root, str(folder / "python"), "/opt/python"]
    assert sys.dont_write_bytecode


def test_what_may_be_run_may_be_run_again(tmp_path):
    from nbchalice.packaging.zipping import Member, zip_bytes

    content = zip_bytes({"python/tool": Member(b"#!/bin/sh\n", True), "python/text": b"x"})
    (tmp_path / "one.zip").write_bytes(content)
    index = archives._describe(tmp_path / "one.zip")["index"]
    assert index["executable"] == ["python/tool"]
    ((start, end, _),) = index["parts"]
    runtime.extract(content[start:end], str(tmp_path), set(index["executable"]))
    modes = [(tmp_path / name).stat().st_mode & stat.S_IXUSR for name in ("python/tool", "python/text")]
    assert modes == [stat.S_IXUSR, 0]


def test_a_start_that_was_broken_off_goes_on_with_what_it_lacks(archive, function):
    runtime.unpack(function.root)()
    (folder,) = function.tmp.iterdir()
    total, removed = len(function.asked), min(folder.glob("*.whole"))
    removed.unlink()
    function.asked.clear()
    runtime.unpack(function.root)()
    assert total > 3 and len(function.asked) == 1
    function.asked.clear()
    runtime.unpack(function.root)()
    assert not function.asked


def test_a_part_that_is_not_what_was_deployed_is_refused_before_it_is_written(function):
    function.content = function.content.replace(b"A = 1", b"A = 2").replace(b"shop/tables/3", b"shop/tables/9")
    with pytest.raises(BundleError, match="not what was deployed: a hash differs; deploy again"):
        runtime.unpack(function.root)()
    assert not list(function.tmp.rglob("9.txt"))


def test_a_variable_that_is_gone_is_told(function, monkeypatch):
    monkeypatch.delenv("NBCHALICE_BUNDLES")
    with pytest.raises(BundleError, match="NBCHALICE_BUNDLES does not say where; deploy again"):
        runtime.unpack(function.root)()


def test_a_full_tmp_is_told(function, monkeypatch):
    def full(*_, **__):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(runtime, "_write", full)
    with pytest.raises(BundleError, match="does not fit in /tmp"):
        runtime.unpack(function.root)()


def test_modules_that_fetching_it_has_loaded_are_loaded_from_it(function, monkeypatch):
    """Requests brings its own urllib3, and boto3 has loaded the runtime's."""
    real = runtime.s3_client

    def client(**options):
        for name in ("shop", "shop.old", "shopping"):
            monkeypatch.setitem(sys.modules, name, object())
        return real(**options)

    monkeypatch.setattr(runtime, "s3_client", client)
    runtime.unpack(function.root)()
    assert {"shop", "shop.old", "shopping"} & set(sys.modules) == {"shopping"}


@pytest.fixture
def modules_of_this_test():
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_an_import_waits_for_what_it_requires_and_for_nothing_else(
    make_wheel, tmp_path, monkeypatch, modules_of_this_test
):
    """Others are still on their way, and are there before the handler runs."""
    monkeypatch.setattr(archives, "_PART", 1 << 16)
    make_wheel(
        "first_one",
        {"first_one/__init__.py": "import second_one\n", "first_one/data.txt": BIG},
        requires=["second-one"],
    )
    make_wheel("second_one", {"second_one/__init__.py": "A = 2\n", "second_one/x.txt": BIG[1:]})
    make_wheel("third_one", {"third_one/__init__.py": "A = 3\n", "third_one/data.txt": BIG[2:]})
    locked = lock(["first-one", "third-one"], LambdaTarget("3.12", "x86_64"), cache=tmp_path)
    late = archive_of(build_layer(locked, cache=tmp_path))
    index = json.loads(late.index)
    own = set(index["modules"]["third_one"]) - set(index["first"]) - set(index["modules"]["first_one"])
    assert own and set(index["modules"]) == {"first_one", "second_one", "third_one"}
    function = with_archive(late, tmp_path, monkeypatch)
    released = threading.Event()
    starts = {index["parts"][number][0] for number in own}
    real = function.get_object

    def slow(Bucket, Key, Range):
        if int(Range.removeprefix("bytes=").partition("-")[0]) in starts:
            released.wait(60)
        return real(Bucket, Key, Range)

    function.get_object = slow
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "10240")
    monkeypatch.setattr(os, "cpu_count", lambda: 20)
    finish = runtime.unpack(function.root)
    assert __import__("first_one").second_one.A == 2
    assert not list(function.tmp.rglob("third_one/__init__.py"))
    threading.Timer(0.01, released.set).start()
    assert __import__("third_one").A == 3
    finish()
    assert len(list(function.tmp.rglob("*.whole"))) == len(index["parts"])
    assert not [one for one in sys.meta_path if isinstance(one, runtime.Parts)]


def test_what_it_costs_follows_from_its_size_and_the_memory(archive):
    assert archive.seconds(1769) < archive.seconds(128)
    assert archive.seconds(10_240) == archive.seconds(1769)
    assert archive.megabytes == -(-archive.on_disk // (1 << 20))
    assert archive.on_disk > archive.layer.unzipped_size
