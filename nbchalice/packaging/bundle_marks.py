"""Marks on bundles that were made here: loading a pickle can run any code, so one from elsewhere is not loaded unasked.

A mark is a keyed hash. The key is in the user's own data folder, so that what lies beside a notebook cannot hold it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from nbchalice.packaging.errors import CacheError
from nbchalice.typed import JSON

_MARKED = ("format", "sha256", "size", "imports", "notebook_names")
_LENGTH = 32


def mark_of(name: str, entry: JSON) -> str:
    """Return the mark that this user's bundles bear.

    Parameters
    ----------
    name : str
        The bundle's name.
    entry : JSON
        What the index says of it.

    Raises
    ------
    CacheError
        The key cannot be made.
    """
    text = json.dumps([name, *(entry[part] for part in _MARKED)])
    return hmac.new(_key(), text.encode(), hashlib.sha256).hexdigest()


def is_marked(name: str, entry: JSON) -> bool:
    """Tell whether this user made a bundle, or accepted it; see ``mark_of``."""
    mark = entry.get("mark")
    return isinstance(mark, str) and hmac.compare_digest(mark.encode(), mark_of(name, entry).encode())


def _key() -> bytes:
    import platformdirs

    path = Path(platformdirs.user_data_path("nbchalice", appauthor=False)) / "bundles.key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        if not path.exists():
            try:
                temporary.touch(mode=0o600)
                temporary.write_bytes(secrets.token_bytes(_LENGTH))
                path.hardlink_to(temporary)  # Of two that are made at once, the first one stays.
            except FileExistsError:
                pass
            finally:
                temporary.unlink(missing_ok=True)
        key = path.read_bytes()
    except OSError as error:
        raise CacheError(f"{path} cannot be used: {error.strerror or error}", "let the folder be written") from error
    if len(key) != _LENGTH:
        raise CacheError(f"{path} is damaged", "remove the file, and bundle again: %chalice bundle NAME")
    return key
