"""Loads objects that were bundled by name with ``%chalice bundle NAME``.

A bundled name is ``model = load_bundle("model")`` in the deployed module: the object is loaded when that statement
runs, which on Lambda is the start of an execution environment, and kept for all later events. A stand-in that loads at
first use was tried and given up: ``isinstance``, operators and C extensions see through it.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

INDEX = "bundles/index.json"
_loaded: dict[tuple[str, str], Any] = {}


def load_bundle(name: str, root: str | Path | None = None) -> Any:
    """Return a bundled object; it is loaded once, after its hash has been checked.

    Parameters
    ----------
    name: the name it was bundled under.
    root: folder that holds ``bundles/``. Default: that of the deployment package.

    Raises KeyError if there is no such bundle, and ValueError if its content is not what was bundled.
    """
    folder = Path(root) if root is not None else _package()
    index = json.loads((folder / INDEX).read_text("utf-8"))
    if name not in index:
        raise KeyError(f"there is no bundle {name!r}; bundles: {', '.join(sorted(index)) or 'none'}")
    entry = index[name]
    key = (name, entry["sha256"])
    if key not in _loaded:
        content = _read(folder, entry)
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise ValueError(f"the bundle {name!r} is not what was bundled: its hash differs; deploy again")
        _loaded[key] = LOADERS[entry["format"]](content)
    return _loaded[key]


def _package() -> Path:
    chosen = os.environ.get("NBCHALICE_BUNDLES")
    archive = next((path for path in Path(__file__).parents if path.name == "nbchalice.zip"), None)
    return Path(chosen or (archive.parent if archive else os.environ.get("LAMBDA_TASK_ROOT", ".")))


def _read(folder: Path, entry: dict[str, Any]) -> bytes:
    if "bucket" not in entry:
        return Path(folder, entry["file"]).read_bytes()
    s3 = importlib.import_module("boto3").client("s3")
    return bytes(s3.get_object(Bucket=entry["bucket"], Key=entry["key"])["Body"].read())


def _npy(content: bytes) -> Any:
    return importlib.import_module("numpy").load(io.BytesIO(content), allow_pickle=False)


def _parquet(content: bytes) -> Any:
    return importlib.import_module("pandas").read_parquet(io.BytesIO(content))


def _pickle(content: bytes) -> Any:
    pickle = importlib.import_module("pickle")

    class Unpickler(pickle.Unpickler):  # type: ignore[misc, name-defined]
        def find_class(self, module: str, name: str) -> Any:
            # The notebook's classes are in the deployed module.
            here = "notebook_code" if module == "__main__" and "notebook_code" in sys.modules else module
            return super().find_class(here, name)

    return Unpickler(io.BytesIO(content)).load()


def _joblib(content: bytes) -> Any:
    return importlib.import_module("joblib").load(io.BytesIO(content))


LOADERS: dict[str, Callable[[bytes], Any]] = {
    "json": json.loads,
    "npy": _npy,
    "parquet": _parquet,
    "pickle": _pickle,
    "joblib": _joblib,
}
