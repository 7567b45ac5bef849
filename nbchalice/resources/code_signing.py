"""Which code a function takes, by whom it must be signed (Lambda: "Using code signing to verify code integrity")."""

from __future__ import annotations

from nbchalice.resources.base import AWS, FunctionRef, Preflight, Problem, is_denied, is_missing, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.typed import JSON

ENFORCED = "Enforce"


def grants(arn: str, function: FunctionRef) -> list[Grant]:
    """Return what who deploys must be allowed, so that a function has a code signing configuration."""
    of_function = ("lambda:GetFunctionCodeSigningConfig", "lambda:PutFunctionCodeSigningConfig")
    of_config = ("lambda:GetCodeSigningConfig", "lambda:PutFunctionCodeSigningConfig")
    return [Grant(of_function, (function.arn,)), Grant(of_config, (arn,), own=False)]


def standing(aws: AWS, function: FunctionRef) -> str | None:
    """Return the ARN of a function's code signing configuration, empty for none; None where nobody may look."""
    try:
        with or_missing():
            answer = aws.client("lambda").get_function_code_signing_config(FunctionName=function.name)
            return answer.get("CodeSigningConfigArn") or ""
    except Exception as error:
        if not is_denied(error):
            raise
        return None
    return ""


def preflight(aws: AWS, function: FunctionRef, arn: str) -> Preflight:
    """Look whether a code signing configuration takes code that nobody signed, as all that nbchalice makes."""
    if not arn or aws.local:
        return Preflight()
    try:
        config: JSON = dict(aws.client("lambda").get_code_signing_config(CodeSigningConfigArn=arn))
    except Exception as error:
        if is_denied(error):
            text = "was not looked at: AWS denies lambda:GetCodeSigningConfig; one that enforces takes no unsigned code"
            return Preflight(notes=[f"{function.handler}: {arn} {text}"])
        if not is_missing(error):
            raise
        hint = "correct --code-signing: aws lambda list-code-signing-configs lists them"
        return Preflight([Problem(f"there is no code signing configuration {arn}", hint)])
    policies = config.get("CodeSigningConfig", {}).get("CodeSigningPolicies") or {}
    if policies.get("UntrustedArtifactOnDeployment") != ENFORCED:
        return Preflight()
    text = f"{arn} takes signed code only (UntrustedArtifactOnDeployment: Enforce), and nbchalice signs nothing"
    hint = (
        "name one that warns, or let this one: aws lambda update-code-signing-config --code-signing-config-arn "
        f"{arn} --code-signing-policies UntrustedArtifactOnDeployment=Warn"
    )
    return Preflight([Problem(text, hint)])
