"""What the local AWS is about to make for a name that looks like a misspelling of one that is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from nbchalice.deploy.plan import Change
from nbchalice.resources.base import AWS
from nbchalice.text import likeliest

# difflib's measure: one letter more, less or other, of ten.
LIKE = 0.87


def misspelled(changes: Iterable[Change], aws: AWS) -> list[str]:
    """Return a line for each queue, topic or bucket that a plan makes, and whose name is nearly one that stands.

    On real AWS nothing is made for a name: there a missing queue, topic or bucket is an error.

    Parameters
    ----------
    changes : Iterable[Change]
        Those of the plan.
    aws : AWS
        Where it is for.
    """
    made = [change.resource for change in changes if change.action == "create" and change.resource.kind in NAMES]
    if not made or not aws.local:
        return []
    standing = {kind: NAMES[kind](aws) for kind in {one.kind for one in made}}
    lines = []
    for one in made:
        if meant := _meant(one.name, standing[one.kind]):
            lines.append(f"there is no {one.kind} {one.name}, and a deploy makes it; did you mean {meant}?")
    return lines


def _meant(name: str, standing: Iterable[str]) -> str:
    """Return the name that was probably meant; those that differ by a number only are two on purpose."""
    others = [one for one in standing if _without_numbers(one) != _without_numbers(name)]
    return likeliest(name, others, LIKE)


def _without_numbers(name: str) -> str:
    return re.sub(r"\d", "", name).strip("-_.")


def _queues(aws: AWS) -> list[str]:
    urls = aws.client("sqs").get_paginator("list_queues").paginate().build_full_result().get("QueueUrls", [])
    return [url.rpartition("/")[2] for url in urls]


def _topics(aws: AWS) -> list[str]:
    topics = aws.client("sns").get_paginator("list_topics").paginate().build_full_result().get("Topics", [])
    return [topic["TopicArn"].rpartition(":")[2] for topic in topics]


def _buckets(aws: AWS) -> list[str]:
    return [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]]


NAMES: Mapping[str, Callable[[AWS], list[str]]] = {"queue": _queues, "topic": _topics, "bucket": _buckets}
