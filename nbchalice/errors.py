"""Every error nbchalice raises on purpose: one message, the place in the notebook, and the fix."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """A place in a notebook.

    Parameters
    ----------
    cell : str
        What a person calls the cell, for example ``cell 4``.
    line : int or None
        Line in the raw cell, counted from 1, or None for the whole cell.
    source : str or None
        The text of that line, or None.
    """

    cell: str
    line: int | None = None
    source: str | None = None

    @property
    def place(self) -> str:
        """Cell and line, without the line's text."""
        return self.cell if self.line is None else f"{self.cell}, line {self.line}"

    def __str__(self) -> str:
        return self.place if not self.source else f"{self.place}: {self.source.strip()}"


class ForPeople(BaseException):
    """What is shown as a message, a place and a hint, without a traceback.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence.
    hint : str or None
        What to do about it, or None.
    location : Location or None
        The place in the notebook, or None.
    code : str
        The reason, a key of ``nbchalice.error_codes.CODES``. Default: the reason that the class stands for.
    """

    code: str

    def __init__(
        self, message: str, hint: str | None = None, location: Location | None = None, *, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.location = location
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the message, the place and the hint, one line each."""
        lines = [self.message]
        if self.location is not None:
            lines.append(f"  at {self.location}")
        if self.hint:
            lines.append(f"  fix: {self.hint}")
        return lines

    def to_dict(self) -> dict[str, object]:
        """Return code, message, place (cell, line, the line's text, each or all None) and fix, ready for JSON."""
        at = self.location
        place = None if at is None else {"cell": at.cell, "line": at.line, "source": at.source}
        return {"code": self.code, "message": self.message, "place": place, "fix": self.hint}

    def _render_traceback_(self) -> list[str]:
        """Let IPython show the error without the frames of nbchalice."""
        first, *rest = self.lines()
        return [f"{self.title}: {first}", *rest]

    @property
    def title(self) -> str:
        """What the error is called: its class and, where the class has several reasons, the code."""
        name = type(self).__name__
        return name if self.code == type(self).code else f"{name} ({self.code})"


class NbChaliceError(ForPeople, Exception):
    """Base of all errors of nbchalice; the parameters are those of `ForPeople`."""

    code = "failed"
    exit_code = 1


class Interrupted(ForPeople, KeyboardInterrupt):
    """The user stopped an operation; says what was done and what was not."""

    code = "interrupted"
    exit_code = 130
    title = KeyboardInterrupt.__name__


class InvalidInputError(NbChaliceError):
    """What the user wrote cannot be used; nothing was changed."""

    code = "invalid-input"
    exit_code = 2


class CaptureError(InvalidInputError):
    """The notebook's code cannot become a module that does on Lambda what it does in the kernel."""

    code = "not-capturable"


class PackagingError(InvalidInputError):
    """The deployment package or its dependency layer cannot be built."""

    code = "not-packageable"


class LocalAWSError(NbChaliceError):
    """The embedded local AWS could not be started, reached or stopped."""

    code = "local-aws-failed"


class AWSError(NbChaliceError):
    """AWS refused a call, or could not be reached."""

    code = "aws-refused"


class LostAnswerError(AWSError):
    """AWS may have done what was asked, or not; it was not asked again.

    Parameters
    ----------
    doing : str
        What was being done, for example ``sending to SQS orders``.
    cause : str
        How the answer was lost.
    hint : str or None
        How to see what AWS did.
    """

    code = "answer-lost"

    def __init__(self, doing: str, cause: str, hint: str | None = None) -> None:
        text = f"{doing}: the answer was lost ({cause}); AWS may have done it, so it was not asked a second time"
        super().__init__(text, hint or "look whether it was done before you do it again")
        self.cause = cause


class DeployError(NbChaliceError):
    """A deploy or delete stopped part way; running it again is safe."""

    code = "deploy-stopped"


class ProblemsError(InvalidInputError):
    """Several problems found at once, before anything was changed.

    Parameters
    ----------
    problems : list[NbChaliceError]
        The single errors, in the order they were found.
    """

    code = "several-problems"

    def __init__(self, problems: list[NbChaliceError]) -> None:
        super().__init__(f"{len(problems)} problems found; nothing was changed")
        self.problems = problems

    def lines(self) -> list[str]:
        """Return the summary and then every problem, numbered."""
        lines = [self.message]
        for number, problem in enumerate(self.problems, 1):
            first, *rest = problem.lines()
            lines += [f"{number}. {first}", *(f"   {line}" for line in rest)]
        return lines
