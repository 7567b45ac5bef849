"""Proof before a deploy: the captured module imports where nothing else is, and its values are the kernel's."""

from __future__ import annotations

import ast
import hashlib
import sys
import tempfile
import time
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from json import dumps
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from nbchalice.errors import CaptureError
from nbchalice.notebook.capture.asking import Asking
from nbchalice.notebook.capture.codecs_named import named_codecs, require_registered
from nbchalice.notebook.capture.divergence import (
    apart,
    apart_on_lambda,
    diverged,
    find_difference,
    require_defined,
    require_present,
)
from nbchalice.notebook.capture.failure import require_imported
from nbchalice.notebook.capture.on_lambda import OnLambda
from nbchalice.notebook.capture.registering import not_registered
from nbchalice.notebook.capture.settling import settled_in_places
from nbchalice.notebook.capture.source_map import location_of
from nbchalice.notebook.sandbox.helper import HELPER
from nbchalice.notebook.sandbox.reads import ALL
from nbchalice.notebook.sandbox.values import (
    LAST_DIGITS,
    describe,
    describe_imported,
    differ,
    differ_in_rounding,
    not_compared,
    of_concern,
    sharing,
    standing_names,
    unregistered,
    without_before,
)
from nbchalice.notebook.sandbox.values.patched import is_local
from nbchalice.runtime.function import LambdaFunction
from nbchalice.typed import JSON, Values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.notebook.sandbox.values import Node, Shared

_T = TypeVar("_T")
TIMEOUT_SECONDS = 20.0
_REMEMBERED = 256
_SHOWN = 6
_verified: OrderedDict[str, Verified] = OrderedDict()
"""What was verified."""
_loaded: OrderedDict[str, None] = OrderedDict()
"""Bundles that were loaded, each with the kernel's value: an edit of the handler need not load them again."""


