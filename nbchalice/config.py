"""`.chalice/config.json` beside the notebook: Chalice's own keys, weaker than what the notebook says.

Chalice: "Configuration File". A handler's values are looked up in the function's section of the stage, in the stage,
and in the file as a whole; environment variables and tags are merged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from nbchalice.errors import InvalidInputError
from nbchalice.handlers.settings import SETTINGS, settings_problems, tidy_settings
from nbchalice.handlers.variables import REGION, Variables, lambdas_own
from nbchalice.names import NAME_RULE, is_name
from nbchalice.text import near
from nbchalice.typed import JSON, Values

FILE = ".chalice/config.json"
# Chalice's key -> our setting.
KEYS = {
    "lambda_timeout": "timeout",
    "lambda_memory_size": "memory",
    "environment_variables": "env",
    "tags": "tag",
    "layers": "layer",
    "reserved_concurrency": "reserved_concurrency",
    "iam_role_arn": "role",
    "iam_policy_file": "policy",
    "log_retention_in_days": "log_retention",
    "subnet_ids": "subnet",
    "security_group_ids": "security_group",
    "xray": "tracing",
    "lambda_architecture": "arch",
}
# Settings that Chalice has no key for go by their own names.
OWN = {option.name: option.name for option in SETTINGS if option.name not in KEYS.values()}
SETTING_OF = {**KEYS, **OWN}
ROLE_KEYS = {"manage_iam_role", "autogen_policy"}
# Keys of Chalice that say nothing of event handlers; they are let through.
UNUSED = {
    "version", "api_gateway_stage", "api_gateway_endpoint_type", "api_gateway_endpoint_vpce",
    "api_gateway_policy_file", "api_gateway_custom_domain", "websocket_api_custom_domain", "minimum_compression_size",
    "automatic_layer", "profile", "generated_by",
}  # fmt: skip
TOP = {"app_name", "stages", "allowed_accounts", "owner"}
MERGED = ("env", "tag")
JOINED = ("allow_secret",)


def read_config(folder: Path) -> JSON:
    """Return the content of `.chalice/config.json` in a folder; empty where there is none.

    Raises
    ------
    InvalidInputError
        The file is not a JSON object, or a key or value in it is wrong.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{FILE} cannot be read: {error}", f"correct {path}, or move it away") from None
    if not isinstance(content, dict):
        raise InvalidInputError(f"{FILE} is not a JSON object", f"correct {path}, or move it away")
    if wrong := next(_problems(content), None):
        raise InvalidInputError(f"{FILE}: {wrong}", f"correct {path}")
    return content


def _problems(config: Values) -> Iterator[str]:
    """Yield what is wrong, with the place in the file."""
    name = config.get("app_name", "app")
    if not isinstance(name, str) or not is_name(name):
        yield f"app_name {name!r} {NAME_RULE}"
    if not isinstance(owner := config.get("owner", "team"), str) or not owner.strip():
        yield f"owner wants a name, such as that of a team, not {owner!r}"
    yield from _section_problems(config, "", TOP)
    for stage, section, where in _sections(config, "stages", ""):
        yield from _section_problems(section, where, {"lambda_functions"})
        for _, function, inner in _sections(section, "lambda_functions", where):
            yield from _section_problems(function, inner, set())
        if section.get("manage_iam_role") is False and not (section.get("iam_role_arn") or config.get("iam_role_arn")):
            yield f"manage_iam_role is false in stage {stage}, so that iam_role_arn must name a role"
    if config.get("manage_iam_role") is False and not config.get("stages") and not config.get("iam_role_arn"):
        yield "manage_iam_role is false, so that iam_role_arn must name a role"


def _sections(holder: Values, key: str, where: str) -> Iterator[tuple[str, Values, str]]:
    sections = holder.get(key)
    for name, section in sections.items() if isinstance(sections, dict) else ():
        if isinstance(section, dict):
            yield name, section, f"{where}{key}.{name}."


