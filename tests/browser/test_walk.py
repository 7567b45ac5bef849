"""A day with a notebook, as a person has it: cards that follow, typed forms, events as data, tune, restart, open again."""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
HANDLER = """%%on_sqs_message APP-orders --per-record --record 5
def price(order: Order):
    app.log.info("%s: %.2f", order.item, order.net * RATE)"""
DECORATED = """@app.on_sns_message("APP-news")
def announce(event):
    for record in event:
        app.log.info("news: %s", record.message)"""
CELLS = [
    "%load_ext nbchalice\n%chalice app APP",
    "from dataclasses import dataclass\n\nRATE = 1.2\n\n\n@dataclass\nclass Order:\n    item: str\n    net: float",
    HANDLER,
    DECORATED,
    "%chalice send price",
    """%chalice send price --message '{"item": "Assam"}'""",
    "%chalice events price",
    "%chalice replay price --all",
    "%chalice metrics price",
    "%chalice tune price --sizes 128,256,512 --runs 2",
    "%chalice live price",
    """%chalice send price --message '{"item": "Ceylon", "net": 2}'""",
    "%chalice status",
]
APPS = {"lab": "market", "notebook": "bazaar"}
RESULTS = {
    "%%on_sqs_message": "last event",
    "@app.on_sns_message": "announce: SNS handler",
    "%chalice send price": "Earl Grey: 5.40",
    "%chalice events": "recorded",
    "%chalice replay": "Darjeeling: 9.00",
    "%chalice metrics": "invocations",
    "%chalice tune": "256 MB",
    "%chalice status": "not run in this kernel",
}


