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

from .spec import FunctionSpec
from .twins import twin_path


class FunctionFolder:
    """Folders of unpacked archives, named by what identifies their content.

    Parameters
    ----------
    root: folder that the server removes when it ends.
    twins: folder of the layers that were made again for this machine.
    """

    def __init__(self, root: Path, twins: Path) -> None:
        self._root, self._twins = root, twins
        self._lock = threading.Lock()

    def code(self, digest: str, archive: bytes) -> Path:
        """Return the folder of a deployment package."""
        return self._unpacked("code", [(digest, archive)])

    def layers(self, archives: list[tuple[str, bytes]], python: str) -> str:
        """Return the folder of layers laid over each other, later ones on top, or an empty string.

        Parameters
        ----------
        archives: ARN and zip of each.
        python: version of the interpreter; a layer with a twin for it is replaced by the twin.
        """
        chosen: list[tuple[str, bytes | Path]] = []
        for arn, archive in archives:
            twin = twin_path(self._twins, arn, python)
            chosen.append((f"{arn} {twin.name}", twin) if twin.is_file() else (arn, archive))
        return str(self._unpacked("layers", chosen)) if chosen else ""

    def clear(self) -> None:
        """Forget everything unpacked."""
        with self._lock:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root.mkdir(mode=0o700)

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
    """Extract a zip with its file modes and symbolic links."""
    with zipfile.ZipFile(archive if isinstance(archive, Path) else io.BytesIO(archive)) as bundle:
        for entry in bundle.infolist():
            mode = entry.external_attr >> 16
            target = folder / entry.filename
            if stat.S_ISLNK(mode) and target.resolve().is_relative_to(folder.resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                target.symlink_to(os.fsdecode(bundle.read(entry)))
                continue
            written = Path(bundle.extract(entry, folder))
            if not entry.is_dir() and mode & 0o777:
                written.chmod(mode & 0o777 | stat.S_IRUSR | stat.S_IWUSR)


def log_stream_name(version: str) -> str:
    """Return the name of a new log stream, as Lambda forms it."""
    return f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{version}]{uuid.uuid4().hex}"


def lambda_variables(spec: FunctionSpec, log_stream: str) -> dict[str, str]:
    """Return the variables that Lambda itself sets."""
    path = ["/usr/local/bin", "/usr/bin", "/bin"]
    libraries = [str(spec.task_root), f"{spec.task_root}/lib"]
    if spec.layers:
        path.append(f"{spec.layers}/bin")
        libraries.append(f"{spec.layers}/lib")
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
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(spec.task_root),
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": ":".join(libraries),
        "PATH": ":".join(path),
        "TZ": ":UTC",
        "_HANDLER": spec.handler,
    }
