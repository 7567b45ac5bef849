"""An environment of a notebook's own, for commands on its file: what it asks for need not be beside nbchalice.

What it asks for are its `%pip install` lines, `requirements.txt` and `pyproject.toml` beside it, and `--requirements`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from nbchalice.errors import PackagingError
from nbchalice.files import cache_folder
from nbchalice.notebook.analysis.search_path import added_folders
from nbchalice.notebook.analysis.statements import split_cell
from nbchalice.packaging.built_once import COMPLETE, base_interpreter, ensure
from nbchalice.packaging.errors import CacheError, RequirementsFileError
from nbchalice.packaging.requested import is_requirement, logical_lines, requested_requirements
from nbchalice.packaging.requirements import unmet
from nbchalice.packaging.uvtool import call_uv, cause_of
from nbchalice.steps import step
from nbchalice.text import joined

if TYPE_CHECKING:
    from nbchalice.notebook.cells import Cell

BESIDE = ("requirements.txt", "pyproject.toml")
PYTHON = "bin/python"
KEPT_SECONDS = 30 * 24 * 3600.0
# Of what is installed with them nbchalice itself must be able to run.
SELF = "nbchalice"


@dataclass(frozen=True)
class Wanted:
    """What an environment is made of.

    Parameters
    ----------
    requirements : tuple[str, ...]
        Of the notebook's lines, for example ``pandas==2.2.3``.
    files : tuple[Path, ...]
        Files that list further ones.
    lacking : tuple[str, ...]
        What made it necessary, in words: ``humanize is not installed``, ``requests 2.34.2 is not what is asked for``.
    """

    requirements: tuple[str, ...]
    files: tuple[Path, ...]
    lacking: tuple[str, ...]

    @property
    def described(self) -> str:
        """Where the requirements stand."""
        lines = ["%pip lines"] if self.requirements else []
        return " and ".join([*lines, *(file.name for file in self.files)])


def wanted_by(
    cells: Sequence[Cell], folder: Path, files: Sequence[Path] = (), *, kernel: bool = False
) -> Wanted | None:
    """Return what an environment for a notebook's code needs; None where all that can be had is installed here.

    Parameters
    ----------
    cells : Sequence[Cell]
        The notebook's cells.
    folder : Path
        Its folder.
    files : Sequence[Path]
        Files that handlers name with ``--requirements``. Default: none.
    kernel : bool
        Whether the notebook is to be executed, which a kernel is needed for. Default: no.
    """
    asked = [request.text for request in requested_requirements(cells, folder)]
    listing = [file for file in dict.fromkeys((*files, *(folder / name for name in BESIDE))) if file.is_file()]
    every = list(asked)
    for file in listing:
        every += _listed(file)
    without_kernel = kernel and find_spec("ipykernel") is None
    if not every and not without_kernel:
        return None
    texts: list[str] = []
    for cell in cells:
        texts += [statement.text for statement in split_cell(cell.source).statements]
    missing, others = unmet(texts, folder, [one for one in every if is_requirement(one)], added_folders(cells, folder))
    lacking: list[str] = []
    if missing and not all(map(_is_installed, every)):
        lacking.append(f"{joined(missing)} {'is' if len(missing) == 1 else 'are'} not installed beside nbchalice")
    lacking += [f"{pin.replace('==', ' ')} is not what is asked for" for pin in others]
    if without_kernel:
        lacking.append("ipykernel is not installed beside nbchalice")
        asked.append("ipykernel")
    if not lacking:
        return None
    return Wanted(tuple(one for one in asked if Requirement(one).name != SELF), tuple(listing), tuple(lacking))


def environment_for(wanted: Wanted) -> Path:
    """Return the interpreter of an environment that has what is wanted, made now if it is not there yet.

    It has all that is installed beside nbchalice, too, in so far as nothing else was asked for.

    Parameters
    ----------
    wanted : Wanted
        What it is made of.

    Raises
    ------
    PackagingError
        The requirements cannot be installed.
    CacheError
        The folder of environments cannot be written.
    """
    folder = cache_folder() / "environments" / _key(wanted)
    try:
        made = ensure(folder, partial(_build, wanted), PYTHON)
        (made / COMPLETE).touch()
    except OSError as error:
        hint = "free some space, or set NBCHALICE_CACHE to a folder that can be written"
        raise CacheError(f"{folder.parent} cannot be written: {error.strerror or error}", hint) from error
    return made / PYTHON


def _listed(file: Path) -> list[str]:
    """Return the requirements of a file, and what may be one: ``-e .``, a repository; those of ``-r`` are looked up."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix == ".toml":
            project = tomllib.loads(text).get("project", {})
            if "dependencies" not in project:
                print(f"note: {file.name} has no dependencies in [project], and counts for nothing", file=sys.stderr)
            return list(project.get("dependencies", ()))
        lines = [line for _, line in logical_lines(text)]
    except (OSError, ValueError) as error:
        raise RequirementsFileError(f"{file.name} cannot be read: {error}", "correct it") from None
    return [line for line in lines if not line.startswith("--")]


