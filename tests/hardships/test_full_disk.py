"""A disk that is full, in each folder that something is written into: one error names it, and nothing half-written is left."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nbchalice.aws.local.client.environment import cache_folder

from .. import notebooks
from .share import WHOLE

pytestmark = [pytest.mark.local_aws, pytest.mark.timeout(900)]
HANDLER = "%%on_sqs_message {name}-orders\ndef price(event):\n    return [float(record.body) * 2 for record in event]"
WRITER = "%%lambda_function\ndef write(event, context):\n    with open('/tmp/x', 'wb') as file:\n        file.write(b'x' * 10**7)"
NB = "shop/shop.ipynb"
DRIVER = Path(__file__).with_name("full_disk.py")


@dataclass(frozen=True)
class Case:
    """A folder that is full, a command that writes into it, and what it says."""

    folder: str
    words: list[str]
    before: list[list[str]] = field(default_factory=list)
    variable: str = ""
    size: str = "64m"
    named: str = ""
    works: bool = False
    """Whether the command needs nothing of it."""


CASES = {
    "what package writes": Case("out", ["package", NB, "--out", "out"], size="1m"),
    "a template": Case("out", ["package", NB, "--out", "out", "--format", "sam"], size="1m"),
    "what export writes": Case("out", ["export", NB, "--format", "chalice", "--out", "out/app"], size="1m"),
    "what import writes": Case("out", ["import", "app.py", "--out", "out/app.ipynb"], size="1m"),
    "the local home": Case("home", ["deploy", NB], variable="NBCHALICE_LOCAL_HOME"),
    "the local home while it runs": Case(
        "home", ["deploy", NB], [["local", "start"]], variable="NBCHALICE_LOCAL_HOME", works=True
    ),
    "the cache": Case("cache", ["deploy", NB], variable="XDG_CACHE_HOME", size="128k", works=True),
    "the local cache": Case("cache", ["deploy", NB], variable="NBCHALICE_LOCAL_CACHE", size="400m"),
    "beside the notebook": Case("shop", ["send", NB, "price", "--message", "2", "--save", "two"], [["deploy", NB]]),
    "the files of a handler": Case(
        "home", ["invoke", NB, "write"], [["deploy", NB]], variable="NBCHALICE_LOCAL_HOME", named="No space left"
    ),
}  # fmt: skip
SHARE = CASES if WHOLE else ["what package writes", "the local home"]


@pytest.fixture(scope="module")
def namespace():
    """How a command gets mounts of its own: Linux gives them to anybody, unless it was told not to."""
    own = ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*own, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no mount namespaces here")
    return own


@pytest.mark.parametrize("name", SHARE)
def test_it_is_told_and_the_same_command_works_once_there_is_space(name, namespace, tmp_path, record_property):
    case = CASES[name]
    folder = tmp_path / case.folder
    for one in ("out", "home", "cache", "shop"):
        (tmp_path / one).mkdir()
    app = f"full{uuid.uuid4().hex[:8]}"
    notebooks.write(tmp_path / NB, [f"%load_ext nbchalice\n%chalice app {app}", HANDLER.format(name=app), WRITER])
    (tmp_path / "app.py").write_text("from chalice import Chalice\napp = Chalice(app_name='x')\n" + "# text\n" * 900)
    uv_cache = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")
    places = {"NBCHALICE_LOCAL_HOME": str(tmp_path / "home"), "NBCHALICE_LOCAL_CACHE": str(cache_folder())}
    environment = {**os.environ, "UV_CACHE_DIR": uv_cache, **places}
    if case.variable:
        environment[case.variable] = str(folder)
    line = [*namespace, sys.executable, str(DRIVER), json.dumps([str(folder), case.size, case.before, case.words])]
    done = subprocess.run(line, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert all(one["code"] == 0 for one in told["before"]), told["before"]
    full, again = told["full"], told["again"]
    text = full["out"] + full["err"]
    if not case.works:
        assert full["code"] in {1, 2}, text
        assert full["err"].count("error: ") + full["out"].count("error") >= 1, text
        assert (case.named or str(folder)) in text, text
    assert full["err"].count("Traceback") == 0 and "Errno" not in full["err"], text
    if not told["before"]:
        grown = {path for path, size in told["left"].items() if told["stood"].get(path) != size}
        assert not {path for path in grown if not path.endswith((".lock", ".log"))}, told["left"]
    assert again["code"] == 0, again
    record_property("tried", ["hardships: folders whose disk was full", 1])
