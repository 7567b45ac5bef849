"""Why AWS refuses a pattern."""

from __future__ import annotations


class InvalidPatternError(ValueError):
    """A pattern that AWS refuses.

    Parameters
    ----------
    reason : str
        What is wrong, in AWS's words.
    fix : str
        What to write instead, or an empty text.
    path : str
        The field it stands at, such as ``detail.state``, or an empty text.
    """

    def __init__(self, reason: str, fix: str = "", path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix
        self.path = path
