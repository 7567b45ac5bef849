"""Wheels of pure-Python packages of which the registry has only the source: made of what is installed here."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

from nbchalice.files import cache_folder
from nbchalice.packaging.cache import write_whole
from nbchalice.packaging.zipping import zip_bytes

# What an installer adds to a wheel's files.
_OF_INSTALLER = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws"})
_ANYWHERE = re.compile(r"^Tag: py3-none-any$|^Tag: py2\.py3-none-any$", re.M)


def wheels_folder() -> Path:
    """Return the folder in which uv finds them."""
    return cache_folder() / "wheels"


def make_wheel(name: str) -> bool:
    """Make a wheel of an installed distribution, where it runs anywhere; return whether there is a new one.

    The installed files are those that were proven, and nothing has to be built for it.

    Parameters
    ----------
    name : str
        The distribution's name.

    Raises
    ------
    CacheError
        The folder cannot be written.
    """
    try:
        installed = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    about = installed.read_text("WHEEL") or ""
    if "Root-Is-Purelib: true" not in about or not _ANYWHERE.search(about):
        return False
    stem = canonicalize_name(installed.metadata["Name"]).replace("-", "_")
    path = wheels_folder() / f"{stem}-{installed.version}-py3-none-any.whl"
    if path.exists():
        return False
    write_whole(path, zip_bytes(_members(installed)))
    return True


def _members(installed: metadata.Distribution) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    record = ""
    for file in installed.files or ():
        if file.name == "RECORD" and file.parent.suffix == ".dist-info":
            record = file.as_posix()
        outside = ".." in file.parts or file.is_absolute()
        of_installer = file.parent.suffix == ".dist-info" and file.name in _OF_INSTALLER
        if not (outside or of_installer or "__pycache__" in file.parts):
            members[file.as_posix()] = Path(str(installed.locate_file(file))).read_bytes()
    lines = [f"{name},{_hash(content)},{len(content)}" for name, content in sorted(members.items())]
    members[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    return members


def _hash(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
