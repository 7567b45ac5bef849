"""From the imports of a slice to pinned requirements and the local modules that come along."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from nbchalice.errors import Location, PackagingError
from nbchalice.notebook.sandbox.loads import PROVIDED
from nbchalice.packaging.imports import Import, find_imports
from nbchalice.packaging.installed import Owner, find_owner, installed_pins
from nbchalice.packaging.kind_modules import KindPackage, find_kind_package
from nbchalice.packaging.local import collect_files, line_of, reached_modules, read_all, read_source, scan
from nbchalice.packaging.lock import requirement_name
from nbchalice.packaging.plugins import find_plugins
from nbchalice.packaging.requested import RequestedRequirement, read_requirements, requested_requirements

__all__ = ["Dependencies", "find_dependencies", "installed_pins", "read_requirements", "requested_requirements"]

# Distributions that are not named as their module. OpenCV is the build without windows: Lambda lacks libGL.
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
    "pkg_resources": "setuptools",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}

# Modules of the standard library that a version of Python no longer has, or has first.
_REMOVED = {
    "3.12": {"asynchat", "asyncore", "distutils", "imp", "smtpd"},
    "3.13": {
        *("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis"),
        *("nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"),
    },
}
_ADDED = {"3.14": {"annotationlib", "compression"}, "3.15": {"profiling"}}
Place = Callable[[int], Location | None]
_imports_of = lru_cache(maxsize=256)(find_imports)  # a handler's text is looked at several times in each deploy


@dataclass(frozen=True)
class Dependencies:
    """What a slice needs beside itself.

    Parameters
    ----------
    requirements : tuple[str, ...]
        For the lock, for example `pandas==2.2.3`; sorted.
    vendored : tuple[tuple[str, bytes], ...]
        Pairs of path in the zip and content, of local modules; sorted.
    """

    requirements: tuple[str, ...]
    vendored: tuple[tuple[str, bytes], ...]


def find_dependencies(
    module: str,
    *,
    python: str | None = None,
    folder: Path | None = None,
    requested: Iterable[RequestedRequirement] = (),
    requirements_file: Path | None = None,
    further: Iterable[str] = (),
    texts: tuple[str, ...] = (),
    added: Sequence[Path] = (),
    place: Place = lambda line: None,
) -> Dependencies:
    """Return what a module imports: distributions, pinned to what is installed here, and local code.

    Parameters
    ----------
    module : str
        The text of the slice.
    python : str or None
        The Python version on Lambda, which may lack modules of the one here; None (default) is the same.
    folder : Path or None
        The notebook's folder, for modules beside it. Default: none.
    requested : Iterable[RequestedRequirement]
        Requirements of `%pip install` lines (see `requested_requirements`). A request gives the extras of what is
        imported, and stands in for what is not installed here; one that nothing imports is not shipped. Default: none.
    requirements_file : Path or None
        If given, exactly what it lists is shipped, whatever is imported. Default: None.
    further : Iterable[str]
        Modules that are imported besides, by what a bundle holds or the code loads. Default: none.
    added : Sequence[Path]
        Folders that the notebook adds to `sys.path`, looked at last. Default: none.
    place : Place
        Tells where a line of the module stands in the notebook, for errors. Default: nowhere.

    Returns
    -------
    The dependencies. Of Python itself and of Lambda's runtime (boto3, botocore, s3transfer, jmespath) nothing is in
    them, unless a request or the file pins it.

    Raises
    ------
    PackagingError
        Nothing provides an import, or Lambda's Python does not have it; a request wants another version than is
        installed; local code cannot come along.
    RequirementsFileError
        The file cannot be used.
    """
    listed = None if requirements_file is None else read_requirements(requirements_file)
    asked = {requirement_name(request.text): request for request in requested}
    search = _Search(partial(find_owner, folder=folder, added=added), asked, python, trusting=listed is not None)
    search.run(module, place, further, texts)
    requirements = search.requirements if listed is None else listed
    return Dependencies(tuple(sorted(set(requirements))), read_all(search.files.items()))


def unmet(
    texts: Iterable[str], folder: Path, asked: Iterable[str], added: Sequence[Path] = ()
) -> tuple[list[str], list[str]]:
    """Return what code imports that is not installed here as it was asked for.

    Parameters
    ----------
    texts : Iterable[str]
        Python code, as of cells; local modules that it imports are read, too.
    folder : Path
        The notebook's folder.
    asked : Iterable[str]
        Requirements.
    added : Sequence[Path]
        Folders that the notebook adds to `sys.path`. Default: none.

    Returns
    -------
    The modules that nothing here provides, and the installed pins that are of another version than was asked for.
    """
    search = _Search(partial(find_owner, folder=folder, added=added), {}, None, trusting=True)
    with suppress(PackagingError):  # It is told when the handlers are packaged.
        search.run("\n".join(texts), lambda line: None, ())
    wanted = {requirement_name(one): Requirement(one) for one in asked}
    pins = [pin for pin in dict.fromkeys(search.requirements) if "==" in pin]
    others = [pin for pin in pins if (one := wanted.get(requirement_name(pin))) and not _fits(pin, one)]
    return list(dict.fromkeys(search.missing)), others


def imported_by(texts: Iterable[str], folder: Path, added: Sequence[Path]) -> list[str]:
    """Return the packages that code imports, as requirements; where one is not installed, as its module is called.

    Parameters
    ----------
    texts : Iterable[str]
        Python code, as of cells; local modules that it imports are read, too.
    folder : Path
        The notebook's folder.
    added : Sequence[Path]
        Folders that the notebook adds to `sys.path`.
    """
    search = _Search(partial(find_owner, folder=folder, added=added), {}, None, trusting=True)
    with suppress(PackagingError):  # It is told when the handlers are packaged.
        search.run("\n".join(texts), lambda line: None, ())
    return [*search.requirements, *search.missing, *(_KNOWN_NAMES.get(one, one) for one in search.missing)]


def _fits(pin: str, wanted: Requirement) -> bool:
    if wanted.marker is not None and not wanted.marker.evaluate():
        return True
    return wanted.specifier.contains(pin.partition("==")[2], prereleases=True)


class _Search:
    """The walk over imports, from the slice into local code, and to the plugins of what they import."""

    def __init__(
        self,
        owner_of: Callable[[Import], Owner],
        asked: dict[str, RequestedRequirement],
        python: str | None,
        *,
        trusting: bool,
    ) -> None:
        self.owner_of = owner_of
        self.asked = asked
        self.python = python
        self.trusting = trusting
        self.requirements: list[str] = []
        self.missing: list[str] = []
        self.files: dict[str, Path] = {}
        self._sources: dict[str, str] = {}
        self._texts: tuple[str, ...] = ()
        self._seen: set[Import] = set()

    def run(self, module: str, place: Place, further: Iterable[str], texts: tuple[str, ...] = ()) -> None:
        self._sources[""], self._texts = module, texts
        # What the slice imports in a function will be called: helpers in local code may not.
        todo: list[tuple[Import, Place]] = [
            (replace(wanted, later=False), place) for wanted in _imports_of(module, texts=texts)
        ]
        todo += [(Import(name), lambda line: None) for name in further]
        while todo:
            wanted, where = todo.pop(0)
            if wanted not in self._seen:
                self._seen.add(wanted)
                todo += self._visit(wanted, where)
            if not todo:
                # Only now: `pd.read_excel` in a helper module asks for openpyxl as much as in the slice.
                todo += [(plugin, place) for plugin in self._plugins() if plugin not in self._seen]

    def _visit(self, wanted: Import, place: Place) -> list[tuple[Import, Place]]:
        """Note what an import needs; return what the local modules that it runs import."""
        if package := find_kind_package(wanted.module):
            return self._enter_kind(wanted, package)
        owner = self.owner_of(wanted)
        if owner.missing and wanted.required and not wanted.later:
            self.missing.append(wanted.top)
        strict = wanted.required and not wanted.later and not self.trusting
        if strict and owner == Owner() and (why := _absent(wanted.top, self.python)):
            raise PackagingError(*why, place(wanted.line), code="missing-module")
        if owner.missing and not self._stands_in(wanted) and strict and wanted.top not in PROVIDED:
            raise _missing(wanted, place(wanted.line))
        self.files.update(owner.described)
        self.requirements += [self._wished(pin) for pin in owner.requirements if self._ships(pin)]
        return self._enter(wanted, owner)

    def _enter(self, wanted: Import, owner: Owner) -> list[tuple[Import, Place]]:
        if owner.local is None:
            return []
        files = collect_files(owner.local)
        self.files.update(files)
        imports: list[tuple[Import, Place]] = []
        for name in reached_modules(wanted, files):
            if name not in self._sources:
                self._sources[name] = read_source(name, files[name])
                place = partial(line_of, name, self._sources[name])
                imports += [(further, place) for further in scan(name, self._sources[name])]
        return imports

    def _enter_kind(self, wanted: Import, package: KindPackage) -> list[tuple[Import, Place]]:
        imports: list[tuple[Import, Place]] = []
        for name in reached_modules(wanted, package.files):
            if name not in self._sources:
                self.files[name] = package.files[name]
                self._sources[name] = read_source(name, package.files[name])
                for one in scan(name, self._sources[name]):
                    package.check(name, self._sources[name], one)
                    imports.append((one, partial(line_of, name, self._sources[name])))
        return imports

    def _plugins(self) -> Iterator[Import]:
        """Yield what the libraries import only when they are asked to, as far as it is here."""
        hosts = {wanted.top for wanted in self._seen}
        # An address may stand in a variable of the function: create_engine(os.environ["DATABASE_URL"]).
        for source in (*self._sources.values(), repr(self._texts)):
            for modules in find_plugins(source, hosts):
                for plugin in (Import(module, (), False, True) for module in modules):
                    if self._request_for(plugin) or not self.owner_of(plugin).missing:
                        yield plugin
                        break

    def _ships(self, pin: str) -> bool:
        # Lambda has a boto3; `%pip install boto3==1.35.0` brings another, `%pip install boto3` does not.
        name = requirement_name(pin)
        return name not in PROVIDED or (name in self.asked and _names_a_version(self.asked[name].text))

    def _wished(self, pin: str) -> str:
        """Give a pin the extras that were asked for; refuse another version than was asked for."""
        request = self.asked.get(requirement_name(pin))
        if request is None or self.trusting:
            return pin
        try:
            wanted = Requirement(request.text)
        except InvalidRequirement:
            return pin
        if wanted.marker is not None and not wanted.marker.evaluate():
            return pin
        name, is_pin, version = pin.partition("==")
        if is_pin and not _fits(pin, wanted):
            raise PackagingError(
                f"{name} {version} is installed, but the notebook asks for {request.text}",
                "run that cell again and restart the kernel, change it, or give --requirements FILE",
                request.location,
                code="other-version-installed",
            )
        extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
        return re.sub(r"^[\w.-]+", lambda name: name[0] + extras, pin, count=1)

    def _request_for(self, wanted: Import) -> RequestedRequirement | None:
        guesses = (_KNOWN_NAMES.get(wanted.top, wanted.top), wanted.top, wanted.module)
        return next((self.asked[name] for name in map(requirement_name, guesses) if name in self.asked), None)

    def _stands_in(self, wanted: Import) -> bool:
        """Let a request provide what is not installed here."""
        request = self._request_for(wanted)
        if request is not None:
            self.requirements.append(request.text)
        return request is not None


def _absent(module: str, python: str | None) -> tuple[str, str] | None:
    """Return message and hint if a module of Python here is not in the Python on Lambda."""
    if any(module in names and _at_least(python, version) for version, names in _REMOVED.items()):
        return f"Python {python} no longer has the module {module}", "do without it, or use a --python that has it"
    for version, names in _ADDED.items():
        if module in names and python is not None and not _at_least(python, version):
            return f"Python {python} does not have the module {module} yet", f"use --python {version} or later"
    return None


def _missing(wanted: Import, location: Location | None) -> PackagingError:
    package = _KNOWN_NAMES.get(wanted.top, wanted.top)
    if wanted.top == "chalice":
        what = "the module chalice is imported, and the app of the notebook is none of its own"
        return PackagingError(what, "import nbchalice there instead", location, code="missing-module")
    return PackagingError(
        f"the module {wanted.top} is imported, but nothing installed here provides it",
        f"run %pip install {package} in a cell, put {wanted.top}.py beside the notebook, or list what provides it in "
        "--requirements FILE; a command in a shell takes it from requirements.txt beside the notebook, too",
        location,
        code="missing-module",
    )


def _names_a_version(requirement: str) -> bool:
    try:
        wanted = Requirement(requirement)
    except InvalidRequirement:
        return False
    return bool(wanted.specifier or wanted.url)


def _at_least(python: str | None, version: str) -> bool:
    return python is not None and Version(python) >= Version(version)
