"""The Lambda function."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from nbchalice.errors import AWSError
from nbchalice.polling import Pace, poll
from nbchalice.resources import code_signing, versions
from nbchalice.resources.base import AWS, OWNER_PREFIX, UNCOMPARED, FunctionRef, Key, Resource, key_of, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.resources.layer import Layer, layer_of
from nbchalice.resources.log_group import log_group_name
from nbchalice.resources.ownership import CELL, NOTEBOOK, OWNER, foreign_owner
from nbchalice.resources.stored_bundle import StoredBundle
from nbchalice.resources.upload_bucket import UploadBucket, is_large, uploaded
from nbchalice.typed import JSON, Values

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.literals import ArchitectureType

# What who deploys, looks, invokes, rolls back and deletes asks of a function.
ACTIONS = (
    "CreateFunction", "DeleteFunction", "GetFunction", "GetFunctionConfiguration",
    "InvokeFunction", "ListTags", "ListVersionsByFunction", "PublishVersion", "TagResource", "UntagResource",
    "UpdateFunctionCode", "UpdateFunctionConfiguration",
)  # fmt: skip
LAMBDA_HANDLER = "lambda_function.lambda_handler"
FINGERPRINT = f"{OWNER_PREFIX}:fingerprint"
# What the code does that was uploaded, and Lambda's hash of it: "5d41402abc4b2a76 pmWkWSBCL51Bfkhn79xPuKBKHz//H6B="
CODE = f"{OWNER_PREFIX}:code"
# Under which name what was read of a function has the ARN of its code signing configuration.
SIGNING = "CodeSigningConfigArn"
# What Lambda may leave out of its answer.
DEFAULTS: dict[str, JSON] = {
    "EphemeralStorage": {"Size": 512},
    "LoggingConfig": {"LogFormat": "Text"},
    "TracingConfig": {"Mode": "PassThrough"},
}
# AWS: a function with a VPC may take minutes until it is active.
PATIENCE = 300.0


@dataclass(frozen=True)
class Function(Resource):
    """The Lambda function (Lambda: CreateFunction, UpdateFunctionCode, UpdateFunctionConfiguration).

    Parameters
    ----------
    function : FunctionRef
        Its names.
    role_arn : str
        The role it runs with.
    zip : bytes
        The deployment package.
    code_sha256 : str
        Lambda's hash of the package, base64.
    config : Values
        The settings as UpdateFunctionConfiguration takes them; `Layers` without the dependency layer.
    arch : str
        ``x86_64`` or ``arm64``.
    tags : Mapping[str, str]
        The user's tags, and by whom and from which notebook it is deployed; where that is unknown, the tag that stands
        is kept.
    reserved_concurrency : int or None
        Most runs at once, or None.
    layer : Layer or None
        The dependency layer, or None.
    bundles : tuple[StoredBundle, ...]
        What it loads from S3.
    does : str
        Hash of what the package does: packages that differ in the names and places of cells only have the same one.
        Default: that of the package.
    code_signing : str
        ARN of its code signing configuration; empty for what stands.
    """

    kind: ClassVar[str] = "function"
    function: FunctionRef
    role_arn: str = ""
    zip: bytes = field(default=b"", repr=False)
    code_sha256: str = ""
    config: Values = field(default_factory=dict, hash=False)
    arch: ArchitectureType = "x86_64"
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    reserved_concurrency: int | None = None
    layer: Layer | None = None
    bundles: tuple[StoredBundle, ...] = ()
    does: str = ""
    code_signing: str = ""

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.name

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self.function.arn

    @property
    def needs(self) -> frozenset[Key]:
        """Its role and its log group, its layer, its bundles, and the upload bucket for a large zip."""
        keys = {
            key_of("role", self.name),
            key_of("log group", log_group_name(self.name)),
            *(one.key for one in self.bundles),
        }
        if self.layer:
            keys.add(self.layer.key)
        if self.is_large:
            keys.add(UploadBucket(self.function.account, self.function.region).key)
        return frozenset(keys)

    @property
    def frees(self) -> frozenset[Key]:
        """Its own role, which must not go before the function runs with another."""
        return frozenset({key_of("role", self.name)})

    @property
    def is_large(self) -> bool:
        """Whether the zip must go through S3."""
        return is_large(len(self.zip))

    def fingerprint(self) -> str:
        """Return a hash of code and settings; a change of it publishes a version."""
        layer = self.layer.name if self.layer else ""
        parts = [self.does or self.code_sha256, self.arch, self.role_arn, layer, dict(self.config)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    def all_tags(self, current: Values | None = None) -> dict[str, str]:
        """Return the user's tags, whose the function is, what its code does, and what of it was published."""
        now = (current or {}).get("Tags", {})
        kept = {name: now[name] for name in (NOTEBOOK, OWNER, CELL) if name in now}
        stays = current is not None and self._only_places_differ(current) and not self._code_differs(current)
        code = now[CODE] if stays else f"{self.does} {self.code_sha256}".strip()
        return {**kept, **self.tags, **self.function.tags, CODE: code, FINGERPRINT: self.fingerprint()}

    def _only_places_differ(self, current: Values) -> bool:
        """Whether other bytes stand that do the same: cells were run again, moved or renamed since."""
        standing = current["Configuration"]["CodeSha256"]
        return bool(self.does) and current.get("Tags", {}).get(CODE) == f"{self.does} {standing}"

    def code_stands(self, current: Values) -> bool:
        """Whether what stands does what the package does."""
        return current["Configuration"]["CodeSha256"] == self.code_sha256 or self._only_places_differ(current)

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        actions = [f"lambda:{name}" for name in ACTIONS]
        if self.reserved_concurrency is not None:
            actions += ["lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency"]
        key = str(self.config.get("KMSKeyArn") or "")
        # Lambda: "Securing Lambda environment variables", a customer managed key.
        of_key = [Grant(("kms:CreateGrant", "kms:Decrypt", "kms:Encrypt"), (key,), own=False)] if key else []
        signing = code_signing.grants(self.code_signing, self.function) if self.code_signing else []
        return [Grant(tuple(actions), (self.arn, f"{self.arn}:*")), *of_key, *signing]

    def read(self, aws: AWS) -> JSON | None:
        """Return what GetFunction tells, or None."""
        answer: JSON | None = None
        with or_missing():
            answer = dict(aws.client("lambda").get_function(FunctionName=self.name))
        # Who may not read the tags gets the function without them, and it would look like another's.
        if problem := (answer or {}).get("TagsError"):
            message = f"reading the tags of {self.name}: AWS says {problem['ErrorCode']}: {problem['Message']}"
            raise AWSError(
                message, f"ask for lambda:ListTags on {self.arn}; %chalice doctor --policy prints all of them"
            )
        if answer and self.code_signing and not aws.local:
            answer[SIGNING] = code_signing.standing(aws, self.function)
            if answer[SIGNING] is None:
                answer[UNCOMPARED] = "code signing is not compared: AWS denies lambda:GetFunctionCodeSigningConfig"
        return answer

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the function is another's."""
        return foreign_owner(self.name, current.get("Tags", {}), self.function)

    def differences(self, current: JSON) -> list[str]:
        """Compare code, settings, concurrency and tags."""
        reasons = self._state_differs(current) + self._code_differs(current) + self._config_differences(current)
        now, wanted = concurrency_of(current), self.reserved_concurrency
        if now != wanted:
            reasons.append(f"reserved concurrency: {_or_none(now)} -> {_or_none(wanted)}")
        if self._signed_otherwise(current):
            reasons.append(f"code signing: {current[SIGNING] or 'none'} -> {self.code_signing}")
        return reasons or self._tag_differences(current)

    def _signed_otherwise(self, current: Values) -> bool:
        return current.get(SIGNING, self.code_signing) not in {None, self.code_signing}

    def _state_differs(self, current: JSON) -> list[str]:
        now = current["Configuration"]
        if now.get("State") == "Failed" or now.get("LastUpdateStatus") == "Failed":
            return [f"it failed: {now.get('StateReason') or now.get('LastUpdateStatusReason') or 'no reason given'}"]
        return ["it is not ready"] if is_busy(now) else []

    def _code_differs(self, current: Values) -> list[str]:
        now = current["Configuration"]
        reasons = [] if self.code_stands(current) else ["code"]
        arch = (now.get("Architectures") or ["x86_64"])[0]
        return reasons if arch == self.arch else [*reasons, f"architecture: {arch} -> {self.arch}"]

    def _config_differences(self, current: JSON) -> list[str]:
        now = current["Configuration"]
        layers = [self.layer.arn] if self.layer else []
        pairs = {
            name: (_standing(name, now.get(name), wanted), wanted)
            for name, wanted in {**self.config, "Role": self.role_arn}.items()
            if name not in {"Layers", "LoggingConfig"}
        }
        pairs["LoggingConfig"] = (self._logging_of(now), self._logging_of(self.config))
        standing = [layer["Arn"] for layer in now.get("Layers") or []]
        # The dependency layer comes first; its name says what is in it, whatever its version.
        own = [layer_of(arn) for arn in standing if layer_of(arn) in layers]
        others = [arn for arn in standing if layer_of(arn) not in layers]
        pairs["Layers"] = (own + others, layers + list(self.config.get("Layers", [])))
        return [_change(name, a, b) for name, (a, b) in pairs.items() if a != b]

    def _tag_differences(self, current: JSON) -> list[str]:
        now, wanted = current.get("Tags", {}), self.all_tags(current)
        # That its cell has another id is no change: it is noted with the next one.
        names = sorted(name for name in {*now, *wanted} - {CELL} if now.get(name) != wanted.get(name))
        if names == [FINGERPRINT]:
            return ["no version was published of it"]
        return [f"tags {', '.join(name for name in names if name != FINGERPRINT)}"] if names else []

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the function, or update what differs; returns when it can be invoked.

        The fingerprint is written last: as long as it differs, a re-run publishes the version.
        """
        client = aws.client("lambda")
        if current is not None and current["Configuration"].get("State") == "Failed":
            client.delete_function(FunctionName=self.name)
            current = None
        if current is None:
            self._create(aws, client)
            return
        if is_busy(current["Configuration"]):
            ready = wait_until_ready(client, self.name, current["Configuration"])
            current = {**current, "Configuration": ready}
        if self._signed_otherwise(current):
            client.put_function_code_signing_config(FunctionName=self.name, CodeSigningConfigArn=self.code_signing)
        version = self._update(aws, client, current)
        self._set_concurrency(client, concurrency_of(current))
        tags = current.get("Tags", {})
        if tags.get(FINGERPRINT) != self.fingerprint():
            versions.keep_last(client, self.name, version or versions.publish(client, self.name))
        self._set_tags(client, tags, self.all_tags(current))

    def _update(self, aws: AWS, client: LambdaClient, current: JSON) -> str | None:
        """Update settings and code; return the version that was published with the code, if so."""
        now = current["Configuration"]
        if self._config_differences(current) or now.get("LastUpdateStatus") == "Failed":
            told = client.update_function_configuration(
                FunctionName=self.name, Role=self.role_arn, **self._config(aws, now)
            )
            now = wait_until_ready(client, self.name, dict(told))
        if not self._code_differs(current):
            return None
        changed = current.get("Tags", {}).get(FINGERPRINT) != self.fingerprint()
        # The revision keeps a call that botocore repeats after a lost answer from publishing twice.
        extra = {"RevisionId": now["RevisionId"]} if "RevisionId" in now else {}
        with uploaded(aws, self.zip) as code:
            answer = client.update_function_code(
                FunctionName=self.name, Architectures=[self.arch], Publish=changed, **extra, **code
            )
        wait_until_ready(client, self.name, dict(answer))
        return str(answer["Version"]) if changed else None

    def _create(self, aws: AWS, client: LambdaClient) -> None:
        extra: JSON = {"CodeSigningConfigArn": self.code_signing} if self.code_signing and not aws.local else {}
        with uploaded(aws, self.zip) as code:
            answer = client.create_function(
                FunctionName=self.name,
                Role=self.role_arn,
                Code=code,
                Architectures=[self.arch],
                Tags=self.all_tags(),
                Publish=True,
                **extra,
                **self._config(aws),
            )
        wait_until_ready(client, self.name, dict(answer))
        self._set_concurrency(client, None)

    def _logging_of(self, configuration: Values) -> JSON:
        """Return how a configuration logs; the log group is the function's own where none is named."""
        default: JSON = {**DEFAULTS["LoggingConfig"], "LogGroup": log_group_name(self.name)}
        return {name: (configuration.get("LoggingConfig") or {}).get(name) or to for name, to in default.items()}

    def _config(self, aws: AWS, current: Values | None = None) -> JSON:
        """Return the settings with the dependency layer's newest version, and back from another log group."""
        own = [self.layer.version_arn(aws)] if self.layer else []
        config = {**self.config, "Layers": own + list(self.config.get("Layers", []))}
        if current and self._logging_of(current) != self._logging_of(config):
            config["LoggingConfig"] = self._logging_of(config)
        return config

    def _set_concurrency(self, client: LambdaClient, now: int | None) -> None:
        wanted = self.reserved_concurrency
        if now == wanted:
            return
        if wanted is None:
            client.delete_function_concurrency(FunctionName=self.name)
        else:
            client.put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=wanted)

    def _set_tags(self, client: LambdaClient, now: Mapping[str, str], wanted: Mapping[str, str]) -> None:
        if gone := [name for name in now if name not in wanted]:
            client.untag_resource(Resource=self.arn, TagKeys=gone)
        if changed := {name: value for name, value in wanted.items() if now.get(name) != value}:
            client.tag_resource(Resource=self.arn, Tags=changed)

    def delete(self, aws: AWS, current: object) -> None:
        """Delete the function with all its versions."""
        with or_missing():
            aws.client("lambda").delete_function(FunctionName=self.name)


