"""Unpacks dependencies that are too large for a layer: from S3 to /tmp, when an execution environment starts.

The archive is an ordinary zip, which is fetched in parts side by side: each is some whole members of it, and checked by
its hash before anything of it is written. Imports do not wait for all: one of pandas for the parts with pandas and what
it requires, while others are still on their way. All is there before the handler runs, which may read any file.

A start that was broken off goes on with the parts that it lacks, as Lambda starts an environment again that took longer
than 10 seconds.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import struct
import sys
import zlib

from .bundles import BundleError, place_in_s3, s3_client, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future
    from typing import TypedDict

    class Index(TypedDict):
        """What a function's zip says of its archive.

        ``parts`` are first byte, byte after the last, and hash; ``first`` those that any import needs, as they tell
        what is installed, and ``modules`` those that an import of a top-level module needs.
        """

        sha256: str
        parts: list[tuple[int, int, str]]
        first: list[int]
        modules: dict[str, list[int]]
        executable: list[str]


FILE = "nbchalice-archive.json"
NATIVE = "NBCHALICE_NATIVE_ARCHIVE"  # on the local AWS: the hash of the archive whose content is in a layer already
_FOLDER = "python"
_LOCAL_HEADER = struct.Struct("<4sHHHHHLLLHH")
_PIECE = 1 << 20
_WHAT = "the archive of its dependencies"
_MEGABYTES_FOR_A_THREAD = 64


def unpack(root: str) -> Callable[[], None]:
    """Put the dependencies of the package in ``root`` on ``sys.path``; return what waits until all are unpacked.

    Both raise BundleError if they cannot be read, are not what was deployed, or do not fit in /tmp.
    """
    with open(os.path.join(root, FILE), "rb") as file:  # noqa: PTH118, PTH123 - pathlib takes 3 ms to import
        index: Index = json.loads(file.read())
    if os.environ.get(NATIVE) == index["sha256"]:
        return lambda: None
    folder = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"nbchalice-{index['sha256'][:16]}")  # noqa: PTH118, S108
    before = set(sys.modules)
    parts = Parts(index, folder)
    parts.wait(index["first"])
    own = {name for name in set(sys.modules) - before if name.partition(".")[0] in index["modules"]}
    if own:
        # Requests brings its own urllib3, and boto3 has loaded the runtime's.
        parts.finish()
    for name in own:
        del sys.modules[name]
    sys.dont_write_bytecode = True  # as where a layer is read-only: it would fill /tmp
    sys.path.insert(sys.path.index(root) + 1 if root in sys.path else 1, os.path.join(folder, _FOLDER))  # noqa: PTH118
    sys.meta_path.insert(0, parts)
    return parts.finish


class Parts:
    """The parts of an archive, on their way; in ``sys.meta_path`` it lets imports wait for those that they need."""

    def __init__(self, index: Index, folder: str) -> None:
        self._index = index
        todo = {
            number: part
            for number, part in enumerate(index["parts"])
            if not os.path.exists(_mark(folder, part))  # noqa: PTH110
        }
        self._coming: dict[int, Future[None]] = {}
        if todo:
            from concurrent.futures import ThreadPoolExecutor

            fetch, threads = _fetcher(index, folder, len(todo))
            self._pool = ThreadPoolExecutor(threads)
            self._coming = {number: self._pool.submit(fetch, part) for number, part in todo.items()}

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Wait for what the import of a top-level module needs, and leave it to the other finders."""
        if path is None:
            self.wait(self._index["modules"].get(name, ()))

    def wait(self, numbers: Iterable[int]) -> None:
        """Return once these parts are unpacked."""
        waited = [self._coming[number] for number in numbers if number in self._coming]
        for future in waited:
            future.result()
        if waited:
            importlib.invalidate_caches()

    def finish(self) -> None:
        """Return once all is unpacked."""
        self.wait(range(len(self._index["parts"])))
        if self._coming:
            self._pool.shutdown()
            self._coming = {}
        if self in sys.meta_path:
            sys.meta_path.remove(self)


def _fetcher(index: Index, folder: str, most: int) -> tuple[Callable[[tuple[int, int, str]], None], int]:
    """Return what fetches, checks and unpacks one part, and how many may do so at once."""
    import hashlib

    bucket, prefix = place_in_s3(_WHAT)
    key = f"{prefix}/{index['sha256']}"
    executable = set(index["executable"])
    memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"))
    threads = max(1, min(2 * (os.cpu_count() or 1), memory // _MEGABYTES_FOR_A_THREAD, most))
    client = s3_client(max_pool_connections=threads)

    def take(part: tuple[int, int, str]) -> None:
        start, end, digest = part
        answer = client.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{end - 1}")
        content = answer["Body"].read()
        if hashlib.sha256(content).hexdigest() != digest:
            raise BundleError(f"{_WHAT} is not what was deployed: a hash differs; deploy again")
        extract(content, folder, executable)
        with open(_mark(folder, part), "wb"):  # noqa: PTH123
            pass

    def fetch(part: tuple[int, int, str]) -> None:
        try:
            take(part)
        except BundleError:
            raise
        except Exception as error:
            if getattr(error, "errno", None) == errno.ENOSPC:
                raise BundleError(f"{_WHAT} does not fit in /tmp beside what is there; deploy again") from error
            raise BundleError(unreadable(_WHAT, bucket, key, error)) from error

    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    return fetch, threads


def extract(content: bytes, folder: str, executable: set[str]) -> None:
    """Write the members of a part of a zip, which begins with one and ends with one."""
    position, view = 0, memoryview(content)
    while position < len(content):
        _, _, _, method, _, _, _, size, _, name_size, more = _LOCAL_HEADER.unpack_from(content, position)
        position += _LOCAL_HEADER.size
        name = content[position : position + name_size].decode()
        position += name_size + more
        path = os.path.join(folder, name)  # noqa: PTH118
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        _write(path, view[position : position + size], inflated=method != 0)
        if name in executable:
            os.chmod(path, 0o755)  # noqa: PTH101, S103
        position += size


def _write(path: str, data: memoryview, *, inflated: bool) -> None:
    inflate: Callable[[memoryview], bytes | memoryview] = zlib.decompressobj(-15).decompress if inflated else _as_it_is
    with open(path, "wb", buffering=0) as file:  # noqa: PTH123
        for start in range(0, len(data), _PIECE):
            rest = memoryview(inflate(data[start : start + _PIECE]))
            while rest:
                rest = rest[file.write(rest) :]


def _as_it_is(data: memoryview) -> memoryview:
    return data


def _mark(folder: str, part: tuple[int, int, str]) -> str:
    return os.path.join(folder, f"{part[2][:16]}.whole")  # noqa: PTH118
