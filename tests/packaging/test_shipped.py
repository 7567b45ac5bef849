import io
import json
import zipfile

import pytest

from nbchalice.packaging import shipped
from nbchalice.packaging.shipped import needed_modules, runtime_archive


@pytest.fixture
def fresh(monkeypatch):
    """Forget what this process has shrunk, as a new process would."""

    def forget():
        for cached in (shipped._files, shipped._graph, shipped.runtime_archive):
            cached.cache_clear()

    forget()
    yield forget
    forget()


def test_shrinking_is_done_once_and_kept(tmp_path, monkeypatch, fresh):
    monkeypatch.setenv("NBCHALICE_CACHE", str(tmp_path))
    first = runtime_archive(needed_modules([]))
    fresh()
    monkeypatch.setattr(shipped, "strip_source", lambda source: pytest.fail("shrunk again"))
    assert runtime_archive(needed_modules([])) == first


def test_a_torn_or_unwritable_cache_does_no_harm(tmp_path, monkeypatch, fresh):
    expected = runtime_archive(needed_modules([]))
    monkeypatch.setenv("NBCHALICE_CACHE", str(tmp_path))
    runtime_archive(needed_modules([]))
    fresh()
    runtime_archive(needed_modules([]))
    (kept,) = tmp_path.glob("runtime/*.json")
    kept.write_text(kept.read_text()[:100])
    fresh()
    assert runtime_archive(needed_modules([])) == expected
    json.loads(kept.read_text())
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("NBCHALICE_CACHE", str(blocked))
    fresh()
    assert runtime_archive(needed_modules([])) == expected


def test_a_package_ships_with_its_modules_and_the_archive_is_whole():
    modules = needed_modules(["from nbchalice.runtime import cron"])
    assert {"nbchalice", "nbchalice.runtime", "nbchalice.runtime.cron", "nbchalice.runtime.entry"} <= modules
    archive = zipfile.ZipFile(io.BytesIO(runtime_archive(modules)))
    assert archive.testzip() is None and len(archive.namelist()) == len(modules)
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_sources_that_cannot_be_parsed_ask_for_nothing():
    assert needed_modules(["from nbchalice.errors import ("]) == needed_modules([])


@pytest.mark.parametrize(
    ("source", "ships"),
    [
        ("from nbchalice import Chalice", False),
        ("from nbchalice import Chalice, Rate", True),
        ("import nbchalice", True),
        ("from nbchalice import *", True),
        ("from nbchalice.runtime.schedules import Cron", True),
    ],
)
def test_schedules_ship_only_with_code_that_may_ask_for_them(source, ships):
    assert ("nbchalice.runtime.schedules" in needed_modules([source])) is ships


def test_what_only_the_notebook_checks_does_not_ship():
    assert not {"nbchalice.runtime.settings", "nbchalice.runtime.cron"} & needed_modules(["from nbchalice import Rate"])