def _is_installed(requirement: str) -> bool:
    """Tell whether a requirement, as far as it can be read, is met by what is installed here."""
    if not is_requirement(requirement):
        return False
    wanted = Requirement(requirement)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return True
    try:
        return wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


def _key(wanted: Wanted) -> str:
    parts = [sys.version, base_interpreter(), *_libraries(), *wanted.requirements]
    for file in wanted.files:
        parts += _texts(file)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _texts(file: Path, parents: tuple[Path, ...] = ()) -> Iterator[str]:
    """Yield the texts of a file and of those it includes."""
    if file in parents or not file.is_file():
        return
    text = file.read_text(encoding="utf-8-sig")
    yield text
    for _, line in logical_lines(text) if file.suffix != ".toml" else ():
        option, _, name = line.replace("=", " ").partition(" ")
        if option in {"-r", "--requirement", "-c", "--constraint"}:
            yield from _texts(file.parent / name.strip(), (*parents, file))


def _build(wanted: Wanted, target: Path) -> None:
    _forget_old(target.parents[1])
    python = target / PYTHON
    with step(f"making an environment from {wanted.described}") as tell:
        _uv(["venv", "--quiet", "--no-project", "--relocatable", "--python", base_interpreter(), str(target)], wanted)
        # What nbchalice needs stays possible, and of nbchalice itself the one that runs is taken.
        limits = {"constraints": _own_requirements(), "overrides": [f"{SELF}; python_version < '0'"]}
        options = ["--python", str(python)]
        for name, lines in limits.items():
            file = target / f"{name}.txt"
            file.write_text("\n".join(lines))
            options += [f"--{name}", str(file)]
        for listing in wanted.files:
            options += ["-r", str(listing)]
        _uv(["pip", "install", *options, *wanted.requirements], wanted, tell)
    (place,) = target.glob("lib/python*/site-packages")
    lines = [f"import site; site.addsitedir({folder!r})" for folder in _libraries()]
    (place / "beside_nbchalice.pth").write_text("\n".join(lines) + "\n")


def _libraries() -> list[str]:
    """Return the folders of what is installed here."""
    return [one for one in dict.fromkeys(sys.path) if {"site-packages", "dist-packages"} & set(Path(one).parts)]


def _own_requirements() -> list[str]:
    return [one for one in metadata.requires(SELF) or () if "extra ==" not in one]


def _uv(arguments: list[str], wanted: Wanted, say: Callable[[str], None] | None = None) -> None:
    done = call_uv(arguments, say=say)
    if done.returncode:
        own = [one for one in _own_requirements() if re.search(rf"\b{re.escape(one)}(?![\w.])", done.stderr)]
        because = f" (nbchalice itself needs {joined(own)})" if own else ""
        raise PackagingError(
            f"{'; '.join(wanted.lacking)}, and no environment can be made from {wanted.described}: "
            f"{cause_of(done.stderr)}{because}",
            "correct what it names, or install beside nbchalice what the notebook imports",
            code="environment-failed",
        )


def _forget_old(folder: Path) -> None:
    """Remove the environments that nothing used for a month."""
    for mark in folder.glob(f"*/{COMPLETE}"):
        if mark.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(mark.parent, ignore_errors=True)
