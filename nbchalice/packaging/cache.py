"""Where locks and layers are kept between deploys."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from nbchalice.packaging.errors import CacheError


def cache_folder() -> Path:
    """Return the folder of kept locks and layers: `NBCHALICE_CACHE` if set, else the user's cache folder."""
    if chosen := os.environ.get("NBCHALICE_CACHE"):
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("nbchalice", appauthor=False))


_HINT = "free some space, or set NBCHALICE_CACHE to a folder that can be written"


def write_whole(path: Path, content: bytes, hint: str = _HINT) -> None:
    """Write a file so that others see all of it or none.

    Parameters
    ----------
    path: where it goes; folders are made.
    content: what it holds.
    hint: what to do where that fails.

    Raises
    ------
    CacheError: it cannot be written, for example because the disk is full.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise CacheError(f"{path.parent} cannot be written: {error.strerror or error}", hint) from error
