"""Notebooks and configuration that somebody, or a merge, changed: read, or refused with what is wrong in them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbchalice.cli import code_of
from nbchalice.config import FILE, read_config, settings_for, variables_for
from nbchalice.deploy import check
from nbchalice.deploy.desired import App
from nbchalice.errors import NbChaliceError
from nbchalice.handlers import Handler
from nbchalice.notebook.cells import read_notebook
from nbchalice.notebook_file import read_text
from nbchalice.runtime.app import Trigger

from .mutations import mutated, value
from .share import EXAMPLES, count

CELLS = [
    "%load_ext nbchalice\n%chalice app by-hand",
    "RATE = 2\n%config InlineBackend.figure_format = 'retina'",
    "%%on_sqs_message orders --batch-size 5\ndef price(event):\n    return [float(r.body) * RATE for r in event]",
    "from nbchalice import Chalice, Rate\napp = Chalice(app_name='by-hand')",
    "@app.schedule(Rate(1, unit=Rate.HOURS))\ndef tick(event):\n    return event.time",
]
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["# Shop\n", "text"]},
        *(
            {
                "cell_type": "code",
                "id": f"c{number}",
                "execution_count": number,
                "metadata": {"execution": {"iopub.execute_input": "2026-01-01T00:00:00Z", "tags": ["x"]}},
                "outputs": [{"name": "stdout", "output_type": "stream", "text": ["1\n"]}],
                "source": cell.splitlines(keepends=True) if number % 2 else cell,
            }
            for number, cell in enumerate(CELLS)
        ),
    ],
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "version": "3.11.7"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}
CONFIG = {
    "version": "2.0",
    "app_name": "by-hand",
    "owner": "team",
    "environment_variables": {"RATE": "1"},
    "tags": {"team": "shop"},
    "layers": ["arn:aws:lambda:us-east-1:000000000000:layer:x:1"],
    "lambda_timeout": 30,
    "stages": {
        "dev": {
            "manage_iam_role": False,
            "iam_role_arn": "arn:aws:iam::000000000000:role/x",
            "subnet_ids": ["subnet-1"],
            "security_group_ids": ["sg-1"],
            "log_retention_in_days": 7,
            "lambda_functions": {"price": {"lambda_memory_size": 256, "reserved_concurrency": 1, "xray": True}},
        },
        "prod": {"autogen_policy": False, "iam_policy_file": "p.json", "lambda_architecture": "arm64"},
    },
}
# Pieces of cells, too: what is left of one may be no Python, or another magic.
texts = st.one_of(
    st.lists(st.sampled_from("\n".join(CELLS).split()), max_size=8).map(" ".join),
    st.sampled_from(CELLS).flatmap(lambda cell: st.integers(0, len(cell)).map(lambda end: cell[:end])),
)


def require_clear(error):
    assert error.message.strip() and "Traceback" not in str(error) and len(error.lines()) < 40, str(error)


@pytest.fixture
def notebook(tmp_path):
    """``notebook(document)``: write it as a notebook's file."""
    path = tmp_path / "shop.ipynb"

    def write(document):
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write


def test_a_notebook_that_was_changed(notebook, record_property):
    tried, read = [], []

    @EXAMPLES
    @given(mutated([NOTEBOOK], most=6, values=st.one_of(value, texts)))
    def look(document):
        tried.append(document)
        path = notebook(document)
        try:
            read_notebook(path)
            project = read_text(path)
        except NbChaliceError as error:
            require_clear(error)
        else:
            read.append(project.handlers)
            for error in project.wrong:
                require_clear(error)

    look()
    assert len(read) > len(tried) / 10
    record_property("tried", ["hardships: notebooks that were changed", len(tried)])


def test_the_command_line_on_a_notebook_that_was_changed(notebook, capsys, record_property):
    """Here the decorators' arguments are run, too, in a process of their own."""
    tried = []

    @settings(EXAMPLES, max_examples=count(10, 500))
    @given(mutated([NOTEBOOK], most=4, values=st.one_of(value, texts)))
    def look(document):
        tried.append(document)
        path = notebook(document)
        for words in (["show", str(path)], ["package", str(path), "--no-verify", "--out", str(path.parent / "out")]):
            capsys.readouterr()
            code, err = code_of(words), capsys.readouterr().err
            assert code in {0, 1, 2} and (code == 0 or err.count("error: ") == 1), err

    look()
    record_property("tried", ["hardships: commands on notebooks that were changed", len(tried)])


def test_a_configuration_that_was_changed(tmp_path, record_property):
    tried, read = [], []
    path = tmp_path / FILE
    path.parent.mkdir()

    @EXAMPLES
    @given(mutated([CONFIG]), st.sampled_from(["dev", "prod", "other"]))
    def look(content, stage):
        tried.append(content)
        path.write_text(json.dumps(content), encoding="utf-8")
        try:
            config = read_config(tmp_path)
        except NbChaliceError as error:
            require_clear(error)
            return
        read.append(config)
        settings = settings_for(config, stage, "price")
        variables_for(config, config.get("app_name"), stage).of("price", {})
        handler = Handler("price", "price", (Trigger("on_sqs_message", {"queue": "orders"}),), settings)
        for error in check.problems(App("by-hand", stage, (handler,), tmp_path)):
            require_clear(error)

    look()
    assert len(read) > len(tried) / 20
    record_property("tried", ["hardships: configurations that were changed", len(tried)])


@pytest.mark.parametrize("name", ["shop.ipynb", FILE])
def test_bytes_that_are_no_text(tmp_path, name, record_property):
    tried = []
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    whole = json.dumps(NOTEBOOK if name.endswith("ipynb") else CONFIG).encode()

    @EXAMPLES
    @given(st.integers(0, len(whole)), st.binary(max_size=4))
    def look(place, strange):
        tried.append(place)
        path.write_bytes(whole[:place] + strange + whole[place + len(strange) + 1 :])
        try:
            read_notebook(path) if name.endswith("ipynb") else read_config(tmp_path)
        except NbChaliceError as error:
            require_clear(error)

    look()
    record_property("tried", ["hardships: files with strange bytes", len(tried)])
