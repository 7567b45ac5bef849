"""What a name promises of its value: a password, a token, or something harmless about one."""

from __future__ import annotations

import re
from functools import lru_cache

from nbchalice.notebook.secrets import words
from nbchalice.notebook.secrets.values import Level, holds

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST = 80
_KEY_ENDINGS = ("apikey", "accesskey", "secretkey", "privatekey", "accountkey", "signingkey", "masterkey")


def by_name(name: str, value: str) -> bool:
    """Whether a name and a value together are a credential.

    Parameters
    ----------
    name : str
        What the value is called: a variable, an attribute, a key, a header.
    value : str
        The value.
    """
    level = level_of(name)
    return level is not None and value != name and holds(level, value)


@lru_cache(maxsize=4096)
def level_of(name: str) -> Level | None:
    """Return what a name promises of its value; None: it is no credential.

    Parameters
    ----------
    name : str
        For example ``dbPassword``, ``X-Api-Key`` or ``secret_name``; the last one promises nothing.
    """
    if len(name) > _LONGEST:
        return None
    parts = [part.lower() for part in _PARTS.findall(name)]
    while parts and (parts[-1].isdigit() or parts[-1] in words.NEUTRAL):
        parts.pop()
    if not parts or (parts[-1] in words.HARMLESS and not _opens(parts)):
        return None
    strongest = None
    for place, part in enumerate(parts):
        level = _level(part, parts[place - 1] if place else "")
        if level is not None:
            # token_bucket and secret_santa need not be about credentials; password_super_secure is.
            last = place == len(parts) - 1
            strongest = level if last or level is Level.PASSWORD else Level.MAYBE
    return strongest


def _opens(parts: list[str]) -> bool:
    """Whether a name that ends in ``key`` is that of a key which opens something, not of a sort key."""
    return len(parts) > 1 and parts[-1] == "key" and parts[-2] in words.KEYS | words.MAYBE_KEYS


def _level(part: str, before: str) -> Level | None:
    """Return what one word of a name promises, behind another word."""
    if "passw" in part or part.startswith(("passphrase", "passcode")) or part.endswith(("pwd", "pwds", "pswd")):
        return Level.PASSWORD
    if part in {"pw", "psw"} or (part.endswith("pass") and part not in words.NOT_PASSWORDS):
        return None if before in words.NOT_PASSWORDS else Level.PASSWORD
    if part.endswith(("secret", "secrets")) or part.startswith("secretstr"):
        return Level.SECRET
    if part.endswith("token") or part.endswith(_KEY_ENDINGS) or (part == "key" and before in words.KEYS):
        return None if before in words.NOT_TOKENS else Level.TOKEN
    if part in {"key", "keys"} and before in words.KEYS | words.MAYBE_KEYS:
        return Level.MAYBE
    return Level.MAYBE if part in words.MAYBE or part.endswith(("tokens", "apikeys")) else None
