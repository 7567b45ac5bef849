"""Settings of the function behind a handler: names, ranges, and what Lambda would refuse."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from nbchalice.names import LONGEST_RUN, RUNTIMES
from nbchalice.resources.queue import queue_problem
from nbchalice.sources.options import Option, problems
from nbchalice.typed import JSON, Values

RESERVED_ENV = (
    "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_INITIALIZATION_TYPE", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER",
    "_X_AMZN_TRACE_ID",
)  # fmt: skip
MOST_ENV_BYTES = 4096
_KINDS = {
    str: "a text without =",
    int: "a number",
    float: "a number",
    list: "a list",
    tuple: "a list",
    dict: "an object",
}
MOST_TAGS = 46  # Lambda takes 50, and four are nbchalice's.
MOST_LAYERS = 5
MOST_SUBNETS = 16
MOST_SECURITY_GROUPS = 5
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip

ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*?]+")
ARN = re.compile(r"\*|arn:[a-z*-]+:[a-z0-9*-]*:[a-z0-9*-]*:[0-9*]*:.+")
ROLE_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):role/[\w+=,.@/-]+")
ROLE_PATH = re.compile(r"/|/[\x21-\x7e]{1,400}/")
POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy/[\w+=,.@/-]+")
PRINCIPAL_ARN = re.compile(
    r"arn:aws[a-z-]*:(iam::\d{12}:(root|(user|role)/.+)|sts::\d{12}:(assumed-role|federated-user)/.+)"
)
LAYER_ARN = re.compile(r"(?P<layer>arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):\d{12}:layer:[A-Za-z0-9_-]+):\d+")
TAG = re.compile(r"[\w\s.:/=+\-@]*")
TAG_LETTERS = "letters, digits, spaces and . : / = + - @ _"
FIELD = re.compile(r"[^.]+(\.[^.]+)*")
LOG_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+")
SIGNING_ARN = re.compile(r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):\d{12}:code-signing-config:csc-[a-z0-9]{17}")
RUNTIME_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+::runtime:.+")
RUNTIME_UPDATES = ("Auto", "FunctionUpdate")
TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+")
DESTINATION_ARN = re.compile(r"arn:aws[a-z-]*:(sqs|sns|lambda|events|s3):.+")


def shown(value: object) -> str:
    """Return a value as messages tell it; a long one may be a secret, as that of ``{"DB_PASSWORD": 24681357}``."""
    text = repr(value)
    most = 8 if isinstance(value, str | list | tuple | dict) else 3
    return text if len(text) <= most else _KINDS.get(type(value), "this")


def pair(text: str) -> tuple[str, str]:
    """Read NAME=VALUE; raise ValueError where there is no =."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise ValueError(f"wants NAME=VALUE, not {shown(text)}")
    return name, value


def permission(text: str) -> tuple[str, str]:
    """Read ACTION=ARN; raise ValueError where there is no =."""
    action, sign, arn = text.partition("=")
    if not sign:
        raise ValueError(f"wants ACTION=ARN, for example s3:PutObject=arn:aws:s3:::my-bucket/*, not {text!r}")
    return action, arn


