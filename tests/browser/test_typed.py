"""The form of a handler whose annotation says what its messages are, in a browser."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
CELLS = [
    "%load_ext nbchalice\n%chalice app cafe",
    "from dataclasses import dataclass\nfrom datetime import date\nfrom decimal import Decimal\nfrom enum import Enum\n\n\n"
    'class Kind(Enum):\n    TEA = "tea"\n    COFFEE = "coffee"\n\n\n'
    "@dataclass\nclass Customer:\n    name: str\n    vip: bool = False\n\n\n"
    "@dataclass\nclass Order:\n    id: int\n    net: Decimal\n    placed: date\n    customer: Customer\n    kind: Kind = Kind.TEA\n",
    "%%on_sqs_message cafe-orders --per-record\ndef price(order: Order):\n"
    '    app.log.info("%s costs %s", order.kind.value, order.net * 2)',
    "%chalice deploy",
    "%chalice send price",
]


def test_a_field_for_each_of_the_records(open_notebook, screenshot):
    front = open_notebook("cafe", CELLS, "lab")
    front.run_all(stop_before="%chalice send")
    front.run("%chalice send price")
    panel = front.panel("%chalice send price")
    panel.get_by_label("kind", exact=True).select_option("coffee")
    panel.get_by_label("net", exact=True).fill("4.50")
    panel.get_by_label("customer.name", exact=True).fill("Ann")
    expect(panel.get_by_label("Body", exact=True)).to_have_value(
        '{"id": 1, "net": "4.50", "placed": "2026-01-31", "customer": {"name": "Ann", "vip": false}, "kind": "coffee"}'
    )
    panel.get_by_role("button", name="Send", exact=True).click()
    expect(panel).to_contain_text("coffee costs 9.00")
    screenshot(front, "%chalice send price", "sender-typed")
