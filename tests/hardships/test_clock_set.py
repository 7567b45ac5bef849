"""The computer's clock is set, or it slept, between two commands, while a handler runs, and while the local AWS is stopped.

All processes, handlers and the server included, have a small library loaded that sets the clock that they see.
"""

import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .. import notebooks
from ..waiting import wait_until
from .share import WHOLE

HERE = Path(__file__).parent
COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang", "tcc"))), None)
pytestmark = [
    pytest.mark.local_aws,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform != "linux" or not COMPILER, reason="needs Linux and a C compiler (cc or tcc)"),
]
MINUTE, HOUR = 60, 3600
DAY = 24 * HOUR
SEED = random.randrange(10**6) if WHOLE else 3
# A day is how long a stream keeps records.
STEPS = [-DAY - HOUR, -HOUR, -10 * MINUTE, 90, HOUR, 3 * HOUR, DAY + HOUR]
CELLS = [
    "%load_ext nbchalice\n%chalice app clock",
    "import time\nimport boto3\nsts = boto3.client('sts')",
    "%%on_sqs_message clock-orders --timeout 300\n"
    "def price(event):\n"
    "    for record in event:\n"
    "        apart, left = time.time() - time.monotonic(), event.context.get_remaining_time_in_millis()\n"
    "        while record.body == 'wait' and abs(time.time() - time.monotonic() - apart) < 60:\n"
    "            if left:\n"
    "                print('waiting')\n"
    "                left = 0\n"
    "            time.sleep(0.01)\n"
    "        print(record.body, sts.get_caller_identity()['Account'], event.context.get_remaining_time_in_millis())",
    "%%on_kinesis_record clock-readings\ndef read(event):\n    return [record.data for record in event]",
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The library, built of ``clock.c``, which no header is needed for."""
    built = tmp_path_factory.mktemp("clock") / "clock.so"
    options = ["-shared", "-nostdlib", *(["-fPIC"] if Path(COMPILER).name != "tcc" else [])]
    subprocess.run([COMPILER, *options, "-o", built, HERE / "clock.c"], check=True)
    return built


class Computer:
    """One whose clock can be set: shells on it, a notebook, and a local AWS of its own."""

    def __init__(self, folder, library):
        self.folder, self.file, self.ahead, self.shells = folder, folder / "clock", 0, []
        self.file.write_bytes(struct.pack("=q", 0))
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "SET_CLOCK": str(self.file),
            "NBCHALICE_LOCAL_HOME": str(folder / "home"),
            "NBCHALICE_LOCAL_CONFINEMENT": "none",  # which would hide the file that sets the clock
            "NBCHALICE_LOCAL_EXTENSIONS": str(HERE / "clock_in_server.py"),
        }
        self.notebook = str(notebooks.write(folder / "shop.ipynb", CELLS))
        self._dated = {}

    @property
    def now(self):
        """What its clock shows, in seconds since 1970."""
        return time.time() + self.ahead

    def shell(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [sys.executable, HERE / "clock_in_shell.py"]
        shell = subprocess.Popen(command, env=self.environment, cwd=self.folder, **pipes)
        self.shells.append(shell)
        return shell

    def follow(self):
        """Return a file to which the invocations come as they end."""
        file = self.folder / "followed"
        command = [sys.executable, HERE / "clock_in_shell.py", "logs", self.notebook, "price", "--follow", "--json"]
        with file.open("w") as out:
            self.shells.append(subprocess.Popen(command, env=self.environment, cwd=self.folder, stdout=out, stderr=out))
        return file

    def call(self, *words, shell=None):
        """Return what a command that must succeed writes."""
        shell = shell or self.shells[0]
        self.begin(shell, *words)
        return self.end(shell, words)

    def on(self, command, *words, **options):
        """Return the document of a command on the notebook."""
        return json.loads(self.call(command, self.notebook, *words, "--json", **options))

    def told(self, *words):
        """Return the ids of the invocations that ``logs`` tells."""
        lines = self.call("logs", self.notebook, "price", *words, "--json").splitlines()
        return [json.loads(line)["request_id"] for line in lines]

    def begin(self, shell, *words):
        print(json.dumps(words), file=shell.stdin, flush=True)

    def end(self, shell, words=""):
        code, out, err = json.loads(shell.stdout.readline())
        assert code == 0, f"seed {SEED}, {self.ahead} s ahead, {words}: {out}\n{err}"
        return out

    def set_clock(self, seconds):
        """Set it by so much; files keep the dates that they got."""
        self.date()
        self.ahead += seconds
        with self.file.open("r+b") as file:  # emptied first, it would end whoever looks at the clock just then
            file.write(struct.pack("=q", self.ahead))

    def date(self):
        """Give new files the dates that they would have got: the system's are those of the real clock."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path != self.file and self._dated.get(path) != (real := path.stat().st_mtime):
                os.utime(path, (real + self.ahead, real + self.ahead))
                self._dated[path] = path.stat().st_mtime


@pytest.fixture
def computer(tmp_path, library):
    """A computer whose clock can be set, with a local AWS where the notebook is deployed."""
    one = Computer(tmp_path, library)
    one.shell()
    one.call("queue")
    one.on("deploy")
    yield one
    one.call("local", "stop", shell=one.shell())  # the first one may have died
    for shell in one.shells:
        shell.terminate()
        shell.communicate()


@pytest.mark.skipif(not WHOLE, reason="with NBCHALICE_WHOLE=1 only")
def test_each_command_goes_on(computer, record_property):
    chance = random.Random(SEED)
    steps = [chance.choice(STEPS) for _ in range(24)]
    born, ahead, followed = {}, 0, computer.follow()  # when each was, by a clock that is never set back
    for number, step in enumerate([0, *steps]):
        where = (SEED, steps[:number])
        computer.call("sign")
        if stopped := number > 0 and number % 2 == 0:
            computer.call("local", "stop")
        computer.set_clock(step)
        assert stopped or computer.call("deliver") == "200\n", where
        ahead += max(step, 0)
        sent = sends(computer, str(number), where)
        born[sent] = time.monotonic() + ahead
        recent = [name for name, at in born.items() if time.monotonic() + ahead - at < 9 * MINUTE]
        assert computer.told()[-len(recent) :] == recent, where
        tells(computer, sent, where)
        wait_until(lambda sent=sent: sent in followed.read_text() or computer.shells[-1].poll() is not None)
        assert sent in followed.read_text(), (where, followed.read_text()[-2000:])
    record_property("tried", ["hardships: times that the clock was set between commands", len(steps)])


def sends(computer, message, where):
    """Send to the queue and to the stream, and return the id of the queue's invocation: it is of now, and the last one."""
    begun = computer.now
    sent = computer.on("send", "price", "--message", message)
    assert sent["invocation"]["status"] == "ok", (where, sent)
    assert begun - 2 <= sent["invocation"]["started"] / 1000 <= computer.now, (where, begun, sent)
    assert computer.on("events", "price")["events"][-1]["id"] == sent["message_id"], where
    assert computer.on("send", "read", "--message", "x")["invocation"]["status"] == "ok", where
    return str(sent["invocation"]["request_id"])


def tells(computer, sent, where):
    """Ask everything else that tells of the past, or of what stands."""
    assert computer.on("why", "price")["last_invocation"]["request_id"] == sent, where
    assert computer.on("metrics", "price")["invocations"] >= 1, where
    assert [one["state"] for one in computer.on("status")["handlers"]] == ["deployed"] * 2, where
    assert computer.on("plan")["changes"] == [], where
    assert computer.call("presigned") == "[200, 200]\n", where


@pytest.mark.parametrize("step", [-HOUR, HOUR] if WHOLE else [HOUR])
def test_a_handler_that_runs_ends_as_if_nothing_was(computer, step, record_property):
    """The message in its hands is not given to another, its time does not run out, and the command sees the end."""
    other = computer.shell()
    words = ["send", computer.notebook, "price", "--message", "wait", "--wait", "300", "--json"]
    computer.begin(computer.shells[0], *words)
    wait_until(lambda: "waiting" in computer.call("logs", computer.notebook, "price", shell=other))
    computer.set_clock(step)
    sent = json.loads(computer.end(computer.shells[0], words))
    assert sent["invocation"]["status"] == "ok", sent
    left = int(sent["invocation"]["records"][-1]["message"].split()[-1])
    assert 0 < left <= 300_000, sent
    computer.on("send", "price", "--message", "1")
    assert len(computer.told("--since", "1d")) == 2
    record_property("tried", ["hardships: times that the clock was set while a handler ran", 1])
