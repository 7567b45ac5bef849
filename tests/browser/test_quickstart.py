"""The quickstart notebook from top to bottom in a browser."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_the_quickstart_runs_and_shows_what_it_promises(open_notebook, kind):
    front = open_notebook("quickstart", kind=kind)
    front.run_all()
    expect(front.cell("%chalice send price")).to_contain_text("costs")
    expect(front.cell("%chalice send ingest")).to_contain_text("in/monday.csv")
    failed = front.cell('%chalice send announce --message "We close')
    expect(failed).to_contain_text("failed")
    expect(failed).to_contain_text(re.compile(r"cell \d+, line \d+, in announce"))
    expect(front.cell("%chalice status")).to_contain_text("deployed")
    assert front.page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert front.page.locator(".jp-OutputArea-output pre", has_text="Traceback (most recent call last)").count() == 0