def is_busy(configuration: JSON) -> bool:
    """Whether Lambda is still creating or updating a function."""
    return configuration.get("State") == "Pending" or configuration.get("LastUpdateStatus") == "InProgress"


def wait_until_ready(client: LambdaClient, name: str, told: JSON | None = None) -> JSON:
    """Wait until Lambda has created or updated a function, and return its configuration; look often at first.

    Parameters
    ----------
    client, name : LambdaClient or str
        The function.
    told : JSON or None
        Its configuration as Lambda answered last: who has just been told that it is busy need not ask at once.

    Raises
    ------
    AWSError
        Lambda gave up, or takes longer than five minutes.
    """

    answers = [told] if told else []

    def ready() -> JSON | None:
        now: JSON = answers.pop() if answers else dict(client.get_function_configuration(FunctionName=name))
        if "Failed" in {now.get("State"), now.get("LastUpdateStatus")}:
            reason = now.get("StateReason") or now.get("LastUpdateStatusReason") or "it gives no reason"
            raise AWSError(f"Lambda could not set up {name}: {reason}")
        return None if is_busy(now) else now

    configuration = poll(ready, time.monotonic() + PATIENCE, Pace(0.12, 1.0, growth=1.1))
    if configuration is None:
        raise AWSError(f"Lambda has been setting up {name} for {PATIENCE:.0f} s", "look at it in the AWS console")
    return configuration


def concurrency_of(current: JSON) -> int | None:
    """Return the reserved concurrency of a function as GetFunction tells it, or None."""
    value = current.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    return None if value is None else int(value)


def _standing(name: str, now: object, wanted: object) -> object:
    """Return a setting as it would be given; AWS leaves out what is empty and adds what nobody asked for."""
    if isinstance(wanted, dict):
        standing: JSON = now if isinstance(now, dict) else {}
        if name == "Environment":
            return {"Variables": standing.get("Variables", {})}
        default = DEFAULTS.get(name, {})
        return {key: standing.get(key, default.get(key, type(value)())) for key, value in wanted.items()}
    return type(wanted)() if now is None else now


def _change(name: str, now: object, wanted: object) -> str:
    # Variables may be secrets.
    return "Environment" if name == "Environment" else f"{name}: {_brief(now)} -> {_brief(wanted)}"


def _brief(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_brief(inner)}" for inner in value.values() if inner) or "none"
    if isinstance(value, list):
        return ", ".join(str(inner).rsplit(":layer:", 1)[-1] for inner in value) or "none"
    return str(value).rsplit(":role", 1)[-1] or "none"


def _or_none(value: int | None) -> str:
    return "none" if value is None else str(value)
