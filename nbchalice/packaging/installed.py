"""What is installed beside the kernel: which distribution a module belongs to, or that it is local code."""

from __future__ import annotations

import json
import site
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from itertools import chain
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nbchalice.notebook.sandbox.loads import METADATA
from nbchalice.packaging.imports import Import
from nbchalice.runtime.entry_points import path_state

_DESCRIBES = frozenset({"METADATA", "entry_points.txt"})
_NOT_A_FILE = frozenset({"built-in", "frozen", None})


@dataclass(frozen=True)
class Owner:
    """Where an imported module comes from.

    Parameters
    ----------
    requirements : tuple[str, ...]
        Pins of the distributions that provide it. Default: none.
    local : ModuleSpec or None
        The spec of its top-level module if it is local code, else None.
    missing : bool
        Whether nothing here provides it. Default: False.
    described : Mapping[str, Path]
        Of local code, the files that say what is known of it as installed, by path in the zip. Default: none.
    """

    requirements: tuple[str, ...] = ()
    local: ModuleSpec | None = None
    missing: bool = False
    described: Mapping[str, Path] = field(default_factory=dict)


def find_owner(wanted: Import, folder: Path | None = None, added: Sequence[Path] = ()) -> Owner:
    """Tell where an imported module comes from, without importing it.

    Parameters
    ----------
    wanted : Import
        The import; for namespace packages such as `google` the whole dotted name decides. With `METADATA` at its
        end, it is what is known of a package.
    folder : Path or None
        The notebook's folder, looked at first. Default: none.
    added : Sequence[Path]
        Folders looked at last. Default: none.

    Returns
    -------
    The owner. A distribution that is installed in editable form, from a folder or from a repository is local code,
    because no registry has it. Modules of Python itself and of nbchalice have nothing to be brought along.
    """
    if wanted.module.endswith(METADATA):
        return _described(wanted.module.removesuffix(METADATA))
    if wanted.top in sys.stdlib_module_names or wanted.top in {"nbchalice", "__main__"}:
        return Owner()
    spec = _find_spec(wanted.top, folder, added)
    if spec is None:
        return Owner(missing=True)
    if spec.origin in _NOT_A_FILE and not spec.submodule_search_locations:
        return Owner()
    known = [metadata.distribution(name) for name in _distributions().get(wanted.top, ())]
    files = _files_of(wanted, spec)
    owners: dict[str, metadata.Distribution] = {}
    foreign = []
    for path in files:
        owning = _owning(path, known)
        owners |= owning
        # A file that no distribution owns is local code as well: a module that lies beside the notebook.
        if all(map(_is_local, owning.values())):
            foreign.append(path)
    public = tuple(sorted(_pin(distribution) for distribution in owners.values() if not _is_local(distribution)))
    if foreign or not (files or known):
        return Owner(public, _part(spec, foreign))
    return Owner(public)


def _described(name: str) -> Owner:
    """Tell where what is known of a package comes from: with its wheel, or from the files that stand here."""
    try:
        one = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return Owner(missing=True)
    if not _is_local(one):
        return Owner((_pin(one),))
    files = [file for file in one.files or () if file.name in _DESCRIBES and file.parent.suffix == METADATA]
    return Owner(described={file.as_posix(): Path(str(one.locate_file(file))) for file in files})


def _part(spec: ModuleSpec, files: list[Path]) -> ModuleSpec:
    """Return a spec of only those folders of a namespace package that hold some files."""
    folders = list(spec.submodule_search_locations or ())
    if len(folders) < 2:
        return spec
    part = ModuleSpec(spec.name, None, origin=spec.origin, is_package=True)
    part.submodule_search_locations = [f for f in folders if any(path.is_relative_to(f) for path in files)]
    return part


def installed_pins() -> tuple[str, ...]:
    """Return everything installed as `name==version`, sorted; a version's local part (`+cpu`) is left out."""
    return _read_pins(path_state())


def with_required(requirements: Iterable[str]) -> set[str]:
    """Return the names of some requirements, and of all that they require here, as far as that is installed.

    Parameters
    ----------
    requirements : Iterable[str]
        For example ``pandas[parquet]==2.2.3``.
    """
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = list(chain.from_iterable(map(_parsed, requirements)))
    while todo:
        one = todo.pop()
        key = canonicalize_name(one.name), frozenset(one.extras)
        if key not in seen:
            seen.add(key)
            todo += [more for more in _required_by(one.name) if _applies(more, one.extras)]
    return {name for name, _ in seen}


def _applies(required: Requirement, extras: Iterable[str]) -> bool:
    marker = required.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _required_by(name: str) -> list[Requirement]:
    try:
        texts = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        texts = []
    return list(chain.from_iterable(map(_parsed, texts)))


def _parsed(text: str) -> list[Requirement]:
    """Return a requirement, or nothing where uv is to explain it."""
    try:
        return [Requirement(text)]
    except InvalidRequirement:
        return []


