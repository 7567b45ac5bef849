"""Bundles beside the notebook: a notebook that is read, or a kernel that was restarted, finds them there.

They are in `.nbchalice/bundles/<notebook>/`, so that two notebooks of one folder may each have a `model`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbchalice.errors import InvalidInputError
from nbchalice.packaging.bundles import Bundle, damaged, make_bundle
from nbchalice.packaging.cache import write_whole
from nbchalice.packaging.errors import BundleRefusedError

_INDEX = "index.json"
_HINT = "bundles are kept beside the notebook: free some space, and let the folder be written"


def bundle_variable(notebook: Path, namespace: Mapping[str, Any] | None, name: str, format: str) -> Bundle:
    """Bundle a variable of a kernel, and write it beside the notebook.

    Parameters
    ----------
    notebook: the notebook's path.
    namespace: the kernel's variables, or None where there is no kernel.
    name: the variable.
    format: how it is stored.

    Raises
    ------
    InvalidInputError: there is no kernel, or no such variable.
    PackagingError: the value must not or cannot travel.
    """
    if namespace is None:
        raise InvalidInputError("only a kernel has values to bundle", f"run %chalice bundle {name} in the notebook")
    if name not in namespace:
        near = difflib.get_close_matches(name, [n for n in namespace if not n.startswith("_")], 1)
        hint = f"did you mean {near[0]}?" if near else "run the cell that makes it"
        raise InvalidInputError(f"there is no variable {name!r}", hint)
    return save_bundle(notebook, make_bundle(name, namespace[name], format))


def save_bundle(notebook: Path, bundle: Bundle) -> Bundle:
    """Write a bundle into its notebook's folder, in place of an earlier one, and return it as it is kept there.

    Parameters
    ----------
    notebook: the notebook's path.
    bundle: the bundle.

    Raises
    ------
    CacheError: the folder cannot be written.
    """
    folder = bundle_folder(notebook)
    path = folder / f"{bundle.name}-{bundle.sha256[:12]}.{bundle.format}"
    write_whole(path, bundle.read(), _HINT)
    index = _index(folder)
    before = index.get(bundle.name, {}).get("file")
    index[bundle.name] = {
        "file": path.name,
        "format": bundle.format,
        "sha256": bundle.sha256,
        "size": bundle.size,
        "imports": list(bundle.imports),
        "notebook_names": list(bundle.notebook_names),
    }
    write_whole(folder / _INDEX, (json.dumps(index, indent=2, sort_keys=True) + "\n").encode(), _HINT)
    if before and before != path.name:
        (folder / before).unlink(missing_ok=True)
    return _load(folder, bundle.name, index[bundle.name])


def load_bundles(notebook: Path) -> dict[str, Bundle]:
    """Return the bundles of a notebook, by name.

    Raises
    ------
    BundleRefusedError: a file is not what was bundled, or the index cannot be read.
    """
    folder = bundle_folder(notebook)
    return {name: _load(folder, name, entry) for name, entry in _index(folder).items()}


def bundle_folder(notebook: Path) -> Path:
    """Return where the bundles of a notebook are kept."""
    return notebook.parent.resolve() / ".nbchalice" / "bundles" / notebook.stem


def _index(folder: Path) -> dict[str, Any]:
    path = folder / _INDEX
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        hint = "remove the file, and bundle again: %chalice bundle NAME"
        raise BundleRefusedError(f"{path} cannot be read: {error}", hint) from None


def _load(folder: Path, name: str, entry: dict[str, Any]) -> Bundle:
    """Return a bundle without reading its file, which may be large; its hash is checked when it is read."""
    try:
        path, names, imports = folder / entry["file"], entry["notebook_names"], entry["imports"]
        bundle = Bundle(name, entry["format"], path, entry["sha256"], entry["size"], tuple(imports), tuple(names))
        size = path.stat().st_size
    except (OSError, KeyError, TypeError) as error:
        hint = f"bundle it again: %chalice bundle {name}"
        raise BundleRefusedError(f"the bundle {name} in {folder} cannot be read: {error}", hint) from None
    if size != bundle.size:
        raise damaged(name, folder)
    return bundle
