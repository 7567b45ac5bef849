"""Well-known classes whose objects change as they are used: streams, iterators, random generators, queues."""

from __future__ import annotations

import array
import contextvars
import functools
import gc
import io
import random
import re
import threading
import weakref
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.sandbox.values import answers, arrays
from nbchalice.notebook.sandbox.values.code import lines_of
from nbchalice.notebook.sandbox.values.nodes import LONG, UNSHOWN, Describer, Node, digest, leaf, opaque, plain

if TYPE_CHECKING:
    from collections.abc import Callable

_UNSET = object()
_COUNT = re.compile(r"\bcount=(\d+)")


def _stream(describer: Describer, value: object, path: str) -> Node:
    base: Any = io.StringIO if isinstance(value, io.StringIO) else io.BytesIO
    if base.closed.__get__(value):
        return leaf(type(value).__name__, "closed")
    return describer.parts(
        type(value).__name__, [(" (content)", base.getvalue(value)), (" (position)", base.tell(value))], path
    )


def _buffer(describer: Describer, value: Any, path: str) -> Node:
    try:
        data = bytes(value)
    except ValueError:
        return leaf(type(value).__name__, "released")
    kind = str(getattr(value, "typecode", getattr(value, "format", "")))
    if isinstance(value, memoryview) and value.readonly:
        kind = f"{kind} read-only"
    shown = data if len(data) <= LONG else f"{len(data)} bytes"
    listed = value.tolist() if isinstance(value, array.array) and len(data) <= LONG else shown
    return leaf(f"{type(value).__name__} {kind}".strip(), digest(data), f"{type(value).__name__}({listed!r})")


def _generator(describer: Describer, value: Any, path: str) -> Node:
    """Describe a generator by its code, the place where it waits, and what it holds there."""
    frame = value.gi_frame
    if frame is None:
        return leaf("generator", "finished")
    held = dict(frame.f_locals)
    known = {id(item) for item in held.values()}
    # A for loop keeps its iterator where no name has it.
    loops = [item for item in gc.get_referents(value) if hasattr(type(item), "__next__") and id(item) not in known]
    parts: list[list[Any]] = [
        [
            " (position)",
            leaf("position", str(frame.f_lasti), f"at line {frame.f_lineno - value.gi_code.co_firstlineno + 1}"),
        ],
        [" (code)", ["items", "code", lines_of(value.gi_code)]],
        *(
            [f" (variable {name})", describer.describe(item, f"{path} (variable {name})")]
            for name, item in held.items()
        ),
        *([f" (loop {i})", describer.describe(item, f"{path} (loop {i})")] for i, item in enumerate(loops)),
        [" (source)", describer.describe(value.gi_yieldfrom, f"{path} (source)")],
    ]
    return ["parts", f"generator {value.__name__}", parts, False]


def _python_random(describer: Describer, value: Any, path: str) -> Node:
    state = random.Random.getstate(value)
    return ["parts", type(value).__name__, [[" (state)", leaf("state", digest(repr(state).encode()), UNSHOWN)]], True]


def _numpy_random(describer: Describer, value: Any, path: str) -> Node:
    if hasattr(value, "get_state"):
        state = value.get_state(legacy=False)
    else:
        state = getattr(value, "bit_generator", value).state
    return describer.parts(type(value).__name__, [(" (state)", state)], path, of_library=True)


def _queue(describer: Describer, value: object, path: str) -> Node:
    held = attributes_of(value)
    items = held.get("queue", held.get("_queue"))
    return describer.parts(
        type(value).__name__, [(".queue", items), (".maxsize", held.get("maxsize", held.get("_maxsize")))], path
    )


def attributes_of(value: object) -> dict[str, object]:
    """Return an instance's own ``__dict__``."""
    return dict(object.__getattribute__(value, "__dict__"))


def _local(describer: Describer, value: threading.local, path: str) -> Node:
    """Describe what this thread has there: a module is loaded in the main thread, and a notebook runs in it."""
    held = threading.local.__getattribute__(value, "__dict__")
    return describer.parts(type(value).__name__, [(f".{name}", item) for name, item in held.items()], path)


def _lock(describer: Describer, value: Any, path: str) -> Node:
    """Describe a lock of the notebook by whether it is held, and how often; a library's own is of this process."""
    if describer.inside > 1:
        describer.live += 1
        return opaque(value)
    if isinstance(value, threading.Event):
        return leaf("Event", "set" if value.is_set() else "not set")
    if isinstance(value, threading.Semaphore):
        held = attributes_of(value)
        return describer.parts(type(value).__name__, [(".value", held["_value"]), *_initial(held)], path)
    count = _COUNT.search(repr(value))
    held_now = int(count[1]) if count else int(value.locked())
    return leaf(type(value).__name__, f"held {held_now} times" if held_now > 1 else ("free", "held")[held_now])


def _initial(held: dict[str, object]) -> list[tuple[str, object]]:
    return [(".initial_value", held["_initial_value"])] if "_initial_value" in held else []


