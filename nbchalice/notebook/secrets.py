"""Credentials in code: well-known patterns only, and the value is never shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbchalice.errors import Location
    from nbchalice.notebook.history import Step

_KINDS: dict[str, tuple[str, str]] = {
    "an AWS access key id": ("akia asia", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "an AWS secret access key": ("secret", r"(?i)\baws.{0,20}?secret.{0,20}?['\"][0-9a-z/+]{40}['\"]"),
    "a private key": ("-----begin", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "a GitHub token": (
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{40,})",
    ),
    "a GitLab token": ("glpat-", r"\bglpat-[0-9A-Za-z_-]{20,}"),
    "a Slack token": ("xox", r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
    "a Slack webhook": ("hooks.slack.com", r"https://hooks\.slack\.com/services/T\w+/B\w+/\w+"),
    "a Stripe key": ("k_live_", r"\b[rs]k_live_[0-9A-Za-z]{16,}"),
    "an OpenAI or Anthropic key": ("sk-", r"\bsk-(?:proj-|ant-)?[0-9A-Za-z_-]{20,}"),
    "a Google API key": ("aiza", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "an npm token": ("npm_", r"\bnpm_[0-9A-Za-z]{36}\b"),
    "a PyPI token": ("pypi-", r"\bpypi-[0-9A-Za-z_-]{40,}"),
    "a Hugging Face token": ("hf_", r"\bhf_[0-9A-Za-z]{30,}"),
    "a JSON web token": (
        "eyj",
        r"(?<![0-9A-Za-z_-])(?>[0-9A-Za-z_-]*?\beyJ)[0-9A-Za-z_-]{10,}+\.eyJ[0-9A-Za-z_-]{10,}+\.[0-9A-Za-z_-]{10}",
    ),
    "a password in a URL": ("://", r"[a-z0-9+.-]://[^\s:/@'\"{}$<>]++:[^\s:/@'\"{}$<>]{3,}+@[\w.-]"),
    "a password or token": (
        "passw secret token apikey api_key accesskey access_key",
        r"(?i)(?<!\w)(?>\w*?(?:passw(?:or)?d|secret|token|api_?key|access_?key))\w*+['\"]?\]?\s*+[:=]\s*+"
        r"['\"](?=[^'\"\s]*\d)(?=[^'\"\s]*[a-z])[0-9A-Za-z/+=_.\-!@#$%^&*]{12,}['\"]",
    ),
    "a password or token for a variable": (
        "setdefault putenv",
        r"(?i)\b(?:setdefault|putenv)\(['\"]\w{0,60}?(?:passw(?:or)?d|secret|token|api_?key|access_?key)\w*+['\"],\s*+"
        r"['\"](?=[^'\"\s]*\d)(?=[^'\"\s]*[a-z])[0-9A-Za-z/+=_.\-!@#$%^&*]{12,}['\"]",
    ),
}
r"""What it is: the words, in lower case, of which one must stand there for a search to be worth it, and how it looks.

Every line is searched in time that grows with its length only: a pattern begins once in a word (``(?<!\w)``) and keeps
what it took (``(?>...)``, ``*+``), or is bounded. ``\b\w*token\w*`` would read ``tokentoken...`` anew from each token.
"""

_COMPILED = [(what, hints.split(), re.compile(pattern)) for what, (hints, pattern) in _KINDS.items()]
_ALLOWED = re.compile(r"pragma:\s*allowlist secret|EXAMPLE|arn:aws")


def find_secret(text: str) -> str | None:
    """Name the kind of credential in a text, or None.

    Parameters
    ----------
    text : str
        One line of code, or the value of a variable.
    """
    patterns = _possible(text)
    if not patterns or _ALLOWED.search(text):
        return None
    return next((what for what, pattern in patterns if pattern.search(text)), None)


def _possible(text: str) -> list[tuple[str, re.Pattern[str]]]:
    lowered = text.lower()
    return [(what, pattern) for what, hints, pattern in _COMPILED if any(hint in lowered for hint in hints)]


def require_no_secrets(steps: list[Step]) -> None:
    """Refuse statements that contain a credential.

    Parameters
    ----------
    steps : list[Step]
        The statements of the slice.

    Raises
    ------
    CaptureError
        Names cell and line, and shows no value.
    """
    for step in steps:
        if not _possible(step.statement.text):
            continue
        for offset, line in enumerate(step.statement.text.split("\n")):
            what = find_secret(line)
            if what is not None:
                place = step.location(step.statement.line + offset)
                raise CaptureError(
                    f"the handler's code contains {what}",
                    "read it in the handler instead, from Secrets Manager or Parameter Store "
                    "(for a false alarm, end the line with '# pragma: allowlist secret')",
                    type(place)(place.cell, place.line, None),
                    code="secret-in-slice",
                )


def require_no_secret_env(handler: str, variables: Mapping[str, str], place: Location | None) -> None:
    """Refuse credentials among the environment variables: everybody who may read the function may read them.

    Parameters
    ----------
    handler : str
        The handler's name.
    variables : Mapping[str, str]
        Its environment variables.
    place : Location or None
        Where the handler is defined.

    Raises
    ------
    CaptureError
        Names the variable and shows no value.
    """
    for name, value in variables.items():
        if what := find_secret(f"{name} = {value!r}"):
            raise CaptureError(
                f"handler {handler}: --env {name} holds {what}",
                "keep it in Secrets Manager or Parameter Store, give its name with --env, and read it in the handler",
                place,
                code="secret-in-slice",
            )
