"""From the imports of a slice to pinned requirements and the local modules that come along."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nbchalice.packaging.errors import MissingModuleError
from nbchalice.packaging.imports import Import, find_imports
from nbchalice.packaging.installed import Owner, find_owner, installed_pins
from nbchalice.packaging.local import collect_files, reached_modules, read_all, scan_file
from nbchalice.packaging.lock import PROVIDED, requirement_name
from nbchalice.packaging.wishes import read_requirements, wishes

__all__ = ["Dependencies", "find_dependencies", "installed_pins", "read_requirements", "wishes"]

_KNOWN_NAMES = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}


_REMOVED = {
    "3.12": {"asynchat", "asyncore", "distutils", "imp", "smtpd"},
    "3.13": {
        *("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis"),
        *("nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"),
    },
}


@dataclass(frozen=True)
class Dependencies:
    """What a slice needs beside itself.

    Parameters
    ----------
    requirements: for the lock, for example `pandas==2.2.3`; sorted.
    vendored: pairs of path in the zip and content, of local modules; sorted.
    """

    requirements: tuple[str, ...]
    vendored: tuple[tuple[str, bytes], ...]


def find_dependencies(
    module: str,
    *,
    python: str | None = None,
    folder: Path | None = None,
    wishes: Iterable[str] = (),
    requirements_file: Path | None = None,
) -> Dependencies:
    """Return what a module imports: distributions, pinned to what is installed here, and local code.

    Parameters
    ----------
    module: the text of the slice.
    python: the Python version on Lambda, which may lack modules of the one here; None (default) is the same.
    folder: the notebook's folder, for modules beside it. Default: none.
    wishes: requirements of `%pip install` lines (see `wishes`). A wish gives the extras of what is imported, and
        stands in for what is not installed here; one that nothing imports is not shipped. Default: none.
    requirements_file: if given, exactly what it lists is shipped, whatever is imported. Default: None.

    Returns
    -------
    The dependencies. Of Python itself and of Lambda's runtime (boto3, botocore, s3transfer, jmespath) nothing is in
    them, unless a wish or the file pins it.

    Raises
    ------
    MissingModuleError: an import that nothing provides, or that Lambda's Python no longer has.
    CompiledLocalCodeError, LocalSyntaxError: local code that cannot come along.
    RequirementsFileError: the file cannot be used.
    """
    listed = None if requirements_file is None else read_requirements(requirements_file)
    asked = {requirement_name(wish): wish for wish in wishes}
    gone = {name for version, names in _REMOVED.items() if _at_least(python, version) for name in names}
    search = _Search(folder, asked, gone, trusting=listed is not None)
    search.run(find_imports(module))
    found = search.requirements if listed is None else listed
    return Dependencies(tuple(sorted(set(found))), read_all(search.files.items()))


class _Search:
    """The walk over imports, from the slice into local code."""

    def __init__(self, folder: Path | None, asked: dict[str, str], gone: set[str], *, trusting: bool) -> None:
        self.folder = folder
        self.asked = asked
        self.gone = gone
        self.trusting = trusting
        self.requirements: list[str] = []
        self.files: dict[str, Path] = {}
        self._scanned: set[str] = set()

    def run(self, imports: Iterable[Import]) -> None:
        todo, seen = list(imports), set[Import]()
        while todo:
            wanted = todo.pop(0)
            if wanted in seen:
                continue
            seen.add(wanted)
            owner = find_owner(wanted, self.folder)
            if owner == Owner() and wanted.top in self.gone:
                self._removed(wanted)
            if owner.missing:
                self._missing(wanted)
            self.requirements += [self._wished(pin) for pin in owner.requirements if self._ships(pin)]
            todo += self._enter(wanted, owner)

    def _enter(self, wanted: Import, owner: Owner) -> list[Import]:
        """Take a local module along and return what those of its modules import that are run."""
        if owner.local is None:
            return []
        files = collect_files(owner.local)
        self.files.update(files)
        found: list[Import] = []
        for name in reached_modules(wanted, files):
            if name not in self._scanned:
                self._scanned.add(name)
                found += scan_file(name, files[name])
        return found

    def _ships(self, pin: str) -> bool:
        name = requirement_name(pin)
        return name not in PROVIDED or bool(re.search(r"[=<>~!]=|[<>@]", self.asked.get(name, "")))

    def _wished(self, pin: str) -> str:
        """Give a pin the extras that were asked for."""
        extras = re.match(r"[\w.-]+\s*(\[[^\]]*\])", self.asked.get(requirement_name(pin), ""))
        return re.sub(r"^[\w.-]+", lambda name: name[0] + extras[1], pin, count=1) if extras else pin

    def _removed(self, wanted: Import) -> None:
        if wanted.required and not self.trusting:
            raise MissingModuleError(
                f"the module {wanted.top} was removed from Python; Lambda's version does not have it",
                "do without it, or use a --python that has it",
            )

    def _missing(self, wanted: Import) -> None:
        guesses = (_KNOWN_NAMES.get(wanted.top, wanted.top), wanted.top, wanted.module)
        for guess in map(requirement_name, guesses):
            if guess in self.asked:
                self.requirements.append(self.asked[guess])
                return
        if wanted.required and not self.trusting and wanted.top not in PROVIDED:
            raise MissingModuleError(
                f"the module {wanted.top} is imported, but nothing installed here provides it",
                f"run %pip install {_KNOWN_NAMES.get(wanted.top, wanted.top)} in a cell, put {wanted.top}.py beside "
                "the notebook, or list what provides it in --requirements FILE",
            )


def _at_least(python: str | None, version: str) -> bool:
    return python is not None and tuple(map(int, python.split("."))) >= tuple(map(int, version.split(".")))
