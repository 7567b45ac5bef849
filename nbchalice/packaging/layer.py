"""The dependency layer of a lock: installed once by uv, zipped, and kept under the lock's key."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from nbchalice.files import cache_folder
from nbchalice.packaging.cache import write_whole
from nbchalice.packaging.imports import find_imports
from nbchalice.packaging.lock import Lock
from nbchalice.packaging.uvtool import run_uv
from nbchalice.packaging.zipping import Member, zip_bytes
from nbchalice.steps import step
from nbchalice.text import counted, readable
from nbchalice.typed import JSON

PREFIX = "python/"
_LEVEL = 4  # 3 % larger than 6, in half the time
_FORMAT = 3  # of what is left out and how it is zipped; with the lock, it names the layer
_TESTS = "tests"
# Asked of every module before it is parsed: scipy has over a thousand, and hardly one imports from a folder `tests`.
_MAY_IMPORT_TESTS = re.compile(rb"\bimport\b(?:[^\n]*|\s*\([^)]*)\btests\b|\b(?:from|import_module)\b[^\n]*\btests\b")


@dataclass(frozen=True)
class Layer:
    """A built layer.

    Parameters
    ----------
    key : str
        Hash of the lock and of how layers are built; equal needs share one layer.
    path : Path
        The zip, kept in the cache.
    code_sha256 : str
        Hash of the zip in base64, as Lambda reports it (AWS Lambda API Reference, "LayerVersionContentOutput").
    zip_size : int
        Bytes of the zip.
    unzipped_size : int
        Bytes of the files in it.
    distributions : tuple[tuple[str, int], ...]
        Pairs of distribution and its unzipped bytes, largest first.
    requirements : tuple[str, ...]
        What is in it, as `name==version`.
    lock : Lock
        What it was made of.
    """

    key: str
    path: Path
    code_sha256: str
    zip_size: int
    unzipped_size: int
    distributions: tuple[tuple[str, int], ...]
    requirements: tuple[str, ...]
    lock: Lock

    def read(self) -> bytes:
        """Return the bytes of the zip."""
        return self.path.read_bytes()


def build_layer(lock: Lock, *, cache: Path | None = None) -> Layer:
    """Install a lock's distributions for its target and zip them as a Lambda layer.

    Parameters
    ----------
    lock : Lock
        What to install, with hashes; nothing else gets in.
    cache : Path or None
        Folder of built layers; a layer that is there is not built again. Default: `cache_folder()`.

    Returns
    -------
    The layer. Its zip has the folder `python` that Lambda puts on `sys.path` (AWS Lambda Developer Guide,
    "Packaging your layer content"), without scripts, byte code and the tests of packages that do not import them.

    Raises
    ------
    NoWheelError, PackagingError
        Uv could not install it.
    CacheError
        The cache cannot be written.
    """
    key = hashlib.sha256(f"{_FORMAT} {lock.key}".encode()).hexdigest()
    stem = (cache or cache_folder()) / "layers" / key
    path, facts_path = stem.with_suffix(".zip"), stem.with_suffix(".json")
    facts = _kept(path, facts_path)
    if facts is None:
        facts = _build(lock, path, facts_path)
    return Layer(
        key,
        path,
        facts["code_sha256"],
        facts["zip_size"],
        facts["unzipped_size"],
        tuple((name, size) for name, size in facts["distributions"]),
        lock.pins,
        lock,
    )


@dataclass(frozen=True)
class _Facts:
    code_sha256: str
    zip_size: int
    unzipped_size: int
    distributions: list[tuple[str, int]]


def _kept(path: Path, facts_path: Path) -> JSON | None:
    """Return what is known of a kept layer, or None if it is absent or not whole."""
    try:
        facts: JSON = json.loads(facts_path.read_text(encoding="utf-8"))
        return facts if path.stat().st_size == facts["zip_size"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _build(lock: Lock, path: Path, facts_path: Path) -> JSON:
    downloading = (
        f"downloading {counted(len(lock.pins), 'package')} for Python {lock.target.python} on {lock.target.arch}"
    )
    with step(downloading) as say, tempfile.TemporaryDirectory(prefix="nbchalice-") as folder:
        install(lock, Path(folder), say)
        members = _members(Path(folder))
        unzipped = sum(len(member.content) for member in members.values())
        say(readable(unzipped))
    with step(f"zipping the layer, {readable(unzipped)}") as say:
        content = zip_bytes({PREFIX + name: member for name, member in members.items()}, _LEVEL, first=".dist-info/")
        say(f"{readable(len(content))} zipped")
    facts = asdict(
        _Facts(
            base64.b64encode(hashlib.sha256(content).digest()).decode(),
            len(content),
            unzipped,
            _by_distribution(members),
        )
    )
    write_whole(path, content)
    write_whole(facts_path, json.dumps(facts).encode())
    return facts


def install(lock: Lock, folder: Path, say: Callable[[str], None] = lambda words: None) -> None:
    """Install exactly what a lock names, hashes checked, into a folder.

    Parameters
    ----------
    lock : Lock
        What to install and for which target.
    folder : Path
        Where it goes.
    say : Callable[[str], None]
        Takes what is being downloaded, with its size. Default: nothing is told.
    """
    arguments = ["install", "--target", str(folder), "--require-hashes", "--no-deps", "--requirements", "-"]
    run_uv(arguments, lock.target, lock.text, say)


def _members(folder: Path) -> dict[str, Member]:
    """Return the files that belong in the layer: no scripts of this machine, byte code, locks or needless tests."""
    installed = {
        name: Member(path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file() and _wanted(name := path.relative_to(folder).as_posix())
    }
    needless = _needless_tests(installed)
    kept = {name: member for name, member in installed.items() if name not in needless}
    for name in [name for name in kept if name.endswith(".dist-info/RECORD")]:
        kept[name] = Member(_record(kept[name].content, needless))
    return kept


def _wanted(name: str) -> bool:
    parts = name.split("/")
    return parts[0] != "bin" and "__pycache__" not in parts and name != ".lock" and not name.endswith(".pyc")


def _needless_tests(members: Mapping[str, Member]) -> set[str]:
    """Return the files in folders `tests` that nothing else imports.

    They are a third of pandas, and Lambda's limit is on the unzipped size. Folders `test` stay: some are public.
    """
    tests = {name for name in members if _TESTS in name.split("/")[:-1]}
    todo = set(members) - tests
    # What a kept test imports is kept as well, so each round looks at the files that the last one kept.
    while tests and todo:
        imported = chain.from_iterable(_imported_tests(name, members[name].content) for name in todo)
        needed = tuple(f"{folder}/" for folder in imported)
        todo = {name for name in tests if name.startswith(needed)}
        tests -= todo
    return tests


def _imported_tests(name: str, content: bytes) -> Iterator[str]:
    """Yield the folders `tests` that a module imports from."""
    if not name.endswith(".py") or not _MAY_IMPORT_TESTS.search(content):
        return
    try:
        imports = find_imports(content.decode(), name.rpartition("/")[0].replace("/", "."))
    except (SyntaxError, ValueError):
        return
    for imported in imports:
        for module in (imported.module, *(f"{imported.module}.{taken}" for taken in imported.names)):
            before, tests, _ = f".{module}.".partition(f".{_TESTS}.")
            if tests:
                yield f"{before}.{_TESTS}".lstrip(".").replace(".", "/")


def _record(content: bytes, left_out: Container[str]) -> bytes:
    """Return a RECORD sorted and without the files left out; the hashes of some depend on this machine."""
    rows = csv.reader(io.StringIO(content.decode()))
    listed = (row for row in rows if row and not row[0].startswith("..") and row[0] not in left_out and _wanted(row[0]))
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(sorted(listed))
    return buffer.getvalue().encode()


def _by_distribution(members: dict[str, Member]) -> list[tuple[str, int]]:
    owner: dict[str, str] = {}
    for name, member in members.items():
        if name.endswith(".dist-info/RECORD"):
            distribution = name.partition("-")[0].replace("_", "-")
            rows = csv.reader(io.StringIO(member.content.decode()))
            owner.update({row[0]: distribution for row in rows if row})
    sizes: Counter[str] = Counter()
    for name, member in members.items():
        sizes[owner.get(name, name.partition("/")[0])] += len(member.content)
    return sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
