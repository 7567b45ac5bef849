"""What a source makes of a trigger: its resources, its sample event, its form, its redirect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import nbchalice.deploy.desired  # noqa: F401 - with it come all of nbchalice's resources
from nbchalice.aws.repeats import READS
from nbchalice.resources.base import Preflight, Resource
from nbchalice.resources.event_source_mapping import EventSourceMapping
from nbchalice.resources.permission import Permission, statement_id
from nbchalice.runtime.event_kinds import ids_of, kinds_of
from nbchalice.sources.base import Cause, DeadLetters, Note
from nbchalice.sources.redirects import Redirect
from nbchalice.testing.example import Example, calling, is_line
from nbchalice.testing.model import ModelAWS
from nbchalice.typed import JSON


def check_trigger(example: Example) -> None:
    """Run all checks of one trigger."""
    for check in (_check_texts, _check_resources, _check_sample, _check_form, _check_redirect, _check_questions):
        check(example)


def _check_texts(example: Example) -> None:
    source, options = example.source, example.options
    example.want(not example.call("problems"), f"problems are {example.call('problems')}")
    example.want(json.loads(json.dumps(options)) == options, f"options are not JSON-ready: {options}")
    for option in source.all_options():
        example.want(option.name in options, f"the decorator records no {option.name}, with which a default is known")
        changed = option.name not in example.given and option.default is not None
        same = not changed or options[option.name] == option.default
        example.want(same, f"{option.flag} has default {option.default!r}, and the decorator {options[option.name]!r}")
    example.want(is_line(example.call("describe")), "describe is to return a few words on one line")
    example.want(isinstance(example.call("subject"), str), "subject is to return text")
    example.want(isinstance(example.call("unread"), str), "unread is to return text")
    for method in ("notes", "check_settings"):
        texts = example.call(method, {})
        example.want(isinstance(texts, list) and all(map(is_line, texts)), f"{method} is to return lines of text")
    clash = example.call("clash", options, same_function=True)
    example.want(clash is None or is_line(clash), "clash is to return a line of text or None")


def _kinds(cls: type[Resource] = Resource) -> Iterator[str]:
    """Yield the kinds of resources that there are: nbchalice's, and those of the packages that are imported."""
    for below in cls.__subclasses__():
        if isinstance(below.__dict__.get("kind"), str):
            yield below.kind
        yield from _kinds(below)


def _check_resources(example: Example) -> None:
    function = example.function
    on_aws = example.call("resources", function)
    local = example.call("local_resources", function)
    for method, resources in (("resources", on_aws), ("local_resources", local)):
        whole = isinstance(resources, list) and all(isinstance(one, Resource) for one in resources)
        example.want(whole, f"{method} is to return a list of Resources")
    example.want(example.call("resources", function) == on_aws, "resources are others when they are asked for again")
    kinds = tuple(f"{kind} " for kind in _kinds())
    for one in (*on_aws, *local):
        example.want(is_line(one.name) and is_line(one.key), f"a {one.kind} has no name or key")
        for need in one.needs:
            example.want(need.startswith(kinds), f"{one.key} needs {need!r}, which is not a resource's key")
    keys = [one.key for one in on_aws]
    example.want(len(set(keys)) == len(keys), f"two resources have the same key: {keys}")
    _check_attached(example, on_aws)
    for statement in example.call("statements", function):
        example.want({"Effect", "Action", "Resource"} <= set(statement), f"{statement} is not a policy statement")
    causes = example.call("causes", function)
    example.want(all(isinstance(one, Cause) for one in causes), "causes is to return Causes")
    shared = example.call("shared", function)
    arn = shared is None or (isinstance(shared, str) and shared.startswith("arn:"))
    example.want(arn, "shared is to return an ARN or None")
    same = example.call("as_deployed", Permission(function, "check.amazonaws.com", function.arn), {})
    example.want(same == [example.options], "as_deployed is to return the options, of a resource that is none of its")
    target = example.call("failure_target", function)
    example.want(isinstance(target, str), "failure_target is to return an ARN or an empty text")


def _check_attached(example: Example, resources: Sequence[Resource]) -> None:
    """What was deployed must be found again by what it left on AWS, or it stays for good when the trigger goes."""
    permissions = [one for one in resources if isinstance(one, Permission)]
    mappings = [one for one in resources if isinstance(one, EventSourceMapping)]
    policy = [_statement(one) for one in permissions]
    standing = [{"EventSourceArn": one.source_arn, "UUID": "x", "FunctionArn": one.function.arn} for one in mappings]
    with calling(example.source, "attached"):
        keys = {one.key for one in example.source.attached(example.function, policy, standing)}
        nothing = example.source.attached(example.function, [], [])
    example.want(nothing == [], "attached finds resources of a function that nothing may invoke")
    for one in mappings:
        example.want(one.key in keys, f"attached does not find {one.key} again, so that no deploy would remove it")
    example.want(keys or not permissions, "attached finds nothing again by the permission, so that it would stay")


def _statement(permission: Permission) -> JSON:
    condition: JSON = {"ArnLike": {"AWS:SourceArn": permission.source_arn}}
    if permission.source_account:
        condition["StringEquals"] = {"AWS:SourceAccount": permission.source_account}
    return {
        "Sid": statement_id(permission.principal, permission.source_arn),
        "Effect": "Allow",
        "Principal": {"Service": permission.principal},
        "Action": "lambda:InvokeFunction",
        "Resource": permission.function.arn,
        "Condition": condition,
    }


