"""Why nothing has taken up an event that was sent, from what stands on AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from nbchalice.deploy.desired import is_made
from nbchalice.events.leases import leases
from nbchalice.events.preview import doubt, why_dropped
from nbchalice.events.triggers import Route
from nbchalice.logs.tail import recent
from nbchalice.names import LONGEST_RUN
from nbchalice.resources.base import AWS, Resource, or_missing
from nbchalice.text import counted
from nbchalice.typed import JSON, Values

AGAIN = "deploy, and send it again"
UNKNOWN = "no invocation has taken it up yet, and nothing on AWS says why; look later with the logs of the function"


def blocked(aws: AWS, route: Route, values: Values) -> str:
    """Return why waiting is in vain, or an empty text where it may help, or AWS does not tell."""
    return _first([lambda: function_blocks(aws, route), lambda: trigger_blocks(aws, route, values)])


def why_idle(aws: AWS, route: Route, values: Values) -> str:
    """Return in one sentence why nothing has taken up an event.

    Parameters
    ----------
    aws : AWS
        Where the function stands. Whoever may not look at something there is told no more of it.
    route : Route
        The trigger that the event was to take.
    values : Values
        What the event was made of.
    """
    source, options, ref = route.source, route.options, route.ref
    looks = [
        lambda: live_here(aws, route),
        lambda: "; ".join(filter(None, (blocked(aws, route, values), competing(aws, route)))),
        lambda: throttled(aws, route),
        lambda: delays(aws, route),
        lambda: "" if aws.local else refused(aws, route),  # the local AWS's own pollers ask for no permission
        lambda: doubt(source, options, values, ref) or "",
        lambda: source.waits(aws, options, ref, values),
    ]
    return _first(looks) or UNKNOWN


def _first(looks: Sequence[Callable[[], str]]) -> str:
    return next(filter(None, map(_told, looks)), "")


def _told(look: Callable[[], str]) -> str:
    try:
        return look()
    except Exception:  # for example AccessDenied of ListEventSourceMappings
        return ""


def competing(aws: AWS, route: Route) -> str:
    """Return which other functions take the events away, as far as AWS tells."""
    return _told(lambda: route.source.competing_consumers(aws, route.options, route.ref) or "")


def live_here(aws: AWS, route: Route) -> str:
    """Return that live mode of this process has the events."""
    standing = leases(aws, route.ref.app, route.ref.stage)
    mine = next((lease for lease in standing if lease.is_of(route) and lease.mine), None)
    return f"{mine}, and its panel shows what becomes of the event" if mine else ""


def function_blocks(aws: AWS, route: Route) -> str:
    """Return why the function itself runs nothing (Lambda: Function states, Reserved concurrency)."""
    client, ref = aws.client("lambda"), route.ref
    found = client.get_function_configuration(FunctionName=ref.name)
    state, update = found.get("State"), found.get("LastUpdateStatus")
    if state == "Failed":
        return f"function {ref.name} cannot run, as Lambda says: {found.get('StateReason')}; {AGAIN}"
    if update == "Failed":
        return f"the last change of function {ref.name} failed: {found.get('LastUpdateStatusReason')}; {AGAIN}"
    if client.get_function_concurrency(FunctionName=ref.name).get("ReservedConcurrentExecutions") == 0:
        return (
            "the function is throttled: its reserved concurrency is 0; give --reserved-concurrency a number, and deploy"
        )
    return ""


def trigger_blocks(aws: AWS, route: Route, values: Values | None) -> str:
    """Return what is missing or off between the service and the function, or what of it drops a given event."""
    source, ref = route.source, route.ref
    if source.passes_by(route.options) or not is_made(source, aws):
        return ""
    # What is asynchronous is gone if nobody takes it; a queue or stream keeps it.
    mend = "deploy" if values is None else AGAIN if source.asynchronous else "deploy, and it is taken up then"
    for resource, current in _standing(aws, route):
        if current is None:
            return f"{resource.absence}; {mend}"
        if why := resource.blocks(current):
            return f"{why}; {mend}" if resource.differences(current) else why
        if values is None:
            continue
        every = source.as_deployed(route.options, resource, current)
        dropped = [why_dropped(source, one, values, ref) for one in every]
        # What the notebook's trigger drops, too, is told of that one.
        if dropped and all(dropped) and why_dropped(source, route.options, values, ref) is None:
            return f"the trigger as it is deployed, not as the notebook has it, drops the event ({dropped[0]}); {AGAIN}"
    return ""


def _standing(aws: AWS, route: Route) -> Iterator[tuple[Resource, JSON | None]]:
    for resource in route.source.resources(route.options, route.ref):
        if resource.delivers:
            yield resource, resource.read(aws)


def delays(aws: AWS, route: Route) -> str:
    """Return what holds events back for a while: a batch that fills, a mapping that begins."""
    standing = [(resource, current) for resource, current in _standing(aws, route) if current is not None]
    told = [resource.delays(current) for resource, current in standing]
    if not aws.local:  # which waits for no batch to fill
        told += [resource.gathers(current) for resource, current in standing]
    return next(filter(None, told), "")


def throttled(aws: AWS, route: Route) -> str:
    """Return that as many invocations run as may, as far as the function's log tells."""
    name, limits = route.ref.name, list(_limits(aws, route))
    if not limits:
        return ""
    most, limit = min(limits)
    earliest = (time.time() - LONGEST_RUN) * 1000
    running = [
        one for one in recent(aws, name, f"{LONGEST_RUN}s") if not one.finished and (one.started or 0) > earliest
    ]
    if len(running) < most:
        return ""
    run = counted(len(running), "invocation runs", "invocations run")
    return f"the function is throttled: {limit} is {most}, and {run}"


