"""Layers made again for this machine, where those for Lambda hold compiled code that cannot be imported here.

Standard library only: the server process uses it too.
"""

from __future__ import annotations

import os
from pathlib import Path

# As in nbchalice.runtime.bundles and nbchalice.runtime.archive, which the server does without.
BUNDLES_PLACE = "NBCHALICE_BUNDLES"
NATIVE_ARCHIVE = "NBCHALICE_NATIVE_ARCHIVE"
ARCHIVE_LETTERS = 16


def native_layer_path(folder: Path, layer: str, python: str) -> Path:
    """Return where the native layer of a layer is kept.

    Parameters
    ----------
    folder : Path
        The folder of all native layers.
    layer : str
        The layer's name or ARN; its name ends in the hash of what is in it.
    python : str
        Version of the interpreter that is to import it, for example ``3.11.7``.
    """
    name = layer.partition(":layer:")[2].partition(":")[0] or layer
    minor = ".".join(python.split(".")[:2])
    return folder / f"{name.rpartition('-')[2]}-{minor}.zip"


def keep_native_layer(path: Path, archive: Path) -> None:
    """Keep a native layer: as a link to its archive, which stays where it was made.

    Parameters
    ----------
    path : Path
        See ``native_layer_path``.
    archive : Path
        The zip.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(archive)
    partial.replace(path)
