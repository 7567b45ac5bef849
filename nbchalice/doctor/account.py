"""Who would work on real AWS, and where: credentials, account, region, endpoint, clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from nbchalice.doctor.findings import Finding, of_error, ok, warning, wrong
from nbchalice.errors import NbChaliceError
from nbchalice.typed import Values

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection

# What botocore calls where credentials come from, in words.
KINDS = {
    "env": "keys in the environment",
    "shared-credentials-file": "keys in ~/.aws/credentials",
    "config-file": "keys in ~/.aws/config",
    "assume-role": "an assumed role",
    "assume-role-with-web-identity": "a role by web identity",
    "sso": "IAM Identity Center",
    "login": "aws login",
    "custom-process": "a credential_process",
    "container-role": "the container's role",
    "iam-role": "the machine's role",
}
# AWS refuses a signature that is five minutes off (Signature Version 4), S3 one of fifteen.
REFUSED_SECONDS, WORTH_TELLING = 300, 60
SOON = 15 * 60
SET_CLOCK = "set this computer's clock: timedatectl set-ntp true, or the settings of date and time"


def look(connect: Callable[[], Connection]) -> tuple[Connection | None, list[Finding]]:
    """Return a connection to real AWS where there can be one, and what was found on the way.

    Parameters
    ----------
    connect : Callable[[], Connection]
        Makes the connection.
    """
    try:
        aws: Connection = connect()
        answer = aws.client("sts").get_caller_identity()
    except NbChaliceError as error:
        return None, [of_error("credentials", error), *clock(_answer_of(error.__context__))]
    return aws, [*credentials(aws), *place(aws), *clock(answer)]


def _answer_of(error: BaseException | None) -> Values:
    answer: Values = getattr(error, "response", None) or {}
    return answer


def credentials(aws: Connection) -> Iterator[Finding]:
    """Yield of which kind the credentials are, whose, and until when."""
    credentials = aws.credentials
    kind = KINDS.get(str(getattr(credentials, "method", "")), str(getattr(credentials, "method", "unknown")))
    text = f"{kind}, {aws.target.user}"
    expiry: datetime | None = getattr(credentials, "_expiry_time", None)
    if expiry is None:
        yield ok("credentials", f"{text}, without an end")
        return
    left = (expiry - datetime.now(UTC)).total_seconds()
    text = f"{text}, until {expiry.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    renews = type(credentials).__name__ != "Credentials"
    if left < SOON and not renews:
        yield warning("credentials", text, "log in again before a long deploy")
    else:
        yield ok("credentials", f"{text}{', and renewed then' if renews else ''}")


def place(aws: Connection) -> Iterator[Finding]:
    """Yield account, region and endpoint."""
    yield ok("account", f"{aws.account}, partition {aws.partition}")
    yield ok("region", aws.region)
    if elsewhere := aws.target.elsewhere:
        fix = "unset AWS_ENDPOINT_URL and the like, and endpoint_url in ~/.aws/config, to reach AWS itself"
        yield warning("endpoint", f"not AWS's own: {', '.join(elsewhere)}", fix)
    else:
        yield ok("endpoint", f"AWS's own ({aws.client('lambda').meta.endpoint_url})")


def clock(answer: Values) -> Iterator[Finding]:
    """Yield how far this computer's clock is from the endpoint's, as its answer tells."""
    sent = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    if not sent:
        return
    skew = (datetime.now(UTC) - parsedate_to_datetime(sent)).total_seconds()
    side = "ahead of" if skew > 0 else "behind"
    text = f"{abs(skew):.0f} s {side} the endpoint's"
    if abs(skew) >= REFUSED_SECONDS:
        yield wrong("clock", f"{text}; AWS refuses what is {REFUSED_SECONDS} s off", SET_CLOCK)
    elif abs(skew) >= WORTH_TELLING:
        yield warning("clock", text, SET_CLOCK)
    else:
        yield ok("clock", "as the endpoint's")
