"""Versions of a function: each changed deploy publishes one, the last five are kept, and one can be gone back to.

Triggers always point to the function itself. Going back puts an earlier version's code and settings onto it, so that no
ARN in any trigger changes, and a deploy that has nothing to change makes no call for versions at all.
"""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbchalice.errors import AWSError, InvalidInputError
from nbchalice.resources.base import OWNER_PREFIX, or_missing
from nbchalice.typed import JSON, Values

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

KEPT = 5
ROLLED_BACK = f"{OWNER_PREFIX}:version"
DOWNLOAD_SECONDS = 60.0
# What GetFunctionConfiguration tells and UpdateFunctionConfiguration takes as it is.
SETTINGS = (
    "Role", "Handler", "Description", "Timeout", "MemorySize", "Runtime", "KMSKeyArn", "FileSystemConfigs",
    "EphemeralStorage", "LoggingConfig",
)  # fmt: skip


def published(client: LambdaClient, name: str) -> list[JSON]:
    """Return the published versions of a function, the oldest first."""
    versions: list[JSON] = []
    with or_missing():
        for page in client.get_paginator("list_versions_by_function").paginate(FunctionName=name):
            versions += [dict(version) for version in page["Versions"] if version["Version"] != "$LATEST"]
    return sorted(versions, key=lambda version: int(version["Version"]))


def standing_version(client: LambdaClient, current: Values) -> str:
    """Return which published version a function is, as GetFunction told of it; what was changed since is said."""
    configuration = current["Configuration"]
    if version := current.get("Tags", {}).get(ROLLED_BACK):
        return str(version)
    newest = published(client, configuration["FunctionName"])[-1:]
    if not newest:
        return ""
    number = str(newest[0]["Version"])
    return number if _same(newest[0], configuration) else f"{number}, changed since"


def publish(client: LambdaClient, name: str) -> str:
    """Publish what stands as a version and return its number; what is published already is not published again."""
    standing = dict(client.get_function_configuration(FunctionName=name))
    newest = published(client, name)[-1:]
    if newest and _same(newest[0], standing):
        return str(newest[0]["Version"])
    return str(client.publish_version(FunctionName=name)["Version"])


def _same(one: JSON, other: JSON) -> bool:
    parts = [(c["CodeSha256"], c.get("Architectures"), settings_of(c)) for c in (one, other)]
    return parts[0] == parts[1]


def keep_last(client: LambdaClient, name: str, newest: str) -> None:
    """Delete all versions but the last five."""
    if int(newest) <= KEPT:
        return
    for version in published(client, name)[:-KEPT]:
        with or_missing():
            client.delete_function(FunctionName=name, Qualifier=version["Version"])


@dataclass(frozen=True)
class Step:
    """A way back: from the version that stands to the one before it."""

    name: str
    current: JSON
    before: JSON

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that change."""
        now, then = settings_of(self.current), settings_of(self.before)
        return tuple(sorted(name for name in {*now, *then} if now.get(name) != then.get(name)))

    @property
    def code(self) -> bool:
        """Whether the code changes."""
        return bool(self.current["CodeSha256"] != self.before["CodeSha256"])


def way_back(client: LambdaClient, name: str, tags: dict[str, str]) -> Step:
    """Return the version that stands and the one before it.

    Raises
    ------
    InvalidInputError
        There is no earlier version.
    """
    versions = published(client, name)
    standing = tags.get(ROLLED_BACK) or (versions[-1]["Version"] if versions else "0")
    earlier = [version for version in versions if int(version["Version"]) < int(standing)]
    if not earlier:
        hint = "each deploy that changes code or settings publishes a version, and the last five are kept"
        raise InvalidInputError(f"{name} has no version before version {standing}", hint)
    current = next((version for version in versions if version["Version"] == standing), None)
    now = current or dict(client.get_function_configuration(FunctionName=name))
    return Step(name, now, _with_log_group(earlier[-1], now))


def _with_log_group(version: JSON, now: JSON) -> JSON:
    """Return a version's configuration with the log group that stands: its role may write to that one."""
    standing = (now.get("LoggingConfig") or {}).get("LogGroup")
    logging = {k: v for k, v in (version.get("LoggingConfig") or {}).items() if k != "LogGroup"}
    return (
        {**version, "LoggingConfig": {**logging, **({"LogGroup": standing} if standing else {})}}
        if logging
        else version
    )


def settings_of(configuration: JSON) -> JSON:
    """Return a configuration as UpdateFunctionConfiguration takes it; what it lacks is cleared."""
    network = configuration.get("VpcConfig") or {}
    settings = {name: configuration[name] for name in SETTINGS if configuration.get(name) is not None}
    return {
        **settings,
        "Environment": {"Variables": (configuration.get("Environment") or {}).get("Variables", {})},
        "Layers": [layer["Arn"] for layer in configuration.get("Layers") or []],
        "DeadLetterConfig": {"TargetArn": (configuration.get("DeadLetterConfig") or {}).get("TargetArn", "")},
        "VpcConfig": {name: network.get(name) or [] for name in ("SubnetIds", "SecurityGroupIds")},
        "TracingConfig": {"Mode": (configuration.get("TracingConfig") or {}).get("Mode") or "PassThrough"},
    }


def download(client: LambdaClient, name: str, version: str) -> bytes:
    """Return the zip of a version (Lambda: GetFunction, Code.Location).

    Raises
    ------
    AWSError
        The zip cannot be read.
    """
    location = client.get_function(FunctionName=name, Qualifier=version)["Code"]["Location"]
    try:
        with urllib.request.urlopen(location, timeout=DOWNLOAD_SECONDS) as answer:  # noqa: S310 - Lambda's own URL
            return bytes(answer.read())
    except OSError as error:
        raise AWSError(f"the code of version {version} of {name} cannot be read: {error}") from None