class Walk:
    """The steps, each on what the one before left."""

    def __init__(self, front, app, aws, screenshot):
        self.front, self.app, self.aws, self.screenshot = front, app, aws, screenshot

    def own(self, cell):
        return cell.replace("APP", self.app)

    def look(self, where, name):
        """Take a picture in both themes where somebody wants to look."""
        if not (folder := os.environ.get("NBCHALICE_LOOK")):
            return
        for theme in ("light", "dark") if self.front.kind == "lab" else ():
            self.front.theme(theme)
            where.screenshot(path=Path(folder, f"walk-{name}-{theme}.png"))
        if self.front.kind == "lab":
            self.front.theme("light")

    def kept(self, begin):
        return self.front.cell(begin).locator(".jp-OutputArea [class^=nbchalice-kept]").first

    def card(self, begin):
        return self.front.panel(begin)

    def badge(self, begin, text):
        expect(self.card(begin).locator(".nbchalice-card").first).to_contain_text(text)

    def registers(self):
        for number in range(4):
            self.front.run(self.front.cells.nth(number))
        self.badge("%%on_sqs_message", "registered")
        self.badge("@app.on_sns_message", "announce: SNS handler")
        self.look(self.card("%%on_sqs_message"), "registered")

    def edits_and_deploys_from_the_card(self, path):
        cell = self.front.cell("%%on_sqs_message")
        self.front.edit(cell, self.own(HANDLER.replace("%.2f", "%.2f EUR")))
        self.front.run(cell)
        assert "EUR" not in path.read_text(), "it is not saved"
        self.card(cell).get_by_role("button", name="Deploy", exact=True).click()
        expect(self.card(cell)).to_contain_text(f"deployed {self.app} (dev)")
        self.badge(cell, "deployed · 20")
        self.badge("@app.on_sns_message", "deployed · 20")
        expect(self.card(cell).get_by_role("button", name="Deploy", exact=True)).to_be_hidden()

    def fills_in_the_form(self):
        self.front.run("%chalice send price")
        form = self.front.panel("%chalice send price")
        form.get_by_label("item", exact=True).fill("Earl Grey")
        form.get_by_label("net", exact=True).fill("4.5")
        form.get_by_role("button", name="Send", exact=True).click()
        expect(form).to_contain_text("Earl Grey: 5.40")
        self.badge("%%on_sqs_message", "ok in ")
        failed = self.front.run("%chalice send price --message")
        expect(failed).to_contain_text("net")
        self.badge("%%on_sqs_message", "UTC · failing")
        card = self.card("%%on_sqs_message").locator(".nbchalice-card").first
        self.screenshot(self.front, "%%on_sqs_message", "handler-failing")
        self.look(card, "failing")
        self.look(self.card("@app.on_sns_message"), "decorated")

    def lists_what_came_from_elsewhere(self):
        queue = self.aws("sqs").get_queue_url(QueueName=f"{self.app}-orders")["QueueUrl"]
        self.aws("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"item": "Darjeeling", "net": 6}))
        for _ in range(20):
            events = self.front.run("%chalice events")
            if "recorded" in events.inner_text():
                break
        expect(events).to_contain_text("recorded")
        self.look(events.locator(".nbchalice-card").first, "recorded")

    def tries_an_edit_before_a_deploy(self):
        cell = self.front.cell("%%on_sqs_message")
        self.front.edit(cell, self.own(HANDLER.replace("RATE", "RATE * 1.25")))
        self.front.run(cell)
        self.badge(cell, "changed")
        replayed = self.front.run("%chalice replay")
        expect(replayed).to_contain_text("Darjeeling: 9.00")
        self.look(replayed.locator(".nbchalice-card").first, "replayed")
        self.look(self.card(cell), "changed")

    def measures(self):
        metrics = self.front.run("%chalice metrics")
        expect(metrics.locator("svg[role=img]").first).to_be_visible()
        self.look(metrics.locator(".nbchalice-card").first, "metrics")
        tuned = self.front.run("%chalice tune")
        expect(tuned).to_contain_text("256 MB")
        expect(tuned.locator("[aria-hidden=true]").first).to_be_visible()
        self.screenshot(self.front, "%chalice tune", "tune")

    def goes_live(self):
        self.front.run("%chalice live price")
        sent = self.front.run('%chalice send price --message \'{"item": "Ceylon"')
        expect(sent).to_contain_text("Ceylon: 3.00")
        expect(self.card("%chalice live")).to_contain_text("Ceylon: 3.00")
        self.badge("%%on_sqs_message", "changed · live in this kernel")
        self.look(self.card("%%on_sqs_message"), "live")
        self.look(sent, "sent-live")

    def restarts_and_runs_half(self):
        self.front.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        # Counts begin anew: in this order each cell gets another one than it has.
        for begin in ("from dataclasses", "%load_ext", "%%on_sqs_message"):
            self.front.run(begin)
        status = self.front.run("%chalice status")
        expect(status).to_contain_text("not run in this kernel")
        self.badge("%%on_sqs_message", "changed")
        self.look(self.card("%chalice status"), "status")
        self.front.run('%chalice send price --message \'{"item": "Ceylon"')


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_a_day_with_a_notebook(open_notebook, workspace, aws, screenshot, kind):
    app = APPS[kind]
    front = open_notebook(app, [cell.replace("APP", app) for cell in CELLS], kind)
    walk = Walk(front, app, aws, screenshot)
    walk.registers()
    walk.edits_and_deploys_from_the_card(workspace / f"{app}.ipynb")
    walk.fills_in_the_form()
    walk.lists_what_came_from_elsewhere()
    walk.measures()
    walk.tries_an_edit_before_a_deploy()
    walk.goes_live()
    front.expect_accessible()
    front.save()
    walk.restarts_and_runs_half()

    front.save()
    front.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    again = open_notebook(app, kind=kind, keep_outputs=True)
    for begin, text in RESULTS.items():
        expect(again.cell(begin).locator(".jp-OutputArea").first).to_contain_text(text)
    for found in again.page.get_by_text("Error displaying widget").all():
        expect(found).to_be_hidden()
    assert not front.alerts and not again.alerts
    Walk(again, app, aws, screenshot).look(again.page, "reopened")
