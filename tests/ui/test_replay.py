"""`%chalice replay`: events that came, handled once more by the cell as it is now; nothing is sent."""

import json
import subprocess
import sys
import threading

import boto3
import pytest

from nbchalice import operations
from nbchalice.cli import code_of
from nbchalice.errors import InvalidInputError
from nbchalice.events.as_test import write_test
from nbchalice.events.no_aws import NoAWSError, Refused
from nbchalice.events.past import Answer, PastEvent
from nbchalice.events.replay import Replay
from nbchalice.notebook_file import read_project

from ..notebooks import write

pytestmark = pytest.mark.local_aws

CELL = """%%on_sqs_message {name} --report-failures
def price(event):
    for record in event:
        app.log.info("costs %s", float(record.body))
"""
EDITED = """%%on_sqs_message {name} --report-failures
def price(event):
    for record in event:
        app.log.info("costs %s", 2 * float(record.body or 1))
"""


def sends(run, *texts):
    return [run(f"%chalice send price --message {text}").message_id for text in texts]


def calls(run):
    return len(run.notebook.connect().calls)


def test_the_cell_as_it_is_now_handles_the_events_that_came(deployed, name):
    good, bad = sends(deployed, "5", "five")
    same = deployed("%chalice replay price --all")
    assert [one.event.id for one in same.replays] == [good, bad] and same.changed == []
    deployed(EDITED.format(name=name))
    before = len(deployed.notebook.connect().writes)
    told = deployed(f"%chalice replay price --event {good[:9]}")
    (one,) = told.replays
    assert one.before.log == ("INFO  costs 5.0",) and one.now.log == ("INFO  costs 10.0",)
    assert one.changes == ("log",) and one.before.duration_ms is not None and one.now.duration_ms is not None
    assert "  - INFO  costs 5.0\n  + INFO  costs 10.0" in told.text and told.ok
    assert "- INFO  costs 5.0" in told.html and "+ INFO  costs 10.0" in told.html and "no event was sent" in told.html
    assert len(deployed.notebook.connect().writes) == before


def test_what_fails_now_is_shown_with_its_line(deployed, name):
    sends(deployed, "5")
    deployed(CELL.format(name=name).replace("float(record.body)", "1 / 0"))
    told = deployed("%chalice replay price")
    (one,) = told.replays
    assert not told.ok and one.changes == ("status", "log") and one.invocation.error.type == "ZeroDivisionError"
    assert "line 4, in price" in told.text and "ZeroDivisionError" in told.html


def test_what_is_returned_is_compared_where_it_is_known(run, name):
    run("%%lambda_function\ndef price(event):\n    return event['n']")
    run("%chalice deploy")
    run("""%chalice send price --direct --message '{"n": 1}'""")
    assert run("%chalice replay price").changed == []
    run("%%lambda_function\ndef price(event):\n    event['n'] += 1\n    return event['n']")
    (one,) = run("%chalice replay price").replays
    assert one.changes == ("result",) and one.event.event == {"n": 1}
    assert (one.before.result, one.now.result) == (1, 2)


def test_an_answer_that_json_has_not_is_kept_as_text(run, name):
    run("from decimal import Decimal")
    run(
        "%%lambda_function\ndef price(event):\n    here = [Decimal('1.5'), {(1, 2): 'x'}]\n    here.append(here)\n    return here"
    )
    run("%chalice deploy")
    run("%chalice send price")
    (one,) = run("%chalice replay price").replays
    assert one.now.result == "[Decimal('1.5'), {(1, 2): 'x'}, [...]]" and json.dumps(one.to_dict())


def test_records_that_fail_are_compared(deployed, name):
    sends(deployed, "5")
    fails = "def price(event):\n    return {'batchItemFailures': [{'itemIdentifier': r.message_id} for r in event]}"
    deployed(f"%%on_sqs_message {name} --report-failures\n{fails}")
    (one,) = deployed("%chalice replay price").replays
    assert one.changes == ("status", "failed records", "log") and one.now.failed == (one.event.id,)


def test_calls_of_aws_are_refused_before_they_are_sent(deployed, name):
    sends(deployed, "5")
    deployed("import boto3")
    deployed(
        f"%%on_sqs_message {name}\ndef price(event):\n"
        "    s3 = boto3.client('s3', endpoint_url='http://127.0.0.1:9', aws_access_key_id='a', aws_secret_access_key='b')\n"
        "    try:\n        s3.list_buckets()\n    except Exception as error:\n        print(error)\n"
        "    s3.put_object(Bucket='reports', Key='1.txt', Body=b'')\n"
    )
    told = deployed("%chalice replay price --no-aws")
    (one,) = told.replays
    assert one.refused == ("S3 ListBuckets", "S3 PutObject") and not told.ok
    assert "the handler called S3 PutObject (Bucket reports, Key 1.txt), which was not sent" in one.now.error
    assert "not sent (--no-aws): S3 ListBuckets, S3 PutObject" in told.text and "S3 PutObject" in told.html


