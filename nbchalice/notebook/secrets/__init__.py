"""Credentials in what is deployed: found by their look or their name, and never shown."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from nbchalice.errors import CaptureError, Location
from nbchalice.notebook.errors import SecretsError
from nbchalice.notebook.secrets.find import MARK, find_secret, find_secret_value, shown_line, unmarked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from nbchalice.notebook.secrets.reading import Found

__all__ = [
    "find_secret",
    "find_secret_value",
    "require_no_secret_env",
    "require_no_secrets",
    "require_no_secrets_in_file",
    "shown_line",
]

_CONFIG = ".chalice/config.json"
_INSTEAD = "Secrets Manager or Parameter Store"


class Written(Protocol):
    """A statement's text."""

    @property
    def text(self) -> str:
        """Verbatim."""

    @property
    def line(self) -> int:
        """The raw line of its first line."""


class Labelled(Protocol):
    """A cell."""

    @property
    def label(self) -> str:
        """What a person calls it."""

    @property
    def source(self) -> str:
        """Its text."""


class Placed(Protocol):
    """A statement that knows its cell."""

    @property
    def statement(self) -> Written:
        """What is written there."""

    @property
    def cell(self) -> Labelled:
        """Where it is written."""


def require_no_secrets(steps: Iterable[Placed]) -> None:
    """Refuse statements that contain a credential.

    Parameters
    ----------
    steps : Iterable[Placed]
        The statements of the slice.

    Raises
    ------
    CaptureError
        Names cell and line of each, and shows no value.
    """
    errors: list[CaptureError] = []
    for step in steps:
        errors += [_in_step(step, secret) for secret in unmarked(step.statement.text)]
    raise_all(errors)


def _in_step(step: Placed, secret: Found) -> CaptureError:
    line = step.statement.line + secret.lines[0] - 1
    way = f"end the line with '{MARK}'"
    if step.cell.source.split("\n")[line - 1].lstrip().startswith("%"):
        # %env NAME=VALUE # comment: the comment is part of the value.
        way = f"set it with os.environ[NAME] = VALUE, and end that line with '{MARK}'"
    return CaptureError(
        f"the handler's code contains {secret.what}",
        f"read it in the handler instead, from {_INSTEAD} (for a false alarm, {way})",
        Location(step.cell.label, line),
        code="secret-in-slice",
    )


def require_no_secrets_in_file(name: str, text: str) -> None:
    """Refuse a local module that contains a credential.

    Parameters
    ----------
    name : str
        Its path in the zip.
    text : str
        Its text.

    Raises
    ------
    CaptureError
        Names file and line of each, and shows no value.
    """
    raise_all(
        [
            CaptureError(
                f"the local module {name} contains {secret.what}",
                f"read it in the handler instead, from {_INSTEAD} (for a false alarm, end the line with '{MARK}')",
                Location(name, secret.lines[0]),
                code="secret-in-slice",
            )
            for secret in unmarked(text)
        ]
    )


def require_no_secret_env(
    handler: str,
    variables: Mapping[str, str],
    place: Location | None,
    *,
    allowed: Collection[str] = (),
    configured: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Refuse credentials among the environment variables: everybody who may read the function may read them.

    Parameters
    ----------
    handler : str
        The handler's name.
    variables : Mapping[str, str]
        Its environment variables.
    place : Location or None
        Where the handler is defined.
    allowed : Collection[str]
        The variables that may hold what looks like a credential.
    configured : Mapping[str, str]
        The variables that the configuration file sets; others stand in the notebook.

    Raises
    ------
    CaptureError
        Names the variables and shows no value.
    """
    errors = []
    for name, value in variables.items():
        what = None if name in allowed else find_secret_value(name, value)
        if what is None:
            continue
        at = place
        where, allow = f"--env {name}", f'--allow-secret {name}, or allow_secret=["{name}"] to a decorator'
        if configured.get(name) == value:
            where, allow = f"environment variable {name} of {_CONFIG}", f'"allow_secret": ["{name}"] to {_CONFIG}'
            at = None
        message = f"handler {handler}: {where} holds {what}"
        hint = f"keep it in {_INSTEAD}, give its name with --env, and read it in the handler"
        errors.append(CaptureError(message, f"{hint} (for a false alarm, add {allow})", at, code="secret-in-slice"))
    raise_all(errors)


def raise_all(errors: Sequence[CaptureError]) -> None:
    """Raise what was found: one error, or all of them in one."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise SecretsError([*errors])