def _find_spec(top: str, folder: Path | None, added: Sequence[Path]) -> ModuleSpec | None:
    # A folder `requests` of the notebook's without __init__.py has no origin: as in Python, it hides no package.
    if folder is not None and (spec := PathFinder.find_spec(top, [str(folder)])) and spec.origin:
        return spec
    for finder in sys.meta_path:
        try:
            if spec := finder.find_spec(top, None):
                return spec
        except Exception:  # noqa: S112 - a foreign finder's own trouble is not ours
            continue
    return PathFinder.find_spec(top, [str(path) for path in (folder, *added) if path is not None])


def _files_of(wanted: Import, spec: ModuleSpec) -> list[Path]:
    """Return the files that an import runs, as far as they can be told from names."""
    names = [wanted.module, *(f"{wanted.module}.{name}" for name in wanted.names)]
    files = [Path(spec.origin)] if spec.origin not in _NOT_A_FILE and spec.origin else []
    for name in names:
        if (path := _file_of(name.split(".")[1:], spec.submodule_search_locations or ())) and path not in files:
            files.append(path)
    return files


def _file_of(parts: list[str], locations: Iterable[str]) -> Path | None:
    if not parts:
        return None
    for location in locations:
        base = Path(location, *parts)
        beside = [base.with_name(base.name + suffix) for suffix in (".py", *EXTENSION_SUFFIXES)]
        for path in (base / "__init__.py", *beside):
            if path.is_file():
                return path
    return None


def _owning(path: Path, candidates: list[metadata.Distribution]) -> dict[str, metadata.Distribution]:
    """Return the distribution that a file belongs to, by name."""
    rooted = [d for d in candidates if path.is_relative_to(str(d.locate_file("")))]
    editable = [d for d in candidates if _is_local(d) and d not in rooted]
    # google-auth and google-api-core share the folder google: their RECORD says whose a file is. It is slow to read.
    if len(candidates) > 1:
        rooted = [d for d in rooted if str(path) in _recorded(d.metadata["Name"], str(d.locate_file("")))][:1]
    return {d.metadata["Name"]: d for d in rooted or editable[:1]}


@lru_cache(maxsize=64)
def _recorded(name: str, root: str) -> frozenset[str]:
    distribution = next(iter(metadata.distributions(name=name, path=[root])))
    return frozenset(str(distribution.locate_file(file)) for file in distribution.files or ())


def _is_local(distribution: metadata.Distribution) -> bool:
    origin = _direct_url(distribution)
    if origin:
        return "archive_info" not in origin or str(origin.get("url", "")).startswith("file:")
    root = str(distribution.locate_file(""))
    return not distribution.read_text("RECORD") and not distribution.read_text("WHEEL") and root not in _site_folders()


def _direct_url(distribution: metadata.Distribution) -> dict[str, object]:
    """Return what PEP 610 records of a distribution that did not come from a registry.

    conda's packages name the folder they were built in; registries have them all the same.
    """
    if (distribution.read_text("INSTALLER") or "").strip() == "conda":
        return {}
    try:
        record: dict[str, object] = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return record


def _pin(distribution: metadata.Distribution) -> str:
    url = _direct_url(distribution).get("url")
    return f"{canonicalize_name(distribution.metadata['Name'])} @ {url}" if url else _plain_pin(distribution)


def _plain_pin(distribution: metadata.Distribution) -> str:
    return _named_pin(distribution.metadata["Name"], distribution.version)


def _named_pin(name: str, version: str) -> str:
    return f"{canonicalize_name(name)}=={version.partition('+')[0]}"


def _site_folders() -> set[str]:
    paths = sysconfig.get_paths()
    return {*site.getsitepackages(), site.getusersitepackages(), paths["purelib"], paths["platlib"]}


@lru_cache(maxsize=1)
def _read_pins(_state: tuple[tuple[str, float], ...]) -> tuple[str, ...]:
    pins: dict[str, str] = {}
    for distribution in metadata.distributions():
        # What an interrupted uninstall leaves behind (~umpy-1.26.4.dist-info) has no name or no version.
        name, version = distribution.metadata["Name"], distribution.metadata["Version"]
        if name and version:
            pins.setdefault(canonicalize_name(name), _named_pin(name, version))  # Python takes the first of `sys.path`.
    return tuple(sorted(pins.values()))


def _distributions() -> Mapping[str, tuple[str, ...]]:
    return _read_distributions(path_state())


@lru_cache(maxsize=1)
def _read_distributions(_state: tuple[tuple[str, float], ...]) -> Mapping[str, tuple[str, ...]]:
    """Map modules to distributions; read again only when something was installed or `sys.path` changed."""
    _recorded.cache_clear()
    return {top: tuple(sorted(set(names))) for top, names in metadata.packages_distributions().items()}
