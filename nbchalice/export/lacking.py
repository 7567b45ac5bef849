"""What a handler is declared with and Chalice has nothing for: by option and setting, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nbchalice.export.chalice import PARAMETERS
from nbchalice.handlers import Handler
from nbchalice.handlers.settings import SETTINGS
from nbchalice.packaging.handler import reports_failures
from nbchalice.sources.base import Source
from nbchalice.sources.options import flag_of
from nbchalice.typed import JSON

# Without these the handler would get other events, or lose some: it is left out.
STOPS = {
    "per_record": "go through the event's records in the handler; one that fails then brings its whole batch back",
    "filter": "look at each record in the handler, and leave alone those that are not for it",
    "filter_policy": "look at event.message_attributes in the handler, and return where a message is not for it",
    "bus": "let a rule of that bus send its events on to the default one, and take --bus off",
    "timezone": "write the expression in UTC, and take --timezone off",
    "input": "let the handler make its input itself, and take --input off",
    "enabled": "take the handler out while it is not to run",
    "via": "take --via off: Chalice writes the bucket's own notifications",
    "min_size": 'look at event.to_dict()["Records"][0]["s3"]["object"]["size"] in the handler',
    "max_size": 'look at event.to_dict()["Records"][0]["s3"]["object"]["size"] in the handler',
    "tumbling_window_in_seconds": "keep the state elsewhere, as in a table",
    "starting_position_timestamp": "use --starting-position TRIM_HORIZON or LATEST",
}
MAPPING = "after the first deploy, aws lambda update-event-source-mapping"
FUNCTION = "after each deploy, aws lambda update-function-configuration"
# Without these it works, and not as well: what it is to have besides is set by hand.
LOST = {
    "fix_visibility_timeout": "set the queue's visibility timeout to six times the function's timeout",
    "max_receive_count": "set the queue's redrive policy",
    "min_pollers": f"{MAPPING} --provisioned-poller-config",
    "max_pollers": f"{MAPPING} --provisioned-poller-config",
    "redrive_dlq": "aws sns set-subscription-attributes --attribute-name RedrivePolicy",
    "bisect": f"{MAPPING} --bisect-batch-on-function-error",
    "maximum_retry_attempts": f"{MAPPING} --maximum-retry-attempts",
    "maximum_record_age_in_seconds": f"{MAPPING} --maximum-record-age-in-seconds",
    "parallelization_factor": f"{MAPPING} --parallelization-factor",
    "flexible_window": "nothing: it runs at its very time",
    "url": "aws lambda create-function-url-config, and aws lambda add-permission for its callers",
    "role_path": "nothing: Chalice's roles stand at /",
    "permissions_boundary": "after the first deploy, aws iam put-role-permissions-boundary",
    "trust": "after the first deploy, aws iam update-assume-role-policy",
    "python": "run chalice with that version: functions have the Python that it runs on",
    "no_big": "nothing: Chalice refuses packages over Lambda's limits anyway",
    "ephemeral_storage": f"{FUNCTION} --ephemeral-storage",
    "log_group": f"{FUNCTION} --logging-config",
    "log_kms_key": "aws logs associate-kms-key",
    "log_class": "make the log group before the first deploy, with aws logs create-log-group",
    "json_logs": f"{FUNCTION} --logging-config LogFormat=JSON",
    "dlq": f"{FUNCTION} --dead-letter-config, or a redrive policy of the queue that triggers it",
    "on_failure": "aws lambda put-function-event-invoke-config",
    "retries": "aws lambda put-function-event-invoke-config",
    "max_age": "aws lambda put-function-event-invoke-config",
    "kms_key": f"{FUNCTION} --kms-key-arn",
    "code_signing": "aws lambda put-function-code-signing-config",
    "runtime_management": "aws lambda put-runtime-management-config",
    "record": "nothing: events are kept by functions that nbchalice deploys only",
}
# What says something to nbchalice alone, and what is told with another one.
SILENT = frozenset({"allow_secret", "requirements", "redact", "skip_failed_groups", "filter_scope", "report_failures"})


@dataclass(frozen=True)
class Lacking:
    """One thing that Chalice has not.

    Parameters
    ----------
    text : str
        What it is, behind the handler's name.
    fix : str
        What to do.
    stops : bool
        Whether the handler cannot be exported with it.
    """

    text: str
    fix: str
    stops: bool


def lacking(handler: Handler, module: str, exported: frozenset[str]) -> Iterator[Lacking]:
    """Yield what a handler has that Chalice has not.

    Parameters
    ----------
    handler : Handler
        The handler.
    module : str
        The text of its module.
    exported : frozenset[str]
        The settings that Chalice's configuration has a key for.
    """
    if len(handler.triggers) > 1:
        fix = "write a handler for each of them, which call one function"
        yield Lacking(f"has {len(handler.triggers)} triggers, and Chalice makes one for a function", fix, True)
    for source, options in handler.sources():
        if source.name not in PARAMETERS:
            yield Lacking(f"is triggered by {source.title}, which Chalice has not", "leave it with nbchalice", True)
            continue
        yield from _of_trigger(source, options, module)
    for option in SETTINGS:
        value = handler.settings.get(option.name)
        if option.name not in exported and _is_given(value, option.default):
            yield from _told(option.name)


def _of_trigger(source: Source, options: JSON, module: str) -> Iterator[Lacking]:
    if str(options.get("expression", "")).startswith("at("):
        text = "runs once, by at(...), which is EventBridge Scheduler's: Chalice makes rules"
        yield Lacking(text, "leave it with nbchalice", True)
    if options.get("report_failures") and not options.get("per_record") and reports_failures(module):
        text = "answers with batchItemFailures, which Lambda would not read, so that what failed would be lost"
        yield Lacking(text, "let it raise an exception instead, which brings the whole batch back", True)
    for option in source.all_options():
        value = options.get(option.name)
        if option.name not in PARAMETERS[source.name] and _is_given(value, option.default):
            yield from _told(option.name)


def _is_given(value: object, default: object) -> bool:
    return value is not None and value != default and value not in ([], ())


def _told(name: str) -> Iterator[Lacking]:
    if name not in SILENT:
        stops = name in STOPS
        fix = STOPS[name] if stops else LOST[name]
        yield Lacking(f"{flag_of(name)} has nothing in Chalice", fix, stops)
