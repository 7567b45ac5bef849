"""What AWS would reject of an app's names, roles, policies, layers and tags: told before the first write, all at once.

The rules are those of the API references of Lambda and IAM; the local AWS enforces few of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from nbchalice.config import FILE, read_config
from nbchalice.deploy.desired import App, is_made, policy_file, storage, triggers
from nbchalice.deploy.package import Package
from nbchalice.errors import InvalidInputError, NbChaliceError, ProblemsError
from nbchalice.handlers import Handler, clashes
from nbchalice.handlers.settings import LAYER_ARN, MOST_LAYERS, ROLE_ARN, SIGNING_ARN
from nbchalice.names import NAME_RULE, is_name
from nbchalice.packaging.archive import FULL_PROCESSOR, Archive
from nbchalice.resources.base import AWS, Resource
from nbchalice.resources.function import Function
from nbchalice.resources.log_group import log_group_name
from nbchalice.resources.permission import Permission
from nbchalice.resources.role import Role
from nbchalice.resources.stored_bundle import StoredBundle
from nbchalice.text import MB, joined, readable
from nbchalice.typed import JSON

DLQ = re.compile(r"arn:aws[a-z-]*:(sqs|sns):(?P<region>[a-z0-9-]+):\d{12}:[A-Za-z0-9_-]+(\.fifo)?|[A-Za-z0-9_-]{1,80}")
# Lambda: FunctionName; IAM: RoleName. The names of rules and schedules are their sources' concern.
LONGEST_NAME = 64
# IAM: the sum of a role's inline policies, white space not counted.
LONGEST_POLICY = 10_240
# Lambda quotas: function resource-based policy.
LONGEST_FUNCTION_POLICY = 20_480
# Lambda: memory, and size of /tmp.
MOST_MB = 10_240
# Lambda: seconds of the Init phase; what takes longer is started again within the first invocation.
LONGEST_START = 10
POLICY_KEYS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


def raise_all(errors: list[NbChaliceError]) -> None:
    """Raise what is wrong: one error, or all of them in one; what several handlers share is told once."""
    single: list[NbChaliceError] = []
    for error in errors:
        single += error.problems if isinstance(error, ProblemsError) else [error]
    single = list({str(error): error for error in single}.values())
    if len(single) == 1:
        raise single[0]
    if single:
        raise ProblemsError(single)


def problems(app: App) -> list[NbChaliceError]:
    """Return what is wrong with an app, without asking AWS."""
    errors = [*names_problems(app), *app.problems, *(one.error for one in app.unread if one.stops)]
    counts = Counter(handler.name for handler in app.handlers)
    for name in (name for name, count in counts.items() if count > 1):
        text = f"{counts[name]} handlers are named {name}"
        errors.append(InvalidInputError(text, "give one of them a --name", code="duplicate-handler"))
    for handler in app.handlers:
        errors += handler.problems()
        errors += _policy_file_problems(app, handler)
    return errors + clashes(app.handlers)


def names_problems(app: App) -> list[NbChaliceError]:
    """Return whether app and stage can be parts of names on AWS."""
    pairs = (("app", app.name, "%chalice app NAME"), ("stage", app.stage, "--stage NAME"))
    return [
        InvalidInputError(f"{what} name {name!r} {NAME_RULE}", hint) for what, name, hint in pairs if not is_name(name)
    ]


def unnamed_problems(app: App, aws: AWS) -> list[NbChaliceError]:
    """Return that the app on real AWS has no name of its own: other people's notebooks are called so, too."""
    if aws.local or app.is_named:
        return []
    message = f"the app has no name of its own, and {app.name!r} would be that of every notebook which is called so"
    hint = f"%chalice app NAME, or app_name in {FILE}; %chalice app {app.name} keeps what is deployed so"
    return [InvalidInputError(message, hint, code="app-not-named")]