def test_only_within_the_call_and_never_of_nbchalice_itself(run):
    own = run.notebook.connect().client("sqs")
    made = boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1")
    other, refused, seen = made.client("sqs", endpoint_url="http://127.0.0.1:9"), Refused(), []

    def call():
        with pytest.raises(NoAWSError, match="SQS ListQueues, which was not sent"):
            other.list_queues()
        seen.append(own.list_queues()["ResponseMetadata"]["HTTPStatusCode"])

    with refused.refusing():
        call()
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
    assert seen == [200, 200] and refused.calls == ["SQS ListQueues"] * 2
    with pytest.raises(Exception, match=r"127\.0\.0\.1:9"):
        other.list_queues()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "no event of price is known with its content"),
        ("--all", "no event of price is known with its content"),
        ("--event 1 --all", "--event and --all are two choices"),
        ("--event 1", "no event has an id that begins or ends with '1'"),
        ("--save-test test_price.py", "which is not saved"),
    ],
)
def test_what_cannot_be_replayed_is_refused(deployed, words, message):
    assert message in str(deployed.error(f"%chalice replay price {words}"))


def test_an_event_that_is_not_known_is_refused(deployed, name):
    sends(deployed, "AKIA" + "IOSFODNN7EXAMPLA")
    (one,) = deployed("%chalice events price")
    error = deployed.error(f"%chalice replay price --event {one.id}")
    assert "is not known: it was not kept: it holds what looks like an AWS access key id" in str(error)


def test_an_event_becomes_a_saved_event(deployed):
    sends(deployed, "5")
    told = deployed("%chalice replay price --save five")
    assert "saved as five.json: %chalice send price --saved five" in told.text
    assert deployed("%chalice send price --saved five").ok
    deployed("%chalice send price --message 6")
    assert "--save keeps one record" in str(deployed.error("%chalice replay price --all --save both"))


def test_events_become_tests_that_pass_and_tell_a_change(deployed, name, tmp_path, monkeypatch):
    notebook = write(tmp_path / "shop.ipynb", ["%load_ext nbchalice", f"%chalice app {name}", CELL.format(name=name)])
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    sends(deployed, "5", "five")
    assert code_of(["replay", str(notebook), "price", "--all", "--here", "--save-test", "tests/test_price.py"]) == 1
    path = tmp_path / "tests" / "test_price.py"
    text = path.read_text()
    assert text.count("def test_event_") == 2 and "NOTEBOOK = Path(__file__).parent / '../shop.ipynb'" in text
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "2 passed" in run.stdout, run.stdout + run.stderr
    write(notebook, ["%load_ext nbchalice", f"%chalice app {name}", CELL.format(name=name).replace("float", "str")])
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "1 failed, 1 passed" in run.stdout, run.stdout + run.stderr


def test_no_test_is_written_over_somebody_elses_nor_of_a_credential(tmp_path):
    event = PastEvent("1", 1, "dead letter", "", {"Records": [{"body": "AKIA" + "IOSFODNN7EXAMPLA"}]})
    replays = [Replay(event, Answer("ok", "here", has_result=True)), Replay(event, Answer("ok"), ("S3 GetObject",))]
    path = tmp_path / "test_price.py"
    told = write_test(path, tmp_path / "shop.ipynb", "price", "dev", replays)
    assert told == ["event 1 has no test: it called AWS, which --no-aws refused"] or "access key" in told[0]
    assert "IOSFODNN7" not in path.read_text()
    path.write_text("def test_mine(): pass")
    with pytest.raises(InvalidInputError, match="a file is there that was not written so"):
        write_test(path, tmp_path / "shop.ipynb", "price", "dev", replays)


def test_events_can_be_called_for_from_python(deployed, name, tmp_path):
    (sent,) = sends(deployed, "5")
    assert [one.id for one in deployed("app.events('price')")] == [sent]
    assert deployed(f"app.replay('price', event={sent!r}, no_aws=True)").ok
    assert not deployed("app.why(price)").why.is_blocked
    cells = [
        "%chalice app " + name,
        CELL.format(name=name),
        "events = app.events('price')",
        "app.replay('price', all=True)",
    ]
    path = write(tmp_path / "shop.ipynb", cells)
    project = read_project(path)
    assert list(operations.verified_packages(project)) == ["price"]
    assert "events(" not in project.slice(project.handler("price")).module


def test_a_shell_runs_it_only_where_that_is_wanted(deployed, name, tmp_path, capsys):
    path = write(tmp_path / "shop.ipynb", ["%load_ext nbchalice", f"%chalice app {name}", CELL.format(name=name)])
    sends(deployed, "5")
    capsys.readouterr()
    assert code_of(["replay", str(path), "price"]) == 2
    assert "add --here, or run %chalice replay price in the notebook" in capsys.readouterr().err
    assert code_of(["replay", str(path), "price", "--here", "--no-aws", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["replays"]
    assert one["changes"] == [] and one["now"]["log"] == ["INFO  costs 5.0"] and one["now"]["where"] == "here"
