"""Ctrl-C at any moment of a command: it ends as one that was stopped, with one error, and run again it is whole."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
import uuid

import pytest

from .. import notebooks
from .kernels import Kernel
from .share import WHOLE, count

pytestmark = [pytest.mark.local_aws, pytest.mark.timeout(1800)]
HANDLER = "%%on_sqs_message {name}-orders\ndef price(event):\n    return [float(record.body) * 2 for record in event]"
# Loaded, as by the command of the shell: what comes before is the interpreter's own.
BEGIN = "import sys; from nbchalice.__main__ import main; print('begun', file=sys.stderr, flush=True); main()"
# Before a cell's code runs and after it, an interrupt is the kernel's own matter.
STOPPED = """
import os, signal, threading
def stopped(line, after):
    timer = threading.Timer(after, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    try:
        return get_ipython().run_line_magic("chalice", line)
    finally:
        timer.cancel()
        timer.join()
"""
SEED = random.randrange(10**6) if WHOLE else 15


class Shell:
    """The command line on a notebook of its own."""

    def __init__(self, folder):
        self.name = f"stop{uuid.uuid4().hex[:8]}"
        cells = ["%load_ext nbchalice", f"%chalice app {self.name}", HANDLER.format(name=self.name)]
        self.path = str(notebooks.write(folder / "shop.ipynb", cells))

    def __call__(self, command, *words, after=None):
        """Run a command; with a number of seconds it gets Ctrl-C then. Return status, stdout and stderr."""
        line = [sys.executable, "-c", BEGIN, command, self.path, *words]
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            first = process.stderr.readline()
            assert first == "begun\n", first + process.stderr.read()
            timer = threading.Timer(after or 0, process.send_signal, [signal.SIGINT])
            if after is not None:
                timer.start()
            out, err = process.communicate()
            timer.cancel()
        return process.returncode, out, err

    def done(self, command, *words):
        """Run a command to its end."""
        code, out, err = self(command, *words, "--json")
        assert code == 0 and "died" not in err, (command, out, err)
        return json.loads(out)

    def seconds(self, command, *words):
        """How long a command takes that nobody stops."""
        begun = time.monotonic()
        self.done(command, *words)
        return time.monotonic() - begun


COMMANDS = {"plan": [], "deploy": [], "send": ["price", "--message", "2"], "delete": ["--yes"]}


def test_a_command_line_that_is_stopped_at_any_moment(tmp_path, local_aws, record_property):
    shell, chance, lasts, stopped = Shell(tmp_path), random.Random(SEED), {}, 0
    shell.done("deploy")
    for number in range(1, count(2, 101)):
        command = list(COMMANDS)[number % len(COMMANDS)]
        words = COMMANDS[command]
        if command not in lasts:
            lasts[command] = shell.seconds(command, *words)
        after = chance.uniform(0, lasts[command] * 0.9)
        code, out, err = shell(command, *words, after=after)
        where = f"seed {SEED}, {command} after {after:.2f} of {lasts[command]:.2f} s: {err}"
        if code == -signal.SIGINT:  # The interpreter was ending: shells call it 130, too.
            assert out.endswith("\n") and "error" not in err, where
            code = 0
        assert code in {0, 130}, where
        assert "Traceback" not in err and "Exception ignored" not in err and "died" not in err, where
        assert err.count("error: ") == (1 if code else 0), where
        stopped += code == 130
        shell.done(command, *words)
        if command == "deploy":
            assert shell.done("plan")["changes"] == []
        elif command == "delete":
            assert shell.done("delete", "--yes")["changes"] == []
            shell.done("deploy")
    shell.done("delete", "--yes")
    record_property("tried", ["hardships: command lines that were interrupted", number])
    record_property("told", f"Of the command lines that were interrupted, {stopped} had not ended")


@pytest.fixture
def kernel(tmp_path):
    made = Kernel(tmp_path)
    yield made
    made.close()


def is_one_line(error):
    """Whether an error is told as ours are; before and behind the magic it is IPython's to tell."""
    return error.startswith("Interrupted\nKeyboardInterrupt: ") or (
        error.startswith("KeyboardInterrupt\n") and "nbchalice" not in error
    )


def test_a_kernel_that_is_stopped_at_any_moment(kernel, local_aws, record_property):
    name, chance = f"stop{uuid.uuid4().hex[:8]}", random.Random(SEED)
    for cell in (STOPPED, "%load_ext nbchalice", f"%chalice app {name}", HANDLER.format(name=name)):
        assert kernel.run(cell).status == "ok"
    lasts, stopped = {}, 0
    assert kernel.run("%chalice deploy").status == "ok"
    for number in range(count(5, 100)):
        command = list(COMMANDS)[number % len(COMMANDS)]
        line = " ".join([command, *COMMANDS[command]])
        cell = f"%chalice {line}"
        if command not in lasts:
            begun = time.monotonic()
            assert kernel.run(cell).status == "ok"
            lasts[command] = time.monotonic() - begun
        after = chance.uniform(0, lasts[command] * 0.9)
        reply = kernel.run(f"stopped({line!r}, {after})")
        where = f"seed {SEED}, {command} after {after:.2f} of {lasts[command]:.2f} s: {reply}"
        assert reply.status == "ok" or is_one_line(reply.error), where
        assert "Traceback" not in reply.text, where
        stopped += reply.status == "error"
        again = kernel.run(cell)
        assert again.status == "ok", f"{where}\nagain: {again}"
        if command == "delete":
            assert kernel.run("%chalice deploy").status == "ok"
    assert kernel.run("%chalice delete --yes").status == "ok"
    record_property("tried", ["hardships: cells that were interrupted", number + 1])
    record_property("told", f"Of the cells that were interrupted, {stopped} had not ended")
