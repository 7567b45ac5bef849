"""What should stand on AWS for an app."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from nbchalice.deploy.function import LAMBDA_HANDLER, Function, LogGroup, Role
from nbchalice.errors import InvalidInputError
from nbchalice.handlers import Handler
from nbchalice.sources.base import AWS, JSON, FunctionRef, Resource


@dataclass(frozen=True)
class Package:
    """A handler's code, ready for Lambda.

    Parameters
    ----------
    zip: the deployment package.
    code_sha256: Lambda's hash of the package, base64.
    python: version on Lambda, for example ``3.13``.
    """

    zip: bytes = field(repr=False)
    code_sha256: str
    python: str


@dataclass(frozen=True)
class App:
    """The handlers of one notebook, at one stage.

    Parameters
    ----------
    name: the app's name.
    stage: for example ``dev``.
    handlers: the registered handlers.
    folder: the notebook's folder, for files that settings name.
    """

    name: str
    stage: str
    handlers: tuple[Handler, ...]
    folder: Path = Path()

    def ref(self, aws: AWS, handler: str, timeout: int = 60) -> FunctionRef:
        """Return the names of a handler on AWS."""
        return FunctionRef(self.name, self.stage, handler, aws.region, aws.account, aws.partition, timeout)


def desired(
    app: App, packages: Mapping[str, Package], aws: AWS, timeouts: Mapping[str, int] | None = None
) -> dict[str, Resource]:
    """Return what should stand, by key.

    Parameters
    ----------
    app: the handlers.
    packages: each handler's code, by the handler's name.
    aws: where.
    timeouts: seconds, for the handlers whose timeout is not their own setting.
    """
    found: list[Resource] = []
    for handler in app.handlers:
        timeout = (timeouts or {}).get(handler.name, handler.setting("timeout"))
        found += resources_of(handler, app, app.ref(aws, handler.name, timeout), packages[handler.name], aws)
    return merged(found)


def merged(resources: Iterable[Resource]) -> dict[str, Resource]:
    """Return the resources by key, those with the same key as one."""
    groups: dict[str, list[Resource]] = {}
    for resource in resources:
        groups.setdefault(resource.key, []).append(resource)
    return {key: reduce(lambda one, other: one.merge(other), group) for key, group in groups.items()}


def resources_of(handler: Handler, app: App, ref: FunctionRef, package: Package, aws: AWS) -> list[Resource]:
    """Return what should stand for one handler: log group, role, function and what its sources add."""
    found: list[Resource] = [LogGroup(ref, handler.setting("log_retention"))]
    role_arn = handler.setting("role")
    if role_arn is None:
        role = Role(ref, json.dumps(statements(handler, app, ref), sort_keys=True))
        found.append(role)
        role_arn = role.arn
    found.append(
        Function(
            ref,
            role_arn,
            package.zip,
            package.code_sha256,
            function_config(handler, ref, package.python),
            handler.setting("arch"),
            dict(handler.setting("tag") or {}),
            handler.setting("reserved_concurrency"),
        )
    )
    for source, options in handler.sources():
        found += source.resources(options, ref)
        if aws.local:
            found += source.playthings(options, ref)
    return found


def function_config(handler: Handler, ref: FunctionRef, python: str) -> JSON:
    """Return the settings as CreateFunction and UpdateFunctionConfiguration take them."""
    dlq = handler.setting("dlq")
    return {
        "Runtime": f"python{python}",
        "Handler": LAMBDA_HANDLER,
        "Description": f"{ref.handler} of {ref.app} ({ref.stage}), from a notebook by nbchalice",
        "Timeout": ref.timeout,
        "MemorySize": handler.setting("memory"),
        "Environment": {"Variables": dict(handler.setting("env") or {})},
        "Layers": list(handler.setting("layer") or []),
        "DeadLetterConfig": {"TargetArn": "" if dlq is None else queue_arn(dlq, ref)},
    }


def queue_arn(queue: str, ref: FunctionRef) -> str:
    """Return the ARN of a queue given by name or ARN."""
    return queue if queue.startswith("arn:") else ref.arn_of("sqs", queue)


def statements(handler: Handler, app: App, ref: FunctionRef) -> list[JSON]:
    """Return what the role may do beside writing its logs: what triggers need, `--allow`, `--policy` and `--dlq`."""
    found: list[JSON] = []
    for source, options in handler.sources():
        found += source.statements(options, ref)
    for action, arn in handler.setting("allow") or []:
        found.append({"Effect": "Allow", "Action": action, "Resource": arn})
    if dlq := handler.setting("dlq"):
        found.append({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue_arn(dlq, ref)})
    if policy := handler.setting("policy"):
        found += _policy_file(app.folder / policy, handler)
    return found


def _policy_file(path: Path, handler: Handler) -> list[JSON]:
    try:
        document: Any = json.loads(path.read_text())
        found = document["Statement"]
        return list(found) if isinstance(found, list) else [found]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(
            f"handler {handler.name}: --policy {path} cannot be used: {error}",
            'the file must be a policy document: {"Version": "2012-10-17", "Statement": [...]}',
            handler.location,
        ) from None
