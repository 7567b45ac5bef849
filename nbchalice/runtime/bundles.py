"""Loads objects that were bundled by name with ``%chalice bundle NAME``.

A bundled name is ``model = load_bundle("model")`` in the deployed module. ``load_module`` puts that statement off
until the name is first looked up, in the handler or on the way to it: an event that does not need the model does not
wait for it, and what was loaded is kept for all later events. The name then holds the object itself. A stand-in was
tried and given up: ``isinstance``, operators and C extensions see through it.
"""

from __future__ import annotations

import builtins
import importlib
import json
import os
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedRandom, BufferedReader
    from pathlib import Path
    from typing import Any, BinaryIO, NotRequired, TypedDict

    class Entry(TypedDict):
        """What the index says of a bundle; without ``file`` it is in S3, where ``NBCHALICE_BUNDLES`` says."""

        format: str
        sha256: str
        file: NotRequired[str]


INDEX = "bundles/index.json"
PLACE = "NBCHALICE_BUNDLES"
_loading = threading.RLock()


class BundleError(RuntimeError):
    """A bundled object cannot be loaded."""


def load_bundle(name: str, root: str | Path | None = None) -> Any:
    """Load a bundled object, after its hash has been checked.

    Parameters
    ----------
    name : str
        The name it was bundled under.
    root : str or Path or None
        Folder that holds ``bundles/``. Default: that of the deployment package.

    Raises BundleError if there is no such bundle, it cannot be read, or its content is not what was bundled.
    """
    from pathlib import Path

    folder = Path(root or os.environ.get("LAMBDA_TASK_ROOT", "."))
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
    except FileNotFoundError:
        index = {}
    if name not in index:
        raise BundleError(f"there is no bundle {name!r}; bundles: {', '.join(sorted(index)) or 'none'}")
    return load_entry(name, index[name], folder)


def load_entry(name: str, entry: Entry, folder: Path) -> object:
    """Load what an entry of the index describes.

    Parameters
    ----------
    name : str
        The bundle's name, for errors.
    entry : Entry
        Where it is, how it is read and what its hash is.
    folder : Path
        What ``file`` is relative to.
    """
    import hashlib

    with _open(name, entry, folder) as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
            raise BundleError(f"the bundle {name!r} is not what was bundled: its hash differs; deploy again")
        file.seek(0)
        try:
            return LOADERS[entry["format"]](file)
        except Exception as error:
            raise BundleError(f"the bundle {name!r} cannot be loaded: {type(error).__name__}: {error}") from error


def _open(name: str, entry: Entry, folder: Path) -> BufferedReader | BufferedRandom:
    if "file" not in entry:
        return _from_s3(name, entry["sha256"])
    try:
        return (folder / entry["file"]).open("rb")
    except OSError as error:
        raise BundleError(f"the bundle {name!r} cannot be read: {error}") from error


def _from_s3(name: str, digest: str) -> BufferedReader | BufferedRandom:
    """Return a bundle that was too big for the package, as a file without a name in /tmp."""
    import tempfile

    what = f"the bundle {name!r}"
    bucket, folder = place_in_s3(what)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        # Little memory, and no waiting for the timeout where a VPC has no way to S3.
        limits = importlib.import_module("boto3.s3.transfer").TransferConfig(max_concurrency=4, max_io_queue=32)
        s3_client().download_fileobj(bucket, f"{folder}/{digest}", file, Config=limits)
    except Exception as error:
        file.close()
        raise BundleError(unreadable(what, bucket, f"{folder}/{digest}", error)) from error
    file.seek(0)
    return file


def place_in_s3(what: str) -> tuple[str, str]:
    """Return bucket and folder of what is too big for the package; BundleError where no variable says so."""
    place = os.environ.get(PLACE, "").rpartition("/")[0].removeprefix("s3://")
    if not place:
        raise BundleError(f"{what} is not in the package, and {PLACE} does not say where; deploy again")
    bucket, _, folder = place.partition("/")
    return bucket, folder


def s3_client(**options: object) -> Any:
    """Return a client that gives up soon where a VPC has no way to S3."""
    config = importlib.import_module("botocore.config").Config(
        connect_timeout=5, retries={"total_max_attempts": 3}, **options
    )
    return importlib.import_module("boto3").client("s3", config=config)


def unreadable(what: str, bucket: str, key: str, error: Exception) -> str:
    """Return why something cannot be read from S3, with what helps."""
    arn = f"arn:aws:s3:::{bucket}/{key}"
    status = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode")
    if status == 404:
        return f"{what} was removed from S3; deploy again ({arn})"
    if status == 403:
        return f"{what} was removed from S3, or the role lacks s3:GetObject on {arn}; deploy again"
    text = f"{what} cannot be read from S3: {error} ({arn})"
    return f"{text}; in a VPC the function needs an endpoint for S3" if "connect" in str(error).lower() else text


class LazyNames(dict[str, object]):
    """The builtins of a module, and beneath them its bundles, each loaded into the module when it is looked up.

    Python looks for a global name in the module and then in the module's builtins. So a bundle is asked for only while
    the module does not have it. Builtins themselves take some 20 ns longer to look up.
    """

    def __init__(self, module: dict[str, object], load: Callable[[str], object]) -> None:
        super().__init__(vars(builtins))
        self._module = module
        self._load = load
        self._waiting: set[str] = set()
        module["__builtins__"] = self
        module["__getattr__"] = self._attribute

    def put_off(self, name: str) -> None:
        """Let a name of the module be loaded when it is looked up."""
        self._module.pop(name, None)
        self._waiting.add(name)

    def __missing__(self, name: str) -> object:
        """Return what a name stands for that the module does not have."""
        if name not in self._waiting:
            return vars(builtins)[name]
        with _loading:
            if name not in self._module:
                try:
                    self._module[name] = self._load(name)
                except BundleError as error:
                    raise error.with_traceback(None) from error.__cause__
            return self._module[name]

    def _attribute(self, name: str) -> object:
        if name in self._waiting:
            return self[name]
        raise AttributeError(f"module {self._module['__name__']!r} has no attribute {name!r}")


def _npy(file: BinaryIO) -> object:
    return importlib.import_module("numpy").load(file, allow_pickle=False)


def _parquet(file: BinaryIO) -> object:
    return importlib.import_module("pandas").read_parquet(file)


def _pickle(file: BinaryIO) -> object:
    pickle = importlib.import_module("pickle")

    class Unpickler(pickle.Unpickler):  # type: ignore[misc, name-defined]
        def find_class(self, module: str, name: str) -> object:
            # The notebook's classes are in the deployed module.
            home = "notebook_code" if module == "__main__" and "notebook_code" in sys.modules else module
            return super().find_class(home, name)

    return Unpickler(file).load()


def _joblib(file: BinaryIO) -> object:
    return importlib.import_module("joblib").load(file)


LOADERS: dict[str, Callable[[BinaryIO], object]] = {
    "json": json.load,
    "npy": _npy,
    "parquet": _parquet,
    "pickle": _pickle,
    "joblib": _joblib,
}
