"""The notebooks that begin with an everyday need, executed from top to bottom: most of them need other packages."""

import re

import pytest

from .notebook_runs import HANDLED, run, twice

pytestmark = pytest.mark.slow
NAMES = ["dead_letters", "fan_out", "moving", "parquet", "records", "report", "scoring"]
__all__ = ["run"]


def test_csv_becomes_parquet(run):
    done = run("parquet")
    assert "pyarrow" in done["%chalice deploy"]
    assert "may invoke itself" not in done["%chalice deploy"] and "its role needs" not in done["%chalice deploy"]
    told = done["%chalice send convert"]
    assert re.search(HANDLED + r" *[0-9:.]+ INFO +parquet/2026-11-02.parquet: 400 rows, \d+ to \d+ bytes", told)
    assert re.search(r"29 invocations, 0 errors.*\n +cost: ", done["%chalice metrics convert"])
    table = done["listed ="]
    assert "sandwich" in table and table.count("\n") == 4
    assert re.search(r": failed(.*\n)+ +ValueError: .*'two'\n +cell 4, line \d+, in convert", done["wrong ="])


def test_a_model_scores_letters(run):
    done = run("scoring")
    assert re.search(r"accuracy +(1.00|0.9\d)", done["from sklearn"])
    assert "format        joblib" in done["%chalice bundle model"]
    angry, calm = done.all("%chalice send score")
    assert re.search(HANDLED + r" *[0-9:.]+ WARNING \d\d % read this first: Good evening, the vase came broken", angry)
    assert re.search(HANDLED + r" *[0-9:.]+ INFO +\d+ % Hello, the vase fits well", calm)
    scores = [int(score) for score in re.findall(r"^ *(\d+) %", done["for record in sorted"], re.MULTILINE)]
    assert len(scores) == 10 and scores == sorted(scores, reverse=True)


def test_a_report_is_drawn_and_an_edit_rolled_back(run):
    done = run("report")
    assert "matplotlib" in done["%chalice deploy"]
    for told in done.all("%chalice send report"):
        assert re.search(HANDLED + r"(.*\n)*? *[0-9:.]+ INFO +reports/\d{4}-\d\d-\d\d.png: 14 days, \d+ EUR", told)
    assert len([one for one in done.pictures if len(one) > 10_000]) == 2
    assert "version 2 -> 1" in done["%chalice rollback report"]
    assert re.search(r"report +changed +1 ", done["%chalice status"])


def test_dead_letters_are_mended(run):
    done = run("dead_letters")
    assert re.search(r"4711 done\n+4712 failed\n+4713 done\n+4714 failed\n", done["invoices ="])
    found, moved, empty = done.all("%chalice dlq enter")
    assert "2 messages in dead-letter queue invoices-failed" in found
    assert "2 put back" in moved and "0 messages in dead-letter queue" in empty
    assert "enter: 4 events" in done["events ="]
    edited = done.all("%%on_sqs_message invoices-in")[1]
    assert re.search(r"state +changed", edited), "not deployed yet"
    replayed = done["%chalice replay enter"]
    assert "4 events replayed here, 2 with another outcome" in replayed
    assert "+ INFO  invoice 4712 of Hotel Post: 1234.50 EUR" in replayed
    assert done["%chalice logs enter"].count("invoice 4712 of Hotel Post: 1234.50 EUR") == 1


def test_a_batch_fails_in_part(run):
    for done in twice(run, "records"):
        assert "gets      Reading" in done["%%on_sqs_message"]
        assert "meter A-17: 0.4 kWh by night, 0.09 EUR" in done["sent ="]
        log = done["%chalice logs book"]
        assert log.count("kWh by day") >= 8
        assert "at wants a time such as" in log and "not 'noon'" in log
        assert "meter B-1 runs backwards: -2.5 kWh" in log
        assert "partial in" in log or "error in" in log


def test_one_upload_does_two_jobs(run):
    done = run("fan_out")
    assert done["%chalice logs add_to_list"].count(" bytes, by ") == 3
    checked = done["%chalice logs check_size"]
    assert checked.count("can be printed") == 2 and checked.count("is too small to print") == 1
    assert "is no longer live" in done["%chalice live check_size --stop"]
    assert re.search(r"check_size: \d events?\b(.*\n)+.* live .* ok here ", done["%chalice events check_size"])
    assert re.search(r"check_size +changed", done["%chalice status"])


def test_a_chalice_app_moves_over(run):
    done = run("chalice_app/moving")
    cards = done["@app.on_sqs_message"]
    assert "timeout 20 s, memory 256 MB, env BEGIN_WITH" in cards
    assert "@app.route on stock is not deployed" in done["%chalice deploy"]
    assert "comes along" not in done["%chalice deploy"]
    assert re.search(HANDLED + r" *[0-9:.]+ INFO +spoon: 14 on the shelf", done["%chalice send move"])
    assert re.search(HANDLED + r" *[0-9:.]+ INFO +a new count: november.txt", done["%chalice send counted"])
    assert re.search(HANDLED + r" *[0-9:.]+ INFO +depot closes at six", done["%chalice send evening"])
