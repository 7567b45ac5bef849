"""Lists that answer for many questions about single things: what is not on a whole list does not stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbchalice.typed import JSON


@dataclass(frozen=True)
class Listing:
    """The list that has all things of a kind, and the questions about one of them.

    Parameters
    ----------
    service, operation : str
        What lists them.
    items, name : str
        Where the answer has them, and where one of them has what it is called in questions.
    goes_on : str
        What an answer has, or has as true, that is not the whole list.
    asked : Mapping[str, str]
        The parameter that names one of them, by the operation that asks for it.
    code : str
        What the service answers for one that does not stand.
    arguments : JSON
        With what is listed.
    along : tuple[str, ...]
        Parameters of a question that the list takes, too.
    few : int
        How many are asked for one by one.
    only_local : bool
        Whether only the local AWS is asked for the list. There a call costs time of the processor, so that many take
        long; on AWS it costs the way, which many calls side by side go at once, and a permission.
    """

    service: str
    operation: str
    items: str
    name: str
    goes_on: str
    asked: Mapping[str, str]
    code: str
    arguments: JSON = field(default_factory=dict)
    along: tuple[str, ...] = ()
    few: int = 5
    only_local: bool = True

    def names(self, answer: JSON) -> set[str] | None:
        """Return what stands, or None where the answer is not the whole list."""
        if answer.get(self.goes_on):
            return None
        items = answer.get(self.items) or []
        return {one[self.name] if self.name else one.rpartition("/")[2] for one in items}


LISTINGS = (
    Listing(
        "iam", "list_roles", "Roles", "RoleName", "IsTruncated",
        {"get_role": "RoleName"}, "NoSuchEntity", {"MaxItems": 1000}, few=8, only_local=False,
    ),
    Listing(
        "lambda", "list_functions", "Functions", "FunctionName", "NextMarker",
        {"get_function": "FunctionName"}, "ResourceNotFoundException", {"MaxItems": 1000},
    ),
    Listing(
        "s3", "list_buckets", "Buckets", "Name", "ContinuationToken",
        {"head_bucket": "Bucket", "get_bucket_notification_configuration": "Bucket"}, "NoSuchBucket",
    ),
    Listing(
        "sns", "list_topics", "Topics", "TopicArn", "NextToken",
        {"get_topic_attributes": "TopicArn", "list_subscriptions_by_topic": "TopicArn"}, "NotFound",
    ),
    Listing("sqs", "list_queues", "QueueUrls", "", "NextToken", {"get_queue_url": "QueueName"}, "QueueDoesNotExist"),
    Listing(
        "events", "list_rules", "Rules", "Name", "NextToken",
        {"describe_rule": "Name"}, "ResourceNotFoundException", along=("EventBusName",),
    ),
)  # fmt: skip


def listing_of(service: str, operation: str, arguments: Mapping[str, Any]) -> tuple[Listing, str] | None:
    """Return the list that may answer a question, and what it is asked about, or None where there is no such list."""
    for one in LISTINGS:
        parameter = one.asked.get(operation) if one.service == service else None
        if parameter is not None:
            return one, str(arguments[parameter])
    return None
