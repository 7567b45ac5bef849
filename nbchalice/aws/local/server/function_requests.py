"""Functions, their versions, aliases and permissions that Lambda refuses, and MiniStack takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.services import kms, lambda_svc, s3

from .checks import Record, Wrong, put_before
from .trust import trusts

INVALID = "InvalidParameterValueException"
MOST_VARIABLES = 4096  # bytes, as JSON
MOST_TAGS = 50
UNRESERVED = 100  # of the account's concurrency, which every other function shares
ACCOUNT_CONCURRENCY = 1000
# Lambda: "Using Lambda environment variables", those that Lambda sets and nobody else may.
RESERVED = frozenset(
    {
        "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "LAMBDA_TASK_ROOT",
        "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_RUNTIME_DIR",
    }
)  # fmt: skip
ENVIRONMENT = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided "
)
KEYS = "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "
NO_ROLE = Wrong(INVALID, "The role defined for the function cannot be assumed by Lambda.")
NO_KEY = Wrong(
    INVALID,
    "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
    "CreateGrant. Please check your KMS key settings.",
)
LATEST = Wrong(INVALID, "$LATEST version cannot be deleted without deleting the function.")
TWO_OF_LATEST = Wrong(INVALID, "$LATEST is not supported for an alias pointing to more than 1 version")
NO_PRINCIPAL = Wrong(INVALID, "The provided principal was invalid. Please check the principal and try again.")
FEW_UNRESERVED = Wrong(
    INVALID,
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
    f"below its minimum value of [{UNRESERVED}].",
)
PRINCIPAL = re.compile(
    r"\*|\d{12}|arn:[^:]+:(iam|sts)::\d{12}:.+|[\w.-]+\.amazonaws\.com(\.cn)?|[\w.-]+\.aws\.internal"
)


def apply_function_requests() -> None:
    """Put the checks in place."""
    checks: dict[str, Callable[..., Wrong | None]] = {
        "_create_function": against_new,
        "_update_config": lambda name, settings: against_settings(settings),
        "_update_code": lambda name, code: against_code(code),
        "_delete_function": against_deletion,
        "_publish_version": against_version,
        "_create_alias": lambda name, alias: against_alias(name, alias, {}),
        "_update_alias": against_changed_alias,
        "_add_permission": against_permission,
        "_put_function_concurrency": against_concurrency,
    }
    for name, check in checks.items():
        put_before(lambda_svc, name, check, refused)


def refused(wrong: Wrong) -> Any:
    """Answer as Lambda does."""
    return lambda_svc.error_response_json(wrong.code, wrong.message, wrong.status)


def against_new(data: Record) -> Wrong | None:
    """Return what Lambda says against a function that is to be made, or None."""
    return against_tags(data.get("Tags") or {}) or against_settings(data) or against_code(data.get("Code") or {})


def against_settings(data: Record) -> Wrong | None:
    """Return what Lambda says against role or variables, or None."""
    if "Role" in data and not trusts(data["Role"], "lambda.amazonaws.com"):
        return NO_ROLE
    if data.get("KMSKeyArn") and not is_key(data["KMSKeyArn"]):
        return NO_KEY
    variables = (data.get("Environment") or {}).get("Variables") or {}
    if reserved := sorted(RESERVED & set(variables)):
        return Wrong(INVALID, ENVIRONMENT + KEYS + ", ".join(reserved))
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > MOST_VARIABLES:
        return Wrong(INVALID, f"{ENVIRONMENT}exceeded the 4KB limit. String measured: {measured}")
    return None


def is_key(arn: str) -> bool:
    """Whether a key is there, where it can be looked up."""
    parts = arn.split(":")
    return parts[4:5] != [lambda_svc.get_account_id()] or kms._resolve_key(arn) is not None


def against_code(code: Record) -> Wrong | None:
    """Return what Lambda says against code in a bucket that cannot be read, or None."""
    bucket, key = code.get("S3Bucket"), code.get("S3Key")
    if not bucket or not key:
        return None
    stored = s3._buckets.get(bucket)
    if stored is None:
        return no_object("NoSuchBucket", "The specified bucket does not exist")
    if s3._get_object_data(bucket, key, version_id=code.get("S3ObjectVersion")) is None:
        return no_object("NoSuchKey", "The specified key does not exist.")
    return None


def no_object(code: str, message: str) -> Wrong:
    """Return what Lambda says of an answer of S3."""
    return Wrong(INVALID, f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}")


def against_tags(tags: Record) -> Wrong | None:
    """Return what Lambda says against tags of a function, or None."""
    if len(tags) > MOST_TAGS:
        return Wrong(INVALID, f"A function can have at most {MOST_TAGS} tags.")
    if any(name.lower().startswith("aws:") for name in tags):
        return Wrong(INVALID, "Tag keys that begin with aws: are reserved.")
    return None


def against_deletion(name: str, query: Record, path_qualifier: str | None = None) -> Wrong | None:
    """Return what Lambda says against the deletion of a version that cannot be deleted alone, or None."""
    return LATEST if lambda_svc._qualifier_from_path_or_query(path_qualifier, query) == "$LATEST" else None


def against_version(name: str, data: Record) -> Wrong | None:
    """Return what Lambda says against a version of other code than the caller thinks, or None."""
    config = (lambda_svc._functions.get(name) or {}).get("config", {})
    given, stands = data.get("CodeSha256"), config.get("CodeSha256")
    if not config or not given or given == stands:
        return None
    said = f"CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({stands})."
    return Wrong(INVALID, f"{said} Please try again with the CodeSHA256 in $LATEST.")


def against_changed_alias(name: str, alias_name: str, data: Record) -> Wrong | None:
    """Return what Lambda says against the change of an alias, or None."""
    standing = (lambda_svc._functions.get(name) or {}).get("aliases", {}).get(alias_name)
    return against_alias(name, data, standing) if standing else None


def against_alias(name: str, data: Record, standing: Record) -> Wrong | None:
    """Return what Lambda says against versions of an alias that are not there, or None."""
    function = lambda_svc._functions.get(name)
    if function is None:
        return None
    version = str(data.get("FunctionVersion") or standing.get("FunctionVersion") or "$LATEST")
    routing = data.get("RoutingConfig", standing.get("RoutingConfig")) or {}
    weights = routing.get("AdditionalVersionWeights") or {}
    if weights and "$LATEST" in (version, *weights):
        return TWO_OF_LATEST
    for each in (version, *weights):
        if each != "$LATEST" and each not in function.get("versions", {}):
            arn = lambda_svc._func_arn(name)
            return Wrong("ResourceNotFoundException", f"Function not found: {arn}:{each}", 404)
    return None


def against_permission(name: str, data: Record, *_: object, **__: object) -> Wrong | None:
    """Return what Lambda says against who is to have a permission, or None."""
    return None if PRINCIPAL.fullmatch(str(data.get("Principal", ""))) else NO_PRINCIPAL


def against_concurrency(name: str, data: Record) -> Wrong | None:
    """Return what Lambda says against more concurrency than the account can reserve, or None."""
    others = 0
    for other, function in lambda_svc._functions.items():
        others += (function.get("concurrency") or 0) if other != name else 0
    asked = data.get("ReservedConcurrentExecutions", 0)
    return FEW_UNRESERVED if others + asked > ACCOUNT_CONCURRENCY - UNRESERVED else None