@dataclass(frozen=True)
class Verified:
    """The result of a verification that found nothing wrong.

    Parameters
    ----------
    seconds : float
        How long it took.
    cached : bool
        Whether this very slice had been verified before.
    not_compared : tuple[tuple[str, str], ...]
        Variables and parts of variables that could not be compared with the kernel's, each with its type.
    statements : tuple[tuple[str, int, float], ...]
        Cell, raw line, and seconds of processor time of the statements that took any worth telling.
    settings : tuple[str, ...]
        The imports of which only something that the module keeps for the whole process differs.
    memory_mb : int
        What the process took to load it, in MB.
    unheeded : str
        That the annotation of the handler's argument says nothing of what it gets; empty where it does.
    loads : tuple[str, ...]
        Modules of packages that do not travel yet, and packages of which is asked what is known (``sandbox.loads``),
        where the code fails, or has other values, without them.
    stays : tuple[str, ...]
        Modules that were loaded here and are not on Lambda, where it does without.
    """

    seconds: float
    cached: bool = False
    not_compared: tuple[tuple[str, str], ...] = ()
    statements: tuple[tuple[str, int, float], ...] = ()
    settings: tuple[str, ...] = ()
    memory_mb: int = 0
    unheeded: str = ""
    loads: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What could not be compared, as one line; empty if there is nothing."""
        shown = [f"{name} ({kind})" for name, kind in self.not_compared[:_SHOWN]]
        more = len(self.not_compared) - len(shown)
        return f"not compared: {', '.join(shown)}{f' and {more} more' if more else ''}" if shown else ""


def warm() -> None:
    """Start the helper process, so that the first verification does not wait for it."""
    HELPER.warm()


def verify(
    piece: Slice,
    *,
    handler: str | None = None,
    python: str | None = None,
    namespace: Values | None = None,
    env: Mapping[str, str] | None = None,
    here: Mapping[str, str] = MappingProxyType({}),
    folder: str | Path = ".",
    vendored: Sequence[tuple[str, bytes]] | None = (),
    bundles: Mapping[str, Values] = MappingProxyType({}),
    on_lambda: OnLambda = OnLambda(),  # noqa: B008 - frozen
    timeout: float = TIMEOUT_SECONDS,
) -> Verified:
    """Prove that a slice works by itself and has the kernel's values.

    Parameters
    ----------
    piece : Slice
        The slice.
    handler : str or None
        The name under which it must register a handler; default: none.
    python : str or None
        The target's Python, for example ``3.12``; default: no check of the syntax.
    namespace : Values or None
        The kernel's variables, to compare with; None for a notebook that was only read.
    env : Mapping[str, str] or None
        The function's environment variables.
    here : Mapping[str, str]
        The kernel's environment. A value that follows a variable of the function may be another one in the kernel.
    folder : str or Path
        The notebook's folder, whose files are not on Lambda.
    vendored : Sequence[tuple[str, bytes]] or None
        Pairs of path and content of the local modules that come along; no others can be imported. None: not known yet,
        all of the notebook's folder can be.
    bundles : Mapping[str, Values]
        Format, hash and file of the bundles that it loads, by name, and the notebook's own names they need.
    on_lambda : OnLambda
        Which packages are there. Default: all that are installed here.
    timeout : float
        Seconds that the import may take.

    Returns
    -------
    Verified: how long it took, and whether the result was known.

    Raises
    ------
    CaptureError
        The target's Python does not know the syntax; the module does not import in a clean process without credentials,
        network and local files; it does not register the handler; a name that the functions read is not there.
    DivergedError
        A variable differs from the kernel's, or is in one of the two only.
    """
    start = time.perf_counter()
    if python is not None:
        require_syntax(piece, python)
    imported = _imported(piece, vendored or ())
    # A counter that the handler itself changes is another one as soon as it was called here.
    ran = piece.changed if namespace is not None and _has_run(namespace.get(piece.function)) else frozenset[str]()
    names = [name for name in piece.values if name not in ran]
    described = of_concern(_describe(names, namespace or {}, imported), piece.module, env or ())
    kernel = without_before(described)
    files = [(name, hashlib.sha256(content).hexdigest()) for name, content in vendored or ()]
    as_here = {name: here.get(name) for name, value in (env or {}).items() if here.get(name) != value}
    where = [sorted((env or {}).items()), sorted(as_here.items()), str(folder), vendored is None]
    key = _key(
        piece,
        handler,
        python,
        kernel,
        namespace is None,
        *where,
        files,
        sorted(one["sha256"] for one in bundles.values()),
        sorted(on_lambda.packages),
        repr(on_lambda.state),
    )
    if key in _verified:
        _verified.move_to_end(key)
        return replace(_verified[key], seconds=time.perf_counter() - start, cached=True)
    loads = {name: _load_key(piece, name, entry, kernel) for name, entry in bundles.items()}
    shares = _may_share(piece, namespace)
    known = {name for name, load in loads.items() if load in _loaded and not shares}
    request: JSON = {
        "action": "verify",
        "module": piece.module,
        "segments": list(map(vars, piece.segments)),
        "notebook": piece.notebook,
        "names": sorted({*(piece.values if shares else names if namespace is not None else ()), *bundles} - known),
        "reads": sorted(piece.reads),
        "imported": imported,
        "bundles": {name: dict(entry) for name, entry in bundles.items()},
        "env": dict(env or {}),
        "codecs": named_codecs(piece.module),
        "marked": bool(piece.marked),
        "sharing": shares,
    }
    with _modules(vendored) as modules:
        place = {"folder": Path(folder).resolve(), "timeout": timeout, "modules": modules}
        asking = Asking(piece, described, request, place)
        answer = asking.ask()
        require_imported(answer, piece, timeout)
        if handler is not None and handler not in answer["registered"]:
            raise not_registered(piece.function, handler, answer["registered"])
        lacks, stays = asking.here_only(on_lambda, answer["loads"], *where, files)
        own = answer = asking.called(answer, kernel)
        if namespace is not None and as_here and not _agree(piece, set(names) - known, kernel, answer):
            # Is it of the variables? With the kernel's, all must be as in the kernel.
            request["env"] = {**request["env"], **_of(as_here, own["read"])}
            answer = asking.ask()
            answer = own if "error" in answer else answer
        answer["values"] = settled_in_places(piece, kernel, answer["values"], asking.elsewhere, asking.anew)
        differing, settings = apart(piece, kernel, answer["values"])
        hint = asking.hint(differing[0], kernel, answer["values"]) if differing is not None else None
    if namespace is not None:
        require_registered(piece, unregistered(answer["unregistered"]), answer["unregistered"])
        require_present(piece, set(names) - known, namespace, answer["values"], answer["undefined"])
    if namespace is None or "import *" in piece.module:
        require_defined(piece, answer["undefined"])
    if differing is not None:
        raise diverged(piece, *differing, hint)
    if own is not answer:
        require_defined(piece, own["undefined"])
    left = (
        *settings,
        *_not_compared(kernel, answer["values"], ran, piece.function),
        *_following(own, answer, _of(as_here, own["read"])),
        *apart_on_lambda(piece, _shared(piece, namespace or {}) if shares else (), answer["sharing"]),
    )
    seconds, memory = time.perf_counter() - start, own["memory_mb"]
    unheeded = own["unheeded"].get(handler, "")
    verified = Verified(seconds, False, left, _timed(own["seconds"]), _names(settings), memory, unheeded, lacks, stays)
    _remember(_verified, {key: verified})
    _remember(_loaded, dict.fromkeys(loads.values()))
    return verified


@contextmanager
def _modules(vendored: Iterable[tuple[str, bytes]] | None) -> Iterator[Path | None]:
    """Give a folder with the local modules that come along; None if it is not known which."""
    if vendored is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="nbchalice-") as folder:
        for name, content in vendored:
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield Path(folder)


def _names(settings: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(name for name, _ in settings)


def _timed(seconds: Iterable[Sequence[Any]]) -> tuple[tuple[str, int, float], ...]:
    return tuple((str(cell), int(line), float(spent)) for cell, line, spent in seconds)


def _of(variables: Mapping[str, str | None], read: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return those of some variables that were read."""
    return {name: value for name, value in variables.items() if name in read or ALL in read}


