"""What the user asked to install: `%pip install` lines of a notebook, and requirements files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbchalice.packaging.errors import RequirementsFileError

_INSTALL = re.compile(
    r"^\s*(?P<bang>[%!]?)\s*(?:(?:\{sys\.executable\}|\S*python[\d.]*)\s+-m\s+)?(?:uv\s+)?pip3?\s+install\s+(?P<rest>.*)$"
)
_SHELL_CELL = re.compile(r"^\s*%%(?:bash|sh|script\s+\S*sh)\b")
_TAKES_VALUE = frozenset({
    *("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-c", "--constraint", "-e", "--editable"),
    *("-t", "--target", "--prefix", "--root", "--python", "--platform", "--python-version", "--implementation"),
    *("--abi", "--proxy", "--timeout", "--retries", "--cert", "--progress-bar", "--cache-dir", "--src", "--log"),
    *("--upgrade-strategy", "--only-binary", "--no-binary", "--default-index", "--index"),
})  # fmt: skip
_FILE_OPTIONS = frozenset({"-r", "--requirement", "--requirements"})
_NAMED = re.compile(r"^[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*(?:(?:[=<>!~]=?|===|;|@).*)?$")
_PATH_LIKE = re.compile(r"\.(?:whl|zip|tar\.gz|tgz)$|^\w+\+\w+:|^\w+://")


def wishes(sources: Iterable[str], folder: Path | None = None) -> list[str]:
    """Return the requirements that the `pip install` lines of some cells name.

    Parameters
    ----------
    sources: texts of cells. `%pip`, `!pip`, `!python -m pip`, `%uv pip` and lines of `%%bash` cells count.
    folder: where `-r FILE` is looked up; such files are ignored if None (default) or absent.

    Returns
    -------
    Requirements in the order they were asked for; the last one of a name counts. Paths and repositories are not
    among them: what they install is found through the imports.
    """
    found = [wish for source in sources for line in _lines(source) for wish in _line_wishes(line, folder)]
    return list(dict.fromkeys(found))


def read_requirements(path: Path) -> list[str]:
    """Return the requirements of a file.

    Parameters
    ----------
    path: a requirements file. `-r OTHER` is followed; hashes are dropped, because the lock makes its own.

    Raises
    ------
    RequirementsFileError: it cannot be read, includes itself, or has an option that cannot be used.
    """
    return list(dict.fromkeys(_read(path, ())))


def _lines(source: str) -> Iterator[str]:
    shell = bool(_SHELL_CELL.match(source))
    for line in re.sub(r"\\\n", " ", source).splitlines():
        match = _INSTALL.match(line)
        if match and (match["bang"] or shell):
            yield match["rest"]


def _line_wishes(rest: str, folder: Path | None) -> Iterator[str]:
    words = iter(_words(rest))
    for word in words:
        option, _, value = word.partition("=")
        if option in _FILE_OPTIONS:
            yield from _file_wishes(value or next(words, ""), folder)
        elif word in _TAKES_VALUE:
            next(words, None)
        elif not word.startswith("-") and _NAMED.match(word) and not _PATH_LIKE.search(word):
            yield word


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


def _file_wishes(name: str, folder: Path | None) -> list[str]:
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
    for number, line in _logical_lines(text):
        if match := re.match(r"(?:-r|--requirement)[ =]\s*(.+)", line):
            yield from _read(path.parent / match[1].strip(), (*parents, path))
        elif line.startswith("-") or not _NAMED.match(line):
            raise RequirementsFileError(
                f"{path.name}, line {number} cannot be used: {line}",
                "write name, version and markers only; indexes are set with UV_INDEX or UV_DEFAULT_INDEX, "
                "and local packages come along by being imported",
            )
        else:
            yield line


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line with continued lines joined, comments and hashes cut off."""
    pending, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first if pending else number
        if line.rstrip().endswith("\\") and not line.lstrip().startswith("#"):
            pending += line.rstrip()[:-1] + " "
            continue
        whole = re.sub(r"(?:^|\s)#.*$|\s--hash[= ]\S+", "", pending + line).strip()
        pending = ""
        if whole:
            yield first, whole
