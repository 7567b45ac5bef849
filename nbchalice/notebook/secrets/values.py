"""Whether a value looks like a credential, or like a name, a path, or what is filled in elsewhere."""

from __future__ import annotations

import re
from enum import Enum

from nbchalice.notebook.secrets import words


class Level(Enum):
    """What a name promises of its value, and how much like a credential the value must look."""

    PASSWORD = 1
    """A password: six letters are enough, ``hunter2``."""
    SECRET = 2
    """A secret: as a password, but not the name of a secret, ``prod-db-1``."""
    TOKEN = 3
    """A token or key: ten letters and digits that are not words."""
    MAYBE = 4
    """Anything: only what looks as if drawn by chance."""


_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SEPARATORS = re.compile(r"[-_./:,]")
_LONGEST = 10_000
_SIGNS = frozenset("!@#$%^")
_MADE_UP = ("your", "example", "dummy", "placeholder", "changeme", "replace", "redacted", "<", "...", "***")
"""How a value begins that a person is to replace."""
_ELSEWHERE = (
    *(
        "arn:",
        "AWS::",
        "http://",
        "https://",
        "s3://",
        "ssm:",
        "{{",
        "file:",
        "op://",
        "vault:",
        "secretsmanager:",
        "projects/",
    ),
    *("./", "../", "~/", "^"),
)
"""How the name of a place begins where the value is."""
_PLAIN_PIECE = re.compile(r"[A-Za-z]{1,20}+[0-9]{0,4}+|[0-9]{1,4}+[A-Za-z]{0,3}+")
_TECHNICAL = re.compile(
    r"(?i:u?int|float|complex|datetime|timedelta|varchar|char|utf|base|latin|oauth|sha|md|argon|scrypt|pbkdf|bcrypt|aes|"
    r"rsa|hmac|iso|python|http|tls|sqlite|iphone|windows)-?[0-9]{1,4}+(?:mb[0-9])?"
)
"""Words that have a number as part of them: ``float32``, ``SHA256``, ``utf8mb4``."""
_VARIABLE = re.compile(r"\$[A-Z_][A-Z0-9_]{0,80}+|%[a-z]|%\([^)]{0,80}+\)s")
_BRACKETS = {"{": "}", "<": ">", "[": "]", "(": ")"}
_CALL = re.compile(r"[A-Za-z_][\w.]{0,80}+[(\[][^)\]]{0,200}+[)\]]{1,9}+")
_APP_PASSWORD = re.compile(r"[a-z]{4} [a-z]{4} [a-z]{4} [a-z]{4}")
"""As Google gives one to a program."""
_CLASSES = ("0-9", "a-z", "A-Z", "\\d", "\\w", "\\S")
"""Parts of regular expressions."""
_EMAIL = re.compile(r"[\w.+-]{1,64}+@[\w-]{1,64}+\.[a-z]{2,10}")


def holds(level: Level, value: str) -> bool:
    """Whether a value looks enough like a credential for what its name promises.

    Parameters
    ----------
    level : Level
        What the name promises.
    value : str
        The value.
    """
    if level is Level.PASSWORD and _APP_PASSWORD.fullmatch(value):
        return True
    if not 6 <= len(value) <= _LONGEST or any(map(str.isspace, value)) or _points_elsewhere(value):
        return False
    if level is Level.PASSWORD:
        return password_like(value)
    if level is Level.SECRET:
        return password_like(value) and not (_is_plain(value) and _SEPARATORS.search(value))
    return random_like(value) or (level is Level.TOKEN and len(value) >= 10 and _mixed(value) and not _is_plain(value))


def _points_elsewhere(value: str) -> bool:
    """Whether a text is what a credential is found by: a path, a call, a variable, a pattern."""
    if is_placeholder(value) or value.startswith(_ELSEWHERE) or any(part in value for part in _CLASSES):
        return True
    return _is_path(value) or bool(_CALL.fullmatch(value) or _EMAIL.fullmatch(value))


def password_like(value: str) -> bool:
    """Whether a text could be a password: letters with digits or signs, or digits only.

    Parameters
    ----------
    value : str
        A text without blanks.
    """
    if value.isdigit():
        return len(value) >= 6 and not is_placeholder(value)
    if is_placeholder(value) or _is_path(value) or (_is_plain(value) and _has_telling_word(value)):
        return False
    return _mixed(value)


def random_like(value: str) -> bool:
    """Whether a text looks as if drawn by chance: 16 or more letters that are not words.

    Parameters
    ----------
    value : str
        A text without blanks.
    """
    if len(value) < 16 or len(set(value)) < 4 or is_placeholder(value) or _is_plain(value) or _is_path(value):
        return False
    if _mixed(value) or value.isdigit():
        return True
    # "wJalrXUtnFEMIKMDENG" changes between small and capital letters as no name does.
    return len(value) >= 20 and value.isalpha() and any(len(part) < 3 for part in _PARTS.findall(value)[:-1])


def is_placeholder(value: str) -> bool:
    """Whether a text stands for a credential that is filled in elsewhere: ``<your-token>``, ``$TOKEN``, ``xxxx``.

    Parameters
    ----------
    value : str
        A text without blanks.
    """
    lowered = value.lower()
    if len(set(lowered)) < 2 or "xxxx" in lowered or lowered.startswith(_MADE_UP):
        return True
    if _BRACKETS.get(value.removeprefix("$")[:1]) == value[-1]:
        return True
    # AWS's documentation ends its keys so.
    if len(value) >= 16 and value.endswith(("EXAMPLE", "EXAMPLEKEY")):
        return True
    if _VARIABLE.fullmatch(value) or _TECHNICAL.fullmatch(value):
        return True
    parts = _PARTS.findall(value[:200])
    digits = sum(len(part) for part in parts if part.isdigit())
    return digits < 2 and all(part.isdigit() or part.lower() in words.PLACEHOLDERS for part in parts)


def _has_telling_word(value: str) -> bool:
    """Whether a name says what it is the name of: ``prod-db-password-2``."""
    pieces = _SEPARATORS.split(value)
    return len(pieces) > 1 and any(piece.lower().rstrip("0123456789") in words.PLACEHOLDERS for piece in pieces)


def _mixed(value: str) -> bool:
    return any(map(str.isalpha, value)) and any(letter.isdigit() or letter in _SIGNS for letter in value)


def _is_plain(value: str) -> bool:
    """Whether a text is words with numbers, as names are: ``bert-base-v2``, ``SHA256``."""
    return all(_is_plain_piece(piece) for piece in _SEPARATORS.split(value) if piece)


def _is_plain_piece(piece: str) -> bool:
    if not _PLAIN_PIECE.fullmatch(piece):
        return False
    parts = [part for part in _PARTS.findall(piece) if part.isalpha()]
    return len(parts) < 2 or all(len(part) > 2 for part in parts)


def _is_path(value: str) -> bool:
    """Whether a text is a path: ``/app/prod/db1/password``, ``prod/db/password1``; base64 may have a slash, too."""
    if "/" not in value or "+" in value or "=" in value:
        return False
    if value.startswith("/") and value.count("/") > 1:
        return max(map(len, value.split("/"))) <= 30
    return _is_plain(value)
