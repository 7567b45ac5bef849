"""The quickstart as people work with it: edits that are not saved, restarts, half of the cells, opening it again."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def look(front, name):
    if folder := os.environ.get("NBCHALICE_LOOK"):
        front.page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


def source_of(front, begin):
    return front.page.evaluate(
        """begin => {
            const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
            return cells.map((cell) => cell.sharedModel.getSource()).find((text) => text.startsWith(begin));
        }""",
        begin,
    )


def test_edit_run_deploy_without_saving_then_restart_and_run_half(open_notebook, workspace):
    text = (workspace / "quickstart.ipynb").read_text()
    (workspace / "by-hand.ipynb").write_text(text.replace("chalice app quickstart", "chalice app byhand"))
    front = open_notebook("by-hand")
    front.run_all(stop_before="%chalice delete")

    source = source_of(front, "%%on_sqs_message")
    front.edit("%%on_sqs_message", source.replace("costs", "is worth"))
    front.run("%%on_sqs_message")
    assert "costs" in (workspace / "by-hand.ipynb").read_text(), "it is not saved"
    deployed = front.run("%chalice deploy")
    expect(deployed).to_contain_text("deployed byhand (dev)")
    sent = front.run("%chalice send price")
    expect(sent).to_contain_text("is worth")
    look(front, "by-hand-unsaved")

    front.save()
    front.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    front.page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    for begin in ("%load_ext", "%chalice app", "import json", "%%on_sqs_message"):
        front.run(begin)
    status = front.run("%chalice status")
    expect(status).to_contain_text("not run in this kernel")
    expect(status).not_to_contain_text("orphaned")
    expect(status.get_by_role("button", name="Prune")).to_be_hidden()
    expect(front.run("%chalice send price")).to_contain_text("is worth")
    look(front, "by-hand-restarted")

    front.save()
    front.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    again = open_notebook("by-hand", keep_outputs=True)
    expect(again.cell("%chalice status")).to_contain_text("not run in this kernel")
    expect(again.cell("%chalice send price")).to_contain_text("is worth")
    expect(again.page.get_by_text("Error displaying widget").first).to_be_hidden()
    look(again, "by-hand-reopened")
