"""The notebooks of the sources, executed from top to bottom in a real kernel on a local AWS of the test run's own."""

import re

import pytest

from .notebook_runs import HANDLED, MESSAGE, run, twice

NAMES = ["quickstart", "schedule", "s3", "sns", "sqs", "idempotency"]
__all__ = ["run"]


def test_quickstart(run):
    for done in twice(run, "quickstart"):
        deployed, again = done.all("%chalice deploy")
        assert "+ create  function" in deployed
        assert deployed.count(":function:quickstart-dev-") == 4
        assert "nothing changed" in again
        assert "needs     Order (" in done["%%on_sqs_message"]
        assert "quickstart - INFO - tea costs 12.00" in done["from nbchalice.testing"]
        assert re.search(HANDLED + r" *[0-9:.]+ INFO +coffee costs 4.80", done["%chalice send price"])
        good, bad = done.all("%chalice send announce")
        assert re.search(HANDLED + r" *[0-9:.]+ INFO +OPENING: We open at nine", good)
        assert re.search(
            HANDLED + r" *[0-9:.]+ INFO +new object in/monday.csv in uploads, 5 bytes", done["%chalice send ingest"]
        )
        assert re.search(HANDLED + r" *[0-9:.]+ INFO +the time is \d{4}-", done["%chalice send every_hour"])
        assert re.search(rf"{MESSAGE}: failed.*\nerror in ", bad)
        assert re.search(r"AttributeError: .*'upper'\n +cell 6, line 3, in announce\n +app.log.info", bad)
        assert "OPENING: We open at nine" in done["%chalice logs announce"]
        assert "AttributeError" in done["%chalice logs announce"]
        assert "class Order:" in done["%chalice show price"]
        assert "def ingest" not in done["%chalice show price"]
        assert done["%chalice status"].count(" deployed ") == 4


def test_schedule(run):
    done = run("schedule")
    assert done["%chalice deploy"].count(":function:clock-dev-") == 5
    assert re.search(
        HANDLED + r" *[0-9:.]+ INFO +tick at \d{4}-.*rule clock-dev-tick-event", done["%chalice send tick"]
    )
    good, bad = done.all("%chalice send report")
    assert re.search(HANDLED + r" *[0-9:.]+ INFO +north: 33.3 % for each shop", good)
    assert re.search(r": failed.*\n.*\n +ZeroDivisionError.*\n +cell 3, line 7, in report\n +share = ", bad)
    assert "dropping rows of orders older than 30 days" in done["%chalice send clean_up"]
    assert "month's end" in done["%chalice send last_friday"]
    assert "attempt 3" in done["%chalice logs report"]
    assert "True done north: 12.5 %" in done["result ="]
    assert "Mon 04 Jan 2027 09:00 UTC" in done["from datetime"]
    assert done["from nbchalice import Cron"].count("- ") == 3
    assert ": 0 changes" in done["%chalice plan"]


def test_s3(run):
    for done in twice(run, "s3"):
        good, filtered, bad = done.all("%chalice send add_up")
        assert re.search(
            rf"{MESSAGE}: done.*\nok in (.*\n)+ *[0-9:.]+ INFO +in/my orders.csv \(27 bytes\): net is 14.50", good
        )
        assert re.search(rf"{MESSAGE}: dropped.*\n +add_up: the key does not end with .csv", filtered)
        assert "could not convert string to float: 'ten'" in bad
        assert re.search(r"cell 3, line 6, in add_up\n(.*\n)+ +cell 2, line 6, in total", bad)
        assert (
            "in/my+orders.csv\ninbox - INFO - ObjectRemoved:Delete: in/my orders.csv" in done["from nbchalice.testing"]
        )
        assert "ObjectRemoved:Delete: in/my orders.csv" in done["%chalice logs removed"]


def test_sns(run):
    done = run("sns")
    assert re.search(HANDLED + r" *[0-9:.]+ INFO +Weather \| Sunny, later rain", done["%chalice send archive"])
    good, filtered, bad = done.all("%chalice send alert")
    assert re.search(HANDLED + r" *[0-9:.]+ WARNING urgent \(strike\): Strike at the port", good)
    assert re.search(rf"{MESSAGE}: dropped.*\n +alert: its filter policy does not match", filtered)
    assert re.search(r"KeyError: 'headline'\n +cell 4, line 4, in alert\n +found = words_of", bad)
    assert re.search(HANDLED + r" *[0-9:.]+ INFO +for the front page: Nobel prize", done["%chalice send front_page"])
    assert done["%chalice logs archive"].count("ok in ") == 4
    previews = done["STORIES ="]
    assert previews.count("✓ alert") == 1 and previews.count("✗ alert: its filter policy does not match") == 2
    assert previews.count("✓ front_page") == 1
    assert "its filter policy does not match" in done["%chalice why alert"]
    assert "not as the notebook has it" not in done["%chalice why alert"]


def test_sqs(run):
    for done in twice(run, "sqs"):
        assert (
            "restock wants to see again: ['two', '3']\ntake_back wants to see again: ['two']" in done["import logging"]
        )
        assert "note: price: timeout 30 s, the visibility timeout of queue shop-orders" in done["%chalice deploy"]
        good, bad = done.all("%chalice send price")
        assert re.search(HANDLED + r" *[0-9:.]+ INFO +tea costs 12.00", good)
        assert re.search(r": failed.*\nerror in .*\n +KeyError: 'net'\n +cell 3, line 4, in price\n", bad)
        assert re.search(HANDLED + r" *[0-9:.]+ INFO +12 more", done["%chalice send restock"])
        assert re.search(HANDLED + r" *[0-9:.]+ INFO +account jones: 20", done["%chalice send pay"])
        assert done["%chalice logs take_back"].count(" back") == 10
        failed = done["%chalice send take_back"]
        assert re.search(r": failed.*\nerror in .*\n +ValueError: invalid literal", failed)
        assert re.search(r"cell 5, line 3, in take_back\n +app.log.info", failed)


@pytest.mark.slow
def test_idempotency(run):
    for done in twice(run, "idempotency"):
        careless, careful = done["%chalice send charge --twice"], done["%chalice send charge_once --twice"]
        assert "2 of 2: 2 done; 2 invocations" in careless and "2 of 2: 2 done; 2 invocations" in careful
        assert "both runs logged the same" in careless and careless.count("charged 20 for payment A-1") == 2
        assert "did not log again: charged 20 for payment A-1" in careful
        assert len(re.findall("INFO +charged 20 for payment A-1", careful)) == 1
        assert careful.count("payment A-1: {'charged': '20'}") == 2
        assert "INFO    charged 20 for payment A-2" in done['%chalice send charge_once --message \'{"id": "A-2"']
        assert "ValueError: nobody pays 0" in done['%chalice send charge_once --message \'{"id": "A-3"']
        assert done["for item in"].count('COMPLETED {"charged": "20"}') == 2
        assert done['dynamodb.scan(TableName=TABLE)["Count"]'] == "2"
