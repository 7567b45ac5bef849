"""Foreign errors become errors for people, in one place."""

from __future__ import annotations

import traceback

from nbchalice.aws.hints import hint_for
from nbchalice.aws.passing import passing
from nbchalice.errors import AWSError, Location, LostAnswerError, NbChaliceError

# (exception names of botocore, message, hint)
BY_NAME = (
    (
        {"NoCredentialsError", "PartialCredentialsError"},
        "no AWS credentials were found",
        "run aws configure, or leave out --target aws",
    ),
    (
        {"TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError"},
        "the AWS login has expired",
        "run aws sso login; the kernel need not be restarted",
    ),
    (
        {"LoginRefreshRequired", "LoginTokenLoadError", "LoginAuthorizationCodeError"},
        "the AWS login has expired",
        "run aws login; the kernel need not be restarted",
    ),
    (
        {"LoginInsufficientPermissions"},
        "{error}",
        "ask for the permission that aws login needs (SignInLocalDevelopmentAccess), or use other credentials",
    ),
    (
        {"MissingDependencyException"},
        "the credentials need a package that boto3 does not bring along ({error})",
        'run %pip install "botocore[crt]"; then restart the kernel',
    ),
    (
        {"CredentialRetrievalError"},
        "{error}",
        "log in again where that gets them; a credential_process can be run in a terminal to see what it says",
    ),
    (
        {"MetadataRetrievalError"},
        "the container or machine gives no credentials ({error})",
        "see that it has a role, or set AWS_PROFILE or keys",
    ),
    (
        {"RefreshWithMFAUnsupportedError", "StdinNotImplementedError"},
        "the role wants an MFA code, which can only be asked for in a cell",
        "run %chalice status --target aws in a cell; what it is answered counts for panels and other commands, too",
    ),
    (
        {"ConfigParseError", "ConfigNotFound", "InvalidConfigError", "InfiniteLoopConfigError"},
        "the AWS configuration cannot be used: {error}",
        "correct ~/.aws/config and ~/.aws/credentials; aws configure list shows what is taken from where",
    ),
    ({"ProfileNotFound"}, "{error}", "aws configure list-profiles shows the profiles; AWS_PROFILE names one"),
    ({"NoRegionError"}, "no AWS region is set", "set AWS_DEFAULT_REGION, or region in ~/.aws/config"),
    (
        {"EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ReadTimeoutError"},
        "AWS could not be reached ({error})",
        "check the network and run it again",
    ),
)

# After these words Lambda repeats the environment with all values (CreateFunction).
REPEATED = " String measured:"
LONGEST = 600

# Whose errors tell of AWS, or of the way there.
OF_THE_WAY = {"boto3", "botocore", "s3transfer", "urllib3"}


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
        lasting = row.lasting if (row := passing(error)) else ""
        message = str(details.get("Message") or error)
        operation = str(getattr(error, "operation_name", ""))
        return AWSError(f"{prefix}AWS says {code}: {_short(message)}", lasting or hint_for(code, message, operation))
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in OF_THE_WAY:
        return AWSError(f"{prefix}{name}: {error}")
    failed = f"{whose} failed: " if whose else ""
    return NbChaliceError(f"{prefix}{failed}{name}: {error}", None, _raised_at(error), code="code-failed")


def _short(message: str) -> str:
    """Return what AWS says in one line, without the environment's values and the ends of long lists."""
    text = " ".join(message.partition(REPEATED)[0].split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"


def _raised_at(error: BaseException) -> Location | None:
    """Return the file and the line that raised an error."""
    frames = traceback.extract_tb(error.__traceback__)
    return Location(frames[-1].filename, frames[-1].lineno, frames[-1].line) if frames else None
