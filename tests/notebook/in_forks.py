"""Runs notebooks, each in a fork of its own, and in another what was captured of it; started as a process.

Each line of standard input is a notebook (JSON: ``cells``), each line of standard output what became of it.
"""

import gc
import io
import json
import os
import re
import sys
import types
from functools import partial
from pathlib import Path

from forks import in_fork, started
from library_objects import DEFINITIONS, IMPORTS
from running import run_cells

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.history import Timeline
from nbchalice.notebook.capture.companions import told
from nbchalice.notebook.capture.environment import set_here_only
from nbchalice.notebook.capture.judges import KernelJudge, watched
from nbchalice.notebook.capture.search import Search
from nbchalice.notebook.capture.slice import cut
from nbchalice.notebook.capture.verify import verify
from nbchalice.notebook.sandbox import helper
from nbchalice.runtime.cells import Segment, load_module
from nbchalice.runtime.entry_points import third_parties

LOADED = f"""import ctypes
{IMPORTS}
if 'numpy' in sys.modules:
    os.register_at_fork(after_in_child=np.random.seed)  # a process of its own would have other numbers
"""
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
ENCODE = json.JSONEncoder(default=repr, separators=(", ", ": ")).encode  # whatever a notebook does to json


def main():
    exec(LOADED, {})
    third_parties()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = warmed()
    for line in sys.stdin:
        for _ in range(2):
            if worker is None or worker.poll() is not None:
                worker = started(LOADED)
            helper.HELPER._running = helper.RERUNS._running = lambda worker=worker: worker
            result = result_of(json.loads(line))
            if result.get("refused") != "helper-died":  # perhaps of what the notebook before had patched
                break
            worker.kill()
            worker.wait()
        answers.write(json.dumps(result) + "\n")
        answers.flush()
    worker.kill()


def warmed():
    """Return a helper process, and load what each fork would have to load, and read, by itself."""
    worker = started(LOADED)
    helper.HELPER._running = helper.RERUNS._running = lambda: worker
    before = sys.stdout, sys.modules["__main__"]
    space, cells = executed([IMPORTS, DEFINITIONS, "def h(event, context):\n    return 1"])
    proven(cells, space)
    sys.stdout, sys.modules["__main__"] = before
    gc.collect()
    gc.freeze()  # else each fork would copy what it looks through
    return worker


def result_of(sources):
    """Return what a handler answers in a kernel, and what the module made of it does in a clean process."""
    result = in_fork(notebook, sources)
    if "module" in result:
        result["shipped"] = in_fork(answers_of_module, result["module"], result.pop("segments"))
    return result


def notebook(sources):
    """Run a notebook as a kernel does, prove its handler, and answer with it."""
    space, cells = executed(sources)
    if "h" not in space:
        return {"refused": "no handler"}
    return proven(cells, space)


def executed(sources):
    """Run cells as the module `__main__`, and return its variables, and the cells."""
    sys.stdout = io.StringIO()
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    return vars(main), run_cells(sources, vars(main))


def proven(cells, space):
    folder = Path("/nonexistent")
    effects = Effects(Timeline(cells, "random.ipynb"))
    compare = partial(verify, handler="h", namespace=space, env={}, folder=folder)
    judge = KernelJudge(compare, partial(watched, effects, folder, {}, {}))

    def cut_with(also, without):
        return cut(effects, "h", namespace=space, also=also, without=without)

    try:
        proof = Search(effects, cut_with, judge, "h").prove()
    except CaptureError as error:
        return {"refused": error.code, "text": str(error)}
    if proof.error is not None:
        return {"refused": proof.error.code, "text": str(proof.error)}
    lacking = set_here_only(proof.piece.variables, {}, os.environ)
    notes = [note for note in (*told([proof.piece]), proof.left, lacking) if note]
    given = answers(space["h"])
    return {
        "module": proof.piece.module,
        "segments": list(map(vars, proof.piece.segments)),
        "notes": notes,
        "kernel": given,
    }


def answers_of_module(module, segments):
    sys.stdout = io.StringIO()
    made = load_module(module, [Segment(**entry) for entry in segments], "random.ipynb", "notebook_code")
    return answers(made.h)


def answers(handler):
    """Return what a handler answers, twice: what it leaves behind counts, too."""
    given = []
    for _ in range(2):
        try:
            given.append(ADDRESS.sub("0x", ENCODE(handler({}, None))))
        except Exception as error:
            given.append(type(error).__name__)
    return given


if __name__ == "__main__":
    main()
