"""Where locks and layers are kept between deploys."""

from __future__ import annotations

from pathlib import Path

from nbchalice.files import replace_file
from nbchalice.packaging.errors import CacheError

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