# Options of every handler, beside its source's own. Ranges are those of Lambda: "Lambda quotas".
SETTINGS = (
    Option("timeout", "seconds a run may take", int, 60, "SECONDS", minimum=1, maximum=LONGEST_RUN),
    Option("memory", "memory of the function", int, 128, "MB", minimum=128, maximum=10_240),
    Option("env", "environment variable", pair, None, "NAME=VALUE", repeats=True),
    Option("allow_secret", "variable whose value only looks like a credential", str, None, "NAME", repeats=True),
    Option("tag", "tag of the function, and of all that is made for it", pair, None, "NAME=VALUE", repeats=True),
    Option("role", "ARN of an existing role, instead of one made for the function", metavar="ARN"),
    Option("role_path", "what the paths of the roles that are made begin with", str, "/", "PATH"),
    Option("permissions_boundary", "ARN of the policy that bounds what these roles may do", metavar="ARN"),
    Option("trust", "ARN of who may take this role, too, as live --as-role does", str, None, "ARN", repeats=True),
    Option("policy", "file with a policy document for the role (JSON)", metavar="FILE"),
    Option("allow", "what the role may do besides: s3:PutObject=arn:...", permission, None, "ACTION=ARN", True),
    Option("layer", "ARN of a layer version to add", str, None, "ARN", repeats=True),
    Option("arch", "processor", metavar="ARCH", default="x86_64", choices=("x86_64", "arm64")),
    Option("python", "Python on Lambda; default: the kernel's", metavar="VERSION", choices=RUNTIMES),
    Option("requirements", "file with requirements, instead of what the imports tell", metavar="FILE"),
    Option("no_big", "refuse dependencies over Lambda's 250 MB; default: they are unpacked to /tmp", bool, False),
    Option("reserved_concurrency", "most runs at once", int, None, "N", minimum=0, maximum=1000),
    Option("ephemeral_storage", "size of /tmp", int, 512, "MB", minimum=512, maximum=10_240),
    Option("log_retention", "days after which CloudWatch drops logs; default: never", int, None, "DAYS"),
    Option("log_group", "log group of yours to write to, which functions may share", metavar="NAME"),
    Option("log_kms_key", "ARN of the KMS key that encrypts the logs", metavar="ARN"),
    Option("log_class", "class of the log group when it is made", choices=("STANDARD", "INFREQUENT_ACCESS")),
    Option("json_logs", "write logs as JSON", bool, False),
    Option("tracing", "record runs in X-Ray", bool, False),
    Option("subnet", "id of a subnet of the VPC to run in", str, None, "ID", repeats=True),
    Option("security_group", "id of a security group, with --subnet", str, None, "ID", repeats=True),
    Option("dlq", "queue for events that failed for good (name or ARN; a topic's ARN too)", metavar="QUEUE"),
    Option("on_failure", "where reports of failed asynchronous events go (queue's name, or ARN)", metavar="TARGET"),
    Option("retries", "tries after the first of an asynchronous event; default: 2", int, None, "N", False, None, 0, 2),
    Option(
        "max_age",
        "seconds after which an asynchronous event is given up; default: 6 hours",
        int,
        None,
        "SECONDS",
        minimum=60,
        maximum=21_600,
    ),
    Option("kms_key", "ARN of the KMS key that encrypts the environment variables, and recorded events", metavar="ARN"),
    Option("code_signing", "ARN of the code signing configuration of the function", metavar="ARN"),
    Option(
        "runtime_management",
        "when updates of its runtime reach the function: Auto, FunctionUpdate, or the ARN of the version to stay at",
        metavar="VALUE",
    ),
    Option(
        "record", "keep the last N events, for events and replay; default: none", int, None, "N", False, None, 1, 500
    ),
    Option("redact", "field that --record leaves out, such as customer.email", str, None, "FIELD", repeats=True),
)
META = (
    Option("handler", "which of the cell's functions is the handler", metavar="NAME"),
    Option("name", "the handler's name on AWS; default: the function's", metavar="NAME"),
    Option("also", "another trigger: a magic line without %%", str, None, "'TRIGGER ...'", repeats=True),
)


def tidy_settings(settings: Values) -> JSON:
    """Return the settings with env and tag as dictionaries and allow as pairs; a decorator may give them otherwise."""
    tidy = dict(settings)
    for name in ("env", "tag"):
        if isinstance(tidy.get(name), list | tuple) and all(_is_pair(entry) for entry in tidy[name]):
            tidy[name] = dict(tidy[name])
    allow = tidy.get("allow")
    if isinstance(allow, Mapping):
        tidy["allow"] = []
        for action, value in allow.items():
            arns = [value] if isinstance(value, str) else value
            tidy["allow"] += [(action, arn) for arn in arns]
    elif isinstance(allow, list | tuple):
        tidy["allow"] = list(map(_allow_pair, allow))
    return tidy


def _allow_pair(entry: object) -> object:
    # "s3:GetObject=arn:..." of a magic, ("s3:GetObject", "arn:...") of a decorator; "=" is in no action, but in ARNs.
    return tuple(entry.partition("=")[::2]) if isinstance(entry, str) else entry


