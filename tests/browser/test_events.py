"""Events that came, in a browser: listed, replayed through the edited cell, and why nothing happens."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
CELL = """%%on_sqs_message tea-orders
def price(event):
    for record in event:
        order = record.json()
        app.log.info("%s: %.2f", order["item"], order["net"] * RATE)"""
CELLS = [
    "%load_ext nbchalice\n%chalice app tea-shop",
    "RATE = 1.2",
    CELL,
    "%chalice deploy",
    """%chalice send price --message '{"item": "Earl Grey", "net": 4.5}'""",
    """%chalice send price --message '{"item": "Darjeeling", "net": 6}'""",
    """%chalice send price --message '{"item": "Assam"}'""",
    "%chalice events price",
    "%chalice replay price --all",
    "%chalice why price",
]
APPS = {"lab": "tea-house", "notebook": "tea-garden"}
EDITED = CELL.replace('order["net"]', 'order.get("net", 0)').replace("RATE)", "RATE + 0.5)")


def own(cell, app):
    """Return a cell with the test's own names."""
    return cell.replace("tea-shop", app).replace("tea-orders", f"{app}-orders")


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_an_edit_is_tried_on_the_events_that_came(open_notebook, screenshot, aws, kind):
    app = APPS[kind]
    front = open_notebook(app, [own(cell, app) for cell in CELLS], kind)
    front.run_all(stop_before="%chalice events")
    card = lambda output: output.locator(".nbchalice-card").first  # noqa: E731
    events = card(front.run("%chalice events"))
    expect(events).to_contain_text("price: 3 events")
    expect(events).to_contain_text("KeyError: 'net'")
    screenshot(front, "%chalice events", "events")

    cell = front.cell("%%on_sqs_message")
    front.edit(cell, own(EDITED, app))
    front.run(cell)
    replay = card(front.run("%chalice replay"))
    expect(replay).to_contain_text("3 events replayed here, 3 with another outcome")
    expect(replay).to_contain_text("+ INFO  Earl Grey: 5.90")
    expect(replay).to_contain_text("no event was sent")
    screenshot(front, "%chalice replay", "replay")

    client = aws("lambda")
    (mapping,) = client.list_event_source_mappings(FunctionName=f"{app}-dev-price")["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    why = card(front.run("%chalice why"))
    expect(why).to_contain_text("is disabled")
    screenshot(front, "%chalice why", "why")
    front.expect_accessible()
