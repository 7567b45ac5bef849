"""The template of an app in Terraform's JSON form, for its provider for AWS.

It is made of CloudFormation's: types are those of `nbchalice.templates.kinds`, and names of arguments follow from names
of properties. What Terraform keeps apart is taken apart here: the policy of a role, the target of a rule, and how a
function's runtime is updated.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import cast

from nbchalice.resources.upload_bucket import is_large
from nbchalice.templates.cloudformation import Template
from nbchalice.templates.kinds import Kind
from nbchalice.templates.places import CODE_PREFIX, referred
from nbchalice.templates.terraform_text import expression, mapped, named, snake, substituted, written
from nbchalice.typed import JSON

FOLDER = "code"
SOURCE, TERRAFORM = "hashicorp/aws", ">= 1.2"
LEAST, BELOW = "5.100", "7.0"
# Arguments that only later versions of the provider have; since 6.0 each resource has a region.
SINCE = {"region": "6.0", "invoked_via_function_url": "6.29"}
PSEUDO = {
    "AWS::Partition": "data.aws_partition.current.partition",
    "AWS::Region": "data.aws_region.current.id",
    "AWS::AccountId": "data.aws_caller_identity.current.account_id",
}
POLICY, TARGET, UPDATES = "aws_iam_role_policy", "aws_cloudwatch_event_target", "aws_lambda_runtime_management_config"
# What belongs to a resource and stands apart from it: who waits for the one waits for the other.
APART = {Kind.ROLE: POLICY, Kind.RULE: TARGET}

# Where the name of an argument, or of one within it, does not follow from the property's.
RENAMED: dict[Kind, dict[str, str]] = {
    Kind.LOG_GROUP: {"LogGroupName": "name"},
    Kind.ROLE: {"AssumeRolePolicyDocument": "assume_role_policy"},
    Kind.MAPPING: {"Filters": "filter", "Destination": "destination_arn"},
    Kind.URL: {"TargetFunctionArn": "function_name", "AuthType": "authorization_type"},
    Kind.RULE: {"Id": "target_id"},
}
# Properties that are a text of JSON here, and those whose inner names are the user's.
DOCUMENTS = {"AssumeRolePolicyDocument", "EventPattern", "FilterPolicy", "RedrivePolicy"}
AS_GIVEN = {"Variables"}
# IAM takes 64 letters in a role's name, of which Terraform takes 26.
PREFIX_LETTERS = 38


@dataclass(frozen=True)
class Configuration:
    """What Terraform takes: ``main.tf.json``, and the files of its folder.

    Parameters
    ----------
    body : JSON
        The configuration.
    files : Mapping[str, bytes]
        The files, by name.
    names : Mapping[str, str]
        The address of each resource of the template that it was made of, by the name there.
    """

    body: JSON
    files: Mapping[str, bytes] = field(repr=False)
    names: Mapping[str, str]


def for_terraform(template: Template) -> Configuration:
    """Return a template for Terraform.

    Parameters
    ----------
    template : Template
        As `nbchalice.templates.cloudformation.template_of` makes it.
    """
    body, making = template.body, _Making(template)
    resources: JSON = {}
    for logical in body["Resources"]:
        for kind, name, arguments in making.made_of(logical):
            resources.setdefault(kind, {})[name] = arguments
    names = named(body["Outputs"])
    outputs = {names[name]: {"value": making.filled(one["Value"])} for name, one in body["Outputs"].items()}
    text = json.dumps([resources, outputs])
    made = {
        "//": body["Description"],
        "terraform": {
            "required_version": TERRAFORM,
            "required_providers": {"aws": {"source": SOURCE, "version": _versions(resources)}},
        },
        "variable": dict(_variables(body["Parameters"], text)),
        "data": {kind: {"current": {}} for kind in sorted(set(re.findall(r"data\.(\w+)\.current", text)))},
        "resource": resources,
        "output": outputs,
    }
    whole = cast("JSON", written({name: one for name, one in made.items() if one}))
    addresses = {logical: making.address(logical) for logical in body["Resources"]}
    return Configuration(whole, {**template.files, **making.files}, addresses)


def _versions(resources: Mapping[str, Mapping[str, JSON]]) -> str:
    """Return the versions of the provider that have all arguments."""
    used = set(chain.from_iterable(chain.from_iterable(one.values()) for one in resources.values()))
    given = [LEAST, *(SINCE[name] for name in used & set(SINCE))]
    return f">= {max(given, key=lambda text: [int(part) for part in text.split('.')])}, < {BELOW}"


def _variables(parameters: Mapping[str, JSON], text: str) -> Iterator[tuple[str, JSON]]:
    """Yield those that a text refers to."""
    for parameter, given in parameters.items():
        name = snake(parameter)
        if f"var.{name}" not in text:
            continue
        variable: JSON = {"type": "string", "description": given["Description"]}
        variable |= {"default": given["Default"]} if "Default" in given else {}
        if pattern := given.get("AllowedPattern"):
            matches = expression(f'can(regex("^{pattern}$", var.{name}))')
            variable["validation"] = {"condition": matches, "error_message": f"It must match {pattern}."}
        yield name, variable


class _Making:
    """Makes resources of those of a template.

    Parameters
    ----------
    template : Template
        The template.
    """

    def __init__(self, template: Template) -> None:
        self.files: dict[str, bytes] = {}
        self._given = template.files
        self._entries: Mapping[str, JSON] = template.body["Resources"]
        self._names = named(self._entries)

    def _kind(self, logical: str) -> Kind:
        return Kind.of(self._entries[logical]["Type"])

    def address(self, logical: str) -> str:
        """Return the address of a resource: ``aws_lambda_function.price_function``."""
        return f"{self._kind(logical).terraform}.{self._names[logical]}"

    def filled(self, value: object) -> object:
        """Return a value with expressions in place of CloudFormation's functions."""
        if isinstance(value, list):
            return [self.filled(inner) for inner in value]
        if not isinstance(value, Mapping):
            return value
        match list(value.items()):
            case [("Ref", str() as name)]:
                return expression(self._reference(name))
            case [("Fn::Sub", str() as text)]:
                return substituted(text, self._reference)
            case [("Fn::GetAtt", [logical, attribute])]:
                return expression(f"{self.address(logical)}.{snake(attribute)}")
        return {name: self.filled(inner) for name, inner in value.items()}

    def _reference(self, name: str) -> str:
        """Return what a name of CloudFormation is here."""
        if name in self._entries:
            # A layer is referred to by its version's ARN.
            return f"{self.address(name)}.{'arn' if self._kind(name) == Kind.LAYER else 'function_name'}"
        return PSEUDO.get(name) or f"var.{snake(name)}"

    def made_of(self, logical: str) -> Iterator[tuple[str, str, JSON]]:
        """Yield what is made of a resource of the template: type, name and arguments."""
        kind, name, entry = self._kind(logical), self._names[logical], self._entries[logical]
        properties = dict(entry["Properties"])
        itself = expression(f"{self.address(logical)}.{'function_name' if kind == Kind.FUNCTION else 'name'}")
        for policy in properties.pop("Policies", []):
            document = self._document(policy["PolicyDocument"])
            yield POLICY, name, {"name": policy["PolicyName"], "role": itself, "policy": document}
        for target in properties.pop("Targets", []):
            bus = {"EventBusName": properties["EventBusName"]}
            yield TARGET, name, {"rule": itself, **self._arguments(kind, {**bus, **target})}
        if updates := properties.pop("RuntimeManagementConfig", None):
            yield UPDATES, name, {"function_name": itself, **self._arguments(kind, updates)}
        yield kind.terraform, name, {**self._itself(kind, name, properties), **self._waits(entry)}

    def _waits(self, entry: JSON) -> JSON:
        """Return what a resource waits for without referring to it."""
        waits = [self.address(one) for one in entry.get("DependsOn", [])]
        for one in (*entry.get("DependsOn", []), *referred(entry["Properties"])):
            apart = APART.get(self._kind(one)) if one in self._entries else None
            waits += [f"{apart}.{self._names[one]}"] if apart else []
        return {"depends_on": sorted(set(waits))} if waits else {}

    def _itself(self, kind: Kind, name: str, properties: JSON) -> JSON:
        """Return a resource without what stands apart from it."""
        if service := properties.pop("ServiceToken", None):
            asked = {"input": self._document(properties), "lifecycle_scope": "CRUD"}
            return {"function_name": self.filled(service), **asked}
        if kind == Kind.ROLE:
            parts = f'[var.app_name, var.stage, "{name.replace("_", "-")}-"]'
            prefix = expression(f'substr(join("-", {parts}), 0, {PREFIX_LETTERS})')
            return {"name_prefix": prefix, **self._arguments(kind, properties)}
        code = properties.pop("Code", None) or properties.pop("Content", None)
        if code and "ZipFile" in code:
            properties["Handler"] = "index.applied"
        return {**(self._code(code) if code else {}), **self._arguments(kind, properties)}

    def _code(self, place: JSON) -> JSON:
        """Return where the code of a function or layer is."""
        if "ZipFile" in place:
            content = _zipped("index.py", place["ZipFile"])
            file = f"attach-{hashlib.sha256(content).hexdigest()[:16]}.zip"
            self.files[file] = content
        else:
            file = place["S3Key"]["Fn::Sub"].removeprefix(f"${{{CODE_PREFIX}}}")
            content = self._given[file]
        digest = {"source_code_hash": base64.b64encode(hashlib.sha256(content).digest()).decode()}
        if is_large(len(content)) and "ZipFile" not in place:
            return {**{snake(name): self.filled(value) for name, value in place.items()}, **digest}
        return {"filename": f"{expression('path.module')}/{FOLDER}/{file}", **digest}

    def _arguments(self, kind: Kind, properties: Mapping[str, object]) -> JSON:
        names = RENAMED.get(kind, {})
        return {names.get(name, snake(name)): self._argument(kind, name, value) for name, value in properties.items()}

    def _argument(self, kind: Kind, name: str, value: object) -> object:
        if name == "Tags":
            return self.filled(mapped(cast("list[JSON]", value)))
        if name in DOCUMENTS:
            return self._document(value)
        if name == "StartingPositionTimestamp":
            return datetime.fromtimestamp(cast("float", value), UTC).isoformat().replace("+00:00", "Z")
        if name in AS_GIVEN:
            return {inner: self.filled(one) for inner, one in cast("JSON", value).items()}
        return self._nested(kind, value)

    def _nested(self, kind: Kind, value: object) -> object:
        """Return a value whose inner names are properties, too."""
        if isinstance(value, list):
            return [self._nested(kind, inner) for inner in value]
        filled = self.filled(value)
        return self._arguments(kind, cast("JSON", value)) if isinstance(filled, dict) else filled

    def _document(self, value: object) -> str:
        return json.dumps(self.filled(value), ensure_ascii=False)


def _zipped(name: str, text: str) -> bytes:
    """Return a zip with one file, the same each time."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        file = zipfile.ZipInfo(name)
        file.external_attr = 0o644 << 16
        archive.writestr(file, text, zipfile.ZIP_DEFLATED)
    return content.getvalue()
