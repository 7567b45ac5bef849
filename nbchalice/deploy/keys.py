"""Keys of the user's that encrypt what a function's role reads or writes: the role must be allowed them, too.

SQS: "Key management", configure KMS permissions for consumers and producers; Lambda: "Using Lambda with Amazon SQS".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from nbchalice.deploy.desired import App, is_made, targets, triggers
from nbchalice.deploy.inspect import parallel
from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, is_denied, is_missing
from nbchalice.resources.queue import QueueRef
from nbchalice.resources.topic import Topic
from nbchalice.sources.waiting import key_arn
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


def keys_of(app: App, aws: AWS) -> Keys:
    """Look with which keys the queues, topics and streams of an app's handlers are encrypted.

    Parameters
    ----------
    app : App
        The handlers.
    aws : AWS
        Where to look; nothing is changed.
    """
    looks: dict[tuple[str, str, tuple[str, ...]], Callable[[], str]] = {}
    for handler in app.handlers:
        for source, options, ref in triggers(handler, app.ref(aws, handler.name)):
            if is_made(source, aws):
                what = f"what encrypts {source.title} {source.describe(options)}"
                looks[handler.name, what, (READ,)] = partial(source.encryption_key, aws, options, ref)
        for arn in targets(handler, app.ref(aws, handler.name)):
            looks[handler.name, f"what encrypts {arn}", (READ, WRITE)] = partial(_key_of_target, aws, arn)
    keys = Keys()
    with parallel() as run:
        answers = run({place: partial(_look, look) for place, look in looks.items()})
    own = {handler.name: handler.setting("role") for handler in app.handlers}
    unseen = [(name, what) for (name, what, _), (_, denied) in answers.items() if denied]
    if unseen:
        names, things = (joined(list(dict.fromkeys(column))) for column in zip(*unseen, strict=True))
        role = "its role needs" if len({name for name, _ in unseen}) == 1 else "their roles need"
        keys.notes.append(f"{names}: AWS denies to look {things}: with a key of yours, {role} {READ} on it")
    for (name, what, actions), (key, _) in answers.items():
        if key and own[name]:
            keys.notes.append(f"{name}: {own[name]} needs {' and '.join(actions)} on {key}, {what}")
        elif key:
            statement: JSON = {"Effect": "Allow", "Action": list(actions), "Resource": key}
            keys.statements.setdefault(name, []).append(statement)
    return keys


def _look(look: Callable[[], str]) -> tuple[str, bool]:
    """Return the ARN of a key, and whether the caller may not look; what does not stand yet has none."""
    try:
        return look(), False
    except Exception as error:
        if is_missing(error):
            return "", False
        if not is_denied(error):
            raise
        return "", True


def _key_of_target(aws: AWS, arn: str) -> str:
    """Return the key of a queue or topic that failed events go to."""
    place = Arn.parse(arn)
    key = ""
    if place.service == "sqs":
        queue = QueueRef(place.name, place.region, place.account, aws.partition)
        key = queue.settings(aws).get("KmsMasterKeyId", "")
    elif place.service == "sns":
        key = (Topic(arn).read(aws) or {}).get("KmsMasterKeyId", "")
    return key_arn(aws, key, place.region, place.account)
