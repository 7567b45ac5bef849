"""Where locks and layers are kept between deploys."""

from __future__ import annotations

import os
from pathlib import Path

from nbchalice.files import replace_file, user_cache
from nbchalice.packaging.errors import CacheError


def cache_folder() -> Path:
    """Return the folder of kept locks and layers: `NBCHALICE_CACHE` if set, else the user's cache folder."""
    chosen = os.environ.get("NBCHALICE_CACHE")
    return Path(chosen) if chosen else user_cache()


_HINT = "free some space, or set NBCHALICE_CACHE to a folder that can be written"


def write_whole(path: Path, content: bytes, hint: str = _HINT) -> None:
    """Write a file so that others see all of it or none.

    Parameters
    ----------
    path : Path
        Where it goes; folders are made.
    content : bytes
        What it holds.
    hint : str
        What to do where that fails.

    Raises
    ------
    CacheError
        It cannot be written, for example because the disk is full.
    """
    try:
        replace_file(path, content)
    except OSError as error:
        raise CacheError(f"{path.parent} cannot be written: {error.strerror or error}", hint) from error
