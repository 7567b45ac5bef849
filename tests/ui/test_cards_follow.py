"""The cards of cells: what they say as their handler is deployed, edited, gets events, and is taken back."""

import functools
import re
import signal
import subprocess
import sys

import pytest

from ..notebooks import write
from ..waiting import wait_until
from .test_panels import press, sitting  # noqa: F401 - a fixture

pytestmark = pytest.mark.timeout(180)
CELL = "%%on_sqs_message {queue}\ndef price(event):\n    for record in event:\n        print(float(record.body) * RATE)"


@pytest.fixture
def shown(monkeypatch):
    """What `display` was given."""
    seen = []
    monkeypatch.setattr("IPython.display.display", lambda *values, **_: seen.extend(values))
    return seen


def badge(panel):
    return re.sub(r" · 20[\d :-]+ UTC", "", panel.standing.badge)


def test_a_card_says_how_its_handler_stands(sitting):  # noqa: F811
    sitting("RATE = 2")
    panel = sitting(CELL.format(queue="follow-orders"))
    deploy_button = panel.view.children[1].children[0]
    assert badge(panel) == "registered" and deploy_button.layout.display is None

    press(panel, "Deploy")
    assert "deployed panels (dev)" in panel._result.value
    assert badge(panel) == "deployed" and "deployed · 20" in panel._card.value
    assert deploy_button.layout.display == "none" and "deploy with" not in repr(panel)

    sitting("%chalice send price --message 4")
    assert panel.standing.last.startswith("ok in ") and "last event" in panel._card.value
    sitting("%chalice send price --message tea --wait 5")
    assert badge(panel) == "deployed · failing" and "could not convert string to float: " in panel._card.value

    sitting("RATE = 3")
    assert badge(panel) == "changed · failing" and deploy_button.layout.display is None
    assert "deploy with %chalice deploy" in repr(panel)
    sitting("RATE = 2")
    assert badge(panel) == "deployed · failing"

    again = sitting(CELL.format(queue="follow-orders").replace("* RATE", "* RATE * 1"))
    assert badge(again) == "changed · failing"
    sitting("%chalice deploy")
    assert badge(again) == "deployed · failing"
    sitting("%chalice delete price --yes")
    assert badge(again) == "registered" and not again.standing.last
    sitting("del price")
    assert badge(again) == "taken back"


def test_a_card_says_where_its_handler_is_live(sitting):  # noqa: F811
    sitting("RATE = 2")
    panel = sitting(CELL.format(queue="follow-live"))
    sitting("%chalice deploy")
    sitting("%chalice live price")
    assert badge(panel) == "deployed · live in this kernel"
    sitting("%chalice live price --stop")
    assert badge(panel) == "deployed"


def test_a_card_learns_from_a_status_who_is_live_elsewhere(sitting, tmp_path):  # noqa: F811
    sitting("RATE = 2")
    panel = sitting(CELL.format(queue="follow-live"))
    sitting("%chalice deploy")
    path = write(tmp_path / "panels.ipynb", ["%chalice app panels", "RATE = 2", CELL.format(queue="follow-live")])
    command = [sys.executable, "-m", "nbchalice", "live", str(path), "price"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        try:
            wait_until(lambda: sitting("%chalice status").live)
            assert badge(panel).startswith(f"deployed · live in process {other.pid} on ")
        finally:
            other.send_signal(signal.SIGINT)
    sitting("%chalice status")
    assert badge(panel) == "deployed"


def test_a_cell_with_decorators_shows_the_card_of_each_handler(sitting, shown):  # noqa: F811
    sitting(
        "@app.on_sqs_message('dec-orders', timeout=20)\ndef price(event):\n    pass\n\n"
        "@app.on_sns_message('dec-news')\ndef tell(event):\n    pass"
    )
    price, tell = shown
    assert "price: SQS handler" in price._card.value and "timeout 20 s" in price._card.value
    assert "tell: SNS handler" in tell._card.value
    sitting("1 + 1")
    assert len(shown) == 2, "cards are shown where a cell registers"
    sitting("%chalice deploy")
    assert badge(price) == badge(tell) == "deployed"


def test_a_cell_with_decorators_shows_text_where_nobody_sits(run, shown):
    run("@app.on_sqs_message('dec-orders')\ndef price(event):\n    return RATE")
    (card,) = shown
    assert "note      RATE is not defined yet" in repr(card) and "deploy with %chalice deploy" in repr(card)


def test_a_card_names_what_the_function_needs_and_nothing_of_its_wrappers_library(run, shown):
    run("import functools\nRATE = 2")
    run.names["traced"] = traced
    run("@app.on_sqs_message('dec-orders')\n@traced\ndef price(event):\n    return RATE")
    assert "not defined" not in repr(shown[0]) and list(shown[0].needs) == ["RATE"]


def traced(function):
    """A decorator of a library."""

    @functools.wraps(function)
    def wrapper(event):
        return undefined_in_the_notebook(function(event))

    return wrapper


def undefined_in_the_notebook(value):
    return value


def test_the_notebook_is_followed_once_for_all_cards(sitting, monkeypatch):  # noqa: F811
    """A cell that ran, and a deploy, compare each handler: of 64, each made the notebook's handlers anew."""
    for number in range(6):
        sitting(f"%%lambda_function\ndef handler{number}(event):\n    return RATE if {number} else 0")
    sitting("RATE = 1")
    sitting("%chalice deploy")
    asked = []
    real = sitting.notebook.following._project
    monkeypatch.setattr(sitting.notebook.following, "_project", lambda: asked.append(1) or real())
    sitting("RATE = 2")
    assert [sitting.names[f"handler{number}"].name for number in (0, 5)] == ["handler0", "handler5"]
    assert len(asked) == 1
    sitting("%chalice deploy")
    assert len(asked) == 3  # after the cell of the command, too