def _weak(describer: Describer, value: Any, path: str) -> Node:
    """Describe what a weak reference of the notebook still leads to; a library keeps such for itself."""
    kind, proxy = type(value).__name__, type(value) in weakref.ProxyTypes
    if describer.inside > 1:
        describer.live += proxy  # Who keeps one works with what it leads to, as boto3's clients do with themselves.
        return opaque(value) if proxy else ["quiet", kind]
    describer.inside -= 1  # what it leads to is the notebook's
    try:
        if proxy or isinstance(value, weakref.ref):
            held = _behind(value) if proxy else value()
            return leaf(kind, "dead") if held is None else describer.parts(kind, [("()", held)], path)
        items = list(value.items()) if isinstance(value, weakref.WeakValueDictionary) else set(value)
        return describer.parts(kind, [("", items)], path)
    finally:
        describer.inside += 1


def _behind(proxy: Any) -> object:
    """Return what a ``weakref.proxy`` leads to, or None: all that tells it is a method that it binds."""
    try:
        return proxy.__init__.__self__
    except ReferenceError:
        return None


def _variable(describer: Describer, value: contextvars.ContextVar[Any], path: str) -> Node:
    now = contextvars.copy_context().get(value, _UNSET)
    items = [] if now is _UNSET else [(" (value)", now)]
    return describer.parts(f"ContextVar {value.name}", items, path)


def _quiet(describer: Describer, value: object, path: str) -> Node:
    return ["quiet", type(value).__name__]


def _view(describer: Describer, value: Any, path: str) -> Node:
    return describer.parts(type(value).__name__, [("", dict(value.mapping))], path)


def _proxy(describer: Describer, value: Any, path: str) -> Node:
    return describer.parts("mappingproxy", [("", dict(value))], path)


def _cached_property(describer: Describer, value: functools.cached_property[Any], path: str) -> Node:
    told = [(f".{name}", item) for name, item in attributes_of(value).items() if name not in ("attrname", "lock")]
    return describer.parts("cached_property", told, path)


def _calls(describer: Describer, value: Any, path: str) -> Node:
    """Describe ``iter(function, end)``; that of ``re.finditer`` does not say how far it is, but when it is finished."""
    _, arguments = value.__reduce__()
    finished = len(arguments) < 2
    held = [] if finished else [(f" (source {i})", item) for i, item in enumerate(arguments)]
    return describer.parts("iterator", [(" (finished)", finished), *held], path, of_library=True)


def _reader(describer: Describer, value: Any, path: str) -> Node:
    held = [
        (f" (source {i})", item) for i, item in enumerate(gc.get_referents(value)) if hasattr(type(item), "__next__")
    ]
    return describer.parts("csv.reader", [(".line_num", value.line_num), *held], path)


def _hash(describer: Describer, value: Any, path: str) -> Node:
    return leaf(value.name, value.hexdigest(32) if value.digest_size == 0 else value.hexdigest())


def _structure(describer: Describer, value: Any, path: str) -> Node:
    return plain(value.format, str)


def sources(describer: Describer, value: object, path: str) -> Node:
    """Describe an iterator that cannot be copied by the iterators it takes from."""
    held = [item for item in gc.get_referents(value) if hasattr(type(item), "__next__")]
    if not held:
        return opaque(value)
    return describer.parts(type(value).__name__, [(f" (source {i})", item) for i, item in enumerate(held)], path)


KNOWN: dict[str, Callable[[Describer, Any, str], Node]] = {
    "_io.StringIO": _stream,
    "_io.BytesIO": _stream,
    "builtins.bytearray": _buffer,
    "builtins.memoryview": _buffer,
    "array.array": _buffer,
    "builtins.generator": _generator,
    "random.Random": _python_random,
    "numpy.random._generator.Generator": _numpy_random,
    "numpy.random.bit_generator.BitGenerator": _numpy_random,
    "numpy.random.mtrand.RandomState": _numpy_random,
    "queue.Queue": _queue,
    "asyncio.queues.Queue": _queue,
    "_contextvars.ContextVar": _variable,
    "_thread._local": _local,
    "_contextvars.Token": _quiet,
    **dict.fromkeys(["_thread.lock", "_thread.RLock", "threading.Event"], _lock),
    **dict.fromkeys(["threading.Semaphore", "threading.BoundedSemaphore"], _lock),
    **dict.fromkeys(["weakref.ReferenceType", "weakref.WeakValueDictionary"], _weak),
    **dict.fromkeys(["weakref.ProxyType", "weakref.CallableProxyType"], _weak),
    "_weakrefset.WeakSet": _weak,
    "builtins.dict_keys": _view,
    "builtins.dict_values": _view,
    "builtins.dict_items": _view,
    "builtins.mappingproxy": _proxy,
    "builtins.callable_iterator": _calls,
    "functools._lru_cache_wrapper": answers.describe_cached_function,
    "cachetools.Cache": answers.describe_cache,
    "joblib.memory.MemorizedFunc": answers.describe_kept_in_files,
    "functools.cached_property": _cached_property,
    "_csv.reader": _reader,
    "_struct.Struct": _structure,
    **dict.fromkeys(["_hashlib.HASH", "_hashlib.HASHXOF", "_blake2.blake2b", "_blake2.blake2s"], _hash),
    **arrays.KNOWN,
}
