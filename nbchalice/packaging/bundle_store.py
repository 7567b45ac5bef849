"""Bundles beside the notebook: a notebook that is read, or a kernel that was restarted, finds them there.

They are in `.nbchalice/bundles/<notebook>/`, so that two notebooks of one folder may each have a `model`.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nbchalice.errors import InvalidInputError
from nbchalice.packaging.bundle_marks import is_marked, mark_of
from nbchalice.packaging.bundles import PICKLES, Bundle, damaged, make_bundle
from nbchalice.packaging.cache import write_whole
from nbchalice.packaging.errors import BundleRefusedError
from nbchalice.runtime.bundles import LOADERS
from nbchalice.text import near
from nbchalice.typed import JSON, Values

_INDEX = "index.json"
_HINT = "bundles are kept beside the notebook: free some space, and let the folder be written"


def bundle_variable(
    notebook: Path,
    namespace: Values | None,
    name: str,
    format: str,
    made_by: Sequence[str] = (),
    *,
    allow_secret: bool = False,
) -> Bundle:
    """Bundle a variable of a kernel, and write it beside the notebook.

    Parameters
    ----------
    notebook : Path
        The notebook's path.
    namespace : Values or None
        The kernel's variables, or None where there is no kernel.
    name : str
        The variable.
    format : str
        How it is stored.
    made_by : Sequence[str]
        What made the value, as hashes of statements.
    allow_secret : bool
        Whether it may hold what looks like a credential. Default: no.

    Raises
    ------
    InvalidInputError
        There is no kernel, or no such variable.
    PackagingError
        The value must not or cannot travel.
    """
    if namespace is None:
        raise InvalidInputError("only a kernel has values to bundle", f"run %chalice bundle {name} in the notebook")
    if name not in namespace:
        hint = near(name, [one for one in namespace if not one.startswith("_")], "run the cell that makes it")
        raise InvalidInputError(f"there is no variable {name!r}", hint)
    bundle = make_bundle(name, namespace[name], format, allow_secret=allow_secret)
    return save_bundle(notebook, replace(bundle, made_by=tuple(made_by)))


def save_bundle(notebook: Path, bundle: Bundle) -> Bundle:
    """Write a bundle into its notebook's folder, in place of an earlier one, and return it as it is kept there.

    Parameters
    ----------
    notebook : Path
        The notebook's path.
    bundle : Bundle
        The bundle.

    Raises
    ------
    BundleRefusedError
        The index of the bundles cannot be read, or their folder is elsewhere.
    CacheError
        The folder cannot be written.
    """
    folder = bundle_folder(notebook)
    index = _index(folder)
    before = index.get(bundle.name)
    entry: JSON = {
        "format": bundle.format,
        "sha256": bundle.sha256,
        "size": bundle.size,
        "imports": list(bundle.imports),
        "notebook_names": list(bundle.notebook_names),
        "made_by": list(bundle.made_by),
    }
    entry["file"] = _file_name(bundle.name, entry)
    entry["mark"] = mark_of(bundle.name, entry)
    write_whole(folder / entry["file"], bundle.read(), _HINT)
    index[bundle.name] = entry
    _write_index(folder, index)
    if before is not None and before["file"] != entry["file"]:
        (folder / before["file"]).unlink(missing_ok=True)
    return _load(folder, bundle.name, entry)


def trust_bundle(notebook: Path, name: str) -> Bundle:
    """Accept a bundle that somebody else made, as it is now, and return it.

    Raises
    ------
    InvalidInputError
        There is no such bundle.
    BundleRefusedError
        It is not what was bundled, or the index cannot be read.
    """
    folder = bundle_folder(notebook)
    index = _index(folder)
    if name not in index:
        raise InvalidInputError(
            f"there is no bundle {name!r} in {folder}", f"run %chalice bundle {name} in the notebook"
        )
    _load(folder, name, index[name]).read()
    index[name]["mark"] = mark_of(name, index[name])
    _write_index(folder, index)
    return _load(folder, name, index[name])


def load_bundles(notebook: Path) -> dict[str, Bundle]:
    """Return the bundles of a notebook, by name.

    Raises
    ------
    BundleRefusedError
        A file is not what was bundled, or the index cannot be read.
    """
    folder = bundle_folder(notebook)
    return {name: _load(folder, name, entry) for name, entry in _index(folder).items()}


def bundle_folder(notebook: Path) -> Path:
    """Return where the bundles of a notebook are kept.

    Raises
    ------
    BundleRefusedError
        Links lead it out of the notebook's folder.
    """
    home = notebook.parent.resolve()
    folder = home / ".nbchalice" / "bundles" / notebook.stem
    if folder.resolve() != folder:
        raise BundleRefusedError(
            f"{folder} is not there but at {folder.resolve()}", "bundles are kept beside the notebook: remove the link"
        )
    return folder


def _file_name(name: str, entry: Values) -> str:
    return f"{name}-{entry['sha256'][:12]}.{entry['format']}"


def _write_index(folder: Path, index: Values) -> None:
    write_whole(folder / _INDEX, (json.dumps(index, indent=2, sort_keys=True) + "\n").encode(), _HINT)


def _index(folder: Path) -> dict[str, JSON]:
    path = folder / _INDEX
    try:
        if path.is_symlink():
            raise ValueError("it is a link")
        index = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(index, dict):
            raise ValueError("it is not an object with bundles by name")
        for name, entry in index.items():
            _require_sound(name, entry)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        hint = "remove the file, and bundle again: %chalice bundle NAME"
        raise BundleRefusedError(f"{path} cannot be read: {error}", hint) from None
    return index


def _require_sound(name: str, entry: object) -> None:
    """Raise ValueError for an entry that ``save_bundle`` did not write."""
    if not (name.isidentifier() and isinstance(entry, dict) and _is_whole(entry)):
        raise ValueError(f"what it says of {name!r} is incomplete")
    if entry.get("file") != _file_name(name, entry):
        raise ValueError(f"{entry.get('file')!r} is not the file of a bundle {name!r}")


def _is_whole(entry: JSON) -> bool:
    return (
        entry.get("format") in list(LOADERS)
        and isinstance(entry.get("sha256"), str)
        and re.fullmatch("[0-9a-f]{64}", entry["sha256"]) is not None
        and type(entry.get("size")) is int
        and all(_is_texts(entry.get(key, [])) for key in ("imports", "notebook_names", "made_by"))
        and {"imports", "notebook_names"} <= set(entry)
    )


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _load(folder: Path, name: str, entry: JSON) -> Bundle:
    """Return a bundle without reading its file, which may be large; its hash is checked when it is read."""
    path = folder / entry["file"]
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is not a plain file")
    except OSError as error:
        hint = f"bundle it again: %chalice bundle {name}"
        raise BundleRefusedError(f"the bundle {name} in {folder} cannot be read: {error}", hint) from None
    if status.st_size != entry["size"]:
        raise damaged(name, folder)
    return Bundle(
        name,
        entry["format"],
        path,
        entry["sha256"],
        entry["size"],
        tuple(entry["imports"]),
        tuple(entry["notebook_names"]),
        made_by=tuple(entry.get("made_by", ())),
        foreign=entry["format"] in PICKLES and not is_marked(name, entry),
    )
