"""Releases in turn on one folder of the local AWS: what one deployed the others find, change and remove."""

import json
import os
import random
import re
import subprocess
import sys
import uuid
import zipfile

import pytest

from .. import notebooks
from ..wheels import build_wheel
from .share import WHOLE, count

pytestmark = [pytest.mark.local_aws, pytest.mark.timeout(1200)]
HANDLER = (
    "%%on_sqs_message {name}-orders\ndef price(event):\n    return [float(record.body) * {rate} for record in event]"
)
RELEASES = ["0.1.9", "0.2.0", "0.3.0"]
FORMAT = "__ministack_format__"
SEED = random.randrange(10**6) if WHOLE else 1


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """A folder with what the wheel of each release has: of this tree, which calls itself otherwise."""
    folder = tmp_path_factory.mktemp("releases")
    wheel = build_wheel(folder)
    for release in RELEASES:
        zipfile.ZipFile(wheel).extractall(folder / release)
        version = folder / release / "nbchalice" / "runtime" / "__init__.py"
        version.write_text(re.sub('__version__ = ".*"', f'__version__ = "{release}"', version.read_text()))
    return folder


@pytest.fixture
def call(wheels, tmp_path):
    """``call(release, command, ...)`` on the notebook; whatever runs in the folder is ended."""
    environment = {**os.environ, "NBCHALICE_LOCAL_HOME": str(tmp_path / "home")}

    def run(release, command, *words):
        line = [sys.executable, "-m", "nbchalice", command, *words]
        found = {**environment, "PYTHONPATH": str(wheels / release)}
        done = subprocess.run(line, env=found, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    yield run
    run(RELEASES[-1], "local", "stop")


def test_each_finds_what_the_others_left(call, tmp_path, record_property):
    name, chance, path = f"two{uuid.uuid4().hex[:8]}", random.Random(SEED), tmp_path / "shop.ipynb"

    def write(rate):
        notebooks.write(path, ["%load_ext nbchalice", f"%chalice app {name}", HANDLER.format(name=name, rate=rate)])

    def done(release, command, *words):
        ended = call(release, command, str(path), *words, "--json")
        assert ended.returncode == 0, (release, command, ended.stderr)
        return json.loads(ended.stdout)

    assert call(RELEASES[0], "--version").stdout == f"nbchalice {RELEASES[0]}\n"
    rounds, last = count(2, 12), None
    for number in range(rounds):
        first, second, third = chance.sample(RELEASES, 3)
        write(number + 2)
        assert done(first, "deploy")["changes"], (SEED, first)
        stands = [(handler["state"], handler["why"]) for handler in done(second, "status")["handlers"]]
        assert stands == [("changed", "code (nbchalice's runtime)")], (SEED, first, second, stands)
        sent = done(third, "send", "price", "--message", "2")
        assert sent["invocation"]["status"] == "ok", (SEED, first, third)
        last = third
    assert done(last, "delete", "--yes")["changes"]
    assert done(RELEASES[0], "delete", "--yes")["changes"] == []
    record_property("tried", ["hardships: rounds of three releases on one folder", rounds])


def test_an_older_one_is_told_of_what_it_cannot_read_and_touches_nothing(call, tmp_path, record_property):
    """A server of the newer release is used while it runs; its state is refused where it writes another form."""
    name, path = f"two{uuid.uuid4().hex[:8]}", tmp_path / "shop.ipynb"
    notebooks.write(path, ["%load_ext nbchalice", f"%chalice app {name}", HANDLER.format(name=name, rate=2)])
    assert call("0.3.0", "deploy", str(path)).returncode == 0
    assert call("0.3.0", "local", "stop").returncode == 0
    state = tmp_path / "home" / "state" / "sqs.json"
    document = json.loads(state.read_text())
    state.write_text(json.dumps({**document, FORMAT: document[FORMAT] + 1}))
    before = {one.name: one.read_bytes() for one in state.parent.iterdir() if one.is_file()}
    ended = call("0.1.9", "status", str(path))
    assert ended.returncode == 1 and ended.stderr.count("error: ") == 1, ended.stderr
    assert "was saved by a newer release" in ended.stderr and "fix: " in ended.stderr
    assert {one.name: one.read_bytes() for one in state.parent.iterdir() if one.is_file()} == before
    state.write_text(json.dumps(document))
    ended = call("0.1.9", "status", str(path), "--json")
    assert [one["state"] for one in json.loads(ended.stdout)["handlers"]] == ["changed"], ended.stderr
    record_property("tried", ["hardships: state of a newer release", 1])
