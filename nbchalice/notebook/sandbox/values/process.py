"""What each module keeps for the whole process: settings, tables where something is registered, random generators."""

from __future__ import annotations

import gc
import re
import sys
import threading
from contextvars import ContextVar, copy_context
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from nbchalice.notebook.sandbox.unpatched import UNPATCHED
from nbchalice.notebook.sandbox.values.nodes import OWN, digest
from nbchalice.notebook.sandbox.values.patched import is_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
T = TypeVar("T")
GENERATOR = "generator"
_CARRIED: ContextVar[bool] = ContextVar("settings of the notebook's thread", default=False)
"""Whether another thread has what the notebook's thread set for itself."""
_ERRORS = frozenset(
    {"strict", "ignore", "replace", "xmlcharrefreplace", "backslashreplace", "namereplace", "surrogatepass"}
    | {"surrogateescape"}
)


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


def _shown(value: object) -> object:
    """Return what a setting is, without an address: a function of the notebook, or a text."""
    if callable(value) or isinstance(value, dict):
        return value
    return str(value)


def _builtins(module: Any) -> Iterator[tuple[str, object]]:
    yield "names", sorted(name for name in UNPATCHED.bound(module) if name != "_")


def _calendar(module: Any) -> Iterator[tuple[str, object]]:
    yield "firstweekday()", module.firstweekday()


def _codecs(module: Any) -> Iterator[tuple[str, object]]:
    # Nothing lists what is registered; but what Python itself has there is held by the table.
    for table in gc.get_referrers(module.ignore_errors):
        if isinstance(table, dict) and "xmlcharrefreplace" in table:
            yield (
                "register_error()",
                {name: held for name, held in table.items() if is_own(held) or name not in _ERRORS},
            )
    search = getattr(sys.modules.get("encodings"), "search_function", None)
    for table in gc.get_referrers(search):
        if isinstance(table, list):
            yield "register()", [held for held in table if is_own(held)]


def _copyreg(module: Any) -> Iterator[tuple[str, object]]:
    reduced = module.dispatch_table.items()
    yield "pickle()", {kind.__qualname__: made for kind, made in reduced if is_own(kind) or is_own(made)}


def _copy(module: Any) -> Iterator[tuple[str, object]]:
    return _copyreg(sys.modules["copyreg"])


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


def _gettext(module: Any) -> Iterator[tuple[str, object]]:
    yield "textdomain()", module.textdomain()
    yield "bindtextdomain()", module._localedirs


def _json(module: Any) -> Iterator[tuple[str, object]]:
    for name in ("_default_encoder", "_default_decoder"):
        used = getattr(module, name)
        plain = {key: held for key, held in vars(used).items() if isinstance(held, (bool, int, str, type(None), type))}
        yield name, (type(used), plain, _shown(vars(used).get("parse_float")))


def _locale(module: Any) -> Iterator[tuple[str, object]]:
    yield "setlocale(LC_ALL)", module.setlocale(module.LC_ALL)


def _logging(module: Any) -> Iterator[tuple[str, object]]:
    root = module.root
    yield "root.level", root.level
    yield "disable()", root.manager.disable
    yield "raiseExceptions", module.raiseExceptions
    yield "getLevelNamesMapping()", module.getLevelNamesMapping()
    yield "root.handlers", [_format(handler) for handler in root.handlers if type(handler).__module__ == "logging"]
    for name, logger in sorted(root.manager.loggerDict.items()):
        # The loggers of libraries, and those of apps, are their own.
        if isinstance(logger, module.Logger) and name.partition(".")[0] not in sys.modules and not _of_an_app(logger):
            formats = [_format(handler) for handler in logger.handlers]
            set_up = logger.level, logger.propagate, logger.disabled, len(logger.filters), formats
            if set_up != (0, True, False, 0, []):
                yield f"getLogger({name!r})", set_up


def _format(handler: Any) -> tuple[str, int, str | None]:
    return type(handler).__name__, handler.level, getattr(handler.formatter, "_fmt", None)


def _of_an_app(logger: Any) -> bool:
    return any(type(handler).__module__.startswith("nbchalice.") for handler in logger.handlers)


def _mimetypes(module: Any) -> Iterator[tuple[str, object]]:
    if module.inited:
        yield "types_map", digest(repr(sorted(module.types_map.items())).encode())


def _numpy(module: Any) -> Iterator[tuple[str, object]]:
    if _is_of_the_notebook():
        yield "geterr()", module.geterr()
        yield "geterrcall()", module.geterrcall()
        yield "getbufsize()", module.getbufsize()
        yield "get_printoptions()", {name: _shown(value) for name, value in module.get_printoptions().items()}
    if "numpy.random" in sys.modules:
        yield GENERATOR, digest(repr(module.random.get_state()).encode())


def _os(module: Any) -> Iterator[tuple[str, object]]:
    for name, value in sorted(module.environ.items()):
        yield f"environ[{name!r}]", digest(value.encode("utf-8", "surrogateescape"))
    if (mask := _umask(module)) is not None:
        yield "umask()", mask


def _umask(module: Any) -> str | None:
    """Return the mask of this process; to ask Python for it is to set it, which only a process of our own may do."""
    if sys.platform != "linux":
        return None
    try:
        status = Path("/proc/self/status").read_text("utf-8")
        return re.search(r"^Umask:\s*(\d+)", status, re.MULTILINE)[1]  # type: ignore[index]
    except (OSError, TypeError):  # the confined process does not see it
        mask = module.umask(0)
        module.umask(mask)
        return f"{mask:04o}"


