"""The least policy of who deploys an app, looks at it, sends events to it and deletes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from nbchalice.deploy.desired import App, dead_letters, desired, is_made, targets, triggers
from nbchalice.deploy.package import Package
from nbchalice.events.live import can_be_live
from nbchalice.events.triggers import Route
from nbchalice.handlers import Handler
from nbchalice.resources.base import AWS, FunctionRef
from nbchalice.resources.grants import Grant
from nbchalice.typed import JSON, Values

# What a statement is called, and what it says.
Named = tuple[str, Grant]
# Each is asked for all that stands; AWS has no narrower resource for it, or its names are not known beforehand.
LOOK = (
    "iam:ListRoles", "lambda:GetAccountSettings", "lambda:ListEventSourceMappings", "lambda:ListLayers",
)  # fmt: skip
WHY = "WhyNothingHappened"
"""Without it `send` does not tell what hinders an event, nor `metrics` what was throttled; nothing else needs it."""
LIVE_ACTIONS = (
    "CreateQueue", "DeleteMessage", "DeleteQueue", "GetQueueAttributes", "GetQueueUrl", "ListQueueTags",
    "ReceiveMessage", "SetQueueAttributes", "TagQueue",
)  # fmt: skip
LETTER_ACTIONS = (
    "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage",
    "StartMessageMoveTask",
)  # fmt: skip


def policy_of(app: App, packages: Mapping[str, Package], aws: AWS) -> JSON:
    """Return the policy document.

    What is the app's own, such as functions and roles, is named by the app and the stage, so that a handler may be
    added or removed; queues, topics, buckets and the like are named one by one.

    Parameters
    ----------
    app : App
        The app.
    packages : Mapping[str, Package]
        The code of its handlers: layers and large files need more.
    aws : AWS
        The account and region.
    """
    return document(grants_of(app, packages, aws))


def grants_of(app: App, packages: Mapping[str, Package], aws: AWS) -> list[Named]:
    """Return all grants, each with what its statement is called."""
    names = sorted((app.ref(aws, handler.name).name for handler in app.handlers), key=len, reverse=True)
    every = app.ref(aws, "*").name

    def widened(grant: Grant) -> Grant:
        return _replaced(grant, names, every) if grant.own else grant

    groups = app.ref(aws, "").arn_of("logs", "log-group:*")
    grants: list[Named] = [
        ("Look", Grant(LOOK, ("*",))),
        ("Look", Grant(("logs:DescribeLogGroups",), (groups,))),
    ]
    for resource in desired(app, packages, aws).values():
        grants += [(_sid(resource.kind), widened(grant)) for grant in resource.grants]
    for handler in app.handlers:
        grants += _of_handler(handler, app.ref(aws, handler.name), aws)
    why = (
        "cloudwatch:GetMetricStatistics", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:SimulateCustomPolicy",
        "kms:DescribeKey",
    )  # fmt: skip
    concurrency = Grant(("lambda:GetFunctionConcurrency",), (app.ref(aws, "*").arn,))
    return [*grants, (WHY, Grant(why, ("*",))), (WHY, concurrency)]


def _of_handler(handler: Handler, ref: FunctionRef, aws: AWS) -> Iterator[Named]:
    """Yield what a handler's sources and dead letters need."""
    live = ref.arn_of("sqs", f"{ref.app}-{ref.stage}-*-live-*")
    for source, options, own in triggers(handler, ref):
        if not is_made(source, aws):
            continue
        for grant in source.grants(options, own):
            yield _sid(source.title), grant
        if can_be_live(Route(source, options, own)):
            yield "Live", Grant(("sqs:ListQueues",), ("*",))
            yield "Live", Grant(tuple(f"sqs:{name}" for name in LIVE_ACTIONS), (live,))
    for arn in dict.fromkeys([*targets(handler, ref), dead_letters(handler, ref)]):
        if ":sqs:" in arn:
            yield "DeadLetters", Grant(tuple(f"sqs:{name}" for name in LETTER_ACTIONS), (arn,))
        elif ":sns:" in arn:
            yield "DeadLetters", Grant(("sns:GetTopicAttributes",), (arn,))
    if group := handler.setting("log_group"):
        arn = ref.arn_of("logs", f"log-group:{group}")
        yield "SharedLogGroup", Grant(("logs:FilterLogEvents",), (arn, f"{arn}:*"))
    if role := handler.setting("role"):
        yield "Roles", Grant(("iam:PassRole",), (str(role),))


def _replaced(grant: Grant, names: Iterable[str], every: str) -> Grant:
    """Return a grant for all functions of the app, in place of one."""

    def wide(text: str) -> str:
        for name in names:
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w])", every, text)
            # Where a service takes no dashes: arn:...:rule/shop_dev_price_event
            text = re.sub(rf"(?<![\w-]){re.escape(_without_dashes(name))}(?![^\W_])", _without_dashes(every), text)
        return text.replace("**", "*")

    condition = (*grant.condition[:2], wide(grant.condition[2])) if grant.condition else None
    return Grant(grant.actions, tuple(map(wide, grant.resources)), condition, grant.own)


def _without_dashes(name: str) -> str:
    return name.replace("-", "_")


def _sid(kind: str) -> str:
    """Return a statement's name: letters and digits only (IAM: Sid)."""
    return "".join(word.capitalize() if word.islower() else word for word in re.findall(r"[A-Za-z0-9]+", kind))


def document(grants: Iterable[Named]) -> JSON:
    """Return grants as a policy document: those for the same things are one statement."""
    actions: dict[tuple[str, tuple[str, ...], object], dict[str, None]] = {}
    for sid, grant in grants:
        actions.setdefault((sid, grant.resources, grant.condition), {}).update(dict.fromkeys(grant.actions))
    places: dict[tuple[str, tuple[str, ...], object], dict[str, None]] = {}
    for (sid, resources, condition), names in actions.items():
        places.setdefault((sid, tuple(sorted(names)), condition), {}).update(dict.fromkeys(resources))
    statements = [_statement(*key, list(resources)) for key, resources in places.items()]
    return {"Version": "2012-10-17", "Statement": _numbered(statements)}


def _statement(sid: str, actions: tuple[str, ...], condition: object, resources: list[str]) -> JSON:
    statement: JSON = {"Sid": sid, "Effect": "Allow", "Action": list(actions)}
    statement["Resource"] = resources[0] if len(resources) == 1 else sorted(resources)
    if isinstance(condition, tuple):
        operator, key, value = condition
        statement["Condition"] = {operator: {key: value}}
    return statement


def _numbered(statements: list[JSON]) -> list[JSON]:
    """Give each statement a name of its own, as IAM wants it."""
    seen: dict[str, int] = {}
    for statement in statements:
        sid = statement["Sid"]
        seen[sid] = seen.get(sid, 0) + 1
        statement["Sid"] = sid if seen[sid] == 1 else f"{sid}{seen[sid]}"
    return statements


def lines_of(policy: Values) -> list[tuple[str, JSON]]:
    """Return each action of a policy with the statement that allows it."""
    lines = []
    for statement in policy["Statement"]:
        lines += [(action, statement) for action in statement["Action"]]
    return lines
