"""Foreign errors become errors for people, in one place."""

from __future__ import annotations

import traceback

from nbchalice.errors import AWSError, Location, LostAnswerError, NbChaliceError
from nbchalice.resources.base import error_code, status_code

HINTS = {
    "AccessDenied": "ask for the permission that the message names",
    "AccessDeniedException": "ask for the permission that the message names",
    "ExpiredToken": "log in again (for example aws sso login); the kernel need not be restarted",
    "ExpiredTokenException": "log in again (for example aws sso login); the kernel need not be restarted",
    "InvalidClientTokenId": "check the credentials: aws sts get-caller-identity",
    "UnrecognizedClientException": "check the credentials: aws sts get-caller-identity",
    "SignatureDoesNotMatch": "check the secret key and this computer's clock",
    "RequestTimeTooSkewed": "set this computer's clock",
    "ResourceConflictException": "something else is changing it; run it again when that is done",
    "CodeStorageExceededException": "delete functions and layers that are not needed, or ask AWS for a higher quota",
    "LimitExceeded": "delete what is not needed, or ask AWS for a higher quota",
    "LimitExceededException": "delete what is not needed, or ask AWS for a higher quota",
    **dict.fromkeys(
        ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"),
        "AWS limits how often it is asked; run it again in a minute",
    ),
}

# (exception names of botocore, message, hint)
BY_NAME = (
    (
        {"NoCredentialsError", "PartialCredentialsError"},
        "no AWS credentials were found",
        "run aws configure, or leave out --target aws",
    ),
    (
        {"TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "LoginRefreshRequired"},
        "the AWS login has expired",
        "run aws sso login; the kernel need not be restarted",
    ),
    ({"ProfileNotFound"}, "{error}", "aws configure list-profiles shows the profiles; AWS_PROFILE names one"),
    ({"NoRegionError"}, "no AWS region is set", "set AWS_DEFAULT_REGION, or region in ~/.aws/config"),
    (
        {"EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ReadTimeoutError"},
        "AWS could not be reached ({error})",
        "check the network and run it again",
    ),
)

# Whose errors tell of AWS, or of the way there.
OF_THE_WAY = {"boto3", "botocore", "s3transfer", "urllib3"}

# What passes by itself: throttling, AWS's own faults, and states between two states.
TRANSIENT_CODES = {
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ServiceException",
    "SlowDown",
    "ConcurrentModification",
    "ConcurrentModificationException",
    "OperationAborted",
    "OperationAbortedException",
    "PreconditionFailedException",
    "ResourceConflictException",
    "ResourceInUseException",
    "ResourceNotReadyException",
    "DeleteConflict",
}
# Lambda reports what IAM has not yet told it in words only.
TRANSIENT_WORDS = (
    "cannot be assumed by Lambda",
    "does not have permissions to call",
    "is not authorized to perform: sqs",
    "The role defined for the function",
    "Please try again",
    "Unable to validate the following destination configurations",
)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may work a little later, once it was read what the first one did."""
    if isinstance(error, LostAnswerError):
        return True
    if not hasattr(error, "response"):
        name = type(error).__name__
        return type(error).__module__.startswith(("botocore", "urllib3")) and ("Connect" in name or "Timeout" in name)
    code, status = error_code(error), status_code(error)  # type: ignore[arg-type]
    return (
        code in TRANSIENT_CODES or status in {429, 500, 502, 503, 504} or any(w in str(error) for w in TRANSIENT_WORDS)
    )


def explain(error: BaseException, doing: str = "", whose: str = "") -> NbChaliceError:
    """Turn an error of boto3 into an AWSError that says what was being done and what helps.

    What is no answer of AWS, and no trouble on the way there, is a fault of the code that was called: it stays what it
    is, with the file and the line that raised it.

    Parameters
    ----------
    error : BaseException
        What boto3 raised; an error of nbchalice is returned as it is.
    doing : str
        What was being done, for example ``creating function shop-dev-price``.
    whose : str
        Whose code was called, for example ``the event source on_sqs_message``. Default: nbchalice's own.
    """
    if isinstance(error, LostAnswerError) and doing:
        return LostAnswerError(doing, error.cause)
    if isinstance(error, NbChaliceError):
        return error
    prefix = f"{doing}: " if doing else ""
    name = type(error).__name__
    for names, message, hint in BY_NAME:
        if name in names:
            return AWSError(f"{prefix}{message.format(error=error)}", hint)
    details = getattr(error, "response", {}).get("Error", {})
    if code := details.get("Code"):
        return AWSError(f"{prefix}AWS says {code}: {details.get('Message') or error}", HINTS.get(code))
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in OF_THE_WAY:
        return AWSError(f"{prefix}{name}: {error}")
    failed = f"{whose} failed: " if whose else ""
    return NbChaliceError(f"{prefix}{failed}{name}: {error}", None, _raised_at(error), code="code-failed")


def _raised_at(error: BaseException) -> Location | None:
    """Return the file and the line that raised an error."""
    frames = traceback.extract_tb(error.__traceback__)
    return Location(frames[-1].filename, frames[-1].lineno, frames[-1].line) if frames else None
