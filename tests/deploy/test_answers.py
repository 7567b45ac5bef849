"""A plan tells which handlers report failed records to nobody."""

from dataclasses import replace

import pytest

from nbchalice.deploy.check import answer_notes
from nbchalice.packaging.handler import reports_failures

from .harness import app, handler, package

STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x"


@pytest.mark.parametrize(
    ("source", "options", "todo"),
    [
        ("on_sqs_message", {"queue": "orders"}, "add --report-failures"),
        ("on_sqs_message", {"queue": "orders", "report_failures": True}, None),
        ("on_sqs_message", {"queue": "orders", "per_record": True}, None),
        ("on_kinesis_record", {"stream": "s"}, "add --report-failures"),
        ("on_dynamodb_record", {"stream_arn": STREAM}, "add --report-failures"),
        ("on_sns_message", {"topic": "t"}, "let the function raise an exception instead"),
        ("lambda_function", {}, None),
    ],
)
def test_a_trigger_that_does_not_ask_is_told(source, options, todo):
    made = app("shop", handler("price", (source, options)))
    notes = answer_notes(made, {"price": replace(package(), reports_failures=True)})
    assert [note.rpartition("; ")[2] for note in notes] == ([todo] if todo else [])
    assert all("price: its code reports failed records (batchItemFailures), which Lambda ignores" in n for n in notes)
    assert answer_notes(made, {"price": package()}) == []


@pytest.mark.parametrize(
    ("source", "reports"),
    [
        ("def f(e):\n    return {'batchItemFailures': []}", True),
        ("KEY = 'batchItemFailures'\n", True),
        ("def f(e):\n    return dict(batchItemFailures=[])", True),
        ("from aws_lambda_powertools.utilities.batch import BatchProcessor", True),
        ("from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse", True),
        ("from aws_lambda_powertools.utilities import batch as b", True),
        ("def f(e):\n    import aws_lambda_powertools.utilities.batch", True),
        ("from aws_lambda_powertools.utilities.batch_v2 import x", False),
        ("from aws_lambda_powertools import Logger", False),
        ("# batchItemFailures\ndef f(e):\n    'Returns no batchItemFailures.'", False),
        ("def broken(", False),
    ],
)
def test_what_counts_as_reporting(source, reports):
    assert reports_failures(source) is reports
