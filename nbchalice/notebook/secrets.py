"""Credentials in code: well-known patterns only, and the value is never shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbchalice.notebook.errors import SecretInSliceError

if TYPE_CHECKING:
    from nbchalice.notebook.history import Step

_PATTERNS = {
    "an AWS access key id": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "an AWS secret access key": r"(?i)\baws.{0,20}?secret.{0,20}?['\"][0-9a-z/+]{40}['\"]",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a GitHub token": r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{40,})",
    "a GitLab token": r"\bglpat-[0-9A-Za-z_-]{20,}",
    "a Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
    "a Slack webhook": r"https://hooks\.slack\.com/services/T\w+/B\w+/\w+",
    "a Stripe key": r"\b[rs]k_live_[0-9A-Za-z]{16,}",
    "an OpenAI or Anthropic key": r"\bsk-(?:proj-|ant-)?[0-9A-Za-z_-]{20,}",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "an npm token": r"\bnpm_[0-9A-Za-z]{36}\b",
    "a PyPI token": r"\bpypi-[0-9A-Za-z_-]{40,}",
    "a Hugging Face token": r"\bhf_[0-9A-Za-z]{30,}",
    "a JSON web token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",
    "a password in a URL": r"\b[a-z][a-z0-9+.-]*://[^\s:/@'\"{}$<>]+:[^\s:/@'\"{}$<>]{3,}@[\w.-]+",
    "a password or token": r"(?i)\b\w*(?:passw(?:or)?d|secret|token|api_?key|access_?key)\w*['\"]?\]?\s*[:=]\s*"
    r"['\"](?=[^'\"\s]*\d)(?=[^'\"\s]*[a-z])[0-9A-Za-z/+=_.\-!@#$%^&*]{12,}['\"]",
}
_COMPILED = [(what, re.compile(pattern)) for what, pattern in _PATTERNS.items()]
_ANY = re.compile(
    "|".join(f"(?:{re.sub(r'^[(][?]i[)]', '', pattern)})" for pattern in _PATTERNS.values()), re.IGNORECASE
)
_ALLOWED = re.compile(r"pragma:\s*allowlist secret|EXAMPLE|arn:aws")


def find_secret(text: str) -> str | None:
    """Name the kind of credential in a text, or None.

    Parameters
    ----------
    text: one line of code, or the value of a variable.
    """
    if _ALLOWED.search(text):
        return None
    return next((what for what, pattern in _COMPILED if pattern.search(text)), None)


def require_no_secrets(steps: list[Step]) -> None:
    """Refuse statements that contain a credential.

    Parameters
    ----------
    steps: the statements of the slice.

    Raises
    ------
    SecretInSliceError: names cell and line, and shows no value.
    """
    for step in steps:
        if not _ANY.search(step.statement.text):
            continue
        for offset, line in enumerate(step.statement.text.split("\n")):
            what = find_secret(line)
            if what is not None:
                place = step.location(step.statement.line + offset)
                raise SecretInSliceError(
                    f"the handler's code contains {what}",
                    "read it in the handler instead, from Secrets Manager or Parameter Store "
                    "(for a false alarm, end the line with '# pragma: allowlist secret')",
                    type(place)(place.cell, place.line, None),
                )
