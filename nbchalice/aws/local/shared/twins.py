"""Layers made again for this machine, where those for Lambda hold compiled code that cannot be imported here.

Standard library only: the server process uses it too.
"""

from __future__ import annotations

import os
from pathlib import Path


def twin_path(folder: Path, layer: str, python: str) -> Path:
    """Return where the twin of a layer is kept.

    Parameters
    ----------
    folder: the folder of all twins.
    layer: the layer's name or ARN; its name ends in the hash of what is in it.
    python: version of the interpreter that is to import it, for example ``3.11.7``.
    """
    name = layer.partition(":layer:")[2].partition(":")[0] or layer
    minor = ".".join(python.split(".")[:2])
    return folder / f"{name.rpartition('-')[2]}-{minor}.zip"


def keep_twin(path: Path, archive: Path) -> None:
    """Keep a twin: as a link to its archive, which stays where it was made.

    Parameters
    ----------
    path: see ``twin_path``.
    archive: the zip.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(archive)
    partial.replace(path)
