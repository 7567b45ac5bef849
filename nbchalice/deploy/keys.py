"""Keys of the user's that encrypt what a function's role reads or writes: the role must be allowed them, too.

SQS: "Key management", configure KMS permissions for consumers and producers; Lambda: "Using Lambda with Amazon SQS".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from nbchalice.aws.refusals import REFUSED, spelled
from nbchalice.deploy.desired import App, is_made, recording_of, targets, triggers
from nbchalice.deploy.inspect import parallel
from nbchalice.deploy.package import Package
from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, Resource, is_denied, is_missing, key_of
from nbchalice.resources.queue import QueueRef
from nbchalice.resources.role import Role
from nbchalice.resources.topic import Topic
from nbchalice.resources.upload_bucket import upload_bucket
from nbchalice.sources.waiting import bucket_key, key_arn
from nbchalice.text import joined
from nbchalice.typed import JSON

READ = "kms:Decrypt"
WRITE = "kms:GenerateDataKey"


@dataclass
class Keys:
    """What was found of keys.

    Parameters
    ----------
    statements : dict[str, list[JSON]]
        What the role of a handler that nbchalice makes gets for them, by the handler's name.
    notes : list[str]
        What to tell: a key that a role of the user's must be allowed, and what could not be looked at.
    """

    statements: dict[str, list[JSON]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


Looks = dict[tuple[str, str, tuple[str, ...]], Callable[[], str]]
"""What tells the ARN of a key: by handler, what the key encrypts, and what its role needs on it."""


def keys_of(app: App, aws: AWS) -> Keys:
    """Look with which keys the queues, topics, buckets and streams of an app's handlers are encrypted.

    Parameters
    ----------
    app : App
        The handlers.
    aws : AWS
        Where to look; nothing is changed.
    """
    looks: Looks = {}
    for handler in app.handlers:
        for source, options, ref in triggers(handler, app.ref(aws, handler.name)):
            if is_made(source, aws):
                what = f"what encrypts {source.title} {source.describe(options)}"
                looks[handler.name, what, (READ,)] = partial(source.encryption_key, aws, options, ref)
        for arn in targets(handler, app.ref(aws, handler.name)):
            actions: tuple[str, ...] = (WRITE,) if Arn.parse(arn).service == "s3" else (READ, WRITE)
            looks[handler.name, f"what encrypts {arn}", actions] = partial(_key_of_target, aws, arn)
    keys = Keys()
    _note(keys, looks, app)
    return keys


def note_own_bucket(keys: Keys, app: App, packages: Mapping[str, Package], aws: AWS) -> None:
    """Note the key of the account's bucket, from which functions load large bundles, and where they record events.

    Parameters
    ----------
    keys : Keys
        Gets it.
    app, aws : App or AWS
        As for `keys_of`.
    packages : Mapping[str, Package]
        The code of the handlers.
    """
    bucket = upload_bucket(aws.account, aws.region)
    look = partial(bucket_key, aws, bucket, aws.region, aws.account)
    looks: Looks = {}
    for handler in app.handlers:
        recording = recording_of(handler, app.ref(aws, handler.name))
        needs = {READ: packages[handler.name].stored, WRITE: recording and not recording.kms_key}
        actions = tuple(action for action, is_needed in needs.items() if is_needed)
        if actions:
            looks[handler.name, f"what encrypts bucket {bucket}", actions] = look
    _note(keys, looks, app)


def grant_notes(wanted: Mapping[str, Resource], current: Mapping[str, Any], aws: AWS) -> list[str]:
    """Return which functions stand whose role is to be made anew, so that Lambda's grant on the variables' key is lost.

    Lambda gives the grant to the role's own id when the function gets the role; another one of that name has its own.

    Parameters
    ----------
    wanted : Mapping[str, Resource]
        What should stand, by key.
    current : Mapping[str, Any]
        What stands, by key.
    aws : AWS
        Where; the local AWS has no grants.
    """
    notes = []
    for resource in wanted.values():
        function = current.get(key_of("function", resource.name)) if isinstance(resource, Role) else None
        configuration = (function or {}).get("Configuration", {})
        has_variables = bool((configuration.get("Environment") or {}).get("Variables"))
        is_gone = current.get(resource.key) is None and configuration.get("Role") == resource.arn
        if isinstance(resource, Role) and is_gone and has_variables and not aws.local:
            notes.append(
                f"{resource.function.handler}: its role is made anew, and Lambda may not decrypt its variables for it: "
                "if runs end with KMSAccessDeniedException, deploy once with another --role, and then without it"
            )
    return notes


def _note(keys: Keys, looks: Looks, app: App) -> None:
    """Note which roles need which keys, and what could not be looked at."""
    with parallel() as run:
        answers = run({place: partial(_look, look) for place, look in looks.items()})
    own = {handler.name: handler.setting("role") for handler in app.handlers}
    unseen = [(name, what, actions) for (name, what, actions), (_, denied) in answers.items() if denied]
    if unseen:
        names, things = (joined(list(dict.fromkeys(column))) for column in list(zip(*unseen, strict=True))[:2])
        role = "its role needs" if len({name for name, *_ in unseen}) == 1 else "their roles need"
        which = joined(sorted({denied for _, denied in answers.values() if denied}))
        needed = READ if any(READ in actions for *_, actions in unseen) else WRITE
        keys.notes.append(
            f"{names}: AWS denies {which}, which tells {things}: with a key of yours, {role} {needed} on it"
        )
    for (name, what, actions), (key, _) in answers.items():
        if key and own[name]:
            keys.notes.append(f"{name}: {own[name]} needs {' and '.join(actions)} on {key}, {what}")
        elif key:
            statement: JSON = {"Effect": "Allow", "Action": list(actions), "Resource": key}
            keys.statements.setdefault(name, []).append(statement)


def _look(look: Callable[[], str]) -> tuple[str, str]:
    """Return the ARN of a key, and what the caller may not do to look; what does not stand yet has none."""
    try:
        return look(), ""
    except Exception as error:
        if is_missing(error):
            return "", ""
        if not is_denied(error):
            raise
        refused = REFUSED.search(str(error))
        operation = str(getattr(error, "operation_name", "it"))
        return "", spelled(refused["service"].lower(), refused["name"]) if refused else operation


def _key_of_target(aws: AWS, arn: str) -> str:
    """Return the key of a queue, topic or bucket that failed events go to."""
    place = Arn.parse(arn)
    key = ""
    if place.service == "sqs":
        queue = QueueRef(place.name, place.region, place.account, aws.partition)
        key = queue.settings(aws).get("KmsMasterKeyId", "")
    elif place.service == "sns":
        key = (Topic(arn).read(aws) or {}).get("KmsMasterKeyId", "")
    elif place.service == "s3":
        return bucket_key(aws, place.name, aws.region, aws.account)
    return key_arn(aws, key, place.region, place.account)
