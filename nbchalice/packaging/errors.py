"""What can go wrong between a slice and an upload, one class each."""

from __future__ import annotations

from nbchalice.errors import PackagingError


class PathConflictError(PackagingError):
    """Two different files want the same place in the zip."""
