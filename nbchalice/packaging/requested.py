"""What the user asked to install: `%pip install` lines of a notebook, and requirements files."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from nbchalice.errors import Location
from nbchalice.packaging.errors import RequirementsFileError

if TYPE_CHECKING:
    from nbchalice.notebook.cells import Cell

_OPTIONS = r"(?:\s+-\S+)*"
_INSTALL = re.compile(
    r"^(?P<indent>\s*)(?P<bang>(?:\w+\s*=\s*)?(?:!!?|%(?:sx\s)?))?\s*(?:\w+=\S*\s+)*(?:sudo\s+)?"
    rf"(?:(?:(?:\{{sys\.executable\}}|\S*python[\d.]*)\s+-m\s+)?(?:uv\s+)?pip3?{_OPTIONS}\s+install"
    rf"|uv\s+add|(?P<conda>(?:micro)?(?:conda|mamba){_OPTIONS}\s+install))\s+(?P<rest>.*)$"
)
_SHELL_CELL = re.compile(r"^\s*%%(?:bash|sh|script\s+\S*sh)\b")
_TAKES_VALUE = frozenset({
    *("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-c", "--constraint", "-e", "--editable"),
    *("-t", "--target", "--prefix", "--root", "--python", "--platform", "--python-version", "--implementation"),
    *("--abi", "--proxy", "--timeout", "--retries", "--cert", "--progress-bar", "--cache-dir", "--src", "--log"),
    *("--upgrade-strategy", "--only-binary", "--no-binary", "--default-index", "--index"),
    *("-p", "--name", "--channel"),
})  # fmt: skip
_FILE_OPTIONS = frozenset({"-r", "--requirement", "--requirements"})
_CONDA_VERSION = re.compile(r"^([\w.-]+)=([\w.*]+)(?:=.*)?$")
_PATH_LIKE = re.compile(r"\.(?:whl|zip|tar\.gz|tgz)$|^\w+\+\w+:|^\w+://")


@dataclass(frozen=True)
class RequestedRequirement:
    """What the notebook asks to install.

    Parameters
    ----------
    text : str
        The requirement, for example `pandas[parquet]>=2`.
    location : Location or None
        The line that asks for it.
    """

    text: str
    location: Location | None = None


def requested_requirements(cells: Iterable[Cell], folder: Path | None = None) -> list[RequestedRequirement]:
    """Return the requirements that the `pip install` lines of some cells name.

    Parameters
    ----------
    cells : Iterable[Cell]
        In the order of execution. `%pip`, `!pip`, `!python -m pip`, `%uv pip`, `!uv add`, `%conda`, a bare `pip
        install` and lines of `%%bash` cells count.
    folder : Path or None
        Where `-r FILE` is looked up; such files are ignored if None (default) or absent.

    Returns
    -------
    Requirements in the order they were asked for; the last one of a name counts. Paths and repositories are not
    among them: what they install is found through the imports.
    """
    asked = []
    for cell in cells:
        for number, match in _lines(cell.source):
            requirements = _requirements_of_line(match["rest"], folder, conda=bool(match["conda"]))
            asked += [RequestedRequirement(text, cell.location(number)) for text in requirements]
    return list(dict.fromkeys(asked))


def read_requirements(path: Path) -> list[str]:
    """Return the requirements of a file.

    Parameters
    ----------
    path : Path
        A requirements file. `-r OTHER` is followed; hashes are dropped, because the lock makes its own.

    Raises
    ------
    RequirementsFileError
        It cannot be read, includes itself, or has an option that cannot be used.
    """
    return list(dict.fromkeys(_read(path, ())))


@lru_cache(maxsize=1024)
def _lines(source: str) -> tuple[tuple[int, re.Match[str]], ...]:
    """Return number and match of each line that installs something; each handler asks for those of all cells."""
    shell = bool(_SHELL_CELL.match(source))
    matches = [(number, match) for number, line in _joined(source) if (match := _INSTALL.match(line))]
    if not matches or _is_python(source):
        return ()
    return tuple((number, match) for number, match in matches if match["bang"] or shell or not match["indent"])


def _is_python(source: str) -> bool:
    """Tell whether a cell is Python alone: lines that install something are then within texts."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line, with the lines that a backslash continues."""
    pending, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first if pending else number
        if line.rstrip().endswith("\\") and not line.lstrip().startswith("#"):
            pending += line.rstrip()[:-1] + " "
            continue
        yield first, pending + line
        pending = ""
    if pending:
        yield first, pending


def _requirements_of_line(rest: str, folder: Path | None, *, conda: bool) -> Iterator[str]:
    words = iter(_words(rest))
    for word in words:
        option, _, value = word.partition("=")
        if option in _FILE_OPTIONS:
            yield from _requirements_of_file(value or next(words, ""), folder)
        elif word.startswith("-r"):
            yield from _requirements_of_file(word[2:], folder)
        elif word in _TAKES_VALUE or (conda and word == "-n"):
            next(words, None)
        elif not word.startswith("-") and not _PATH_LIKE.search(word):
            text = _CONDA_VERSION.sub(r"\1==\2.*", word).replace(".*.*", ".*") if conda else word
            if is_requirement(text):
                yield text


def is_requirement(text: str) -> bool:
    """Tell whether a text is a requirement: a name with extras, versions and markers, or an address."""
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True


def _words(rest: str) -> list[str]:
    lexer = shlex.shlex(rest, posix=True, punctuation_chars="&|")
    lexer.whitespace_split, lexer.commenters = True, "#"
    words: list[str] = []
    try:
        for word in lexer:
            if set(word) <= {"&", "|"}:
                break
            words.append(word.removesuffix(";"))
            if word.endswith(";"):
                break
    except ValueError:
        pass
    return [word for word in words if word]


def _requirements_of_file(name: str, folder: Path | None) -> list[str]:
    path = folder / name if folder is not None and name else None
    if path is None or not path.is_file():
        return []
    try:
        return read_requirements(path)
    except RequirementsFileError:
        return []


def _read(path: Path, parents: tuple[Path, ...]) -> Iterator[str]:
    path = path.resolve()
    if path in parents:
        raise RequirementsFileError(f"{path.name} includes itself", "take one of the -r lines out")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RequirementsFileError(f"{path} cannot be read: {reason}", "give --requirements a readable file") from None
    for number, line in logical_lines(text):
        if match := re.match(r"(?:-r|--requirement)[ =]\s*(.+)", line):
            yield from _read(path.parent / match[1].strip(), (*parents, path))
        elif line.startswith("-") or not is_requirement(line):
            raise RequirementsFileError(
                f"{path.name}, line {number} cannot be used: {line}",
                "write name, version and markers only; indexes are set with UV_INDEX or UV_DEFAULT_INDEX, "
                "and local packages come along by being imported",
            )
        else:
            yield line


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that says something, without comments and hashes."""
    for number, line in _joined(text):
        if whole := re.sub(r"(?:^|\s)#.*$|\s--hash[= ]\S+", "", line).strip():
            yield number, whole