def _is_pair(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2


def settings_problems(settings: Values) -> list[str]:
    """Return what Lambda would reject in the settings of a function (Lambda: CreateFunction)."""
    if wrong := problems(SETTINGS, settings):
        return wrong
    return [
        *_variables(settings.get("env"), "--env"),
        *_env(settings.get("env") or {}),
        *_tags(settings.get("tag")),
        *_lists(settings),
        *_role(settings),
        *_network(settings),
        *_destinations(settings),
        *_log_group(settings),
        *_keys(settings),
        *_updates(settings),
        *_recording(settings),
    ]


def settings_notes(settings: Values) -> list[str]:
    """Return what a person should know of the settings."""
    notes = []
    if settings.get("log_class") == "INFREQUENT_ACCESS":
        notes.append(
            "logs and send read the log with FilterLogEvents, which AWS has for log groups of class STANDARD only: "
            "they may see nothing of this function"
        )
    if settings.get("record") and settings.get("role"):
        notes.append(
            "--record: the role of --role must be allowed s3:PutObject and s3:DeleteObject on what is recorded, and "
            "s3:ListBucket on its bucket, or nothing is recorded"
        )
    if settings.get("log_group") and settings.get("role"):
        notes.append(
            "with --role and --log-group the function alone bears the handler's name: once the handler is out of the "
            "notebook, status and --prune do not find it, and %chalice delete NAME does"
        )
    return notes


def _variables(values: object, flag: str) -> list[str]:
    if values is None or isinstance(values, Mapping):
        wrong = [(n, v) for n, v in (values or {}).items() if not isinstance(n, str) or not isinstance(v, str)]
        return [f"{flag} {name} wants a text, not {shown(value)}" for name, value in wrong]
    return [f"{flag} wants names with values, not {shown(values)}"]


def _env(env: object) -> list[str]:
    if not isinstance(env, Mapping) or _variables(env, "--env"):
        return []
    errors = [f"--env {name} is reserved by Lambda; choose another name" for name in env if name in RESERVED_ENV]
    bad = [name for name in env if name not in RESERVED_ENV and not re.fullmatch(r"[A-Za-z]\w+", name, re.ASCII)]
    errors += [
        f"--env {name!r} is not a variable name: a letter, then one or more letters, digits and _" for name in bad
    ]
    size = sum(len(f"{name}{value}".encode()) for name, value in env.items())
    if size > MOST_ENV_BYTES:
        errors.append(f"--env is {size} bytes in all; Lambda takes {MOST_ENV_BYTES}")
    return errors


def _tags(tags: Any) -> list[str]:
    if errors := _variables(tags, "--tag"):
        return errors
    names = list(tags or {})
    own = [name for name in names if name.lower().startswith(("aws:", "nbchalice:"))]
    errors = [f"--tag {name} begins with aws: or nbchalice:, which are reserved" for name in own]
    bad = [name for name in names if not 1 <= len(name) <= 128 or not TAG.fullmatch(name)]
    errors += [f"--tag {name[:40]!r} is not a tag name: up to 128 {TAG_LETTERS}" for name in bad]
    wrong = [name for name, value in (tags or {}).items() if len(value) > 256 or not TAG.fullmatch(value)]
    errors += [f"--tag {name} has no valid value: up to 256 {TAG_LETTERS}" for name in wrong]
    return (
        errors if len(names) <= MOST_TAGS else [*errors, f"--tag is given {len(names)} times; Lambda takes {MOST_TAGS}"]
    )


def _lists(settings: Values) -> list[str]:
    errors = []
    days = settings.get("log_retention")
    if days is not None and days not in RETENTION_DAYS:
        errors.append(f"--log-retention is one of {', '.join(map(str, RETENTION_DAYS))}, not {days}")
    layers = settings.get("layer") or []
    if len(layers) > MOST_LAYERS:
        errors.append(f"--layer is given {len(layers)} times; Lambda takes {MOST_LAYERS}")
    form = "arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION"
    errors += [
        f"--layer {arn!r} is not the ARN of a layer version: {form}" for arn in layers if not _fits(LAYER_ARN, arn)
    ]
    names = Counter(match["layer"] for arn in layers if (match := LAYER_ARN.fullmatch(str(arn))))
    twice = [name.rsplit(":", 1)[-1] for name, count in names.items() if count > 1]
    return errors + [f"--layer names {name} twice; Lambda takes one version of a layer" for name in twice]


def _role(settings: Values) -> list[str]:
    errors = []
    role = settings.get("role")
    if role is not None and not ROLE_ARN.fullmatch(role):
        errors.append(f"--role {role!r} is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME")
    for entry in settings.get("allow") or []:
        if not _is_pair(entry):
            errors.append(f"--allow wants ACTION=ARN, not {entry!r}")
            continue
        action, arn = entry
        if not _fits(ACTION, action):
            errors.append(f"--allow {action!r} is not an action: SERVICE:ACTION, for example s3:PutObject")
        elif blank := re.search(r"<[\w-]+>", str(arn)):
            errors.append(f"--allow {action}: write the name in the place of {blank[0]} in {arn}")
        elif not _fits(ARN, arn):
            errors.append(f"--allow {action}: {arn!r} is not an ARN, for example arn:aws:s3:::my-bucket/*, nor *")
    path, boundary = settings.get("role_path"), settings.get("permissions_boundary")
    if path is not None and not _fits(ROLE_PATH, path):
        errors.append(f"--role-path {path!r} is not a path: it begins and ends with /, for example /team/")
    if boundary is not None and not _fits(POLICY_ARN, boundary):
        errors.append(
            f"--permissions-boundary {boundary!r} is not the ARN of a policy: arn:aws:iam::ACCOUNT:policy/NAME"
        )
    for arn in settings.get("trust") or ():
        if not _fits(PRINCIPAL_ARN, arn):
            errors.append(f"--trust {arn!r} is not the ARN of a user, role or account: arn:aws:iam::ACCOUNT:user/NAME")
    of_made = ("allow", "policy", "role_path", "permissions_boundary", "trust")
    given = [f"--{name.replace('_', '-')}" for name in of_made if settings.get(name) not in (None, "/", [], ())]
    if role is not None and given:
        errors.append(
            f"{given[0]} is for the role that nbchalice makes; leave out --role, or add to that role yourself"
        )
    return errors


def _network(settings: Values) -> list[str]:
    subnets, groups = settings.get("subnet") or [], settings.get("security_group") or []
    errors = [f"--subnet {name!r} is not a subnet: subnet-..." for name in subnets if not _begins(name, "subnet-")]
    errors += [
        f"--security-group {name!r} is not a security group: sg-..." for name in groups if not _begins(name, "sg-")
    ]
    if bool(subnets) != bool(groups):
        errors.append("a VPC wants both --subnet and --security-group")
    if len(subnets) > MOST_SUBNETS or len(groups) > MOST_SECURITY_GROUPS:
        errors.append(f"Lambda takes {MOST_SUBNETS} times --subnet and {MOST_SECURITY_GROUPS} times --security-group")
    return errors


def _destinations(settings: Values) -> list[str]:
    errors = []
    dlq, on_failure = settings.get("dlq"), settings.get("on_failure")
    if dlq is not None and not TOPIC_ARN.fullmatch(dlq) and (wrong := queue_problem(dlq)):
        errors.append(f"--dlq: {wrong}")
    if on_failure is not None and not DESTINATION_ARN.fullmatch(on_failure) and queue_problem(on_failure):
        kinds = "the ARN of a queue, topic, function, event bus or bucket"
        errors.append(f"--on-failure {on_failure!r} is neither a queue's name nor {kinds}")
    elif on_failure is not None and on_failure.endswith(".fifo"):
        errors.append("--on-failure must be a standard queue or topic, not a FIFO one")
    return errors


def _log_group(settings: Values) -> list[str]:
    name = settings.get("log_group")
    if name is None:
        return []
    if not _fits(LOG_GROUP, name):
        return [f"--log-group {name!r} is not a log group: up to 512 letters, digits and . - _ / #"]
    # Lambda: "Configuring CloudWatch log groups".
    errors = [f"--log-group {name} begins with aws/, which AWS keeps for itself"] if name.startswith("aws/") else []
    of_own = [
        f"--{one.replace('_', '-')}" for one in ("log_retention", "log_kms_key", "log_class") if settings.get(one)
    ]
    if of_own:
        errors.append(
            f"{of_own[0]} is for a log group of the function's own; leave out --log-group, or set it on {name}"
        )
    return errors


def _keys(settings: Values) -> list[str]:
    keys = {f"--{name.replace('_', '-')}": settings.get(name) for name in ("kms_key", "log_kms_key")}
    form = "arn:aws:kms:REGION:ACCOUNT:key/ID"
    return [
        f"{flag} {key!r} is not the ARN of a key: {form}"
        for flag, key in keys.items()
        if key is not None and not _fits(KEY_ARN, key)
    ]


def _updates(settings: Values) -> list[str]:
    errors = []
    signing, runtime = settings.get("code_signing"), settings.get("runtime_management")
    if signing is not None and not _fits(SIGNING_ARN, signing):
        form = "arn:aws:lambda:REGION:ACCOUNT:code-signing-config:csc-ID"
        errors.append(f"--code-signing {signing!r} is not the ARN of a code signing configuration: {form}")
    if runtime is not None and runtime not in RUNTIME_UPDATES and not _fits(RUNTIME_ARN, runtime):
        form = "arn:aws:lambda:REGION::runtime:ID"
        errors.append(f"--runtime-management is {', '.join(RUNTIME_UPDATES)} or {form}, not {runtime!r}")
    return errors


def _recording(settings: Values) -> list[str]:
    fields = settings.get("redact") or []
    errors = [
        f"--redact {one!r} is not a field: names with dots between, as customer.email"
        for one in fields
        if not _fits(FIELD, one)
    ]
    return errors if settings.get("record") or not fields else [*errors, "--redact is for --record, which is not given"]


def _fits(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _begins(value: object, prefix: str) -> bool:
    return isinstance(value, str) and value.startswith(prefix)


def name_problems(name: str | None) -> list[str]:
    """Return what is wrong with a handler's name."""
    if name is None or re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        return []
    return [f"--name {name!r} is not a valid name: up to 64 letters, digits, - and _"]
