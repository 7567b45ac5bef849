"""Panels with buttons, clicked without a browser."""

import json
import re

import pytest
from ipywidgets import Button

pytestmark = pytest.mark.timeout(180)
CELL = "%%on_sqs_message panel-orders\ndef price(event):\n    for record in event:\n        print('got', record.body)\n        float(record.body)"


@pytest.fixture
def sitting(run, local_aws, monkeypatch):
    """A shell at which somebody sits."""
    request = {"content": {"allow_stdin": True}}
    monkeypatch.setattr(run.shell, "get_parent", lambda: request, raising=False)
    run("%chalice app panels")
    return run


def buttons(widget):
    for one in widget.children:
        yield from [one] if isinstance(one, Button) else buttons(one) if hasattr(one, "children") else []


def press(panel, text):
    (button,) = [one for one in buttons(panel.view.children[1]) if one.description == text]
    button.click()
    panel.wait(60)


def test_a_handlers_card_has_buttons_and_stays_readable(sitting):
    panel = sitting(CELL)
    bundle = panel._repr_mimebundle_()
    assert "price: SQS handler" in bundle["text/plain"] and "price: SQS handler" in bundle["text/html"]
    assert panel.handler.name == "price" and panel.notes
    press(panel, "Send…")
    assert "Send to price" in panel._more.children[0].children[0].value


def test_the_status_deploys_and_deletes_after_asking(sitting):
    sitting(CELL)
    panel = sitting("%chalice status")
    assert [h.state for h in panel.handlers] == ["registered"]
    press(panel, "Deploy")
    assert "deployed panels (dev)" in panel._result.value and ">deployed<" in panel._card.value
    press(panel, "Delete")
    assert "press Delete again" in panel._note.value and ">deployed<" in panel._card.value
    press(panel, "Delete")
    assert "deleted panels (dev)" in panel._result.value and ">registered<" in panel._card.value


def test_the_status_plans_prunes_and_opens_panels_of_a_handler(sitting):
    sitting(CELL)
    sitting("%%on_sqs_message panel-other\ndef other(event):\n    pass")
    panel = sitting("%chalice status")
    assert panel._prune.layout.display == "none" and panel._handler.options == ("price", "other")
    press(panel, "Plan")
    assert "plan for panels (dev)" in panel._result.value and ">registered<" in panel._card.value
    press(panel, "Deploy")
    sitting.notebook.registry.pop("other")
    press(panel, "Refresh")
    assert ">orphaned<" in panel._card.value and panel._prune.layout.display is None
    assert panel._handler.options == ("price",)
    press(panel, "Prune")
    assert "press Prune again" in panel._note.value and ">orphaned<" in panel._card.value
    press(panel, "Prune")
    assert ">orphaned<" not in panel._card.value and panel._prune.layout.display == "none"
    press(panel, "Metrics")
    assert "price: last 1h" in panel._more.children[0].value
    press(panel, "Dead letters")
    assert "price has no dead-letter queue" in panel._note.value and "add --dlq" in panel._note.value
    press(panel, "Delete")
    press(panel, "Refresh")
    press(panel, "Delete")
    assert "press Delete again" in panel._note.value and ">deployed<" in panel._card.value
    press(panel, "Delete")
    assert ">registered<" in panel._card.value


def test_an_error_of_a_button_stays_in_the_panel(sitting):
    sitting(CELL)
    panel = sitting("%chalice status")
    sitting("app = 5")
    sitting.notebook.registry.clear()
    press(panel, "Deploy")
    assert "has no handlers" in panel._note.value


def test_dead_letters_are_shown_replayed_and_redriven(sitting, aws):
    sitting(CELL)
    sitting("%chalice deploy")
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="panel-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    sqs.set_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName="panel-orders")["QueueUrl"], Attributes={"RedrivePolicy": policy}
    )
    sqs.send_message(QueueUrl=url, MessageBody="<b>ten</b>")
    panel = sitting("%chalice dlq price")
    assert panel.depth == 1 and "<b>ten</b>" not in panel._card.value
    press(panel, "Replay here")
    assert re.search(r"cell \d+</span>, line 5, in price", panel._result.value)
    assert "got &lt;b&gt;ten" in panel._result.value
    press(panel, "Redrive all")
    assert "1 put back" in panel._note.value and "0 messages" in panel._card.value


def test_metrics_of_a_handler(sitting):
    sitting(CELL)
    sitting("%chalice deploy")
    sitting("%chalice send price --message 1")
    sitting("%chalice send price --message x")
    card = sitting("%chalice metrics price --since 5m")
    assert card.metrics.invocations >= 2 and card.metrics.errors >= 1 and card.metrics.p95_ms > 0
    assert "<svg" in card.html
    assert card.metrics.cost.invocations == card.metrics.invocations and card.metrics.cost.usd > 0
    assert "requests and the free tier are not counted" in card.text and "on AWS they are others" in card.text
    assert card.metrics.throttles is None