def _limits(aws: AWS, route: Route) -> Iterator[tuple[int, str]]:
    answer = aws.client("lambda").get_function_concurrency(FunctionName=route.ref.name)
    if (reserved := answer.get("ReservedConcurrentExecutions")) is not None:
        yield reserved, "its reserved concurrency"
    for resource, current in _standing(aws, route):
        if current is not None and (most := resource.most_at_once(current)) is not None:
            yield most, "the trigger's maximum concurrency"


def refused(aws: AWS, route: Route) -> str:
    """Return what of the trigger's events the function's role may not read or decrypt."""
    source, ref = route.source, route.ref
    role = aws.client("lambda").get_function_configuration(FunctionName=ref.name)["Role"]
    wanted = source.statements(route.options, ref)
    if key := source.encryption_key(aws, route.options, ref):
        wanted = [*wanted, {"Action": "kms:Decrypt", "Resource": key}]
    lacking = lacks(aws, role.rpartition("/")[2], wanted)
    if not lacking:
        return ""
    return (
        f"the function's role does not allow what Lambda needs to read the events: add {' '.join(lacking)}, and deploy"
    )


def lacks(aws: AWS, role: str, statements: Sequence[JSON]) -> list[str]:
    """Return the options that allow what a role's policies do not (IAM: SimulateCustomPolicy).

    Parameters
    ----------
    aws : AWS
        Where the role stands.
    role : str
        Its name.
    statements : Sequence[JSON]
        What it should allow.
    """
    client, policies = aws.client("iam"), [json.dumps(policy) for policy in _policies(aws, role)]
    lacking = []
    for statement in statements:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        answer = client.simulate_custom_policy(
            PolicyInputList=policies, ActionNames=actions, ResourceArns=[statement["Resource"]]
        )
        results = answer["EvaluationResults"]
        refused = [one["EvalActionName"] for one in results if one["EvalDecision"] != "allowed"]
        lacking += [f"--allow {action}={statement['Resource']}" for action in refused]
    return lacking


def _policies(aws: AWS, role: str) -> Iterator[object]:
    client = aws.client("iam")
    for page in client.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            yield client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    pages = client.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    for attached in chain.from_iterable(page["AttachedPolicies"] for page in pages):
        with or_missing():
            arn = attached["PolicyArn"]
            version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            yield client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
