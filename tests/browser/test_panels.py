"""Status, handler cards, dead letters, metrics and live mode in a browser."""

import json

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
CELL = (
    "%%on_sqs_message {app}-orders\n"
    "def price(event):\n"
    "    for record in event:\n"
    "        order = record.json()\n"
    '        app.log.info("%s: %.2f", order["item"], order["net"] * {rate})'
)
CELLS = [
    "%load_ext nbchalice\n%chalice app {app}",
    CELL.replace("{rate}", "1.2"),
    '%%on_s3_event {app}-uploads --suffix .csv\ndef ingest(event):\n    app.log.info("%s, %d bytes", event.key, event.size)',
    "%chalice status",
    'for net in range(3, 15):\n    app.send("price", message={"item": "Sencha", "net": net if net != 9 else None})',
    "%chalice metrics price",
    "%chalice dlq price",
    "%chalice live price",
    """%chalice send price --wait 0 --message '{"item": "Ceylon", "net": 5}'""",
    "%chalice plan",
]
APPS = {"lab": "shop", "notebook": "store"}
EVIL = "<img src=x onerror=\"alert('dead')\">"


@pytest.fixture(params=["lab", "notebook"])
def front(request, open_notebook):
    app = APPS[request.param]
    front = open_notebook(app, [cell.replace("{app}", app) for cell in CELLS], request.param)
    front.app = app
    for number in range(4):
        front.run(front.cells.nth(number))
    return front


def press(panel, name):
    panel.get_by_role("button", name=name, exact=True).click()


def wait_until_done(panel, name):
    """Wait until a button has its own text back: a panel does one thing at a time, and ignores other clicks."""
    expect(panel.get_by_role("button", name=name, exact=True)).to_be_visible()


def test_a_session_with_all_panels(front, screenshot, aws):
    handler = front.panel("%%on_sqs_message")
    expect(handler).to_contain_text("price: SQS handler")
    screenshot(front, "%%on_sqs_message", "handler")

    status = front.panel("%chalice status")
    expect(status).to_contain_text("registered")
    press(status, "Plan")
    expect(status).to_contain_text(f"plan for {front.app} (dev)")
    wait_until_done(status, "Plan")
    screenshot(front, "%chalice status", "plan")
    press(status, "Deploy")
    expect(status).to_contain_text(f"deployed {front.app} (dev)")
    wait_until_done(status, "Deploy")
    screenshot(front, "%chalice status", "status")
    press(status, "Delete")
    expect(status.get_by_role("status")).to_contain_text("press Delete again")

    press(handler, "Send…")
    form = handler.locator(".nbchalice-panel").first
    form.get_by_label("Body", exact=True).fill('{"item": "Sencha", "net": 5}')
    press(form, "Send")
    expect(form.get_by_role("status")).to_contain_text("done in")
    expect(form).to_contain_text("Sencha: 6.00")
    press(handler, "Logs")
    expect(handler.locator(".nbchalice-log").first).to_contain_text("Sencha: 6.00")

    front.run("for net in range")
    output = front.run("%chalice metrics price")
    expect(output).to_contain_text("1 error")
    expect(output.locator("svg[role=img] rect")).to_have_count(13)
    expect(output).to_contain_text("p95")
    screenshot(front, "%chalice metrics", "metrics")

    live(front, screenshot)
    dead_letters(front, screenshot, aws)
    front.expect_accessible()
    assert not front.alerts and front.page.locator("img[src='x']").count() == 0


def dead_letters(front, screenshot, aws):
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName=f"{front.app}-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 100})
    queue = sqs.get_queue_url(QueueName=f"{front.app}-orders")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    for order in ({"item": "Assam"}, {"item": "Darjeeling", "net": None}):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(order))
    front.run("%chalice dlq price")
    panel = front.panel("%chalice dlq price")
    expect(panel).to_contain_text("2 messages in dead-letter queue")
    press(panel, "Replay here")
    expect(panel).to_contain_text(", line 5, in price")
    screenshot(front, "%chalice dlq", "dead-letters")
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"item": EVIL, "net": EVIL}))
    press(panel, "Look again")
    expect(panel).to_contain_text("3 messages in dead-letter queue")
    expect(panel).to_contain_text(EVIL.replace('"', '\\"'))
    press(panel, "Redrive all")
    expect(panel).to_contain_text("3 put back")
    expect(panel).to_contain_text("0 messages in dead-letter queue")


def live(front, screenshot):
    front.run("%chalice live price")
    panel = front.panel("%chalice live price")
    front.run("%chalice send price --wait 0")
    expect(panel).to_contain_text("Ceylon: 6.00")
    front.edit("%%on_sqs_message", CELL.replace("{app}", front.app).replace("{rate}", "1.3"))
    front.run("%%on_sqs_message")
    front.run("%chalice send price --wait 0")
    expect(panel).to_contain_text("Ceylon: 6.50")
    screenshot(front, "%chalice live", "live")
    press(panel, "Stop")
    expect(panel.get_by_role("button", name="Go live")).to_be_visible()
    expect(front.run("%chalice plan")).not_to_contain_text("event source mapping")
