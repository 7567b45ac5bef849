"""`make demo`, as it is run."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.local_aws

SCRIPT = Path(__file__).parent.parent / "scripts" / "demo.py"
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9A-F]{16}\b"  # S3 has ids of its own
HANDLERS = {"price": "SQS", "announce": "SNS", "ingest": "S3", "every_hour": "Schedule"}


def load_demo():
    spec = importlib.util.spec_from_file_location("demo", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_four_handlers_each_handled_a_real_event():
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 events handled" in done.stdout
    found = done.stdout.partition("events handled")[2]
    assert all(len(line) <= 80 for line in found.splitlines())
    assert len(set(re.findall(ID, found))) == 8, "a message id and a request id of each"
    for handler, source in HANDLERS.items():
        assert re.search(rf"^{handler} +{source} +[0-9.]+ ms$", found, re.M)
    for line in ("coffee costs 4.80", "OPENING: We open at nine", "new object in/monday.csv in uploads, 5 bytes"):
        assert line in found
    assert re.search(r"the time is \d{4}-", found)


def test_a_handler_that_fails_fails_the_demonstration(tmp_path, capsys):
    demo = load_demo()
    notebook = nbformat.read(demo.NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("def announce(event):\n", "def announce(event):\n    1 / 0\n")
    nbformat.write(notebook, tmp_path / "quickstart.ipynb")
    assert demo.demonstrate(tmp_path / "quickstart.ipynb") == 1
    out = capsys.readouterr().out
    assert "announce: failed" in out
    assert "ZeroDivisionError" in out
    assert "3 of 4 events handled" in out


def test_a_missing_notebook_or_handler_is_said(tmp_path):
    demo = load_demo()
    from nbchalice.errors import InvalidInputError

    with pytest.raises(InvalidInputError, match="is missing"):
        demo.read(tmp_path / "quickstart.ipynb")
    empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "quickstart.ipynb").write_text(json.dumps(empty))
    with pytest.raises(InvalidInputError, match="no handler of on_s3_event, on_sns_message"):
        demo.read(tmp_path / "quickstart.ipynb")
