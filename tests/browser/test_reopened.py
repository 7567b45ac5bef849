"""A notebook that is opened again, or whose kernel was restarted, shows its results."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

CELLS = [
    "%load_ext nbchalice\n%chalice app reopened",
    "%%on_sqs_message reopened-orders\ndef price(event):\n    for record in event:\n"
    "        app.log.info('%s costs %.2f', record.body, float(record.body) * 1.2)",
    "%chalice deploy",
    "%chalice status",
    "%chalice send price --message 50",
    "%chalice send price",
    "%chalice logs price --follow",
    "%chalice live price",
]
ERROR = "Error displaying widget"
RESULTS = {
    "%%on_sqs_message": "queue reopened-orders",
    "%chalice deploy": "reopened-dev-price",
    "%chalice status": "price",
    "%chalice send price --message": "50 costs 60.00",
    "%chalice logs": "50 costs 60.00",
}


def outputs(front, begin):
    return front.cell(begin).locator(".jp-OutputArea").first


def check_results(front):
    for begin, text in RESULTS.items():
        expect(outputs(front, begin)).to_contain_text(text)
    for found in front.page.locator(".jp-OutputArea", has_text=ERROR).all():
        expect(found.get_by_text(ERROR)).to_be_hidden()
    expect(front.page.locator(".nbchalice-panel:visible")).to_have_count(0)


def wait_until_kept(front):
    expect(front.panel("%chalice logs")).to_contain_text("50 costs 60.00")
    expect(outputs(front, "%chalice logs").locator("[class^=nbchalice-kept]")).to_contain_text("50 costs 60.00")


def look(front, name):
    if folder := os.environ.get("NBCHALICE_LOOK"):
        front.page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_results_are_there_when_the_notebook_is_opened_again(open_notebook, workspace, kind):
    name = f"reopened-{kind}"
    front = open_notebook(name, CELLS, kind=kind)
    front.run_all()
    wait_until_kept(front)
    expect(front.panel("%chalice status")).to_be_visible()
    expect(outputs(front, "%chalice status").locator("[class^=nbchalice-kept]")).to_be_hidden()
    look(front, f"{kind}-living")
    front.save()
    front.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    again = open_notebook(name, kind=kind, keep_outputs=True)
    check_results(again)
    look(again, f"{kind}-reopened")


def test_results_are_there_after_a_restart_of_the_kernel(open_notebook):
    front = open_notebook("restarted", CELLS)
    front.run_all()
    wait_until_kept(front)
    front.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    check_results(front)
    look(front, "lab-restarted")
