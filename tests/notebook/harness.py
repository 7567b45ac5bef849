"""Runs a fixture notebook in a real IPython shell, and what was captured of it in clean interpreters."""

import functools
import json
import subprocess
from pathlib import Path

import nbformat
from IPython.core.interactiveshell import InteractiveShell

from nbchalice import Chalice
from nbchalice.handlers import parse_cell_magic
from nbchalice.notebook.session import Session

from ..shells import close

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "notebooks"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.ipynb"))
CLEAN = """
import base64, io, json, pathlib, sys, tempfile, zipfile
requests = json.load(sys.stdin)
answers = []
scratch = tempfile.TemporaryDirectory()
out, sys.stdout = sys.stdout, sys.stderr
path = list(sys.path)
for r in requests:
    try:
        root = tempfile.mkdtemp(dir=scratch.name)
        zipfile.ZipFile(io.BytesIO(base64.b64decode(r["zip"]))).extractall(root)
        for name in [n for n in sys.modules if n.split(".")[0] in ("nbchalice", "lambda_function", "notebook_code")]:
            del sys.modules[name]
        sys.path[:] = [root, *path]
        import lambda_function
        answers.append({"result": lambda_function.lambda_handler(r["event"], None)})
        if r["restore"]:
            exec(r["restore"], sys.modules["notebook_code"].__dict__)
    except BaseException as error:
        answers.append({"error": type(error).__name__ + ": " + str(error)})
json.dump(answers, out)
scratch.cleanup()
"""


@functools.cache
def expectation(name):
    return nbformat.read(FIXTURES / f"{name}.ipynb", 4).metadata.expect


def jsonable(value):
    return json.loads(json.dumps(value))


class Kernel:
    """A shell with nbchalice's magics, as far as capturing needs them."""

    def __init__(self, notebook):
        self.shell = InteractiveShell()
        self.shell.showtraceback = lambda *a, **k: None
        self.shell.ast_node_interactivity = "none"
        self.notebook = notebook
        for source in ("on_sqs_message", "on_sns_message", "on_s3_event", "schedule", "lambda_function"):
            self.shell.register_magic_function(self._magic(source), "cell", source)
        self.shell.register_magic_function(self._chalice, "line", "chalice")
        cleanup = self.shell.input_transformer_manager.cleanup_transforms
        cleanup.insert(0, _without_leading_comments)
        self.session = Session(self.shell).attach()

    def _chalice(self, line):
        words = line.split()
        self.shell.user_ns["app"] = Chalice(words[1])

    def _magic(self, source):
        def magic(line, cell):
            space = self.shell.user_ns
            space.setdefault("app", Chalice(self.notebook))
            before = dict(space)
            exec(compile(cell, "<cell>", "exec"), space)
            found = parse_cell_magic(source, line)
            name = found.handler or [n for n, v in space.items() if callable(v) and before.get(n) is not v][-1]
            space[name] = getattr(space["app"], source)(**found.options, name=found.name)(space[name])

        return magic

    def run(self, cells, runs=None):
        for index in range(len(cells)) if runs is None else runs:
            self.shell.run_cell(cells[index].source, store_history=True)
        return self.session.cells()

    def close(self):
        self.session.detach()
        close(self.shell)


def _without_leading_comments(lines):
    top = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    return lines[top:] if lines and lines[top].startswith("%%") else lines


def run_clean(python, requests):
    """Import zips in a clean interpreter and call their handlers."""
    return run_script(python, CLEAN, requests)


def run_script(python, script, request):
    done = subprocess.run(
        [str(python), "-I", "-c", script], input=json.dumps(request), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