def problems_at(app: App, aws: AWS, wanted: Mapping[str, Resource]) -> list[NbChaliceError]:
    """Return what is wrong with an app at this account and region."""
    errors: list[NbChaliceError] = []
    permissions: dict[str, list[Permission]] = {}
    for resource in wanted.values():
        if isinstance(resource, Permission):
            permissions.setdefault(resource.function.handler, []).append(resource)
        if isinstance(resource, Function) and len(resource.name) > LONGEST_NAME:
            text = f"function name {resource.name} has {len(resource.name)} letters; Lambda takes {LONGEST_NAME}"
            errors.append(InvalidInputError(text, "shorten the app's name, or give the handler a shorter --name"))
        if isinstance(resource, Role):
            errors += _policy_size_problems(resource)
    for handler in app.handlers:
        errors += _errors_of(handler, _place_problems(app, handler, aws))
        errors += _errors_of(handler, _function_policy_problems(permissions.get(handler.name, [])))
    return errors


def _function_policy_problems(permissions: list[Permission]) -> Iterator[tuple[str, str]]:
    """Yield that the policy that lets a handler's triggers invoke it is longer than Lambda takes."""
    document = {"Version": "2012-10-17", "Id": "default", "Statement": [one.statement() for one in permissions]}
    size = len(json.dumps(document, separators=(",", ":")))
    if size > LONGEST_FUNCTION_POLICY:
        text = f"its {len(permissions)} triggers make the function's policy {size} bytes; Lambda takes "
        yield f"{text}{LONGEST_FUNCTION_POLICY}", "take some of the triggers to a second handler"


def _errors_of(handler: Handler, texts: Iterable[tuple[str, str]]) -> list[NbChaliceError]:
    return [InvalidInputError(f"handler {handler.name}: {text}", hint, handler.location) for text, hint in texts]


def account_problems(app: App, aws: AWS) -> list[NbChaliceError]:
    """Return that the configuration does not allow this account; the local AWS is always allowed."""
    allowed = read_config(app.folder).get("allowed_accounts")
    if aws.local or allowed is None:
        return []
    where = f"allowed_accounts in {app.folder / '.chalice' / 'config.json'}"
    if not isinstance(allowed, list) or not all(re.fullmatch(r"\d{12}", str(account)) for account in allowed):
        return [InvalidInputError(f"{where} is not a list of accounts", 'write ["123456789012"], twelve digits each')]
    if aws.account in map(str, allowed):
        return []
    return [
        InvalidInputError(
            f"these credentials are of account {aws.account}, and {where} allows {', '.join(map(str, allowed))}",
            "use the credentials of an allowed account, or add this one to the list",
            code="account-not-allowed",
        )
    ]


def _policy_file_problems(app: App, handler: Handler) -> list[NbChaliceError]:
    name = handler.setting("policy")
    if not name:
        return []
    try:
        statements = policy_file(app.folder / name, handler)
    except InvalidInputError as error:
        return [error]
    return _errors_of(handler, [(f"--policy {name}: {text}", hint) for text, hint in _statement_problems(statements)])


def _statement_problems(statements: list[JSON]) -> Iterator[tuple[str, str]]:
    """Yield what IAM would reject in the statements of a role's policy (IAM: JSON policy elements)."""
    for number, statement in enumerate(statements, 1):
        place = f"statement {number}"
        if not isinstance(statement, dict):
            yield f"{place} is not an object", "see IAM, JSON policy element reference"
            continue
        if statement.get("Effect") not in {"Allow", "Deny"}:
            yield f"{place} has no Effect", 'add "Effect": "Allow"'
        if ("Action" in statement) == ("NotAction" in statement):
            yield f"{place} wants either Action or NotAction", 'add "Action": ["service:Operation"]'
        if ("Resource" in statement) == ("NotResource" in statement):
            yield f"{place} wants either Resource or NotResource", 'add "Resource": "arn:aws:..."'
        if unknown := sorted(set(statement) - POLICY_KEYS):
            yield f"{place} has {', '.join(unknown)}, which a role's policy cannot have", "leave it out"


def _policy_size_problems(role: Role) -> list[NbChaliceError]:
    size = len(re.sub(r"\s", "", json.dumps(role.policy(), separators=(",", ":"))))
    if size <= LONGEST_POLICY:
        return []
    text = f"handler {role.function.handler}: the policy of its role has {size} characters; IAM takes {LONGEST_POLICY}"
    return [InvalidInputError(text, "put statements together, or give a role of your own: --role ARN")]


