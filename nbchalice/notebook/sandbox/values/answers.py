"""What memoized functions keep: which answer to which arguments.

Whether a function was called before does not matter, as long as it would answer the same now. So answers are compared
where both have them; for the others the captured module's function is called, as it would be on Lambda::

    ["kept", "answers", [["(10)", node], ...], others]

``others`` is the number of the answers whose arguments cannot be written down.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.sandbox.values.nodes import Describer, Node

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 200
_LONGEST = 200
_HOLDERS = (" (closure cache)", ".cache")
"""Where a function that a library memoizes has what it keeps."""


def describe_cached_function(describer: Describer, value: Any, path: str) -> Node:
    """Describe a function that ``functools.lru_cache`` made."""
    held = dict(object.__getattribute__(value, "__dict__"))
    parameters = value.cache_parameters()
    node = describer.parts(type(value).__name__, [(f".{name}", item) for name, item in held.items()], path)
    answers = [(_of_key(key, typed=parameters["typed"]), result) for key, result in _results(value)]
    return [*node[:2], [*node[2], ["", _kept(describer, answers, path)]], *node[3:]]


def describe_cache(describer: Describer, value: Any, path: str) -> Node:
    """Describe a cache of the library cachetools."""
    held = value._Cache__data
    answers = [(_of_key(key, typed=False) if isinstance(key, tuple) else None, item) for key, item in held.items()]
    node = describer.parts(type(value).__name__, [(".maxsize", value.maxsize)], path)
    return [*node[:2], [*node[2], ["", _kept(describer, answers, path)]], *node[3:]]


def describe_kept_in_files(describer: Describer, value: Any, path: str) -> Node:
    """Describe a function of ``joblib.Memory``, which keeps its answers in files of this computer."""
    node = describer.parts(type(value).__name__, [(".func", value.func), (".ignore", value.ignore)], path)
    return [*node[:2], [*node[2], [" (answers it keeps)", ["opaque", "in files of this computer"]]], *node[3:]]


def _results(value: Any) -> list[tuple[Any, Any]]:
    """Return key and answer of each entry: of a dictionary, or if their number is limited, of a chain of links."""
    held, info = gc.get_referents(value), value.cache_info()
    if info.maxsize is None:
        return list(next(item for item in held if type(item) is dict).items())
    return list(zip(held[1 : 1 + 3 * info.currsize : 3], held[2 : 2 + 3 * info.currsize : 3], strict=True))


def _of_key(key: Any, *, typed: bool) -> tuple[list[Any], dict[str, Any]] | None:
    """Return the arguments that a key stands for: one alone, or a tuple ``(1, mark, "y", 2)``."""
    if not isinstance(key, tuple):
        return [key], {}
    at = next((number for number, item in enumerate(key) if _is_mark(item)), None)
    if at is None:
        return list(key[: len(key) // 2] if typed else key), {}
    named = list(key[at + 1 :])
    if typed:
        named = named[: (len(named) - at) // 3 * 2]
    pairs = (
        named if named and isinstance(named[0], tuple) else [tuple(named[i : i + 2]) for i in range(0, len(named), 2)]
    )
    return list(key[:at]), dict(pairs)


def _is_mark(item: object) -> bool:
    return type(item) is object or getattr(item, "__name__", "") == "_HashedTuple"


def _kept(
    describer: Describer, answers: Iterable[tuple[tuple[list[Any], dict[str, Any]] | None, Any]], path: str
) -> Node:
    entries: list[list[Any]] = []
    others = 0
    before, describer.inside = describer.inside, 0  # The answers are the notebook's.
    for arguments, result in answers:
        label = _written(describer, arguments) if arguments is not None and len(entries) < _MOST else None
        if label is None:
            others += 1
        else:
            entries.append([label, describer.describe(result, path + label)])
    describer.inside = before
    return ["kept", "answers", sorted(entries, key=lambda entry: str(entry[0])), others]


def _written(describer: Describer, arguments: tuple[list[Any], dict[str, Any]]) -> str | None:
    """Return arguments as they are written in a call, if they are plain data or variables."""
    given = [_text(describer, item) for item in arguments[0]]
    named = [(name, _text(describer, item)) for name, item in arguments[1].items()]
    texts = [*given, *(None if text is None else f"{name}={text}" for name, text in named)]
    known = [text for text in texts if text is not None]
    whole = f"({', '.join(known)})"
    return whole if len(known) == len(texts) and len(whole) <= _LONGEST else None


def _text(describer: Describer, item: Any) -> str | None:
    kind = type(item)
    if kind in (bool, int, str, bytes, type(None)) or (kind is float and math.isfinite(item)):
        return repr(item)
    if kind is tuple:
        texts = [_text(describer, one) for one in item]
        known = [text for text in texts if text is not None]
        return f"({', '.join(known)}{',' * (len(known) == 1)})" if len(known) == len(texts) else None
    return describer.standing.get(id(item))


# -- two descriptions --------------------------------------------------------------------------------------------


def unanswered(here: Node, there: Node, path: str = "") -> Iterator[tuple[str, str]]:
    """Give path and arguments of the answers that the first description has and the second has not.

    Parameters
    ----------
    here, there : Node
        The descriptions.
    path : str
        The way to them.
    """
    if here[:2] != there[:2]:
        return
    if here[0] == "kept":
        known = dict(there[2])
        yield from ((path, label) for label, _ in here[2] if label not in known)
    elif here[0] == "parts":
        others = dict(there[2])
        for label, node in here[2]:
            if label in others:
                yield from unanswered(node, others[label], path + label)
    elif here[0] == "items":
        for index, (one, other) in enumerate(zip(here[2], there[2], strict=False)):
            yield from unanswered(one, other, f"{path}[{index}]")


def with_answers(node: Node, found: Mapping[tuple[str, str], Node], path: str = "") -> Node:
    """Return a description with more answers.

    Parameters
    ----------
    node : Node
        The description.
    found : Mapping[tuple[str, str], Node]
        The answers, by path and arguments.
    path : str
        The way to it.
    """
    if node[0] == "kept":
        return [*node[:2], [*node[2], *([label, one] for (at, label), one in found.items() if at == path)], node[3]]
    if node[0] == "parts":
        return [*node[:2], [[label, with_answers(one, found, path + label)] for label, one in node[2]], *node[3:]]
    if node[0] == "items":
        items = [with_answers(one, found, f"{path}[{index}]") for index, one in enumerate(node[2])]
        return [*node[:2], items, *node[3:]]
    return node


def function_of(held: Mapping[str | None, Any], path: str) -> Any:
    """Return the function that keeps answers at a path; None if it is not there.

    Parameters
    ----------
    held : Mapping[str or None, Any]
        What a value holds, by path.
    path : str
        The path.
    """
    for end in ("", *_HOLDERS):
        found = held.get(path.removesuffix(end)) if path.endswith(end) else None
        if callable(found):
            return found
    return None
