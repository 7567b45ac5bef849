"""Why a notebook's code cannot be captured: one class for each reason, each with its fix."""

from __future__ import annotations

from nbchalice.errors import CaptureError


class UnresolvedNameError(CaptureError):
    """The slice uses a name that no cell, import or builtin defines."""


class DeletedNameError(CaptureError):
    """The slice uses a name that a later ``del`` removed."""


class MagicNameError(CaptureError):
    """The slice uses a name that only a magic or a shell line defines."""


class NotebookOnlyNameError(CaptureError):
    """The slice uses a name that exists only inside IPython, such as ``display`` or ``Out``."""


class OutsideCellsError(CaptureError):
    """The slice uses a name that the kernel knows but no executed cell defines."""


class OutOfOrderError(CaptureError):
    """A statement uses, while it runs, a name that only a later cell defines."""


class FailedCellError(CaptureError):
    """The slice needs a statement that failed, or that stands after the line at which its cell failed."""


class UnparsableCellError(CaptureError):
    """A cell that the slice needs is not valid Python."""


class MagicInBodyError(CaptureError):
    """A statement of the slice contains a magic or shell line, which cannot run on Lambda."""


class TopLevelAwaitError(CaptureError):
    """The slice needs a statement with ``await`` outside a function."""


class NeedsBundleError(CaptureError):
    """The slice needs a value that is too slow, too large or too uncertain to compute again on Lambda."""


class MissingBundleError(NeedsBundleError):
    """The slice needs a bundle that was not made yet, or was removed."""


class BundleOutOfOrderError(NeedsBundleError):
    """A bundle was taken at another moment than its line stands for, and a later statement would change it twice."""


class ReadsLocalFileError(NeedsBundleError):
    """The slice needs a value read from a file of this computer."""


class MachineValueError(NeedsBundleError):
    """The slice needs a value that tells of this computer: a path, a name, what is on its disk."""


class ChangingValueError(NeedsBundleError):
    """The slice needs a value that is another one each time: of the moment, or of chance."""


class HandlerKindError(CaptureError):
    """A handler is a coroutine function or a generator function, which Lambda would not run."""


class AmbiguousMutationError(CaptureError):
    """It cannot be told whether a call changes a value that the slice needs."""


class SecretInSliceError(CaptureError):
    """The slice contains a credential."""


class HandlerNotFoundError(CaptureError):
    """No function of this name, or no function that can be a handler, is defined."""


class AmbiguousHandlerError(CaptureError):
    """Several functions of the cell could be the handler."""


class StaleModuleError(CaptureError):
    """A local module was edited after the kernel imported it."""


class StaleCellError(CaptureError):
    """A cell of the slice was edited after it was run."""


class DecoratorError(CaptureError):
    """A handler's decorator could not be evaluated."""


class TargetSyntaxError(CaptureError):
    """The slice uses syntax that the target Python does not have."""


class ImportFailedError(CaptureError):
    """The captured module does not import in a clean process."""


class NotRegisteredError(CaptureError):
    """The captured module registers no handler of the name that the notebook registered."""


class DivergedError(CaptureError):
    """A variable has another value in the captured module than in the kernel."""
