"""What modules keep for the whole process: settings, and the states of their random generators.

``decimal.getcontext().prec = 5`` gives ``Decimal(2) / 3`` another value, though nothing that a handler names changed.
"""

from __future__ import annotations

import re
import sys
import threading
import types
from contextvars import ContextVar, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from nbchalice.notebook.analysis.known_calls import STDLIB
from nbchalice.notebook.analysis.lookups import lookups
from nbchalice.notebook.sandbox.unpatched import UNPATCHED
from nbchalice.notebook.sandbox.values.nodes import OWN, UNSHOWN, Node, digest, leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

P = ParamSpec("P")
T = TypeVar("T")
GENERATOR = "generator"
_SEEDS = re.compile(r"seed\(|set_?state\(")
_NAMED = re.compile(r"[\[(]'(.+)'[\])]")
_BEFORE = " before"
_CARRIED: ContextVar[bool] = ContextVar("settings of the notebook's thread", default=False)
"""Whether another thread has what the notebook's thread set for itself."""
_WITHOUT_CONSTANTS = frozenset({"builtins", "os", "platform", "posix", "site", "sys", "sysconfig", "tempfile", "time"})
"""Modules whose constants tell of the computer, or of the moment."""


def carrying(work: Callable[P, T]) -> Callable[P, T]:
    """Return work for another thread that finds there what this one set for itself, such as decimal's context.

    Parameters
    ----------
    work : Callable[P, T]
        anything.
    """
    context = copy_context()
    if _is_of_the_notebook():
        context.run(_CARRIED.set, True)
    return partial(context.run, work)


def _is_of_the_notebook() -> bool:
    return threading.current_thread() is threading.main_thread() or _CARRIED.get()


def _builtins(module: Any) -> Iterator[tuple[str, object]]:
    yield "names", sorted(name for name in UNPATCHED.bound(module) if name != "_")


def _calendar(module: Any) -> Iterator[tuple[str, object]]:
    yield "firstweekday()", module.firstweekday()


def _csv(module: Any) -> Iterator[tuple[str, object]]:
    yield "field_size_limit()", module.field_size_limit()
    dialects = [(name, module.get_dialect(name)) for name in module.list_dialects()]
    signs = "delimiter", "quotechar", "escapechar", "doublequote", "quoting", "lineterminator", "skipinitialspace"
    yield "list_dialects()", [(name, [getattr(one, sign) for sign in signs]) for name, one in sorted(dialects)]


def _decimal(module: Any) -> Iterator[tuple[str, object]]:
    if _is_of_the_notebook():  # each thread has its own
        context = module.getcontext()
        for name in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp"):
            yield f"getcontext().{name}", getattr(context, name)
        yield "getcontext().traps", sorted(kind.__name__ for kind, on in context.traps.items() if on)


def _gc(module: Any) -> Iterator[tuple[str, object]]:
    yield "isenabled()", module.isenabled()
    yield "get_threshold()", module.get_threshold()


def _locale(module: Any) -> Iterator[tuple[str, object]]:
    yield "setlocale(LC_ALL)", module.setlocale(module.LC_ALL)


def _logging(module: Any) -> Iterator[tuple[str, object]]:
    root = module.root
    yield "root.level", root.level
    yield "disable()", root.manager.disable
    yield "raiseExceptions", module.raiseExceptions
    yield "getLevelNamesMapping()", module.getLevelNamesMapping()
    for name, logger in sorted(root.manager.loggerDict.items()):
        # The loggers of libraries, and those of apps, are their own.
        if isinstance(logger, module.Logger) and name.partition(".")[0] not in sys.modules and not _of_an_app(logger):
            set_up = logger.level, logger.propagate, logger.disabled, len(logger.filters), len(logger.handlers)
            if set_up != (0, True, False, 0, 0):
                yield f"getLogger({name!r})", set_up


def _of_an_app(logger: Any) -> bool:
    return any(type(handler).__module__.startswith("nbchalice.") for handler in logger.handlers)


