"""Looks up functions in MiniStack's tables."""

from __future__ import annotations

from typing import Any

from ministack.services import lambda_svc

Record = dict[str, Any]


def scope_of(arn: str) -> dict[str, str]:
    """Return the account and region of a function's ARN."""
    account, region = lambda_svc._lambda_function_account_region_from_arn(arn)
    return {"account_id": account, "region": region}


def function_record(arn: str) -> Record | None:
    """Look up a function as it is now."""
    func, config, _ = lambda_svc._get_func_record_for_ref_in_scope(arn, **scope_of(arn))
    if not func or not config:
        return None
    record: Record = lambda_svc._execution_record_for_config(func, {**config, "FunctionArn": arn})
    return record


def event_invoke_config(arn: str) -> Record:
    """Return the asynchronous settings of a function, or nothing."""
    parts = arn.split(":")
    qualifier = parts[7] if len(parts) > 7 else None
    scope = scope_of(arn)
    func = lambda_svc._functions.get_scoped(scope["account_id"], scope["region"], parts[6]) or {}
    return lambda_svc._event_invoke_config(func, qualifier) or {}


def async_limits(arn: str) -> tuple[int, float]:
    """Return a function's own number of retries of asynchronous events and their age, or AWS's defaults."""
    settings = event_invoke_config(arn)
    retries, age = settings.get("MaximumRetryAttempts"), settings.get("MaximumEventAgeInSeconds")
    return 2 if retries is None else int(retries), float(age or 6 * 3600)


def serve_code(name: str, account_id: str, region: str) -> tuple[int, dict[str, str], bytes]:
    """Answer with the zip of a function's version (``serve_function_code``)."""
    name, _, version = name.partition(":")
    func = lambda_svc._functions.get_scoped(account_id, region, name) or {}
    record = func if version in ("", "$LATEST") else func.get("versions", {}).get(version, {})
    code = record.get("code_zip")
    if not code:
        return 404, {"Content-Type": "text/plain"}, b"no such version"
    return 200, {"Content-Type": "application/zip"}, code
