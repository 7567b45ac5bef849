"""Why a notebook's code cannot be captured, where somebody asks which reason it was."""

from __future__ import annotations

from nbchalice.errors import CaptureError, ProblemsError


class HandlerNotFoundError(CaptureError):
    """No function of this name, or no function that can be a handler, is defined."""

    code = "no-handler-function"


class DivergedError(CaptureError):
    """A variable has another value in the captured module than in the kernel."""

    code = "diverged"


class UnresolvedNamesError(ProblemsError, CaptureError):
    """Several names that the handler needs are not there."""

    code = "several-problems"
