"""One permission that a call needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """An action on a resource.

    Parameters
    ----------
    action : str
        For example ``sqs:SendMessage``.
    resources : tuple[str, ...]
        Ways in which the resource may be named in a policy; one must be allowed. Default: the action has none.
    certain : bool
        Whether AWS asks about these resources; else the action alone counts.
    """

    action: str
    resources: tuple[str, ...] = ("*",)
    certain: bool = True
