"""The local AWS is killed at some call of each command: the command goes on or ends with one error; nothing is left over."""

import os
import random
import signal
import threading
import uuid

import pytest
from botocore.httpsession import URLLib3Session

from nbchalice.aws.local.client import server
from nbchalice.aws.target import connect
from nbchalice.cli import code_of
from nbchalice.names import COMMANDS

from .. import notebooks
from ..deploy.harness import snapshot
from ..local_aws.conftest import home  # noqa: F401
from .share import WHOLE, count

pytestmark = [pytest.mark.local_aws, pytest.mark.timeout(3000)]
HANDLER = (
    "%%on_sqs_message {name}-orders --dlq {name}-dead\n"
    "def price(event):\n    return [float(record.body) * 2 for record in event]"
)
NOTEBOOK = object()
# What each command is called with. One that works without AWS is here, too: it must not mind.
WORDS = {
    "bundle": [NOTEBOOK, "rates"],
    "delete": [NOTEBOOK, "--yes"],
    "deploy": [NOTEBOOK],
    "dlq": [NOTEBOOK, "price"],
    "doctor": [NOTEBOOK],
    "events": [NOTEBOOK, "price"],
    "export": [NOTEBOOK, "--format", "chalice", "--out", "exported"],
    "import": ["app.py", "--out", "imported.ipynb"],
    "invoke": [NOTEBOOK, "price"],
    "live": [NOTEBOOK, "price"],
    "local": ["status"],
    "logs": [NOTEBOOK, "price", "--follow"],
    "metrics": [NOTEBOOK, "price"],
    "package": [NOTEBOOK],
    "plan": [NOTEBOOK],
    "replay": [NOTEBOOK, "price", "--here"],
    "rollback": [NOTEBOOK, "price"],
    "send": [NOTEBOOK, "price", "--message", "2", "--wait", "5"],
    "show": [NOTEBOOK, "price"],
    "status": [NOTEBOOK],
    "tune": [NOTEBOOK, "price", "--sizes", "128,256", "--runs", "2"],
    "why": [NOTEBOOK, "price"],
}
ENDLESS = {"live", "logs"}
CALLS_OF_ENDLESS = 20
SEED = random.randrange(10**6) if WHOLE else 7
SHARE = sorted(COMMANDS) if WHOLE else ["deploy", "send"]


class Calls:
    """Counts the calls of AWS, kills the local AWS before one, and stops what is endless after some."""

    def __init__(self, monkeypatch):
        self.lock, self.done, self.kill_at, self.stop_at, self.killed = threading.Lock(), 0, None, None, False
        send = URLLib3Session.send

        def counted(session, request):
            self.one()
            return send(session, request)

        monkeypatch.setattr(URLLib3Session, "send", counted)

    def one(self):
        with self.lock:
            self.done += 1
            if self.done == self.kill_at:
                self.kill()
            if self.done == self.stop_at:
                os.kill(os.getpid(), signal.SIGINT)

    def kill(self):
        os.kill(server.local_home().read_record().pid, signal.SIGKILL)
        self.killed = True

    def during(self, run, kill_at=None, stop_at=None):
        """Return what a command makes of it, and how many calls it made."""
        self.done, self.kill_at, self.stop_at, self.killed = 0, kill_at, stop_at, False
        try:
            return run(), self.done
        finally:
            self.kill_at = self.stop_at = None


def test_each_command_is_tried():
    assert WORDS.keys() == COMMANDS


@pytest.mark.parametrize("command", SHARE)
def test_it_goes_on_or_says_in_one_error_why_not(command, home, tmp_path, monkeypatch, capsys, record_property):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("from chalice import Chalice\napp = Chalice(app_name='x')\n")
    name, calls, chance = f"kill{uuid.uuid4().hex[:8]}", Calls(monkeypatch), random.Random(f"{SEED} {command}")
    cells = [f"%load_ext nbchalice\n%chalice app {name}\nrates = [1]", HANDLER.format(name=name)]
    path = str(notebooks.write(tmp_path / "shop.ipynb", cells))

    def run(called):
        capsys.readouterr()
        code = code_of([called, *(path if word is NOTEBOOK else word for word in WORDS[called])])
        return (code, *capsys.readouterr())

    def done(called):
        code, out, err = run(called)
        assert code == 0, (called, out, err)
        return out

    def prepare():
        done("deploy")
        run("send")
        (tmp_path / "imported.ipynb").unlink(missing_ok=True)
        server.control("POST", "save")

    stop_at = CALLS_OF_ENDLESS if command in ENDLESS else None
    prepare()
    _, most = calls.during(lambda: run(command), stop_at=stop_at)
    tries = count(1, 4)
    for _ in range(tries):
        prepare()
        kill_at = chance.randint(1, max(1, min(most, CALLS_OF_ENDLESS - 5)))
        later = kill_at + CALLS_OF_ENDLESS if stop_at else None
        (code, out, err), made = calls.during(lambda at=kill_at, end=later: run(command), kill_at, later)
        where = f"seed {SEED}, {command} at call {kill_at} of {made}: {code}\n{out}\n{err}"
        assert code in {0, 1, 2} and "Traceback" not in out + err, where
        assert err.count("error: ") <= 1 and (code == 0 or "fix: " in err or "error: " not in err), where
        done("deploy")
        assert ": 0 changes" in (planned := done("plan")), (where, planned)
        done("delete")
        assert snapshot(connect("local"), name) == {}, where
    record_property("tried", ["hardships: calls at which the local AWS was killed", tries])
