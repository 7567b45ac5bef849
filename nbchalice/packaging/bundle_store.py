"""Bundles beside the notebook: a notebook that is read, or a kernel that was restarted, finds them there.

The folder has the layout of the zip, so that the loader of the runtime reads it as well.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from nbchalice.packaging.bundles import Bundle
from nbchalice.packaging.errors import BundleRefusedError
from nbchalice.runtime.bundles import INDEX

FOLDER = ".nbchalice"


def save_bundle(folder: Path, bundle: Bundle) -> Path:
    """Write a bundle into `.nbchalice/bundles/` of the notebook's folder and return its file's path."""
    root = folder / FOLDER
    path = root / bundle.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bundle.data)
    entry = {
        "file": bundle.path,
        "format": bundle.format,
        "sha256": bundle.sha256,
        "imports": list(bundle.imports),
        "notebook_names": list(bundle.notebook_names),
    }
    index = {**_index(root), bundle.name: entry}
    (root / INDEX).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path


def load_bundles(folder: Path) -> dict[str, Bundle]:
    """Return the bundles that stand in a notebook's folder, by name.

    Raises
    ------
    BundleRefusedError: a file is not what was bundled, or the index cannot be read.
    """
    root = folder / FOLDER
    return {name: _load(root, name, entry) for name, entry in _index(root).items()}


def _index(root: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((root / INDEX).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        hint = "remove the file, and bundle again: %chalice bundle NAME"
        raise BundleRefusedError(f"{root / INDEX} cannot be read: {error}", hint) from None


def _load(root: Path, name: str, entry: dict[str, Any]) -> Bundle:
    again = f"bundle it again: %chalice bundle {name}"
    try:
        data = (root / entry["file"]).read_bytes()
        names = tuple(entry["notebook_names"])
        bundle = Bundle(name, entry["format"], data, entry["sha256"], tuple(entry["imports"]), names)
    except (OSError, KeyError, TypeError) as error:
        raise BundleRefusedError(f"the bundle {name} in {root} cannot be read: {error}", again) from None
    if hashlib.sha256(data).hexdigest() != bundle.sha256:
        raise BundleRefusedError(f"the bundle {name} in {root} is not what was bundled", again)
    return bundle
