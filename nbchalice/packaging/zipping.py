"""Zips that are the same bytes for the same files, compressed on all processors."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

from nbchalice.errors import PackagingError
from nbchalice.text import readable

_DATE = (1 << 5) | 1
_UTF8 = 0x800
_VERSION = 20
_UNIX = 3 << 8
_STORED, _DEFLATED = 0, 8
_MANY = 1_000_000
_FEW = 200_000  # bytes that are kept in memory, with what they are compressed to
_MOST_FILES, _MOST_BYTES = 0xFFFF, 0xFFFFFFFF


class Member(NamedTuple):
    """A file in a zip.

    Parameters
    ----------
    content : bytes
        Its bytes.
    executable : bool
        Whether its mode is 0755 and not 0644. Default: False.
    """

    content: bytes
    executable: bool = False


class _Packed(NamedTuple):
    name: bytes
    method: int
    crc: int
    data: bytes
    size: int
    mode: int


def zip_bytes(members: Mapping[str, Member | bytes], level: int = 9, *, first: str = "") -> bytes:
    """Return a zip of files by path: sorted, dated 1980-01-01, with fixed permissions.

    Parameters
    ----------
    members : Mapping[str, Member or bytes]
        What is in it by path, with forward slashes; bytes stand for a file that is not executable.
    level : int
        How hard zlib tries, 1 to 9; 0 stores. Default: 9.
    first : str
        Text in the paths of what comes before all others. Default: nothing does.

    Returns
    -------
    The zip.

    Raises
    ------
    PackagingError
        It would have over 4 GB or 65,535 files, which a zip of this kind cannot have.
    """
    files = [(name, _member(members[name])) for name in sorted(members, key=lambda name: (first not in name, name))]
    if sum(len(member.content) for _, member in files) < _MANY:
        packed = [_pack(name, member, level) for name, member in files]
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            packed = list(pool.map(lambda file: _pack(file[0], file[1], level), files))
    return _joined(packed)


def _member(value: Member | bytes) -> Member:
    return value if isinstance(value, Member) else Member(value)


def _deflated(content: bytes, level: int) -> bytes:
    squeeze = zlib.compressobj(level, zlib.DEFLATED, -15, zlib.DEF_MEM_LEVEL + 1)
    return squeeze.compress(content) + squeeze.flush()


# Most of a handler's zip is the runtime, the same in each of an app and at each deploy.
_deflated_before = lru_cache(maxsize=512)(_deflated)


def _pack(name: str, member: Member, level: int) -> _Packed:
    deflated = _deflated_before if len(member.content) < _FEW else _deflated
    data = deflated(member.content, level)
    smaller = len(data) < len(member.content)
    return _Packed(
        name.encode(),
        _DEFLATED if smaller else _STORED,
        zlib.crc32(member.content),
        data if smaller else member.content,
        len(member.content),
        0o100755 if member.executable else 0o100644,
    )


def _joined(files: list[_Packed]) -> bytes:
    parts: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for file in files:
        flags = 0 if file.name.isascii() else _UTF8
        sizes = (file.crc, len(file.data), file.size, len(file.name))
        shared = struct.pack("<HHHHHLLLHH", _VERSION, flags, file.method, 0, _DATE, *sizes, 0)
        local = b"PK\3\4" + shared + file.name
        parts += (local, file.data)
        directory.append(
            b"PK\1\2"
            + struct.pack("<H", _UNIX | _VERSION)
            + shared
            + struct.pack("<HHHLL", 0, 0, 0, file.mode << 16, offset)
            + file.name
        )
        offset += len(local) + len(file.data)
    if len(files) > _MOST_FILES or offset > _MOST_BYTES:
        text = f"the zip would have {len(files):,} files and {readable(offset)}: more than {_MOST_FILES:,} or 4 GB"
        raise PackagingError(text, "import less, or split the handlers over two notebooks", code="too-large")
    size = sum(map(len, directory))
    end = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, len(files), len(files), size, offset, 0)
    return b"".join([*parts, *directory, end])
