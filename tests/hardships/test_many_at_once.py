"""Three kernels and a command line on one app at once: each says what it did in our words, and AWS ends as the last one wants."""

import random
import subprocess
import sys
import threading
import uuid

import pytest

from .. import notebooks
from ..log_groups import read_lines
from .kernels import Kernel
from .share import WHOLE, count

pytestmark = [pytest.mark.local_aws, pytest.mark.timeout(1800)]
CELLS = [
    "%load_ext nbchalice",
    "%chalice app {name}",
    "%%on_sqs_message {name}-orders --timeout 20\ndef price(event):\n    for record in event:\n        print('got', record.body)",
    "%%on_sns_message {name}-news\ndef tell(event):\n    print(event.message)",
]
KERNELS = 3
SEED = random.randrange(10**6) if WHOLE else 3
RAW = ("ResourceNotFoundException", "ResourceConflict", "Traceback", "botocore", "Exception ignored")


class Line:
    """The command line, with the face of a kernel."""

    def __init__(self, path):
        self.path = path

    def run(self, cell):
        command, *words = cell.removeprefix("%chalice ").split()
        line = [sys.executable, "-m", "nbchalice", command, self.path, *words]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode in {0, 1}, done.stderr
        return done.returncode == 0, done.stdout + done.stderr

    def close(self):
        """Nothing stays open."""


class Cells(Kernel):
    """A kernel that tells whether a cell ran to its end, and all that it showed."""

    def run(self, code):
        reply = super().run(code)
        return reply.status == "ok", reply.error + reply.text


@pytest.fixture
def places(tmp_path, local_aws):
    """Three kernels in which the cells ran, and the command line on a file of them."""
    name = f"many{uuid.uuid4().hex[:8]}"
    cells = [cell.format(name=name) for cell in CELLS]
    made = [Line(str(notebooks.write(tmp_path / "shop.ipynb", cells)))]
    try:
        for _ in range(KERNELS):
            made.append(Cells(tmp_path))
            for cell in cells:
                assert made[-1].run(cell)[0]
        yield name, made
    finally:
        for one in made:
            one.close()


def test_it_ends_as_the_last_one_wants_and_no_message_is_lost(places, aws, eventually, record_property):
    name, (line, *kernels) = places
    assert kernels[0].run("%chalice deploy")[0]
    sent, wrong, done, lock = set(), [], [], threading.Lock()

    def work(place, number):
        chance = random.Random(f"{SEED} {number}")
        for step in range(count(2, 30)):
            message = f"m{number}-{step}"
            commands = [
                "deploy",
                "status",
                "logs price",
                "delete tell --yes",
                f"send price --message {message} --wait 60",
            ]
            command = chance.choice(commands)
            ok, text = place.run(f"%chalice {command}")
            with lock:
                done.append(command)
                if ok and command.startswith("send"):
                    sent.add(message)
                if any(word in text for word in RAW):
                    wrong.append((command, text))

    threads = [threading.Thread(target=work, args=(place, n)) for n, place in enumerate([line, *kernels])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, f"seed {SEED}: {len(wrong)} of {len(done)}:\n" + "\n\n".join(map(": ".join, wrong))
    assert len(done) == count(2, 30) * (KERNELS + 1)
    for place in (kernels[0], line):
        assert place.run("%chalice deploy")[0]
        ok, text = place.run("%chalice plan")
        assert ok and "0 changes" in text, f"seed {SEED}: {text}"
    functions = [one["FunctionName"] for one in aws("lambda").list_functions()["Functions"]]
    assert sorted(one for one in functions if one.startswith(name)) == [f"{name}-dev-price", f"{name}-dev-tell"]

    def lost():
        log = read_lines(aws("logs"), f"{name}-dev-price")
        return sent - {line.split()[-1] for line in log if "got" in line}

    eventually(lambda: not lost())
    ok, text = line.run("%chalice delete --yes")
    assert ok, text
    assert not [one for one in aws("lambda").list_functions()["Functions"] if one["FunctionName"].startswith(name)]
    record_property("tried", ["hardships: commands of three kernels and a command line at once", len(done)])
    record_property("told", f"Of these commands {len(sent)} sent a message; none was lost")