def _place_problems(app: App, handler: Handler, aws: AWS) -> Iterator[tuple[str, str]]:
    role = ROLE_ARN.fullmatch(str(handler.setting("role") or ""))
    if role and role["account"] != aws.account and not aws.local:
        yield (
            f"--role is of account {role['account']}, the function of {aws.account}; Lambda wants the same account",
            f"use a role of account {aws.account}",
        )
    prefix = log_group_name(app.ref(aws, "").name)
    if str(group := handler.setting("log_group") or "").startswith(prefix):
        yield f"--log-group {group} is that of a function of this app, and goes with it", "name another log group"
    for layer in handler.setting("layer") or []:
        match = LAYER_ARN.fullmatch(str(layer))
        if match and match["region"] != aws.region:
            yield f"--layer {layer} is in {match['region']}, the function in {aws.region}", f"use one in {aws.region}"
    signing = SIGNING_ARN.fullmatch(str(handler.setting("code_signing") or ""))
    if signing and signing["region"] != aws.region:
        yield f"--code-signing is in {signing['region']}, the function in {aws.region}", f"use one in {aws.region}"
    dlq = DLQ.fullmatch(str(handler.setting("dlq") or ""))
    if dlq and dlq["region"] and dlq["region"] != aws.region:
        yield f"--dlq is in {dlq['region']}, the function in {aws.region}", f"use one in {aws.region}"


def layer_count_problems(app: App, with_layer: set[str]) -> list[NbChaliceError]:
    """Return which handlers have too many layers, once it is known which have a dependency layer."""
    errors: list[NbChaliceError] = []
    for handler in app.handlers:
        count = len(handler.setting("layer") or []) + (handler.name in with_layer)
        if count > MOST_LAYERS:
            text = f"{count} layers with the one for its dependencies; Lambda takes {MOST_LAYERS}"
            errors += _errors_of(handler, [(text, "leave out a --layer")])
    return errors


def bundle_problems(app: App, packages: Mapping[str, Package]) -> list[NbChaliceError]:
    """Return which handlers cannot hold a bundle that they load from S3."""
    errors: list[NbChaliceError] = []
    for handler in app.handlers:
        if (needed := storage(handler, packages[handler.name])) > MOST_MB:
            text = f"the archive of its dependencies and --ephemeral-storage take {needed} MB in /tmp of {MOST_MB}"
            errors += _errors_of(handler, [(text, "import less, or ask for less --ephemeral-storage")])
        for bundle in packages[handler.name].bundles:
            for setting, what in (("memory", "MB of memory"), ("ephemeral_storage", "MB in /tmp")):
                megabytes = handler.setting(setting)
                if bundle.size > megabytes * MB:
                    size = readable(bundle.size)
                    text = f"the bundle {bundle.name} is {size}, and the function has {megabytes} {what}"
                    hint = f"bundle less: {MOST_MB} MB is the most that Lambda has"
                    if bundle.size <= MOST_MB * MB:
                        hint = f"add --{setting.replace('_', '-')} {_enough(bundle.size)}, or bundle less"
                    errors += _errors_of(handler, [(text, hint)])
    return errors


