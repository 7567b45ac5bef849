"""What a session has from the AWS CLI's configuration: its cache of credentials, and endpoints other than AWS's."""

from __future__ import annotations

import getpass
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.errors import AWSError

if TYPE_CHECKING:
    from botocore.session import Session

# Providers whose credentials the AWS CLI keeps in its cache until they expire.
CACHED = ("assume-role", "assume-role-with-web-identity", "sso")
CACHE = Path("~/.aws/cli/cache")
TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105 - the name of a variable
CONTAINER = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
SERVICES = ("sts", "lambda", "iam", "logs", "sqs", "sns", "s3", "events", "scheduler", "kinesis", "dynamodb")


def share_temporary_credentials(session: Session) -> None:
    """Let a session share the AWS CLI's cache of temporary credentials.

    So an MFA code is asked for once in their lifetime, by whichever command comes first (AWS CLI: "Using an IAM role in
    the AWS CLI", cached credentials), and not by each command.

    Parameters
    ----------
    session : Session
        The session of botocore, before it has made a client.
    """
    from botocore.exceptions import UnknownCredentialError
    from botocore.utils import JSONFileCache

    cache = JSONFileCache(CACHE.expanduser())
    resolver = session.get_component("credential_provider")
    for name in CACHED:
        with suppress(UnknownCredentialError):  # as where the environment gives the credentials
            resolver.get_provider(name).cache = cache
    with suppress(UnknownCredentialError):
        resolver.get_provider("assume-role")._prompter = _ask


def failed_login(error: Exception) -> AWSError | None:
    """Return what a platform's own way to credentials failed by, with a fix; None for any other way.

    Parameters
    ----------
    error : Exception
        What boto3 raised where it was to get credentials.
    """
    text = str(error)
    if getattr(error, "kwargs", {}).get("provider") == "container-role":
        hint = f"see what {CONTAINER} names, and that the container has a role; or set AWS_PROFILE or keys"
        return AWSError(f"connecting to AWS: {text}", hint)
    if isinstance(error, ValueError) and "Unsupported host" in text:
        return AWSError(f"connecting to AWS: {text}", f"correct {CONTAINER}, or unset it")
    if isinstance(error, OSError) and error.filename:
        message = f"connecting to AWS: the token file {error.filename} cannot be read: {error.strerror}"
        names = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" if os.environ.get(CONTAINER) else TOKEN_FILE
        hint = f"the platform puts it there: correct {names} (or web_identity_token_file in ~/.aws/config), or unset it"
        return AWSError(message, hint)
    if type(error).__name__ == "ParamValidationError" and "WebIdentityToken" in text:
        hint = f"see what the platform wrote into the file that {TOKEN_FILE} or web_identity_token_file names"
        return AWSError("connecting to AWS: what stands in the token file is no token of a web identity", hint)
    return None


def _ask(prompt: str) -> str:
    """Ask the person at the notebook, also for a command of a panel, where a kernel refuses to ask.

    botocore would take the `getpass` of when it was imported: the terminal of the Jupyter server, where nobody looks.
    """
    ipython = sys.modules.get("IPython")
    kernel = getattr(ipython.get_ipython(), "kernel", None) if ipython else None
    return str(kernel.getpass(prompt) if kernel else getpass.getpass(prompt))


def configured_endpoints(session: Session) -> tuple[str, ...]:
    """Return which services the configuration sends elsewhere than to AWS, as ``sqs to http://127.0.0.1:4566``.

    Boto3 takes such endpoints from ``AWS_ENDPOINT_URL``, ``AWS_ENDPOINT_URL_SQS`` and the profile (AWS SDKs and Tools
    Reference Guide: "Service-specific endpoints").

    Parameters
    ----------
    session : Session
        The session of botocore.
    """
    from botocore.configprovider import ConfiguredEndpointProvider

    if str(session.get_config_variable("ignore_configured_endpoint_urls")).lower() == "true":
        return ()
    services_at: dict[str, list[str]] = {}
    for service in SERVICES:
        provider = ConfiguredEndpointProvider(session.full_config, session.get_scoped_config(), service)
        if url := provider.provide():
            services_at.setdefault(str(url), []).append(service)
    everything = {url for url, services in services_at.items() if len(services) == len(SERVICES)}
    return tuple(
        f"{'all calls' if url in everything else ', '.join(names)} to {url}" for url, names in services_at.items()
    )
