"""How often Lambda tries asynchronous events, and where it reports those that failed for good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, FunctionRef, Key, Preflight, Problem, Resource, key_of, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.resources.queue import Queue, QueueRef
from nbchalice.resources.topic import Topic
from nbchalice.typed import JSON

# Lambda: "Capturing records of Lambda asynchronous invocations", required permissions.
ACTIONS = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
    "s3": "s3:PutObject",
}

KEPT = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


def permissions_to(arn: str) -> list[JSON]:
    """Return the statements that let the function's role hand an event to a queue, topic or the like."""
    service = Arn.parse(arn).service
    if service == "s3":
        # Lambda looks whether the bucket is there.
        listed = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn}
        return [{"Effect": "Allow", "Action": ACTIONS[service], "Resource": f"{arn}/*"}, listed]
    return [{"Effect": "Allow", "Action": ACTIONS[service], "Resource": arn}]


@dataclass(frozen=True)
class Destination(Resource):
    """What becomes of the function's asynchronous events (Lambda: PutFunctionEventInvokeConfig).

    Parameters
    ----------
    function : FunctionRef
        The function.
    on_failure : str
        ARN of the queue, topic, function, event bus or bucket; empty for none.
    retries, max_age : int or None
        Tries after the first, and seconds after which an event is given up; None for what stands.
    """

    kind: ClassVar[str] = "event invoke config"
    function: FunctionRef
    on_failure: str = ""
    retries: int | None = None
    max_age: int | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.name

    @property
    def needs(self) -> frozenset[Key]:
        """The function, and the queue."""
        return frozenset({key_of("function", self.function.name), key_of("queue", self.on_failure.rsplit(":", 1)[-1])})

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        names = ["GetFunctionEventInvokeConfig"]
        names += (
            ["PutFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig"]
            if self.on_failure or self._limits()
            else []
        )
        return [Grant(tuple(f"lambda:{name}" for name in names), (self.function.arn,))]

    def read(self, aws: AWS) -> JSON | None:
        """Return the settings for asynchronous events; none where none are wanted, so that nothing is made."""
        with or_missing():
            answer: JSON = dict(aws.client("lambda").get_function_event_invoke_config(FunctionName=self.function.name))
            return {name: answer[name] for name in KEPT if answer.get(name) is not None}
        return None if self.on_failure or self._limits() else {}

    def _limits(self) -> dict[str, int]:
        """Return what is asked for of tries and age, as Lambda names it."""
        given = {"MaximumRetryAttempts": self.retries, "MaximumEventAgeInSeconds": self.max_age}
        return {name: value for name, value in given.items() if value is not None}

    def differences(self, current: JSON) -> list[str]:
        """Compare the destination, and what is asked for of tries and age; other settings are not ours."""
        now = _on_failure(current)
        reasons = (
            []
            if now == self.on_failure
            else [f"on-failure destination: {now or 'none'} -> {self.on_failure or 'none'}"]
        )
        for name, wanted in self._limits().items():
            if current.get(name) != wanted:
                reasons.append(f"{name}: {'default' if current.get(name) is None else current[name]} -> {wanted}")
        return reasons

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Set it, or take it away; other settings of asynchronous events stay."""
        client = aws.client("lambda")
        settings: JSON = {**(current or {}), **self._limits()}
        others = {name: to for name, to in settings.pop("DestinationConfig", {}).items() if name != "OnFailure" and to}
        destinations = {**others, "OnFailure": {"Destination": self.on_failure}} if self.on_failure else others
        if not settings and not destinations:
            with or_missing():
                client.delete_function_event_invoke_config(FunctionName=self.function.name)
            return
        settings["DestinationConfig"] = destinations
        client.put_function_event_invoke_config(FunctionName=self.function.name, **settings)

    def delete(self, aws: AWS, current: object) -> None:
        """Nothing: it goes with the function."""


def preflight(aws: AWS, arns: Iterable[str]) -> Preflight:
    """Look whether the queues and topics that failed events go to exist; on the local AWS a deploy makes queues."""
    problems = []
    for arn in arns if not aws.local else ():
        parts = Arn.parse(arn)
        service, region, name = parts.service, parts.region, parts.name
        things: dict[str, Resource] = {"sqs": Queue(QueueRef(name, region, parts.account, aws.partition))}
        things["sns"] = Topic(arn)
        if service in things and things[service].read(aws) is None:
            kind = things[service].kind
            option = "queue-name" if service == "sqs" else "name"
            hint = f"aws {service} create-{kind} --{option} {name} --region {region}"
            problems.append(Problem(f"{kind} {name} for failed events does not exist in {region}", hint))
    return Preflight(problems)


def _on_failure(current: JSON) -> str:
    return str((current.get("DestinationConfig", {}).get("OnFailure") or {}).get("Destination", ""))
