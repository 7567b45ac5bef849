"""Tracebacks without the frames of this package."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


def without_own_frames(error: BaseException) -> TracebackType | None:
    """Return an error's traceback without the leading frames of this package, or as it is where there are no others.

    None for an error whose text tells all (``without_trace``).
    """
    # Byte code says where its source was when it was compiled.
    here = without_own_frames.__code__.co_filename.removesuffix("frames.py")
    inner = error.__traceback__
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(here):
        inner = inner.tb_next
    return inner or (None if hasattr(error, "without_trace") else error.__traceback__)
