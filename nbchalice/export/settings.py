"""`.chalice/config.json` of an export, and the policies that it names: the settings of one stage, without secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nbchalice.config import KEYS
from nbchalice.deploy.desired import App, statements
from nbchalice.handlers import DEFAULTS, Handler
from nbchalice.notebook.secrets.find import find_secret_value
from nbchalice.resources.base import FunctionRef
from nbchalice.resources.log_group import log_statement
from nbchalice.text import joined
from nbchalice.typed import JSON

FOLDER = ".chalice"
# Chalice has one processor for a stage; the role's policy is in a file, and what is allowed besides stands there, too.
OF_STAGE = "arch"
EXPORTED = frozenset({*KEYS.values(), "allow"})
ANYWHERE = "*"


@dataclass(frozen=True)
class Settings:
    """What Chalice's configuration says of some handlers.

    Parameters
    ----------
    files : Mapping[str, bytes]
        The configuration, and the policies of the roles, by path.
    notes : tuple[str, ...]
        What was left out of it, and what to do.
    """

    files: Mapping[str, bytes]
    notes: tuple[str, ...] = ()


def settings_of(app: App, handlers: Sequence[Handler]) -> Settings:
    """Return the configuration of some handlers at the stage of their app.

    Parameters
    ----------
    app : App
        The app.
    handlers : Sequence[Handler]
        Those of its handlers that are exported.

    Raises
    ------
    InvalidInputError
        The file of ``--policy`` cannot be read.
    """
    notes: list[str] = []
    own = {handler.name: _own(app, handler, notes) for handler in handlers}
    stage = _shared(own)
    stage |= _processor(handlers, notes)
    sections = {name: {key: value for key, value in one.items() if key not in stage} for name, one in own.items()}
    sections = {name: section for name, section in sections.items() if section}
    content = {
        "version": "2.0",
        "app_name": app.name,
        "stages": {app.stage: {**stage, **({"lambda_functions": sections} if sections else {})}},
    }
    files = {f"{FOLDER}/config.json": _json(content)}
    for handler in handlers:
        if not handler.setting("role"):
            files[f"{FOLDER}/{_policy_name(app, handler)}"] = _json(_policy(app, handler))
    return Settings(files, tuple(notes))


def _own(app: App, handler: Handler, notes: list[str]) -> JSON:
    """Return what Chalice's configuration says of one function."""
    own: JSON = {}
    for key, name in KEYS.items():
        value = handler.settings.get(name)
        if name not in {OF_STAGE, "role", "policy"} and value not in (None, DEFAULTS[name], [], {}, ()):
            own[key] = dict(value) if name in {"env", "tag"} else value
    if variables := own.get("environment_variables"):
        secret = [name for name, value in variables.items() if find_secret_value(name, value)]
        own["environment_variables"] = {name: value for name, value in variables.items() if name not in secret}
        if secret:
            where = f"set it in {FOLDER}/config.json where you deploy"
            notes.append(f"{handler.name}: the value of {joined(secret)} is not written, as it looks secret; {where}")
    if role := handler.setting("role"):
        return own | {"manage_iam_role": False, "iam_role_arn": role}
    return own | {"autogen_policy": False, "iam_policy_file": _policy_name(app, handler)}


def _shared(own: Mapping[str, JSON]) -> JSON:
    """Return what all functions have alike, which is said once."""
    first, *others = own.values()
    shared = {key: value for key, value in first.items() if all(one.get(key) == value for one in others)}
    shared.pop("iam_policy_file", None)
    return shared


def _processor(handlers: Sequence[Handler], notes: list[str]) -> JSON:
    wanted = {handler.setting(OF_STAGE) for handler in handlers}
    if len(wanted) > 1:
        arm = [handler.name for handler in handlers if handler.setting(OF_STAGE) != DEFAULTS[OF_STAGE]]
        notes.append(f"{joined(arm)}: --arch has to be one for all functions of Chalice; they run on x86_64")
        return {}
    return {} if wanted == {DEFAULTS[OF_STAGE]} else {"lambda_architecture": wanted.pop()}


def _policy_name(app: App, handler: Handler) -> str:
    return f"policy-{app.stage}-{handler.name}.json"


def _policy(app: App, handler: Handler) -> JSON:
    """Return what the role of a deploy may do, in any account and region; Chalice leaves the log group to Lambda."""
    kept = {name: value for name, value in handler.settings.items() if name not in {"record", "redact"}}
    plain = replace(handler, settings=kept)
    ref = FunctionRef(app.name, app.stage, handler.name, ANYWHERE, ANYWHERE, ANYWHERE)
    log = log_statement(ref)
    log["Action"] = ["logs:CreateLogGroup", *log["Action"]]
    return {"Version": "2012-10-17", "Statement": [log, *statements(plain, app, ref)]}


def _json(content: JSON) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
