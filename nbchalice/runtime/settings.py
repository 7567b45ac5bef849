"""What an app checks in a notebook and not on Lambda: the names of settings, and what it is to register."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SETTINGS = frozenset({
    "timeout", "memory", "env", "allow_secret", "tag", "role", "policy", "allow", "layer", "arch", "python",
    "requirements", "reserved_concurrency", "ephemeral_storage", "log_retention", "json_logs", "tracing", "subnet",
    "security_group", "dlq", "on_failure", "permissions_boundary", "role_path", "trust",
    "no_big", "log_group", "log_kms_key", "log_class", "kms_key", "retries", "max_age", "record", "redact",
    "code_signing", "runtime_management",
})  # fmt: skip


def check(decorator: str, given: Iterable[str], parameters: Iterable[str]) -> None:
    """Raise TypeError for a name that is not a setting, with the one that was probably meant.

    Parameters
    ----------
    decorator : str
        The decorator's name.
    given : Iterable[str]
        Names of the settings.
    parameters : Iterable[str]
        The decorator's own parameters.
    """
    for name in given:
        if name not in SETTINGS:
            import difflib

            known = [*parameters, *sorted(SETTINGS)]
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise TypeError(f"@app.{decorator} has no parameter {name!r}; {hint}")


def check_blueprint(given: object) -> None:
    """Raise TypeError for what is no blueprint, as one of the package ``chalice``."""
    from .blueprint import Blueprint

    if not isinstance(given, Blueprint):
        kind = f"{type(given).__module__}.{type(given).__qualname__}"
        raise TypeError(f"register_blueprint takes a Blueprint (from nbchalice import Blueprint), not a {kind}")
