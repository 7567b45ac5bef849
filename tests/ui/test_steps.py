"""Resolving, downloading and zipping a layer tells each step with its size: in a notebook's output, in panels, in a shell."""

import functools
import http.server
import os
import sys
import threading
from importlib.metadata import version

import pytest

from nbchalice.cli import code_of
from nbchalice.packaging.uvtool import _told
from nbchalice.steps import Step, step, told_to
from nbchalice.ui.render import progress

from ..notebooks import write
from ..packaging.conftest import wheel_maker
from .test_panels import press, sitting  # noqa: F401 - a fixture

pytestmark = [pytest.mark.timeout(180), pytest.mark.slow]
CELL = "%%on_sqs_message step-orders\nimport iniconfig\ndef price(event):\n    return iniconfig.__name__"
VERSION = version("iniconfig")
MEGABYTES = 3
STEPS = [
    f"resolving iniconfig=={VERSION} for Python 3.",
    "downloading 1 package for Python 3.",
    "zipping the layer, 3 MB",
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A package registry with one package of some megabytes, and a cache in which nothing is kept."""
    (folder := tmp_path / "registry").mkdir()
    made = wheel_maker(folder, monkeypatch)
    files = {"iniconfig/__init__.py": "", "iniconfig/data.bin": os.urandom(MEGABYTES << 19).hex()}
    links = made("iniconfig", files, version=VERSION)
    (page := folder / "simple" / "iniconfig").mkdir(parents=True)
    (wheel,) = links.glob("*.whl")
    wheel.rename(page / wheel.name)
    (page / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    serve = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.delenv("UV_FIND_LINKS")
        monkeypatch.delenv("UV_NO_INDEX")
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
        monkeypatch.setenv("NBCHALICE_CACHE", str(tmp_path / "kept"))
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
        yield
        server.shutdown()


def test_a_deploy_tells_each_step_and_leaves_one_line(run, local_aws, registry, capsys):
    run(CELL)
    capsys.readouterr()
    run("%chalice deploy")
    shown = capsys.readouterr().out
    for begun in STEPS:
        assert f"  … {begun}" in shown and f"  ✓ {begun}" in shown
    assert "create layer" in shown and "(1.7 MB)" in shown
    *_, last = shown.partition("Out[")[0].strip().rpartition("deploying shop")
    assert last.endswith("6 of 6 changes made"), "at the end one line is left of it"

    run("%chalice deploy")
    assert "resolving" not in capsys.readouterr().out


def test_a_plan_tells_them_where_there_are_some_and_else_nothing(run, local_aws, registry, capsys):
    run(CELL)
    capsys.readouterr()
    run("%chalice plan")
    shown = capsys.readouterr().out
    assert "planning shop (dev)" in shown and STEPS[1] in shown
    before, _, report = shown.partition("plan for shop (dev)")
    assert before.partition("Out[")[0].endswith("\n\n") and report, "at the end nothing is left of it"
    run("%chalice plan")
    assert "planning" not in capsys.readouterr().out


def test_a_panel_tells_them_too(sitting, registry, monkeypatch):  # noqa: F811
    panel = sitting(CELL)
    seen = []
    panel._result.observe(lambda change: seen.append(change["new"]), names="value")
    press(panel, "Deploy")
    assert any(STEPS[0] in value for value in seen) and any("create layer" in value for value in seen)
    assert "deployed panels (dev)" in panel._result.value


def test_a_shell_writes_each_step_to_stderr(tmp_path, local_aws, registry, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "shop.ipynb", [CELL])
    assert code_of(["deploy", str(path)]) == 0
    captured = capsys.readouterr()
    for begun in STEPS:
        assert f"  … {begun}" in captured.err and f"  ✓ {begun}" in captured.err
    assert "…" not in captured.out


def test_what_failed_is_marked_and_who_is_told_may_be_nobody():
    told = []
    with pytest.raises(ValueError), told_to(told.append), step("counting") as say:  # noqa: PT011
        say("3 of 5")
        raise ValueError
    assert [one.state for one in told] == ["started", "started", "failed"] and told[-1].words == "counting: 3 of 5"
    with step("counting") as say:
        say("nobody listens")


def test_what_is_under_way_tells_for_how_long(monkeypatch):
    shown = []
    clock = iter(range(0, 100, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    watch = progress.CardWatch("deploying", shown.append)
    watch.step(Step(1, "zipping", "45 MB"))
    watch.move()
    assert "zipping 45 MB · " in repr(shown[-1]) and repr(shown[-1]).endswith(" s")
    watch.step(Step(1, "zipping", "45 MB", "done"))
    count = len(shown)
    watch.move()
    assert len(shown) == count and repr(shown[-1]).endswith("✓ zipping 45 MB")


UV_SAYS = """Resolved 2 packages in 4ms
Downloading numpy (16.1MiB)
 Downloaded numpy
Prepared 1 package in 9ms
error: the disk is full
  cause: of numpy
"""


def test_what_uv_downloads_is_told_with_its_size_and_is_no_complaint():
    told = []
    code = f"import sys; print(sys.stdin.read()); sys.stderr.write({UV_SAYS!r}); sys.exit(2)"
    done = _told([sys.executable, "-c", code], "numpy", dict(os.environ), told.append)
    assert told == ["numpy (16.1MiB)"] and (done.returncode, done.stdout) == (2, "numpy\n")
    assert done.stderr == "error: the disk is full\n  cause: of numpy\n"
