"""Why a notebook's code cannot be captured, where somebody asks which reason it was."""

from __future__ import annotations

from nbchalice.errors import CaptureError, Location, ProblemsError


class HandlerNotFoundError(CaptureError):
    """No function of this name, or no function that can be a handler, is defined."""

    code = "no-handler-function"


class DivergedError(CaptureError):
    """A variable has another value in the captured module than in the kernel.

    Parameters
    ----------
    variable : str
        The variable, or an empty text.
    """

    code = "diverged"

    def __init__(
        self, message: str, hint: str | None = None, location: Location | None = None, *, variable: str = ""
    ) -> None:
        super().__init__(message, hint, location)
        self.variable = variable


class StatementFailedError(CaptureError):
    """A statement of the captured module failed in the clean process.

    Parameters
    ----------
    statement : tuple[str, int] or None
        The cell and the raw line of the statement at the top, whose functions may have failed elsewhere.
    reason : str
        The reason in a few words, for a list of what was left out.
    """

    code = "import-failed"

    def __init__(
        self,
        message: str,
        hint: str | None,
        location: Location | None,
        *,
        code: str,
        statement: tuple[str, int] | None,
        reason: str,
    ) -> None:
        super().__init__(message, hint, location, code=code)
        self.statement, self.reason = statement, reason


class UnresolvedNamesError(ProblemsError, CaptureError):
    """Several names that the handler needs are not there."""

    code = "several-problems"


class SecretsError(ProblemsError, CaptureError):
    """Several credentials in what would be deployed."""

    code = "several-problems"
