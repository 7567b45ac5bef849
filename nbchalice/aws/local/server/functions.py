"""Unpacks the code and layers of functions, once for each content, and describes an environment's variables."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import threading
import time
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path

from ..shared.native_layers import ARCHIVE_LETTERS, native_layer_path
from ..shared.spec import FunctionSpec
from .lambda_files import Names

_LONGEST_LINK = 4095  # bytes, as on Linux


class FunctionFolder:
    """Folders of unpacked archives, named by what identifies their content.

    Parameters
    ----------
    root : Path
        Folder of its own, which nothing else uses; the server removes it when it ends.
    native_layers : Path
        Folder of the layers that were made again for this machine.
    """

    def __init__(self, root: Path, native_layers: Path) -> None:
        self._root, self._native_layers = root, native_layers
        self._lock = threading.Lock()
        root.mkdir(mode=0o700, exist_ok=True)

    def code(self, digest: str, archive: bytes) -> Path:
        """Return the folder of a deployment package."""
        return self._unpacked("code", [(digest, archive)])

    def native_archive(self, place: str, python: str) -> str:
        """Return the hash of the archive of dependencies that was made again for this machine, or an empty string.

        Parameters
        ----------
        place : str
            The function's variable that says which archive and bundles it reads from S3.
        python : str
            Version of the interpreter.
        """
        digests = place.rpartition("/")[2].split(",")
        return next(filter(lambda digest: digest and self._native(digest, python).is_file(), digests), "")

    def _native(self, digest: str, python: str) -> Path:
        return native_layer_path(self._native_layers, digest[:ARCHIVE_LETTERS], python)

    def layers(self, archives: list[tuple[str, bytes]], python: str, native_archive: str = "") -> str:
        """Return the folder of layers laid over each other, later ones on top, or an empty string.

        Parameters
        ----------
        archives : list[tuple[str, bytes]]
            ARN and zip of each.
        python : str
            Version of the interpreter; a layer with a native layer for it is replaced by the native layer.
        native_archive : str
            See ``native_archive``; it stands under the layers.
        """
        chosen: list[tuple[str, bytes | Path]] = []
        if native_archive:
            path = self._native(native_archive, python)
            chosen.append((f"{native_archive} {path.name}", path))
        for arn, archive in archives:
            native_layer = native_layer_path(self._native_layers, arn, python)
            chosen.append((f"{arn} {native_layer.name}", native_layer) if native_layer.is_file() else (arn, archive))
        return str(self._unpacked("layers", chosen)) if chosen else ""

    def clear(self) -> None:
        """Forget everything unpacked."""
        with self._lock:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root.mkdir(mode=0o700, exist_ok=True)  # an environment that starts may have made it

    def scratch(self) -> Path:
        """Return a path for the temporary files of one execution environment."""
        return self._root / "scratch" / uuid.uuid4().hex

    def _unpacked(self, kind: str, archives: Sequence[tuple[str, bytes | Path]]) -> Path:
        digest = hashlib.sha256("\n".join(name for name, _ in archives).encode())
        target = self._root / kind / digest.hexdigest()[:32]
        with self._lock:
            if not target.exists():
                partial = target.with_suffix(".partial")
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir(parents=True)
                for _, archive in archives:
                    unpack(archive, partial)
                partial.rename(target)
        return target


def unpack(archive: bytes | Path, folder: Path) -> None:
    """Extract a zip with its file modes and symbolic links; nothing is written outside the folder."""
    folder = folder.resolve()
    with zipfile.ZipFile(archive if isinstance(archive, Path) else io.BytesIO(archive)) as bundle:
        for entry in bundle.infolist():
            names = [name for name in entry.filename.split("/") if name not in {"", ".", ".."}]
            if entry.is_dir():
                _make_folder(folder, names)
            elif names:
                target = _make_folder(folder, names[:-1]) / names[-1]
                _remove(target)
                _write(bundle, entry, target)


def _make_folder(folder: Path, names: Sequence[str]) -> Path:
    """Return the real path of a folder within another one.

    A link that stays inside is followed, also one to what does not exist yet. One that leads out of the folder, or in
    a circle, gives way: ``l -> /home/me`` becomes a folder when ``l/file`` follows.
    """
    place = folder
    for name in names:
        there = Path(os.path.realpath(place / name))
        if not there.is_relative_to(folder) or there.is_symlink() or (there.exists() and not there.is_dir()):
            there = place / name
            _remove(there)
        there.mkdir(parents=True, exist_ok=True)
        place = there
    return place


def _remove(path: Path) -> None:
    """Remove what stands in the way of a later entry."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write(bundle: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode) and 0 < entry.file_size <= _LONGEST_LINK:
        target.symlink_to(os.fsdecode(bundle.read(entry)))
        return
    with bundle.open(entry) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file)
        if mode & 0o777:
            os.fchmod(file.fileno(), mode & 0o777 | stat.S_IRUSR | stat.S_IWUSR)


def log_stream_name(version: str, function: str, group: str) -> str:
    """Return the name of a new log stream, as Lambda forms it: with the function's in a group that others may share."""
    whose = "" if group == f"/aws/lambda/{function}" else function
    return f"{time.strftime('%Y/%m/%d', time.gmtime())}/{whose}[{version}]{uuid.uuid4().hex}"


def lambda_variables(spec: FunctionSpec, log_stream: str, names: Names) -> dict[str, str]:
    """Return the variables that Lambda itself sets, and where there are a home and a folder for temporary files."""
    path = ["/usr/local/bin", "/usr/bin", "/bin"]
    libraries = [names.code, f"{names.code}/lib"]
    if names.layers:
        path.append(f"{names.layers}/bin")
        libraries.append(f"{names.layers}/lib")
    *_, name, version = spec.key.split(":")
    return {
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime.name}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_REGION": spec.region,
        "HOME": names.home,
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": names.code,
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": ":".join(libraries),
        "PATH": ":".join(path),
        "TMPDIR": names.temporary,
        "TZ": ":UTC",
        "_HANDLER": spec.handler,
    }
