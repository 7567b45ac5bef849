"""The template of an app: the same resources as a deploy makes, for CloudFormation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import cast

from packaging.version import Version

from nbchalice.deploy.check import names_problems, problems, raise_all
from nbchalice.deploy.desired import App, desired, recording_of
from nbchalice.deploy.package import Package
from nbchalice.errors import InvalidInputError, NbChaliceError
from nbchalice.resources.base import Resource, key_of
from nbchalice.resources.event_source_mapping import EventSourceMapping
from nbchalice.resources.runtime_management import RuntimeManagement
from nbchalice.templates.attachments import attachments
from nbchalice.templates.described import Part, described
from nbchalice.templates.places import CODE_BUCKET, CODE_PREFIX, Anywhere, anywhere, filled, referred
from nbchalice.text import joined
from nbchalice.typed import JSON

# CloudFormation quotas: resources in a template.
MOST_RESOURCES = 500
# One name for all kinds of them: what lets others in needs the function, and what they send needs that.
NOT_BY_HANDLER = "Shared"


@dataclass(frozen=True)
class Template:
    """A template, and the files that are uploaded for it.

    Parameters
    ----------
    body : JSON
        The template.
    files : Mapping[str, bytes]
        What it expects in the bucket for code, by name.
    names : Mapping[str, str]
        The name in the template of each resource of a deploy that it makes, by the resource's key.
    notes : tuple[str, ...]
        What a person should know.
    """

    body: JSON
    files: Mapping[str, bytes] = field(repr=False)
    names: Mapping[str, str]
    notes: tuple[str, ...] = ()


def template_of(app: App, packages: Mapping[str, Package]) -> Template:
    """Return the template of an app.

    Parameters
    ----------
    app : App
        The handlers.
    packages : Mapping[str, Package]
        Each handler's code, by the handler's name.

    Raises
    ------
    NbChaliceError
        A deploy would refuse the app, or it has what no template makes.
    """
    raise_all([*problems(app), *names_problems(app), *unfit(app)])
    wanted = desired(anywhere(app), packages, Anywhere())
    parts = {key: part for key, resource in wanted.items() if (part := described(resource))}
    names = named(parts, wanted)
    for one in (one for one in wanted.values() if isinstance(one, RuntimeManagement)):
        parts[key_of("function", one.name)].properties["RuntimeManagementConfig"] = one.wanted()
    known: dict[str, JSON] = {}
    for key, part in parts.items():
        known |= {part.own: {"Ref": names[key]}} if part.own else {}
        known |= {part.arn: {"Fn::GetAtt": [names[key], "Arn"]}} if part.arn else {}
    made = {names[key]: _entry(key, part, wanted[key], known, names) for key, part in parts.items()}
    attached = attachments(wanted, names, _newest(packages))
    made |= attached.resources
    files: dict[str, bytes] = {}
    for part in parts.values():
        files |= part.files
    if len(made) > MOST_RESOURCES:
        text = f"the template would have {len(made)} resources; CloudFormation takes {MOST_RESOURCES}"
        raise InvalidInputError(text, "take some handlers to a second notebook")
    return Template(_whole(app, made, names, wanted), files, {**names, **attached.names}, tuple(_notes(app, wanted)))


def unfit(app: App) -> Iterator[NbChaliceError]:
    """Yield what an app has that no template makes."""
    for handler in app.handlers:
        if recording_of(handler, anywhere(app).ref(Anywhere(), handler.name)):
            text = f"handler {handler.name}: --record keeps events in the bucket of nbchalice, which no template makes"
            yield InvalidInputError(text, "leave out --record, or deploy with nbchalice", handler.location)


def named(parts: Mapping[str, Part], wanted: Mapping[str, Resource]) -> dict[str, str]:
    """Return the name in the template of each resource: ``PriceFunction``, or with a hash where two would share one."""
    names: dict[str, str] = {}
    for key, part in parts.items():
        name = f"{_stem(wanted[key])}{part.suffix}"
        # With the hash from the first on: a second trigger must not rename it.
        digest = hashlib.sha256(key.encode()).hexdigest()[:8]
        names[key] = f"{name}{digest}" if part.of_trigger or name in names.values() else name
    return names


def _stem(resource: Resource) -> str:
    """Return what the names of a handler's resources begin with: ``OnOrder`` for ``on_order``."""
    function = getattr(resource, "function", None)
    words = re.split(r"[^A-Za-z0-9]+", function.handler) if function else [NOT_BY_HANDLER]
    return "".join(word[:1].upper() + word[1:] for word in words)


def _newest(packages: Mapping[str, Package]) -> str:
    """Return the newest Python of some packages."""
    return max((package.python for package in packages.values()), key=Version)


def _entry(key: str, part: Part, resource: Resource, known: Mapping[str, JSON], names: Mapping[str, str]) -> JSON:
    """Return a resource as the template has it."""
    # A resource's own name is none that it could refer to.
    others = {text: value for text, value in known.items() if names[key] not in referred(value)}
    properties = cast("JSON", filled(part.properties, others))
    waits = {names[need] for need in resource.needs if need in names} - set(referred(properties))
    return {
        "Type": part.kind.cloudformation,
        **({"DependsOn": sorted(waits)} if waits else {}),
        "Properties": properties,
    }


def _whole(app: App, made: JSON, names: Mapping[str, str], wanted: Mapping[str, Resource]) -> JSON:
    """Return the template with its parameters and outputs."""
    letters = {"AllowedPattern": "[A-Za-z0-9][A-Za-z0-9_-]*"}
    parameters: JSON = {
        "AppName": {"Type": "String", "Default": app.name, "Description": "First part of each name", **letters},
        "Stage": {"Type": "String", "Default": app.stage, "Description": "Second part of each name", **letters},
        CODE_BUCKET: {"Type": "String", "Description": "Bucket that holds the files of the folder code/"},
        CODE_PREFIX: {"Type": "String", "Default": "", "Description": "What their keys begin with, such as shop/"},
    }
    used = set(referred(made))
    outputs: JSON = {}
    for key, resource in wanted.items():
        if resource.kind == "function":
            outputs[f"{_stem(resource)}Arn"] = {"Value": {"Fn::GetAtt": [names[key], "Arn"]}}
        if resource.has_address:
            outputs[f"{_stem(resource)}Url"] = {"Value": {"Fn::GetAtt": [names[key], "FunctionUrl"]}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Handlers of {app.name}, packaged from a notebook by nbchalice at stage {app.stage}",
        "Parameters": {name: given for name, given in parameters.items() if name in used},
        "Resources": made,
        "Outputs": outputs,
    }


def _notes(app: App, wanted: Mapping[str, Resource]) -> Iterator[str]:
    """Yield what of the app is in the template as it is, and what a deploy would look up."""
    values = set(chain.from_iterable(handler.setting("env") or {} for handler in app.handlers))
    if values:
        yield f"the template holds the values of {joined(sorted(values))} as they are"
    if queues := [
        one.function.handler for one in wanted.values() if isinstance(one, EventSourceMapping) and one.of_queue
    ]:
        yield (
            f"{joined(sorted(set(queues)))}: the visibility timeout of the queue must not be below the function's "
            "timeout; a deploy of nbchalice looks that up, a template cannot"
        )