def _mimetypes(module: Any) -> Iterator[tuple[str, object]]:
    if module.inited:
        yield "types_map", digest(repr(sorted(module.types_map.items())).encode())


def _numpy(module: Any) -> Iterator[tuple[str, object]]:
    if _is_of_the_notebook():
        yield "geterr()", module.geterr()
        yield "get_printoptions()", {name: str(value) for name, value in module.get_printoptions().items()}
    if "numpy.random" in sys.modules:
        yield GENERATOR, digest(repr(module.random.get_state()).encode())


def _os(module: Any) -> Iterator[tuple[str, object]]:
    for name, value in sorted(module.environ.items()):
        yield f"environ[{name!r}]", digest(value.encode("utf-8", "surrogateescape"))


def _pandas(module: Any) -> Iterator[tuple[str, object]]:
    config = module._config.config
    known = config._registered_options  # Its defaults are others in a kernel than in a terminal.
    for name, value in sorted(_flat(config._global_config, "")):
        if name not in known or known[name].defval != value:
            yield f"options.{name}", value


def _flat(options: dict[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, (bool, int, float, str, type(None))):
            yield prefix + name, value


def _random(module: Any) -> Iterator[tuple[str, object]]:
    yield GENERATOR, digest(repr(module.getstate()).encode())


def _socket(module: Any) -> Iterator[tuple[str, object]]:
    yield "getdefaulttimeout()", module.getdefaulttimeout()


def _sys(module: Any) -> Iterator[tuple[str, object]]:
    yield "getrecursionlimit()", UNPATCHED.recursion_limit()
    yield "get_int_max_str_digits()", module.get_int_max_str_digits()
    yield "getswitchinterval()", module.getswitchinterval()


def _time(module: Any) -> Iterator[tuple[str, object]]:
    yield "tzname", module.tzname


def _warnings(module: Any) -> Iterator[tuple[str, object]]:
    # Libraries add filters that are quiet; one that raises is the notebook's.
    errors = [one for one in module.filters if one[0] == "error"]
    yield "filters", [(getattr(one[1], "pattern", one[1]), one[2].__name__) for one in errors]


def _xml(module: Any) -> Iterator[tuple[str, object]]:
    tree = sys.modules.get("xml.etree.ElementTree")
    if tree is not None:
        yield "etree.ElementTree.register_namespace()", sorted(vars(tree)["_namespace_map"].items())


_KEPT: dict[str, Callable[[Any], Iterator[tuple[str, object]]]] = {
    "builtins": _builtins,
    "calendar": _calendar,
    "csv": _csv,
    "decimal": _decimal,
    "gc": _gc,
    "locale": _locale,
    "logging": _logging,
    "mimetypes": _mimetypes,
    "numpy": _numpy,
    "os": _os,
    "pandas": _pandas,
    "random": _random,
    "socket": _socket,
    "sys": _sys,
    "time": _time,
    "warnings": _warnings,
    "xml": _xml,
}
_OF_THE_PLACE = frozenset({"builtins", "gc", "locale", "logging", "socket", "sys", "time", "warnings"})
"""Modules of which a kernel may have set something for itself, before the notebook began."""


def kept(module: str) -> list[list[Any]]:
    """Return what a module keeps, as labels and nodes; of what a kernel may set for itself also what it was before.

    Parameters
    ----------
    module : str
        Its dotted name.
    """
    top = module.partition(".")[0]
    found = sys.modules.get(top)
    if found is None:
        return []
    parts = [[f" ({top}.{name})", leaf("patched", text, name)] for name, text in _patched(found)]
    if top in STDLIB - _WITHOUT_CONSTANTS:
        parts.append([f" ({top}'s constants)", leaf("constants", _constants(found), UNSHOWN)])
    try:
        for label, value in _KEPT[top](found) if top in _KEPT else ():
            parts.append([f" ({top}.{label})", _node(value)])
    except Exception:  # half loaded, or of another version
        return []
    before = [[label + _BEFORE, node] for label, node in _START.get(top, {}).items()]
    return [*parts, *before]


def _node(value: object) -> Node:
    return leaf(type(value).__name__, repr(value))


def _patched(module: Any) -> Iterator[tuple[str, str]]:
    """Give the functions of the notebook that stand in a library's module, or in a class of it."""
    for name, value in UNPATCHED.bound(module).items():
        if isinstance(value, type) and value.__module__ not in OWN:
            for inner, item in UNPATCHED.bound(value).items():
                if _is_own(item):
                    yield f"{name}.{inner}", digest(item.__code__.co_code)
        elif _is_own(value):
            yield name, digest(value.__code__.co_code)


def _is_own(value: object) -> bool:
    return isinstance(value, types.FunctionType) and value.__globals__.get("__name__") in OWN


def _constants(module: Any) -> str:
    constants = {name: value for name, value in UNPATCHED.bound(module).items() if type(value) in (str, int, float)}
    return digest(repr(sorted((k, v) for k, v in constants.items() if not k.startswith("_"))).encode())


def without_before(values: dict[str, Node]) -> dict[str, Node]:
    """Return descriptions of variables without what modules kept before."""
    return {name: _only(node, lambda label: not label.endswith(_BEFORE)) for name, node in values.items()}


def of_concern(values: dict[str, Node], text: str, given: Collection[str] = ()) -> dict[str, Node]:
    """Return descriptions of variables without what modules keep that is of no concern to a module.

    The state of a random generator is by chance if nothing seeds it; what is kept under a name that does not occur,
    such as a logger, is another's; and environment variables count where the module sets them.

    Parameters
    ----------
    values : dict[str, Node]
        The descriptions, by name.
    text : str
        The module's text.
    given : Collection[str]
        The environment variables that the function is given.
    """
    seeds, sets = bool(_SEEDS.search(text)), lookups(text).sets - set(given)

    def matters(label: str) -> bool:
        named = _NAMED.search(label)
        if label.startswith(" (os.environ["):
            return named is not None and named[1] in sets
        return (seeds or not label.endswith(f".{GENERATOR})")) and (not named or named[1] in text)

    return {name: _only(node, matters) for name, node in values.items()}


def _only(node: Node, matters: Callable[[str], bool]) -> Node:
    if not _is_import(node):
        return node
    return [*node[:2], [part for part in node[2] if not part[0] or matters(part[0])], node[3]]


def is_setting(node: Node, path: str) -> bool:
    """Tell whether what stands at a path in a description is something that a module keeps.

    Parameters
    ----------
    node : Node
        The description of a variable.
    path : str
        The way to a part of it.
    """
    return _is_import(node) and path.startswith(" (")


def _is_import(node: Node) -> bool:
    return bool(node[0] == "parts" and node[1].startswith("import "))


def aligned(values: dict[str, Node], kernel: dict[str, Node]) -> dict[str, Node]:
    """Return descriptions of the module's variables; a setting that neither it nor the kernel changed is the kernel's.

    Parameters
    ----------
    values, kernel : dict[str, Node]
        The descriptions, by name.
    """
    found = {}
    for name, node in values.items():
        other = kernel.get(name)
        found[name] = _aligned(node, dict(other[2])) if other and _is_import(node) and _is_import(other) else node
    return without_before(found)


def _aligned(node: Node, others: dict[str, Node]) -> Node:
    own = dict(node[2])
    parts = []
    for label, item in node[2]:
        before = label + _BEFORE
        same = own.get(before) == item and before in others and others[before] == others.get(label)
        parts.append([label, others[label] if same else item])
    return [*node[:2], parts, node[3]]


_START: dict[str, dict[str, Node]] = {}
for _name in sorted(_OF_THE_PLACE & sys.modules.keys()):
    _START[_name] = {f" ({_name}.{label})": _node(value) for label, value in _KEPT[_name](sys.modules[_name])}
