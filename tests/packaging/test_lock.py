import re
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from nbchalice.errors import PackagingError
from nbchalice.packaging import uvtool
from nbchalice.packaging.errors import CacheError, NoWheelError
from nbchalice.packaging.layer import build_layer
from nbchalice.packaging.lock import lock, requirement_name
from nbchalice.packaging.targets import LambdaTarget

pytestmark = pytest.mark.slow

TARGET = LambdaTarget("3.12")


@pytest.fixture
def no_uv(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("uv was run")

    return lambda: monkeypatch.setattr(uvtool.subprocess, "run", refuse)


def test_every_distribution_is_pinned_and_hashed(tmp_path):
    found = lock(["pandas==2.2.3"], TARGET, cache=tmp_path)
    names = [pin.partition("==")[0] for pin in found.pins]
    assert "pandas==2.2.3" in found.pins and {"numpy", "pytz", "tzdata"} <= set(names) and names == sorted(names)
    entries = re.split(r"(?m)^(?=\w)", found.text)[1:]
    assert len(entries) == len(names) and all("--hash=sha256:" in entry for entry in entries)
    assert found.text.startswith("# Python 3.12, x86_64, x86_64-manylinux_2_28\n")


def test_dependencies_follow_the_kernel_where_that_fits(tmp_path):
    installed = ["numpy==2.1.0", "pytz==2024.1", "tzdata==1.0"]
    pins = lock(["pandas==2.2.3"], TARGET, installed=installed, cache=tmp_path).pins
    assert "numpy==2.1.0" in pins and "pytz==2024.1" in pins and "tzdata==1.0" not in pins


def test_the_same_question_is_asked_once_and_order_does_not_matter(tmp_path, no_uv):
    first = lock(["six==1.16.0", "idna==3.7"], TARGET, cache=tmp_path)
    no_uv()
    assert lock(["idna==3.7", "six==1.16.0", "six==1.16.0"], TARGET, cache=tmp_path) == first


def test_targets_have_different_keys(tmp_path):
    keys = {
        lock(["six==1.16.0"], LambdaTarget(*target), cache=tmp_path).key
        for target in [("3.12",), ("3.13",), ("3.13", "arm64")]
    }
    assert len(keys) == 3


def test_nothing_needed_is_no_lock(tmp_path, no_uv):
    no_uv()
    assert lock([], TARGET, cache=tmp_path) is None


def test_what_lambda_has_is_left_out_unless_asked_for(tmp_path):
    plain = lock(["smart-open[s3]==7.1.0"], TARGET, cache=tmp_path).pins
    assert (
        not [pin for pin in plain if pin.startswith(("boto", "s3transfer", "jmespath"))]
        and "smart-open==7.1.0" in plain
    )
    pinned = lock(["smart-open[s3]==7.1.0", "botocore==1.38.0"], TARGET, cache=tmp_path).pins
    assert "botocore==1.38.0" in pinned and not [pin for pin in pinned if pin.startswith("boto3==")]


def test_aiobotocore_brings_the_botocore_it_needs(tmp_path):
    assert [pin for pin in lock(["aiobotocore==2.21.1"], TARGET, cache=tmp_path).pins if pin.startswith("botocore==")]


def test_no_wheel_names_package_platform_and_versions_that_have_one(tmp_path):
    with pytest.raises(NoWheelError) as caught:
        lock(["numpy==1.26.4"], LambdaTarget("3.14", "arm64"), cache=tmp_path)
    error = caught.value
    assert error.package == "numpy==1.26.4" and error.platform == "Python 3.14 on arm64 (manylinux_2_28)"
    assert error.message == "numpy==1.26.4 has no wheel for Python 3.14 on arm64 (manylinux_2_28)"
    assert error.versions and all(version in error.hint for version in error.versions)
    assert all(int(version.split(".")[0]) >= 2 for version in error.versions)


def test_no_wheel_for_an_old_runtime_names_the_next_that_has_one(tmp_path):
    with pytest.raises(NoWheelError, match="numpy==2.4.0 has no wheel for Python 3.11") as caught:
        lock(["numpy==2.4.0"], LambdaTarget("3.11"), cache=tmp_path)
    assert caught.value.hint.endswith("; or --python 3.12 where the handler is defined, for which it has one")


def test_no_wheel_at_all_says_so(tmp_path):
    with pytest.raises(NoWheelError, match="pyspark") as caught:
        lock(["pyspark==3.5.1"], TARGET, cache=tmp_path)
    assert caught.value.versions == () and "no version of it" in caught.value.hint


def test_who_needs_what_has_no_wheel_is_told(make_wheel, tmp_path):
    links = make_wheel("outer", {"outer.py": ""}, requires=["inner==1.*"])
    with tarfile.open(links / "inner-1.0.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("inner-1.0/PKG-INFO"))
    with pytest.raises(NoWheelError) as caught:
        lock(["outer==1.0"], TARGET, cache=tmp_path)
    assert re.match(r"inner\S*, which outer==1\.0 needs, has no wheel for Python 3\.12 on x86_64", caught.value.message)
    assert (
        caught.value.hint == "use another version of outer, or another --python or --arch where the handler is defined"
    )
    with pytest.raises(NoWheelError) as caught:
        lock(["outer==1.0", "inner==1.0"], TARGET, cache=tmp_path)
    assert caught.value.message.startswith("inner==1.0 has no wheel for") and "pure Python" in caught.value.hint


def source_only(links, *names):
    for name in names:
        with tarfile.open(links / f"{name}-1.0.tar.gz", "w:gz") as archive:
            archive.addfile(tarfile.TarInfo(f"{name}-1.0/PKG-INFO"))


def test_all_that_have_no_wheel_are_told_at_once(make_wheel, tmp_path):
    links = make_wheel("outer", {"outer.py": ""}, requires=["inner==1.*"])
    make_wheel("zz_old", {"zz_old.py": ""}, "0.9")
    make_wheel("good", {"good.py": ""})
    source_only(links, "inner", "zz-old", "zz-rare")
    with pytest.raises(NoWheelError) as caught:
        lock(["outer==1.0", "zz-old==1.0", "good==1.0", "zz-rare==1.0"], TARGET, cache=tmp_path)
    message, hint = caught.value.message, caught.value.hint
    assert message.endswith("have no wheel for Python 3.12 on x86_64 (manylinux_2_28)")
    named = re.findall(r"(?:inner\S* \(which outer==1\.0 needs\)|zz-old==1\.0|zz-rare==1\.0)", message)
    assert len(named) == 3 and "good" not in str(caught.value)
    assert (
        "use zz-old 0.9" in hint and "use other versions of outer" in hint and "no version of zz-rare has one" in hint
    )
    assert hint.endswith("or another --python or --arch where the handler is defined")


def test_two_of_which_no_version_has_a_wheel_are_told_together(make_wheel, tmp_path):
    links = make_wheel("good", {"good.py": ""})
    source_only(links, "zz-rare", "zz-scarce")
    with pytest.raises(NoWheelError, match=r"zz-rare==1\.0 and zz-scarce==1\.0 have no wheel"):
        lock(["zz-rare==1.0", "zz-scarce==1.0"], TARGET, cache=tmp_path)


@pytest.mark.parametrize(
    ("asked", "wheels", "expected"),
    [
        ("inner==1.0rc5", ["1.0rc2", "1.0rc10"], ("1.0rc2", "1.0rc10")),
        ("inner==1.9", ["1.0", "1.10"], ("1.0", "1.10")),
        ("inner==2.*", ["1.0", "1!0.1"], ("1.0", "1!0.1")),
        ("inner==1.1", ["1.0", "1.0.post1", "1.2.dev3"], ("1.0.post1", "1.2.dev3")),
    ],
)
def test_versions_that_have_a_wheel_come_in_their_order(asked, wheels, expected, make_wheel, tmp_path):
    for version in wheels:
        links = make_wheel("inner", {"inner.py": ""}, version)
    version = asked.partition("==")[2].replace("*", "0")
    with tarfile.open(links / f"inner-{version}.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo(f"inner-{version}/PKG-INFO"))
    with pytest.raises(NoWheelError) as caught:
        lock([asked], TARGET, cache=tmp_path)
    assert caught.value.versions == expected


def test_what_comes_from_an_address_is_installed(make_wheel, tmp_path):
    links = make_wheel("inner", {"inner.py": ""})
    make_wheel("outer", {"outer.py": ""})
    url = (links / "inner-1.0-py3-none-any.whl").as_uri()
    assert lock([f"Inner @ {url}"], TARGET, cache=tmp_path).pins == (f"inner @ {url}",)
    found = lock([f"inner @ {url}", "outer==1.0"], TARGET, cache=tmp_path)
    assert found.pins == (f"inner @ {url}", "outer==1.0")
    assert {name for name, _ in build_layer(found, cache=tmp_path).distributions} == {"inner", "outer"}


def test_a_contradiction_is_told_by_what_it_begins_from(make_wheel, tmp_path):
    make_wheel("outer", {"outer.py": ""}, requires=["inner>=2"])
    make_wheel("inner", {"inner.py": ""})
    make_wheel("inner", {"inner.py": ""}, version="2.0")
    with pytest.raises(PackagingError, check=lambda error: error.code == "conflicting-requirements") as caught:
        lock(["outer==1.0", "inner==1.0"], TARGET, cache=tmp_path)
    told = caught.value.message.removeprefix("the requirements contradict each other: ")
    assert re.fullmatch(
        r"outer\S+1\.0 depends on inner>=2( and|;) you require inner==1\.0(; you require outer==1\.0)?", told
    )


def test_unknown_package_and_version(tmp_path):
    with pytest.raises(
        PackagingError,
        check=lambda error: error.code == "no-such-package",
        match="no package nbchalice-no-such-package",
    ) as caught:
        lock(["nbchalice-no-such-package"], TARGET, cache=tmp_path)
    assert "--requirements" in caught.value.hint
    with pytest.raises(PackagingError, check=lambda error: error.code == "no-such-package", match="six==999"):
        lock(["six==999"], TARGET, cache=tmp_path)


def test_contradictions_are_explained(tmp_path):
    with pytest.raises(
        PackagingError, check=lambda error: error.code == "conflicting-requirements", match=r"urllib3>=1\.21\.1"
    ) as caught:
        lock(["requests==2.32.0", "urllib3==1.20"], TARGET, cache=tmp_path)
    assert caught.value.hint and "hint:" not in caught.value.message


def test_a_registry_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(
        PackagingError, check=lambda error: error.code == "package-registry", match=r"127\.0\.0\.1:9"
    ) as caught:
        lock(["six==1.16.0"], TARGET, cache=tmp_path)
    assert "network" in caught.value.hint and not list(tmp_path.glob("locks/*"))


class Broken(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(503)

    def log_message(self, *_):
        pass


def test_a_registry_that_fails(tmp_path, monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Broken)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    try:
        with pytest.raises(PackagingError, check=lambda error: error.code == "package-registry", match="503"):
            lock(["six==1.16.0"], TARGET, cache=tmp_path)
    finally:
        server.shutdown()
        server.server_close()


def test_without_network_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    with pytest.raises(PackagingError, check=lambda error: error.code == "package-registry"):
        lock(["six==1.16.0"], TARGET, cache=tmp_path)


def test_nonsense_is_uvs_to_explain(tmp_path):
    with pytest.raises(PackagingError, check=lambda error: error.code == "uv-failed") as caught:
        lock(["six === @ 1"], TARGET, cache=tmp_path)
    assert "six" in caught.value.message and caught.value.hint


def test_without_uv(tmp_path, monkeypatch):
    def gone():
        raise FileNotFoundError

    monkeypatch.setattr("uv.find_uv_bin", gone)
    with pytest.raises(PackagingError, check=lambda error: error.code == "uv-failed", match="not installed") as caught:
        lock(["six==1.16.0"], TARGET, cache=tmp_path)
    assert caught.value.hint == "run: pip install uv"


def test_the_users_choice_of_interpreter_and_builds_does_not_leak_in(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_PYTHON", "/nowhere/python")
    monkeypatch.setenv("UV_NO_BINARY", "1")
    assert lock(["six==1.16.0"], TARGET, cache=tmp_path).pins == ("six==1.16.0",)


def test_a_cache_that_cannot_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(CacheError) as caught:
        lock(["six==1.16.0"], TARGET, cache=blocked)
    assert "NBCHALICE_CACHE" in caught.value.hint


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("Scikit_Learn[x]>=1", "scikit-learn"),
        ("a.b==1", "a-b"),
        ("six", "six"),
        ("six ; python_version<'3'", "six"),
        ("x @ https://h/x.whl", "x"),
    ],
)
def test_names_are_normalised(requirement, name):
    assert requirement_name(requirement) == name