def _check_sample(example: Example) -> None:
    source, event = example.source, example.sample()
    with calling(source, "the sample event"):
        example.want(json.loads(json.dumps(event)) == event, "the sample event is not what JSON makes of it")
    got: list[Any] = []
    handler = example.decorate(got.append)
    with calling(source, "a handler of the sample event"):
        handler(json.loads(json.dumps(event)), None)
    if not source.triggered:
        example.want(got == [event], "the handler is to get the event as it is")
        return
    kinds = [kind.name for kind in kinds_of(event)]
    example.want(source.name in kinds, f"the runtime takes the sample event for {' or '.join(kinds) or 'nothing'}")
    expected = source.kind.event_class
    example.want(type(got[0]) is expected, f"the handler gets a {type(got[0]).__name__}, not a {expected.__name__}")
    example.want(got[0].to_dict() == event, f"{expected.__name__}.to_dict() is not the sample event")
    for name, value in example.call("event_values").items():
        has = f"another: {getattr(got[0], name)!r}" if hasattr(got[0], name) else "none"
        text = f"event_values says {value!r} of {name}, and the sample event has {has}"
        example.want(getattr(got[0], name, None) == value, text)
    if example.line == source.examples[0]:
        text = "the sample event has no id that the event kind's ids find, by which an invocation is known again"
        example.want(ids_of(event), text)
    with calling(source, f"repr of the {expected.__name__}"):
        repr(got[0])


def _check_form(example: Example) -> None:
    source, function = example.source, example.function
    names = {field.name for field in source.fields}
    shown = example.call("form_fields")
    example.want(isinstance(shown, list) and {field.name for field in shown} <= names, "form_fields is to be of fields")
    templates = example.call("templates", function)
    example.want(isinstance(templates, dict) and "sample" in templates, 'templates is to have one called "sample"')
    for name, values in templates.items():
        strange = set(values) - names
        example.want(not strange, f"template {name!r} has {', '.join(sorted(strange))}, which no field is")
        event = example.sample(**values)
        example.want(json.loads(json.dumps(event)) == event, f"the event of template {name!r} is not JSON-ready")
        settled = example.call("settled", values)
        example.want(isinstance(settled, Mapping) and set(settled) <= names, "settled is to return values of fields")
        example.want(example.call("settled", settled) == settled, "settled changes what is settled already")
        with calling(source, "verdict"):
            verdict = source.verdict(function.handler, example.options, values, function)
        example.want(verdict is None or isinstance(verdict, Note), "verdict is to return a Note or None")
        why = example.call("duplicate", values)
        example.want(isinstance(why, str), "duplicate is to return a text")
        for method in ("repeated", "distinct"):
            changed = example.call(method, values)
            example.want(
                isinstance(changed, Mapping) and set(changed) <= names, f"{method} is to return values of fields"
            )
    notes = example.call("upcoming", datetime.now(UTC))
    example.want(isinstance(notes, list) and all(isinstance(n, Note) for n in notes), "upcoming is to return Notes")
    past = example.call("passes_by")
    example.want(isinstance(past, bool), "passes_by is to return True or False")
    shared = example.call("shares_events", example.options, function)
    example.want(isinstance(shared, bool), "shares_events is to return True or False")


def _check_redirect(example: Example) -> None:
    function = example.function
    queue = function.arn_of("sqs", "check-live")
    redirect = example.call("redirect", function, queue)
    example.want(redirect is None or isinstance(redirect, Redirect), "redirect is to return a Redirect or None")
    if redirect is None:
        return
    example.want(example.source.live_for, "it can be redirected, and live_for does not say what live mode is for")
    keys = {one.key for one in example.call("resources", function)}
    example.want(
        redirect.displaced.key in keys, f"redirect displaces {redirect.displaced.key}, which is none of its resources"
    )
    if redirect.polled_arn == queue:
        example.want(
            redirect.principal and redirect.source_arn, "redirect does not say who sends to the temporary queue"
        )


def _check_questions(example: Example) -> None:
    """Check that what only asks AWS calls nothing that changes it, and in a form that the service knows."""
    kinds = {
        "preflight": Preflight,
        "competing_functions": list,
        "competing_consumers": str | None,
        "dead_letters": DeadLetters | None,
        "encryption_key": str,
        "waits": str,
    }
    for method, kind in kinds.items():
        aws = ModelAWS()
        answer = _asked(example, method, aws, *([{}] if method == "waits" else []))
        writes = [name for _, name, _ in aws.calls if not name.startswith(READS)]
        example.want(not writes, f"{method} is to ask only, and calls {', '.join(writes)}")
        example.want(answer is ... or isinstance(answer, kind), f"{method} returns a {type(answer).__name__}")


def _asked(example: Example, method: str, aws: ModelAWS, *more: object) -> object:
    """Return what a method says, or ``...``: the answers that it gets are made up, and it may make no sense of them."""
    from botocore.exceptions import ParamValidationError

    try:
        answer: object = getattr(example.source, method)(aws, example.options, example.function, *more)
        return answer
    except ParamValidationError as error:
        example.want(False, f"{method} calls what AWS refuses: {' '.join(str(error).split())}")
    except Exception:
        return ...
    return ...
