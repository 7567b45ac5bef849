"""Files of the user's: where they are kept between sessions, and how they are written.

The local AWS has its own in ``aws.local.shared.home``: its server runs where there is no nbchalice.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def user_cache() -> Path:
    """Return the user's cache folder for nbchalice, which may not exist yet; what is in it can be made again."""
    import platformdirs  # not at the top: code is captured and zipped where there is the standard library only, too

    return platformdirs.user_cache_path("nbchalice", appauthor=False)


def replace_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file in one step: others see all of it or what stood there, also after a crash; its folder is made.

    Parameters
    ----------
    path : Path
        The file.
    content : bytes
        All that it is to hold.
    mode : int
        Who may read it, from its beginning. Default: whoever the process lets read a new file.

    Raises
    ------
    OSError
        It cannot be written; what stood there stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