def _enough(size: int) -> int:
    """Return megabytes in which a file and what is made of it have room."""
    # A power of two above twice the size: 1024 for 300 MB. Twice, because the file and the object stand side by side.
    return min(MOST_MB, 1 << (2 * size // MB).bit_length())


def bundle_notes(app: App, aws: AWS, packages: Mapping[str, Package]) -> list[str]:
    """Return what a person must see to, so that a function can load its bundles from S3."""
    notes: list[str] = []
    for handler in app.handlers:
        ref = app.ref(aws, handler.name)
        bundles = [StoredBundle.of(bundle, ref) for bundle in packages[handler.name].stored]
        names = ", ".join(bundle.name for bundle in bundles)
        if bundles and handler.setting("role"):
            arns = ", ".join(bundle.arn for bundle in bundles)
            notes.append(f"{handler.name}: to load {names}, the --role needs s3:GetObject on {arns}")
        if bundles and handler.setting("subnet"):
            notes.append(f"{handler.name}: to load {names}, the VPC needs a gateway endpoint for S3")
        if archive := packages[handler.name].archive:
            notes.append(f"{handler.name}: {_cost_of(archive, handler, packages[handler.name])}")
    return notes


def _cost_of(archive: Archive, handler: Handler, package: Package) -> str:
    """Return what it costs that dependencies are unpacked at each cold start."""
    memory, seconds = handler.setting("memory"), archive.seconds(handler.setting("memory"))
    text = (
        f"{readable(archive.layer.unzipped_size)} of dependencies are over Lambda's 250 MB: each cold start unpacks "
        f"them from S3, in about {seconds:.0f} s with {memory} MB of memory; they fill {archive.megabytes} of "
        f"{storage(handler, package)} MB in /tmp. --no-big refuses instead"
    )
    if seconds > LONGEST_START and memory < FULL_PROCESSOR:
        text += f"; --memory {FULL_PROCESSOR} makes it about {archive.seconds(FULL_PROCESSOR):.0f} s"
    if seconds > LONGEST_START:
        text += f". What takes longer than {LONGEST_START} s counts as time of the first event: --timeout must allow it"
    return text


def local_notes(app: App, aws: AWS) -> list[str]:
    """Say which triggers and settings the local AWS cannot have."""
    notes = []
    for handler in app.handlers:
        for source, options in handler.sources():
            if not is_made(source, aws):
                notes.append(
                    f"{handler.name}: {source.describe(options)} is not made, as the local AWS has no {source.title}; "
                    "send invokes the function with the event"
                )
        for name in ("code_signing", "runtime_management"):
            if aws.local and handler.setting(name):
                flag = f"--{name.replace('_', '-')}"
                notes.append(f"{handler.name}: {flag} is for AWS: the local AWS has nothing of it, and it is not set")
    return notes


def key_problems(app: App, aws: AWS) -> list[NbChaliceError]:
    """Return which triggers would make one thing on AWS in two ways, naming both."""
    errors: list[NbChaliceError] = []
    first: dict[str, tuple[str, Resource]] = {}
    for handler in app.handlers:
        for source, options, ref in triggers(handler, app.ref(aws, handler.name)):
            words = f"{handler.name} ({source.describe(options)})"
            for resource in source.resources(options, ref):
                before, other = first.setdefault(resource.key, (words, resource))
                if not resource.agrees_with(other):
                    text = f"{before} and {words} want {resource.kind} {resource.name} in two ways"
                    hint = "keep one of the two triggers, or make them alike"
                    errors.append(InvalidInputError(f"{text}: {_apart(other, resource)}", hint, handler.location))
    return errors


def _apart(one: Resource, other: Resource) -> str:
    """Return in which values two resources with one key differ."""
    if type(one) is not type(other):
        return f"{type(one).__name__} and {type(other).__name__}"
    apart = []
    for name in (field.name for field in fields(one) if field.compare):
        before, after = getattr(one, name), getattr(other, name)
        apart += [f"{name} {before!r} and {after!r}"] if before != after else []
    return ", ".join(apart)


def consumer_notes(app: App, aws: AWS) -> list[str]:
    """Say which handlers compete for the messages of one queue.

    Parameters
    ----------
    app, aws : App or AWS
        As for `problems_at`.
    """
    readers: dict[str, dict[str, str]] = {}
    for handler in app.handlers:
        for source, options, ref in triggers(handler, app.ref(aws, handler.name)):
            if arn := source.shared(options, ref):
                readers.setdefault(arn, {})[handler.name] = source.describe(options)
    notes = []
    for names in readers.values():
        if len(names) > 1:
            how_many = "both" if len(names) == 2 else "all"
            queue = next(iter(names.values()))
            notes.append(f"{joined(names)} {how_many} read {queue}: each message goes to only one of them")
    return notes


def answer_notes(app: App, packages: Mapping[str, Package]) -> list[str]:
    """Return which handlers may report failed records where Lambda does not read it, and loses them."""
    notes = []
    for handler in app.handlers:
        if not packages[handler.name].reports_failures:
            continue
        for source, options in handler.sources():
            if todo := source.unread(options):
                notes.append(
                    f"{handler.name}: its code reports failed records (batchItemFailures), which Lambda ignores for "
                    f"{source.describe(options)}: it takes every batch with an answer for handled; {todo}"
                )
    return notes
