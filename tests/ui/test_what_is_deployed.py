"""Cards, `send`, `logs`, the form and `status` tell alike that what is deployed is not what the notebook says."""

import threading

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from .test_panels import sitting  # noqa: F401 - a fixture

pytestmark = pytest.mark.timeout(120)
CELL = "%%on_sqs_message told-orders{options}\ndef up(event):\n    print(len(list(event)){more})"
EDITED = "run it again, or undo the edit and save the notebook"
PLAN = "and the older one runs; %chalice plan tells what a deploy would do"


def cell(more="", options=""):
    return CELL.format(more=more and f", {more}", options=options and f" {options}")


@pytest.fixture
def deployed(sitting, local_aws):  # noqa: F811
    sitting(cell())
    sitting("%chalice deploy")
    assert not told(sitting)
    return sitting


def told(run):
    """What `send`, `logs` and the form say, which is the same."""
    from nbchalice.ui.widgets.sender import Sender

    note = run("%chalice send up --message x").note
    assert (f"note: {note}" if note else "note") in (logs := str(run("%chalice logs up"))) or not note, logs
    sender = Sender(run.notebook.pinned(), "up")
    for thread in threading.enumerate():
        if thread.name == "nbchalice-changes":
            thread.join(60)
    assert (sender._undeployed.layout.display is None) is bool(note)
    return note


def status(run):
    (one,) = run("%chalice status").status.handlers
    return one.state, *one.drift


@pytest.mark.parametrize(
    ("before", "more", "why", "fix"),
    [
        ("", 'open("jan.csv").read()', "up opens the file 'jan.csv' when it is called", "read it from S3"),
        ("", "helper(event)", "helper is not defined in the notebook", "define or import helper"),
        ("import random\nseed = random.random()", "seed", "seed comes from random.random(), which is random", "bundle"),
    ],
)
def test_code_that_cannot_be_deployed_is_not_what_is_deployed(deployed, tmp_path, before, more, why, fix):
    (tmp_path / "jan.csv").write_text("a")
    deployed(before)
    card = deployed(cell(more))
    assert card.standing.state == "changed" and card.standing.why.startswith(f"cannot be deployed: {why}")
    assert (note := told(deployed)).startswith(f"the older up runs: it cannot be deployed: {why}") and fix in note
    assert status(deployed) == ("changed", card.standing.why)
    again = deployed(cell())
    assert again.standing.state == "deployed" and not again.standing.why and not told(deployed)


def test_nothing_is_promised_of_a_deploy_that_may_be_refused(deployed):
    card = deployed(cell().replace("    print", "    import nosuchmod\n    print"))
    assert card.standing.state == "changed"
    assert told(deployed) == f"up was changed since it was deployed (cell 8, former cell 4), {PLAN}"
    assert "nosuchmod" in str(deployed.error("%chalice deploy"))


def test_a_cell_that_was_edited_and_not_run_is_told_by_all(deployed, tmp_path):
    def save(text):
        written = new_code_cell(text)
        written["id"] = "aa"
        nbformat.write(new_notebook(cells=[written]), tmp_path / "panels.ipynb")

    deployed.names["__session__"] = str(tmp_path / "panels.ipynb")
    card = deployed.shell.run_cell(cell(), store_history=True, cell_id="aa").result
    save(cell())
    deployed("%chalice deploy")
    save(cell("2"))
    why = "cell 8 was edited after it was run"
    assert told(deployed) == f"the older up runs: it cannot be deployed: {why}; {EDITED}"
    assert status(deployed) == ("changed", f"cannot be deployed: {why}")
    assert f"{why}; {EDITED}" in str(deployed("%chalice status"))
    assert card.standing.why == f"cannot be deployed: {why}"
    assert why in str(deployed.error("%chalice deploy"))
    save(cell())
    deployed("1")
    assert card.standing.state == "deployed" and not told(deployed) and status(deployed) == ("deployed",)


def test_what_a_run_decided_is_not_taken_back_by_what_runs_nothing(deployed):
    deployed("from pathlib import Path\nKIND = (Path.home() / 'x.csv').suffix")
    card = deployed(cell("KIND"))
    deployed("%chalice deploy")
    assert status(deployed) == ("deployed",) and card.standing.state == "deployed" and not told(deployed)


def test_options_that_were_changed_are_told_as_code_is(deployed):
    deployed("%chalice deploy")
    deployed(cell(options="--memory 256 --timeout 5 --env COLOUR=red --tag team=a --reserved-concurrency 2"))
    what = "Timeout: 30 -> 5, MemorySize: 128 -> 256, Environment, reserved concurrency: none -> 2"
    assert told(deployed) == f"up was changed since it was deployed ({what}), {PLAN}"
    deployed("%chalice deploy")
    assert not told(deployed)
    deployed(cell(options="--memory 256 --timeout 5 --env COLOUR=red --tag team=b --reserved-concurrency 2"))
    assert told(deployed) == f"up was changed since it was deployed (tags team), {PLAN}"


def test_what_a_package_brings_is_no_change(sitting, local_aws, monkeypatch):  # noqa: F811
    monkeypatch.setattr("nbchalice.packaging.handler.BUNDLES_IN_ZIP", 1)
    sitting("import tabulate\nweights = list(range(9))")
    sitting("%chalice bundle weights")
    sitting(cell("tabulate.tabulate([weights])"))
    sitting("%chalice deploy")
    assert not told(sitting)
    configuration = sitting.notebook.connect().client("lambda").get_function_configuration(FunctionName="panels-dev-up")
    assert configuration["Layers"] and configuration["Environment"]["Variables"]["NBCHALICE_BUNDLES"]


def test_a_card_shows_the_timeout_that_was_deployed(sitting, local_aws):  # noqa: F811
    card = sitting(cell())
    assert "timeout 60 s, memory 128 MB" in repr(card)
    sitting("%chalice deploy")
    assert "timeout 30 s, memory 128 MB" in repr(card)
    assert "timeout 30 s, memory 256 MB" in repr(sitting(cell(options="--memory 256")))
    assert "timeout 5 s, memory 128 MB" in repr(sitting(cell(options="--timeout 5")))