def _section_problems(section: Values, where: str, more: set[str]) -> Iterator[str]:
    known = {*KEYS, *OWN, *ROLE_KEYS, *UNUSED, *more}
    for key, value in section.items():
        if key not in known:
            theirs = next((theirs for theirs, ours in KEYS.items() if ours == key), None)
            unread = "nothing reads it: take it out"
            fix = f"Chalice calls it {theirs}" if theirs else near(key, sorted(known - UNUSED), unread)
            yield f"there is no key {where}{key}; {fix}"
        elif key in {"stages", "lambda_functions"}:
            wrong = not isinstance(value, dict) or any(not isinstance(inner, dict) for inner in value.values())
            if wrong:
                yield f"{where}{key} wants an object of objects, by name"
        elif key in ROLE_KEYS and not isinstance(value, bool):
            yield f"{where}{key} wants true or false, not {value!r}"
    for key, name in SETTING_OF.items():
        if key in section:
            yield from (_named(text, name, f"{where}{key}") for text in _value_problems(name, section[key]))


def _value_problems(name: str, value: object) -> list[str]:
    wrong = settings_problems(tidy_settings({name: value}))
    # One section need not have both.
    return [text for text in wrong if not text.startswith(("a VPC wants both", "--redact is for"))]


def _named(text: str, name: str, key: str) -> str:
    """Call a setting by its key in the file."""
    return text.replace("--" + name.replace("_", "-"), key)


def settings_for(config: Values, stage: str, handler: str) -> JSON:
    """Return a handler's settings: the function's section of the stage, then the stage, then the file as a whole."""
    section = config.get("stages", {}).get(stage, {})
    layers = [config, section, section.get("lambda_functions", {}).get(handler, {})]
    settings: JSON = {}
    values: JSON = {}
    for layer in layers:
        values.update(layer)
        given = {SETTING_OF[key]: value for key, value in layer.items() if key in SETTING_OF and value is not None}
        settings = merged(settings, tidy_settings(given))
    if values.get("manage_iam_role") is True:
        settings.pop("role", None)
    if values.get("autogen_policy") is False:
        settings.setdefault("policy", f"policy-{stage}.json")
    if "policy" in settings:
        # Chalice looks for it beside its configuration.
        settings["policy"] = f".chalice/{settings['policy']}"
    return settings


def merged(weaker: Values, stronger: Values) -> JSON:
    """Return settings of two places: the stronger one wins; variables, tags and allow_secret are put together."""
    together = {**weaker, **stronger}
    for name in MERGED:
        if isinstance(weaker.get(name), Mapping) and isinstance(stronger.get(name), Mapping):
            together[name] = {**weaker[name], **stronger[name]}
    for name in JOINED:
        if isinstance(weaker.get(name), list | tuple) and isinstance(stronger.get(name), list | tuple):
            together[name] = list(dict.fromkeys([*weaker[name], *stronger[name]]))
    if stronger.get("role") and "policy" in weaker and "policy" not in stronger:
        # The policy is for a role of our own making.
        del together["policy"]
    return together


def with_config(config: Values, stage: str, handler: str, own: Values) -> JSON:
    """Return a handler's settings: its own, and what the configuration file says besides."""
    return merged(settings_for(config, stage, handler), tidy_settings(own))


def named_by_config(folder: Path) -> str | None:
    """Return the app's name of `.chalice/config.json`; as in Chalice it is stronger than `Chalice(app_name=...)`."""
    return read_config(folder).get("app_name")


def owner_in_config(folder: Path) -> str | None:
    """Return as whose all count who deploy with the configuration in a folder, or None where that is not said."""
    return read_config(folder).get("owner")


def variables_for(
    config: Values,
    app: str | None,
    stage: str,
    *,
    region: str = REGION,
    here: Mapping[str, str] = MappingProxyType({}),
) -> Variables:
    """Return the environment of the functions of an app: what the file and a handler set, and Lambda.

    Parameters
    ----------
    config : Values
        The file's content.
    app : str or None
        The app's name, or None where only the code tells it.
    stage, region : str
        Where the functions are to run.
    here : Mapping[str, str]
        The environment of this process. Default: nothing is known of it.
    """

    def of(handler: str, own: Values, code: str | None = None) -> dict[str, str]:
        settings = with_config(config, stage, handler, own)
        given = {name: str(value) for name, value in (settings.get("env") or {}).items()}
        function = f"{app or code or 'notebook'}-{stage}-{handler}"
        lambdas = lambdas_own(function, settings.get("memory", 128), region, settings.get("log_group") or "")
        return {**lambdas, **given}

    return Variables(of, here, f"environment_variables of stage {stage} in {FILE}")
