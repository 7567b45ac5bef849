"""What modules keep for the whole process: settings, and the states of their random generators.

``decimal.getcontext().prec = 5`` gives ``Decimal(2) / 3`` another value, though nothing that a handler names changed.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.analysis.lookups import lookups
from nbchalice.notebook.sandbox.values.describe import describe
from nbchalice.notebook.sandbox.values.nodes import Node, leaf
from nbchalice.notebook.sandbox.values.patched import patched, plain_text
from nbchalice.notebook.sandbox.values.process import GENERATOR, KEPT, OF_THE_PLACE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_SEEDS = re.compile(r"seed\(|set_?state\(")
_NAMED = re.compile(r"[\[(]'(.+)'[\])]")
_BEFORE = " before"


def kept(module: str, *others: str) -> list[list[Any]]:
    """Return what modules keep, as labels and nodes; of what a kernel may set for itself also what it was before.

    Parameters
    ----------
    module, *others : str
        The dotted names of modules of one library.
    """
    top = module.partition(".")[0]
    found = sys.modules.get(top)
    if found is None:
        return []
    try:
        parts = [*patched([module, *others]), *_kept(top, found)]
    except Exception:  # half loaded, or of another version
        return []
    before = [[label + _BEFORE, node] for label, node in _START.get(top, {}).items()]
    return [*parts, *before]


def _kept(top: str, found: Any) -> list[list[Any]]:
    return [[f" ({top}.{label})", _node(value)] for label, value in (KEPT[top](found) if top in KEPT else ())]


def _node(value: object) -> Node:
    plain = plain_text(value)
    return describe(value) if plain is None else leaf(type(value).__name__, plain, repr(value))


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
for _name in sorted(OF_THE_PLACE & sys.modules.keys()):
    _START[_name] = {label: node for label, node in _kept(_name, sys.modules[_name]) if "environ[" not in label}
