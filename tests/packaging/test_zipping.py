import io
import subprocess
import sys
import zipfile

import pytest

from nbchalice.packaging.zipping import Member, zip_bytes


def opened(content):
    return zipfile.ZipFile(io.BytesIO(content))


def test_files_come_back_as_they_went_in():
    files = {"b/c.txt": b"2" * 5000, "a/ä.txt": b"", "random": bytes(range(256))}
    archive = opened(zip_bytes(files))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == files
    assert archive.namelist() == sorted(files)


def test_headers_depend_on_nothing_but_the_files():
    infos = opened(zip_bytes({"tool": Member(b"x", executable=True), "text": b"y"})).infolist()
    assert {info.filename: info.external_attr >> 16 for info in infos} == {"tool": 0o100755, "text": 0o100644}
    assert {(info.date_time, info.create_system) for info in infos} == {((1980, 1, 1, 0, 0, 0), 3)}


def test_order_of_the_files_does_not_matter_nor_do_threads():
    many = {f"{n}.bin": bytes([n]) * 20_000 for n in range(100)}
    assert zip_bytes(many) == zip_bytes(dict(reversed(many.items())))
    alone = {name: content for name, content in many.items() if name == "7.bin"}
    assert (
        opened(zip_bytes(many)).getinfo("7.bin").compress_size
        == opened(zip_bytes(alone)).getinfo("7.bin").compress_size
    )


def test_no_files_is_an_empty_zip():
    assert opened(zip_bytes({})).namelist() == []


@pytest.mark.parametrize("level", [1, 6, 9])
def test_unzip_tools_of_others_read_it(tmp_path, level):
    path = tmp_path / "a.zip"
    path.write_bytes(zip_bytes({"dir/módulo.py": b"x = 1\n" * 100, "run": Member(b"#!/bin/sh\n", True)}, level))
    subprocess.run([sys.executable, "-m", "zipfile", "-e", path, tmp_path / "out"], check=True)
    assert (tmp_path / "out/dir/módulo.py").read_bytes() == b"x = 1\n" * 100
