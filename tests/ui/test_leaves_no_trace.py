"""Commands in a kernel change nothing of the process but what they are asked for."""

import json
import subprocess
import sys

PROGRAM = """
import json, logging, os, signal, sys

os.environ["JPY_SESSION_NAME"] = os.path.join(os.getcwd(), "shop.ipynb")
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

config = Config()
config.HistoryManager.hist_file = ":memory:"
shell = InteractiveShell.instance(config=config)


def state():
    root = logging.getLogger()
    return {
        "environ": dict(os.environ),
        "root logger": (root.level, list(root.handlers), root.disabled, logging.root.manager.disable),
        "path": list(sys.path),
        "folder": os.getcwd(),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
        "hooks": [sys.excepthook, sys.displayhook, sys.gettrace(), sys.getprofile()],
        "streams": [sys.stdout, sys.stderr, sys.stdin],
    }


def run(text):
    shell.run_cell(text, store_history=True).raise_error()


def formats():
    # Those whose libraries it found when it was imported.
    import jsonschema

    return sorted(jsonschema.FormatChecker.checkers)


def checks_iris():
    import jsonschema

    try:
        schema = {"type": "string", "format": "iri"}
        jsonschema.validate("not an iri <>", schema, format_checker=jsonschema.FormatChecker())
    except jsonschema.ValidationError:
        return True
    return False


for text in json.load(open("cells.json")):
    run(text)
before, modules = state(), dict(sys.modules)
for command in json.load(open("commands.json")):
    run(command)
changed = [name for name, value in state().items() if value != before[name]]
replaced = [name for name, module in modules.items() if sys.modules.get(name) is not module]
poisoned = [name for name, module in sys.modules.items() if module is None]
print(json.dumps({"changed": changed, "replaced": replaced, "poisoned": poisoned, "iris": checks_iris(), "formats": formats()}))
"""
CELLS = [
    "%load_ext nbchalice",
    "%chalice app shop",
    "import json\nRATE = 2",
    "%%lambda_function\ndef price(event):\n    return json.dumps(RATE)",
]
COMMANDS = [
    "%chalice --help",
    "%chalice show",
    "%chalice plan",
    "%chalice deploy",
    "%chalice status",
    "%chalice package --out out",
    "%chalice send price --message '{}'",
    "%chalice send price --preview",
    "%chalice invoke price --sample",
    "%chalice invoke price",
    "%chalice logs price",
    "%chalice metrics price",
    "%chalice bundle RATE",
    "%chalice local status",
    "%chalice delete --yes",
]


def test_commands_leave_the_kernel_as_it_was(tmp_path, local_aws):
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": text} for text in CELLS
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (tmp_path / "shop.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "cells.json").write_text(json.dumps(CELLS))
    (tmp_path / "commands.json").write_text(json.dumps(COMMANDS))
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # jsonschema checks international links where it finds the grammars when it is imported.
    untouched = [sys.executable, "-c", "import jsonschema; print(*sorted(jsonschema.FormatChecker.checkers))"]
    formats = subprocess.run(untouched, capture_output=True, text=True, check=True).stdout.split()
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "changed": [], "replaced": [], "poisoned": [], "iris": True, "formats": formats
    }  # fmt: skip