def _agree(piece: Slice, asked: set[str], kernel: Mapping[str, Node], answer: Values) -> bool:
    """Tell whether the module has what the kernel has, and nothing is lacking."""
    same = all((name in kernel) == (name in answer["values"]) for name in asked)
    return same and not answer["undefined"] and find_difference(piece, kernel, answer["values"]) is None


def _following(own: Values, answer: Values, variables: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give what follows the variables: another value with those of the function than with the kernel's."""
    if own is not answer:
        names = ", ".join(sorted(variables))
        many = "s" if "," in names else ""
        for name in sorted({*own["values"], *answer["values"]}):
            one, other = own["values"].get(name), answer["values"].get(name)
            if one is None or other is None or differ(other, one):
                yield name, f"from the variable{many} {names}"


def _may_share(piece: Slice, namespace: Values | None) -> bool:
    """Tell whether it matters that a bundle holds an object that another variable of the kernel holds, too."""
    return bool(namespace and piece.bundles and piece.changed)


def _shared(piece: Slice, namespace: Values) -> list[Shared]:
    return sharing({name: namespace[name] for name in piece.values if name in namespace}, piece.bundles)


def _imported(piece: Slice, along: Iterable[tuple[str, bytes]]) -> dict[str, list[tuple[str, str | None]]]:
    """Return the names that imports bind, but for those of modules that come along and are no local ones here."""
    along_with_it = {name.partition("/")[0].removesuffix(".py") for name, _ in along}
    local = {name for name in along_with_it if not is_local(sys.modules.get(name))}
    found = {}
    for name, sources in piece.imported.items():
        if not any(module.partition(".")[0] in local for module, _ in sources):
            found[name] = sources
    return found


def _has_run(handler: object) -> bool:
    """Tell whether a handler may have been called in this kernel; of a plain function nobody knows."""
    return not isinstance(handler, LambdaFunction) or handler.name in LambdaFunction.called


def _describe(
    names: Iterable[str], namespace: Values, imported: Mapping[str, list[tuple[str, str | None]]]
) -> dict[str, Node]:
    here = {name: namespace[name] for name in names if name in namespace}
    found, standing = {}, standing_names(here)
    for name, value in here.items():
        sources = imported.get(name)
        found[name] = describe(value, standing) if sources is None else describe_imported(value, sources, standing)
    return found


def _not_compared(
    kernel: Mapping[str, Node], module: Mapping[str, Node], ran: Iterable[str], function: str
) -> Iterator[tuple[str, str]]:
    """Give what was not compared, with its type or the reason."""
    for name in sorted(ran):
        yield name, f"{function} changes it, and may have run here"
    for name, node in kernel.items():
        if name in module:
            yield from ((name + path, kind) for path, kind in not_compared(node, module[name]))
            if differ_in_rounding(node, module[name]):
                yield name, LAST_DIGITS


def require_syntax(piece: Slice, python: str) -> None:
    """Refuse syntax that the target's Python does not know.

    Parameters
    ----------
    piece : Slice
        The slice.
    python : str
        The target's Python, for example ``3.12``.
    """
    minor = int(python.split(".")[1])
    try:
        ast.parse(piece.module, feature_version=(3, minor))
    except SyntaxError as error:
        raise CaptureError(
            f"Python {python} does not have this syntax: {error.msg}",
            "write it differently, or choose a newer Python with --python",
            location_of(piece.segments, piece.module, error.lineno or 1),
            code="target-syntax",
        ) from None


def _key(piece: Slice, *others: object) -> str:
    parts = [piece.module, piece.notebook, *others]
    return hashlib.sha256(dumps(parts).encode()).hexdigest()


def _load_key(piece: Slice, name: str, entry: Values, kernel: JSON) -> str:
    """Return what tells whether a bundle has been loaded: with classes of the notebook, the module counts too."""
    parts = [name, entry["sha256"], kernel.get(name), piece.module if entry.get("notebook_names") else ""]
    return hashlib.sha256(dumps(parts).encode()).hexdigest()


def _remember(kept: OrderedDict[str, _T], new: Mapping[str, _T]) -> None:
    kept.update(new)
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)
