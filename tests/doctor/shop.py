"""An app with the sources that most have, on somebody's queue, topic and bucket."""

from dataclasses import replace

from ..deploy.harness import app, handler, s3, schedule, sns, sqs, unique

ACCOUNT = "000000000000"
NAME, PLACE = unique("least"), unique("place")
DLQ = f"{PLACE}-dead"


def shop(*, edited=False):
    """An app with every source of the first release, before and after an edit of all that can be edited."""
    common = {} if edited else {"tag": {"team": "a"}}
    made = [
        handler("tick", schedule("cron(0 9 ? * * *)", timezone="Europe/Vienna" if edited else "UTC"), **common),
        handler("hourly", schedule("rate(2 hours)" if edited else "rate(1 hour)"), **common),
        handler("ingest", s3(PLACE, prefix="in/", suffix=".csv"), **common),
        handler("announce", sns(PLACE, filter_policy={"kind": ["a" if edited else "b"]}), **common),
        handler("price", sqs(PLACE, batch_size=2 if edited else 1), timeout=9 if edited else 8, dlq=DLQ, **common),
        handler("ready", ("lambda_function", {}), reserved_concurrency=None if edited else 1, dlq=DLQ, **common),
    ]
    if edited:
        made[2] = replace(made[2], settings={"log_retention": 7})
    return app(NAME, *made)
