"""What who deploys, sends and looks must be allowed on AWS; each resource and each source says it for itself."""

from __future__ import annotations

from dataclasses import dataclass

ALL_PERMISSIONS = "%chalice doctor --policy prints all that who deploys this app needs"


@dataclass(frozen=True)
class Grant:
    """Actions, and what they are about.

    Parameters
    ----------
    actions : tuple[str, ...]
        As IAM names them: ``sqs:SendMessage``.
    resources : tuple[str, ...]
        ARNs, or ``*`` where AWS asks about none.
    condition : tuple[str, str, str] or None
        An operator, a key and a value: ``("StringLike", "lambda:FunctionArn", "arn:...")``.
    own : bool
        Whether the resources are the app's, so that those of its other handlers count, too.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: tuple[str, str, str] | None = None
    own: bool = True
