"""Objects that travel by name: `%chalice bundle NAME` turns a value into a file that Lambda loads.

Where the loading happens, and when, is said in `nbchalice.runtime.bundles`.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from nbchalice.errors import PackagingError
from nbchalice.packaging.errors import BundleRefusedError
from nbchalice.packaging.imports import Import
from nbchalice.packaging.installed import find_owner
from nbchalice.packaging.refused import refuse
from nbchalice.runtime.bundles import INDEX, LOADERS
from nbchalice.typed import JSON

PICKLES = ("pickle", "joblib")
FORMATS = ("auto", "json", "npy", "parquet", "pickle", "joblib")
_PROTOCOL = 5
_NOTEBOOK = "__main__"


@dataclass(frozen=True)
class Bundle:
    """A value as a file.

    Parameters
    ----------
    name : str
        The variable's name in the notebook.
    format : str
        `json`, `npy`, `parquet`, `pickle` or `joblib`.
    content : bytes or Path
        The file's content, or the file that holds it.
    sha256 : str
        Its hash in hexadecimal, checked before it is loaded.
    size : int
        Its bytes.
    imports : tuple[str, ...]
        Modules that loading it imports.
    notebook_names : tuple[str, ...]
        Classes and functions of the notebook that a pickle refers to; their source has to come along and stand before
        the statement that loads the bundle.
    made_by : tuple[str, ...]
        What had made the value when it was taken, as hashes of statements.
    foreign : bool
        Whether it is a pickle that was not made here, nor accepted, and so is not loaded.
    """

    name: str
    format: str
    content: bytes | Path = field(repr=False)
    sha256: str
    size: int
    imports: tuple[str, ...] = ()
    notebook_names: tuple[str, ...] = ()
    made_by: tuple[str, ...] = ()
    foreign: bool = False

    @property
    def path(self) -> str:
        """Where it is in the zip."""
        return f"bundles/{self.name}.{self.format}"

    @property
    def entry(self) -> dict[str, str]:
        """What the loader has to know of it, beside its file."""
        return {"format": self.format, "sha256": self.sha256}

    @property
    def details(self) -> JSON:
        """What the verification has to know of one that is kept in a file."""
        names = {"notebook_names": list(self.notebook_names), "made_by": list(self.made_by)}
        return {**self.entry, "file": str(self.content), **names}

    @property
    def requirements(self) -> tuple[str, ...]:
        """Distributions that loading it needs, pinned to what is installed here."""
        pins: set[str] = set()
        for module in self.imports:
            pins.update(find_owner(Import(module)).requirements)
        return tuple(sorted(pins))

    def require_own(self) -> None:
        """Refuse a pickle that came with the notebook.

        Raises
        ------
        BundleRefusedError
            It was not made here.
        """
        if self.foreign:
            raise BundleRefusedError(
                f"the bundle {self.name} is a {self.format} that was not made here, and loading it can run any code",
                f"make it here: %chalice bundle {self.name}; or, if you trust who made it: "
                f"nbchalice bundle NOTEBOOK {self.name} --trust",
            )

    def open(self) -> BinaryIO:
        """Return the content as an open file, after its hash was checked.

        Raises
        ------
        BundleRefusedError
            The file is not what was bundled.
        """
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        file = self.content.open("rb")
        if hashlib.file_digest(file, "sha256").hexdigest() != self.sha256:
            file.close()
            raise damaged(self.name, self.content.parent)
        file.seek(0)
        return file

    def read(self) -> bytes:
        """Return the content; see `open`."""
        with self.open() as file:
            return file.read()

    def load(self) -> object:
        """Return the value, as the deployed module gets it."""
        self.require_own()
        with self.open() as file:
            return LOADERS[self.format](file)


def damaged(name: str, folder: Path) -> BundleRefusedError:
    """Return the error for a bundle whose file is not what was bundled."""
    return BundleRefusedError(
        f"the bundle {name} in {folder} is not what was bundled", f"bundle it again: %chalice bundle {name}"
    )


def make_bundle(name: str, value: object, format: str = "auto", *, allow_secret: bool = False) -> Bundle:
    """Turn a value into a bundle.

    Parameters
    ----------
    name : str
        The variable's name.
    value : object
        What to bundle.
    format : str
        `json` for plain data, `npy` for NumPy arrays, `parquet` for data frames of pandas, `pickle` or `joblib` for the
        rest. `auto` (default) picks one of the first three by type, and never the last two: a pickle runs code when it
        is loaded and may not survive other versions, so it has to be asked for.
    allow_secret : bool
        Whether it may hold what looks like a credential. Default: no.

    Raises
    ------
    PackagingError
        The format does not fit, or only pickle would do and was not asked for.
    BundleRefusedError
        The value is one that must not travel, such as a client, a lock or a credential.
    """
    if format not in FORMATS:
        raise PackagingError(
            f"there is no bundle format {format}", f"use --format {', '.join(FORMATS)}", code="bundle-format"
        )
    refuse(name, value, allow_secret=allow_secret)
    try:
        chosen = _best(name, value) if format == "auto" else format
        return _MAKERS[chosen](name, value)
    except RecursionError:
        raise PackagingError(
            f"{name} is nested too deep, or holds itself",
            "bundle a flatter value, for example a table or lists",
            code="bundle-format",
        ) from None


def can_be_bundled(name: str, value: object) -> bool:
    """Tell whether some format takes a value.

    Parameters
    ----------
    name : str
        The variable's name.
    value : object
        The value.
    """
    try:
        refuse(name, value)
        _dumped(name, value)
    except (PackagingError, RecursionError):
        return False
    return True


def bundle_files(bundles: Iterable[Bundle], stored: Iterable[Bundle] = ()) -> dict[str, bytes]:
    """Return the files that bundles add to a zip, with the index that the loader reads.

    Parameters
    ----------
    bundles : Iterable[Bundle]
        The bundles that are in the zip.
    stored : Iterable[Bundle]
        Those that are in S3 instead. Default: none.
    """
    bundles = tuple(bundles)
    files = {bundle.path: bundle.read() for bundle in bundles}
    index = {bundle.name: {**bundle.entry, "file": bundle.path} for bundle in bundles}
    index |= {bundle.name: bundle.entry for bundle in stored}
    return {**files, INDEX: json.dumps(index, sort_keys=True).encode()} if index else {}


def part(bundles: Iterable[Bundle], room: int) -> tuple[tuple[Bundle, ...], tuple[Bundle, ...]]:
    """Return the bundles that fit into a zip, the smallest first, and those that do not.

    Parameters
    ----------
    bundles : Iterable[Bundle]
        The bundles of a handler.
    room : int
        Bytes that they may have together.
    """
    inside: list[Bundle] = []
    outside: list[Bundle] = []
    for bundle in sorted(bundles, key=lambda one: (one.size, one.name)):
        fits = bundle.size <= room
        room -= bundle.size if fits else 0
        (inside if fits else outside).append(bundle)
    return tuple(inside), tuple(outside)


def _bundle(name: str, format: str, data: bytes, imports: Iterable[str] = (), own: Iterable[str] = ()) -> Bundle:
    return Bundle(name, format, data, hashlib.sha256(data).hexdigest(), len(data), tuple(imports), tuple(own))


def _kind(value: object) -> str:
    return f"{type(value).__module__.partition('.')[0]}.{type(value).__qualname__}"


def _best(name: str, value: Any) -> str:
    kind = _kind(value)
    if kind == "numpy.ndarray" and not value.dtype.hasobject:
        return "npy"
    if kind == "pandas.DataFrame":
        return "parquet"
    if kind == "pandas.Series":
        hint = "bundle its .to_frame(), or use --format pickle"
        raise PackagingError(f"{name} is a Series, for which there is no safe format", hint, code="bundle-format")
    if _plain(value):
        return "json"
    raise PackagingError(
        f"{name} is {_article(kind)}{_beyond_json(value)}, which only a pickle can hold",
        f"%chalice bundle {name} --format {'joblib' if kind.startswith('sklearn.') else 'pickle'}: it needs the same "
        "versions of its packages on Lambda, which are then pinned",
        code="bundle-format",
    )


def _beyond_json(value: object) -> str:
    if type(value) not in (dict, list):
        return ""
    keys = type(value) is dict and not all(type(key) is str for key in value)
    return " with keys that are no texts" if keys else " with what JSON does not give back"


def _article(kind: str) -> str:
    kind = kind.removeprefix("builtins.").removeprefix("__main__.")
    return f"an {kind}" if kind[0].lower() in "aeiou" else f"a {kind}"


def _plain(value: object) -> bool:
    """Tell whether JSON gives back exactly this."""
    if type(value) is dict:
        return all(type(key) is str and _plain(item) for key, item in value.items())
    if type(value) is list:
        return all(map(_plain, value))
    return value is None or type(value) in {bool, int, float, str}


def _json(name: str, value: object) -> Bundle:
    if not _plain(value):
        raise PackagingError(
            f"{name} would not come back from JSON as it is: only dicts with text keys, lists, text, numbers, True, "
            "False and None do",
            f"convert it, or use %chalice bundle {name} --format pickle",
            code="bundle-format",
        )
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # As json.loads decodes, so that every text of Python comes back.
    return _bundle(name, "json", text.encode("utf-8", "surrogatepass"))


def _npy(name: str, value: Any) -> Bundle:
    if _kind(value) != "numpy.ndarray" or value.dtype.hasobject:
        raise PackagingError(
            f"{name} is not a NumPy array of plain values", "use another --format, or auto", code="bundle-format"
        )
    import numpy  # type: ignore[import-not-found, unused-ignore]

    buffer = io.BytesIO()
    numpy.save(buffer, value, allow_pickle=False)
    return _bundle(name, "npy", buffer.getvalue(), ("numpy",))


def _parquet(name: str, value: Any) -> Bundle:
    if _kind(value) != "pandas.DataFrame":
        raise PackagingError(
            f"{name} is not a data frame of pandas", "use another --format, or auto", code="bundle-format"
        )
    import pandas  # type: ignore[import-not-found, import-untyped, unused-ignore]

    try:
        data: bytes = value.to_parquet(None, engine="pyarrow")
        pandas.testing.assert_frame_equal(pandas.read_parquet(io.BytesIO(data), engine="pyarrow"), value)
    except ImportError:
        raise PackagingError(
            "parquet needs pyarrow, which is not installed", "run %pip install pyarrow", code="bundle-format"
        ) from None
    except AssertionError:
        raise PackagingError(
            f"{name} would not come back from parquet as it is",
            f"convert its columns and index to plain types, or use %chalice bundle {name} --format pickle",
            code="bundle-format",
        ) from None
    except Exception as error:
        raise PackagingError(
            f"{name} cannot be written as parquet: {error}",
            f"convert what it names, or use %chalice bundle {name} --format pickle",
            code="bundle-format",
        ) from None
    return _bundle(name, "parquet", data, ("pandas", "pyarrow"))


def _pickle(name: str, value: object) -> Bundle:
    return _bundle(name, "pickle", *_dumped(name, value))


def _joblib(name: str, value: object) -> Bundle:
    _, modules, own = _dumped(name, value)
    if own:
        raise PackagingError(
            f"{name} holds {', '.join(own)} of the notebook, which joblib cannot find on Lambda",
            f"use %chalice bundle {name} --format pickle",
            code="bundle-format",
        )
    try:
        import joblib  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise PackagingError(
            "joblib is not installed", "run %pip install joblib, or use pickle", code="bundle-format"
        ) from None
    buffer = io.BytesIO()
    joblib.dump(value, buffer, compress=3)
    return _bundle(name, "joblib", buffer.getvalue(), sorted({*modules, "joblib"}))


def _dumped(name: str, value: object) -> tuple[bytes, list[str], list[str]]:
    """Return a value's pickle, the modules that loading it imports, and the names it takes from the notebook."""
    buffer = io.BytesIO()
    pickler = _Pickler(buffer)
    try:
        pickler.dump(value)
    except Exception as error:
        raise PackagingError(
            f"{name} cannot be pickled: {error}",
            "bundle the plain data in it, and make the rest in the handler's cell",
            code="bundle-format",
        ) from None
    modules = {module for module, _ in pickler.references} - {_NOTEBOOK, "builtins"}
    own = {attribute for module, attribute in pickler.references if module == _NOTEBOOK}
    return buffer.getvalue(), sorted(modules), sorted(own)


class _Pickler(pickle.Pickler):
    """Remembers which classes and functions a pickle refers to."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, _PROTOCOL)
        self.references: set[tuple[str, str]] = set()

    def persistent_id(self, value: object) -> None:
        # Compiled extensions have kinds of functions of their own.
        if callable(value) and isinstance(name := getattr(value, "__qualname__", None), str):
            module = getattr(value, "__module__", None) or pickle.whichmodule(value, value.__name__)  # type: ignore[attr-defined]
            self.references.add((str(module), name.partition(".")[0]))


_MAKERS: dict[str, Callable[[str, object], Bundle]] = {
    "json": _json,
    "npy": _npy,
    "parquet": _parquet,
    "pickle": _pickle,
    "joblib": _joblib,
}