def _pandas(module: Any) -> Iterator[tuple[str, object]]:
    config = module._config.config
    known = config._registered_options  # Its defaults are others in a kernel than in a terminal.
    for name, value in sorted(_flat(config._global_config, "")):
        if name not in known or known[name].defval != value:
            yield f"options.{name}", _shown(value)


def _flat(options: dict[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, (bool, int, float, str, type(None))) or callable(value):
            yield prefix + name, value


def _random(module: Any) -> Iterator[tuple[str, object]]:
    yield GENERATOR, digest(repr(module.getstate()).encode())


def _shutil(module: Any) -> Iterator[tuple[str, object]]:
    yield "get_archive_formats()", module.get_archive_formats()
    yield "get_unpack_formats()", module.get_unpack_formats()


def _signal(module: Any) -> Iterator[tuple[str, object]]:
    for number in sorted({*module.valid_signals()} - {module.SIGINT}):  # a kernel sets that for each cell
        handler = module.getsignal(number)
        if is_own(handler) or handler is module.SIG_IGN:
            yield f"getsignal({module.Signals(number).name})", _shown(handler)


def _socket(module: Any) -> Iterator[tuple[str, object]]:
    yield "getdefaulttimeout()", module.getdefaulttimeout()


def _sqlite3(module: Any) -> Iterator[tuple[str, object]]:
    adapters = getattr(module, "adapters", {}).items()
    yield "register_adapter()", {key[0].__qualname__: made for key, made in adapters if is_own(key[0]) or is_own(made)}
    yield "register_converter()", sorted(getattr(module, "converters", {}))


def _sys(module: Any) -> Iterator[tuple[str, object]]:
    yield "getrecursionlimit()", UNPATCHED.recursion_limit()
    yield "get_int_max_str_digits()", module.get_int_max_str_digits()
    yield "getswitchinterval()", module.getswitchinterval()
    yield "get_coroutine_origin_tracking_depth()", module.get_coroutine_origin_tracking_depth()
    yield "tracebacklimit", getattr(module, "tracebacklimit", None)
    yield "dont_write_bytecode", module.dont_write_bytecode
    yield "meta_path", [finder for finder in module.meta_path if is_own(finder)]
    yield "path_hooks", [hook for hook in module.path_hooks if is_own(hook)]
    for name, found in UNPATCHED.modules().items():
        if "." not in name and name not in OWN and _is_made(name, found):
            yield f"modules[{name!r}]", getattr(found, "__name__", None)


def _is_made(name: str, found: Any) -> bool:
    """Tell whether an entry of ``sys.modules`` is one that no import made."""
    if not isinstance(found, ModuleType):
        return found is None or is_own(found) or isinstance(found, SimpleNamespace)
    spec = vars(found).get("__spec__")
    return spec is None and "__file__" not in vars(found)


def _tempfile(module: Any) -> Iterator[tuple[str, object]]:
    yield "template", module.template
    given = module.tempdir not in (None, *module._candidate_tempdir_list())
    yield "tempdir", module.tempdir if given else None


def _time(module: Any) -> Iterator[tuple[str, object]]:
    yield "tzname", module.tzname


def _warnings(module: Any) -> Iterator[tuple[str, object]]:
    # Libraries add filters that are quiet; one that raises is the notebook's.
    errors = [one for one in module.filters if one[0] == "error"]
    yield "filters", [(getattr(one[1], "pattern", one[1]), one[2].__name__) for one in errors]


def _urllib(module: Any) -> Iterator[tuple[str, object]]:
    request = sys.modules.get("urllib.request")
    opener = getattr(request, "_opener", None)
    if opener is not None:
        usual = [type(handler).__name__ for handler in request.build_opener().handlers]  # type: ignore[union-attr]
        made = [type(handler).__name__ for handler in opener.handlers]
        yield "request.install_opener()", (made, opener.addheaders) if made != usual else None


def _xml(module: Any) -> Iterator[tuple[str, object]]:
    tree = sys.modules.get("xml.etree.ElementTree")
    if tree is not None:
        yield "etree.ElementTree.register_namespace()", sorted(vars(tree)["_namespace_map"].items())


KEPT: dict[str, Callable[[Any], Iterator[tuple[str, object]]]] = {
    "builtins": _builtins,
    "calendar": _calendar,
    "codecs": _codecs,
    "copy": _copy,
    "copyreg": _copyreg,
    "csv": _csv,
    "decimal": _decimal,
    "gc": _gc,
    "gettext": _gettext,
    "json": _json,
    "locale": _locale,
    "logging": _logging,
    "mimetypes": _mimetypes,
    "numpy": _numpy,
    "os": _os,
    "pandas": _pandas,
    "pickle": _copy,
    "random": _random,
    "shutil": _shutil,
    "signal": _signal,
    "socket": _socket,
    "sqlite3": _sqlite3,
    "sys": _sys,
    "tempfile": _tempfile,
    "time": _time,
    "urllib": _urllib,
    "warnings": _warnings,
    "xml": _xml,
}
OF_THE_PLACE = frozenset({"builtins", "gc", "locale", "logging", "os", "signal", "socket", "sys", "time", "warnings"})
"""Modules of which a kernel may have set something for itself, before the notebook began."""
