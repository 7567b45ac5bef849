"""Values that must not be bundled, with the reason."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import types

from nbchalice.notebook.secrets import find_secret_value
from nbchalice.packaging.errors import BundleRefusedError

_MAKE_IT_THERE = "make it in the handler's cell, so that it is made anew on Lambda"
_BY_MODULE = {
    "botocore": "a client holds connections and credentials of this computer",
    "boto3": "a client holds connections and credentials of this computer",
    "_thread": "a lock exists in this process only",
    "threading": "a thread or lock exists in this process only",
    "multiprocessing": "a process, or what belongs to it, exists on this computer only",
    "concurrent": "an executor exists in this process only",
    "asyncio": "what belongs to an event loop exists in this process only",
    "socket": "a connection exists on this computer only",
    "_socket": "a connection exists on this computer only",
    "ssl": "a connection exists on this computer only",
    "_ssl": "a connection exists on this computer only",
    "sqlite3": "a database connection exists on this computer only",
    "subprocess": "a process exists on this computer only",
    "weakref": "a weak reference exists in this process only",
}
_BY_TYPE: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (
        (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType),
        "a generator or coroutine is code that stopped half way",
    ),
    (type(os.environ), "the environment is that of this computer"),
    (types.ModuleType, "a module is imported, not bundled"),
    ((types.FrameType, types.CodeType, types.TracebackType), "code objects differ between Python versions"),
    (io.IOBase, "an open file exists on this computer only"),
)
_CONNECTING = frozenset({
    *("aiohttp", "httpx", "kafka", "mysql", "psycopg", "psycopg2", "pymongo", "pymysql", "redis", "requests"),
    *("snowflake", "sqlalchemy", "urllib3"),
})  # fmt: skip
_CONNECTIONS = ("Client", "Connection", "Cursor", "Engine", "Pool", "PoolManager", "Redis", "Session")
_MOST_TEXTS = 20_000
_LONGEST_BYTES = 10_000  # A key is shorter.


class _Nowhere:
    """Takes bytes and forgets them."""

    def write(self, content: bytes | memoryview) -> int:
        return memoryview(content).nbytes


class _Inspector(pickle.Pickler):
    """Visits everything that a pickle of the value would hold."""

    def __init__(self, name: str, *, allow_secret: bool) -> None:
        super().__init__(_Nowhere(), 5)
        self.name, self.allow_secret = name, allow_secret
        self.texts = 0

    def persistent_id(self, value: object) -> None:
        self.texts += isinstance(value, str | bytes)
        if not isinstance(value, str | bytes) or self.texts <= _MOST_TEXTS:
            check_one(self.name, value, allow_secret=self.allow_secret)


def refuse(name: str, value: object, *, allow_secret: bool = False) -> None:
    """Raise an error if a value, or something in it, must not be bundled.

    Parameters
    ----------
    name : str
        The variable's name.
    value : object
        What is to be bundled; it is looked through as pickle would, texts up to the 20,000th.
    allow_secret : bool
        Whether it may hold what looks like a credential. Default: no.

    Raises
    ------
    BundleRefusedError
        With the reason; a credential's value is not shown.
    """
    if isinstance(value, type | types.FunctionType) and value.__module__ == "__main__" and value.__name__ == name:
        kind = "class" if isinstance(value, type) else "function"
        raise _refused(name, f"a {kind} of the notebook comes along as source by itself", "leave the bundle out")
    check_one(name, value, allow_secret=allow_secret)
    check_one(name, {name: value}, allow_secret=allow_secret)
    try:
        _Inspector(name, allow_secret=allow_secret).dump(value)
    except BundleRefusedError:
        raise
    except Exception:  # noqa: S110 - what cannot be pickled is refused where a pickle is asked for
        pass


def check_one(name: str, value: object, *, allow_secret: bool = False) -> None:
    """Raise an error if this very value must not be bundled.

    Parameters
    ----------
    name : str
        The variable's name.
    value : object
        A value; of containers, only dicts are looked into, for keys such as `password`.
    allow_secret : bool
        Whether it may be what looks like a credential. Default: no.
    """
    if not allow_secret and (what := _secret_in(value)):
        raise _refused(
            name,
            f"it holds {what}",
            "take it out, and read it on Lambda from Secrets Manager or Parameter Store "
            "(for a false alarm, add --allow-secret)",
        )
    if isinstance(value, bytes) and _looks_into_the_notebook(value):
        raise _refused(
            name,
            "it holds a pickle of something of the notebook, which is looked for in __main__ and not found on Lambda",
            "bundle what was pickled instead, or write '# nbchalice: include' above the statement that pickles it",
        )
    if isinstance(value, types.FunctionType):
        if value.__name__ == "<lambda>":
            raise _refused(name, "a lambda is compiled for this Python version only", "define it with def in a cell")
        if "<locals>" in value.__qualname__:
            raise _refused(name, "a function defined in a function cannot be found elsewhere", _MAKE_IT_THERE)
    elif reason := _reason(value):
        raise _refused(name, reason, _MAKE_IT_THERE)


def _reason(value: object) -> str | None:
    if isinstance(value, type):
        return None
    for kinds, reason in _BY_TYPE:
        if isinstance(value, kinds):
            return reason
    for kind in type(value).__mro__[:-1]:
        top = kind.__module__.partition(".")[0]
        if top in _BY_MODULE:
            return _BY_MODULE[top]
        if top in _CONNECTING and kind.__name__.endswith(_CONNECTIONS):
            return "a connection exists on this computer only"
    return None


def _secret_in(value: object) -> str | None:
    """Name the kind of credential that a text, or one of a dict's texts, is."""
    if isinstance(value, str):
        return find_secret_value("", value)
    if isinstance(value, bytes) and len(value) <= _LONGEST_BYTES:
        return find_secret_value("", value.decode("latin-1"))
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str) and isinstance(item, str) and (what := find_secret_value(key, item)):
                return what
    return None


def _looks_into_the_notebook(value: bytes) -> bool:
    """Tell whether bytes are a pickle that refers to a class or function of the notebook."""
    if b"__main__" not in value or not value.endswith(pickle.STOP):
        return False
    try:
        parts = [(code.name, argument) for code, argument, _ in pickletools.genops(value)]
    except Exception:
        return False
    texts = [argument for _, argument in parts if isinstance(argument, str)]
    by_name = "__main__" in texts and "STACK_GLOBAL" in [name for name, _ in parts]
    return by_name or any(name == "GLOBAL" and str(text).startswith("__main__ ") for name, text in parts)


def _refused(name: str, reason: str, hint: str) -> BundleRefusedError:
    return BundleRefusedError(f"{name} cannot be bundled: {reason}", hint)
