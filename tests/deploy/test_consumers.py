"""Handlers of one app that read the same queue take each other's messages: plan and deploy say so."""

import pytest

from .harness import app, arn, deploy, handler, plan, s3, sns, sqs


def both(queue):
    return f"a and b both read queue {queue}: each message goes to only one of them"


@pytest.mark.parametrize(
    ("handlers", "expected"),
    [
        (lambda q: [handler("a", sqs(q)), handler("b", sqs(q))], both),
        (lambda q: [handler("a", sqs(q)), handler("b", sqs(None, queue_arn=arn("sqs", q)))], both),
        (lambda q: [handler("a", sqs(q, filter={"body": {"n": [1]}})), handler("b", sqs(q))], both),
        (lambda q: [handler("a", sqs(q)), handler("b", sqs(q)), handler("c", sqs(q))],
         lambda q: f"a, b and c all read queue {q}: each message goes to only one of them"),
        (lambda q: [handler("a", sqs(q)), handler("b", sqs(f"{q}-other"))], None),
        (lambda q: [handler("a", sns(q)), handler("b", sns(q)), handler("c", s3(q, prefix="x/"))], None),
    ],
)  # fmt: skip
def test_a_plan_names_competing_consumers(connection, place, name, handlers, expected):
    made = app(name, *handlers(place.queue))
    notes = [note for note in plan(made, connection).notes if "read queue" in note]
    assert notes == ([expected(place.queue)] if expected else [])


def test_a_deploy_names_them_too(connection, place, name):
    made = app(name, handler("a", sqs(place.queue)), handler("b", sqs(place.queue)))
    assert both(place.queue) in deploy(made, connection).plan.notes
