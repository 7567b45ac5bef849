"""What a session has from the AWS CLI's configuration: its cache of credentials, and endpoints other than AWS's."""

from __future__ import annotations

import getpass
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.session import Session

# Providers whose credentials the AWS CLI keeps in its cache until they expire.
CACHED = ("assume-role", "assume-role-with-web-identity", "sso")
CACHE = Path("~/.aws/cli/cache")
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
