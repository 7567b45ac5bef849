"""What others rely on stays as it is: public names, signatures, and the shapes of JSON documents.

A change on purpose: run ``NBCHALICE_WRITE_SURFACE=1 .venv/bin/pytest tests/test_surface.py`` and read the difference.
"""

import importlib.util
import json
import os
from pathlib import Path

import pytest

import nbchalice
import nbchalice.testing
from nbchalice.aws.local.client import server
from nbchalice.cli import code_of
from nbchalice.runtime.names import HOMES

from .notebooks import write

FOLDER = Path(__file__).parent / "fixtures" / "surface"
spec = importlib.util.spec_from_file_location("surface", Path(__file__).with_name("surface.py"))
surface = importlib.util.module_from_spec(spec)
spec.loader.exec_module(surface)

CELLS = [
    "%load_ext nbchalice",
    "%chalice app surface",
    "RATE = 2",
    "%%on_sqs_message surface-orders --dlq surface-dead\n"
    "def price(event):\n"
    "    for record in event:\n"
    "        app.log.info('costs %s', float(record.body) * RATE)",
]


def compare(name, found):
    path = FOLDER / f"{name}.json"
    if os.environ.get("NBCHALICE_WRITE_SURFACE"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    assert found == json.loads(path.read_text())


def test_every_class_of_events_is_public():
    assert set(HOMES) <= set(nbchalice.__all__)


@pytest.mark.parametrize("module", [nbchalice, nbchalice.testing], ids=lambda module: module.__name__)
def test_public_names_and_signatures(module):
    compare(module.__name__, surface.of_module(module))


@pytest.fixture(scope="module")
def documents(local_aws, tmp_path_factory):
    """Every command's JSON document, of one notebook from its first deploy to its end."""
    server.reset()  # `delete` would tell of another test's empty bucket for artifacts
    folder = tmp_path_factory.mktemp("surface")
    path = folder / "surface.ipynb"
    write(path, CELLS)
    event = folder / "event.json"
    event.write_text(json.dumps({"Records": [{"messageId": "1", "body": "2", "eventSource": "aws:sqs"}]}))
    calls = {
        "show": ["show", path],  # before a run of this process has decided anything
        "plan": ["plan", path],
        "deploy": ["deploy", path],
        "status": ["status", path],
        "send": ["send", path, "price", "--message", "5"],
        "send-failed": ["send", path, "price", "--message", "five"],
        "invoke": ["invoke", path, "price", "--event", event],
        "logs": ["logs", path, "price"],
        "metrics": ["metrics", path, "price"],
        "dlq": ["dlq", path, "price"],
        "why": ["why", path, "price"],
        "events": ["events", path, "price"],
        "replay": ["replay", path, "price", "--all", "--here"],
        "tune": ["tune", path, "price", "--message", "5", "--sizes", "128", "--runs", "2"],
        "package": ["package", path, "--out", folder / "build"],
        "local-status": ["local", "status"],
        "delete": ["delete", path, "--yes"],
    }
    return {name: run(words) for name, words in calls.items()}


def run(words):
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code_of([*map(str, words), "--json"])
    text = out.getvalue()
    return [json.loads(line) for line in text.splitlines()] if words[0] == "logs" else json.loads(text)


NAMES = [
    "plan", "deploy", "status", "send", "send-failed", "invoke", "logs", "metrics", "dlq", "why", "events", "replay", "show",
    "tune", "package",
    "local-status", "delete",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_shape_of_a_json_document(documents, name):
    compare(f"json-{name}", surface.shape(documents[name]))
