"""Tells of handlers whose calls of AWS cause their own events: in the code, or as the role's permissions show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from nbchalice.deploy.boto_calls import Call, boto_calls
from nbchalice.deploy.desired import triggers
from nbchalice.deploy.suggest import is_open, key_of, listed, needs
from nbchalice.handlers import Handler
from nbchalice.resources.base import FunctionRef
from nbchalice.sources.base import Cause
from nbchalice.typed import JSON


def loop_notes(
    handler: Handler, module: str, function: FunctionRef, statements: Sequence[JSON], event: Mapping[str, str]
) -> list[str]:
    """Return what there is to say of a handler that invokes itself, one line for each trigger.

    Parameters
    ----------
    handler : Handler
        The handler.
    module : str
        The text of its module.
    function : FunctionRef
        The function that runs it.
    statements : Sequence[JSON]
        What its role may do.
    event : Mapping[str, str]
        What is known of its events, by attribute.
    """
    calls = boto_calls(module, event) if "boto3" in module else []
    notes = []
    for source, options, own in triggers(handler, function):
        for cause in source.causes(options, own):
            if how := _evidence(cause, calls, function, statements):
                place = source.describe(options).split(", ")[0]
                until = "until Lambda stops the loop after 16 rounds, and in live mode until you do"
                end = until if cause.stopped else "and Lambda does not stop it"
                notes.append(f"{handler.name} may invoke itself by {place} ({how}), {end}; {cause.cure}")
                break
    return notes


def _evidence(cause: Cause, calls: Iterable[Call], function: FunctionRef, statements: Sequence[JSON]) -> str:
    """Return what shows that a handler makes the call; empty where nothing does."""
    arns_by_call: list[tuple[Call, str]] = []
    for call in calls:
        arns_by_call += [(call, allow.arn) for allow in needs(call, function) if allow.action == cause.action]
    if any(arn == cause.arn and cause.may_be(*call.key) for call, arn in arns_by_call):
        return "" if _kept_apart(cause, statements) else f"its code calls {cause.action}"
    # Of services whose ARNs nobody here knows, and of what is on no resource, a call says no more than any: *.
    told = [arn for _, arn in arns_by_call if not is_open(arn) and arn != "*"]
    if told and len(told) == len(arns_by_call):
        return ""  # It is known what it calls: something else.
    allowed = any(_allows(one, cause, by_name=not arns_by_call) for one in statements)
    return f"its role may do {cause.action} there" if allowed else ""


def _kept_apart(cause: Cause, statements: Iterable[JSON]) -> bool:
    """Whether the role may make the call with keys that cause no event, and with no others."""
    resources: list[str] = []
    for statement in statements:
        if _is_about(statement, cause.action):
            resources += listed(statement.get("Resource"))
    named = any(fnmatchcase(resource, cause.arn) for resource in resources)
    return named and not any(_meets(resource, cause) for resource in resources)


def _is_about(statement: JSON, action: str) -> bool:
    actions = listed(statement.get("Action"))
    return statement.get("Effect") == "Allow" and any(fnmatchcase(action.lower(), one.lower()) for one in actions)


def _allows(statement: JSON, cause: Cause, *, by_name: bool) -> bool:
    """Whether a statement allows the call for this resource, not just for all there are.

    Parameters
    ----------
    by_name : bool
        Whether the action has to be written out: ``s3:*`` may be there for reading only.
    """
    actions = [action.lower() for action in listed(statement.get("Action"))]
    return (
        _is_about(statement, cause.action)
        and (cause.action.lower() in actions or not by_name)
        and any(resource != "*" and _meets(resource, cause) for resource in listed(statement.get("Resource")))
    )


def _meets(resource: str, cause: Cause) -> bool:
    """Whether a policy's resource is, or is a part of, what causes events."""
    if fnmatchcase(resource, cause.arn) and ":s3:" in resource:  # bucket/out/* of bucket/*
        return cause.may_be(*key_of(resource))
    return fnmatchcase(cause.arn, resource)
