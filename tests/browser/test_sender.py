"""The quickstart in a browser: load, deploy, the form of each source, the log line, the traceback of a failure."""

import json

import nbformat
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
HANDLERS = [
    "%load_ext nbchalice\n%chalice app {app}",
    "RATE = 1.2",
    '%%on_sqs_message {app}-orders --batch-size 10\ndef price(event):\n    for record in event:\n        order = record.json()\n        app.log.info("%s costs %.2f", order["item"], float(order["net"]) * RATE)',
    '%%on_sns_message {app}-news --also "on_sqs_message {app}-replies"\ndef announce(event):\n    app.log.info("%s: %s", event.subject, event.message)',
    '%%on_s3_event {app}-uploads --prefix in/ --suffix .csv\ndef ingest(event):\n    app.log.info("new object %s, %d bytes", event.key, event.size)',
    '%%schedule rate(1 hour)\ndef report(event):\n    app.log.info("the report of %s", event.time)',
    "%chalice deploy",
    "%chalice send price",
    "%chalice send announce",
    "%chalice send ingest",
    "%chalice send report",
]
APPS = {"lab": "tea-shop", "notebook": "tea-stall"}
EVIL = "<img src=x onerror=\"alert('message')\">"


@pytest.fixture(params=["lab", "notebook"])
def front(request, open_notebook):
    app = APPS[request.param]
    front = open_notebook(app, [cell.format(app=app) for cell in HANDLERS], request.param)
    front.run_all(stop_before="%chalice send")
    expect(front.cell("%chalice deploy")).to_contain_text(f"deployed {app}")
    front.app = app
    return front


def field(panel, label):
    return panel.get_by_label(label, exact=True)


def press(panel, name="Send"):
    panel.get_by_role("button", name=name, exact=True).click()


def test_the_four_forms(front, screenshot):
    front.run("%chalice send price")
    panel = front.panel("%chalice send price")
    field(panel, "Body").fill('{"item": "Earl Grey", "net": 4.5}')
    press(panel)
    expect(panel.get_by_role("status")).to_contain_text("done in")
    expect(panel).to_contain_text("Earl Grey costs 5.40")
    screenshot(front, "%chalice send price", "sender-sqs")
    count = front.cells.count()
    for letter in "bax":  # in the notebook they add and cut cells
        panel.get_by_role("button", name="Send", exact=True).press(letter)
        field(panel, "Event").press(letter)
    assert front.cells.count() == count
    field(panel, "Body").fill('{"item": "Assam"}')
    press(panel)
    expect(panel.get_by_role("status")).to_contain_text("failed in")
    expect(panel).to_contain_text("line 5, in price")
    expect(panel).to_contain_text("KeyError: 'net'")
    screenshot(front, "%chalice send price", "sender-failed")
    field(panel, "Body").fill(json.dumps({"net": EVIL, "item": "tea"}))
    field(panel, "Body").press("Tab")
    press(panel)
    expect(panel).to_contain_text('float(order["net"])')
    expect(panel).to_contain_text("could not convert string to float: '<img src=x")

    front.run("%chalice send announce")
    panel = front.panel("%chalice send announce")
    field(panel, "Message").fill("From Monday on we open at eight.")
    field(panel, "Subject").fill("New hours")
    press(panel)
    expect(panel).to_contain_text("New hours: From Monday on we open at eight.")
    screenshot(front, "%chalice send announce", "sender-sns")
    field(panel, "Message").fill(f"We open {EVIL}")
    field(panel, "Subject").fill("Opening <b>now</b>")
    press(panel)
    expect(panel).to_contain_text(f"Opening <b>now</b>: We open {EVIL}")
    field(panel, "Source").select_option(f"SQS {front.app}-replies")
    expect(field(panel, "Delay (s)")).to_be_visible()
    expect(panel.get_by_role("button", name="through SQS")).to_be_visible()
    expect(field(panel, "Subject")).to_have_count(0)

    front.run("%chalice send ingest")
    panel = front.panel("%chalice send ingest")
    field(panel, "Key").fill("elsewhere/monday.csv")
    expect(panel).to_contain_text("the key does not begin with in/")
    field(panel, "Key").fill("in/monday.csv")
    field(panel, "Content").fill("item,net\nEarl Grey,4.50\nDarjeeling,6.00\n")
    press(panel)
    expect(panel).to_contain_text("new object in/monday.csv, 40 bytes")
    screenshot(front, "%chalice send ingest", "sender-s3")
    field(panel, "Key").fill("in/monday.txt")
    field(panel, "Key").press("Tab")
    press(panel)
    expect(panel.get_by_role("status")).to_contain_text("dropped")
    expect(panel.get_by_role("button", name="Send", exact=True)).to_be_visible()
    screenshot(front, "%chalice send ingest", "sender-dropped")
    field(panel, "Key").fill("in/<b>monday</b>.csv")
    press(panel)
    expect(panel).to_contain_text("new object in/<b>monday</b>.csv, 40 bytes")

    front.run("%chalice send report")
    panel = front.panel("%chalice send report")
    expect(panel).to_contain_text("next runs (UTC, if deployed now)")
    press(panel)
    expect(panel).to_contain_text("the report of")
    screenshot(front, "%chalice send report", "sender-schedule")
    front.expect_accessible()
    jump_to_the_cell(front, front.panel("%chalice send price"))
    assert not front.alerts
    assert front.page.locator("img[src='x']").count() == 0


def jump_to_the_cell(front, panel):
    """From the traceback to the cell that it names: by click, and by key after the cell was edited."""
    name = panel.get_by_role("link", name="cell 3").first  # a failed message comes again after a while
    name.click()
    front.expect_selected("%%on_sqs_message")
    source = front.cell("%%on_sqs_message").locator(".cm-content").inner_text()
    front.edit("%%on_sqs_message", source.replace("costs", "is"))
    front.windowing("full")
    front.scroll_to("%chalice send price")
    name.press("Enter")
    front.expect_selected("%%on_sqs_message")


def test_what_became_of_an_event_stays_in_the_saved_notebook(open_notebook, workspace):
    from nbconvert import HTMLExporter

    front = open_notebook("saved-form", [cell.format(app="saved-form") for cell in (*HANDLERS[:3], *HANDLERS[6:8])])
    front.run_all()
    panel = front.panel("%chalice send price")
    field(panel, "Body").fill('{"item": "Oolong", "net": 50}')
    press(panel)
    expect(panel).to_contain_text("Oolong costs 60.00")
    kept = front.cell("%chalice send price").locator("[class^=nbchalice-kept]")
    expect(kept).to_contain_text("Oolong costs 60.00")
    expect(kept).to_be_hidden()
    front.save()
    notebook = nbformat.read(workspace / "saved-form.ipynb", as_version=4)
    texts = [output.data["text/plain"] for output in notebook.cells[-1].outputs]
    assert texts[0] == "" and "Oolong costs 60.00" in texts[1]
    page, _ = HTMLExporter().from_notebook_node(notebook)
    # Only a living widget above hides it, and an exported page holds none.
    assert "Oolong costs 60.00" in page and 'class="nbchalice-shown' not in page and ".nbchalice-shown:not(" in page
