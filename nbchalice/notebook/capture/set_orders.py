"""Hash seeds under which two texts stand in a set in the one order, and in the other.

A set of two texts is in the same order in every second process. So it is not left to chance in which processes a slice
is run: of ``list({"ada", "bob"})`` it is known under which seeds ``ada`` comes first.
"""

from __future__ import annotations

import ast
import struct
import sys
from functools import lru_cache
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.analysis.known_calls import words
from nbchalice.notebook.sandbox.helper import FIRST_SEED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbchalice.notebook.sandbox.values import Node

_SEEDS = range(2, 34)
_MOST_RUNS, _MOST_TEXTS, _LONGEST = 3, 24, 40
_PARITY = "\0"
"""Stands for the other text where it is about a hash itself."""
_MOST_PAIRS = _MOST_TEXTS**2
_SLOTS = 0b111
"""Up to four elements stand in a table of eight slots, each in that which the last bits of its hash tell."""
_NAMES = words("set frozenset hash")
_METHODS = words("union intersection difference symmetric_difference")
_VIEWS = words("keys items")
_64_BITS = 0xFFFFFFFFFFFFFFFF


def may_have_set(text: str) -> bool:
    """Tell whether code may make a set, or ask for a hash.

    Parameters
    ----------
    text : str
        The text of a module.
    """
    return any(map(_is_of_set, ast.walk(ast.parse(text))))


def _is_of_set(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in _NAMES
    if isinstance(node, ast.Attribute):
        return node.attr in _METHODS
    if isinstance(node, ast.BinOp):  # stock.keys() - sold.keys()
        sides = [side.func for side in (node.left, node.right) if isinstance(side, ast.Call)]
        return any(isinstance(side, ast.Attribute) and side.attr in _VIEWS for side in sides)
    return isinstance(node, ast.Set | ast.SetComp)


def seeds_for(text: str, values: Mapping[str, Node]) -> list[int]:
    """Return the seeds under which a module is to be run, too: few, and none is left to chance.

    Parameters
    ----------
    text : str
        The text of the module.
    values : Mapping[str, Node]
        Descriptions of its variables, whose texts may be a set's as those that are written in the module.
    """
    together = _written_together(text)
    pairs = chain.from_iterable(combinations(group[:_MOST_TEXTS], 2) for group in together)
    left = dict.fromkeys(pairs, True)
    others = dict.fromkeys([*chain.from_iterable(together), *_constants(text), *_texts(values)])
    left |= {pair: False for pair in combinations(list(others)[:_MOST_TEXTS], 2) if pair not in left}
    if any(isinstance(node, ast.Name) and node.id == "hash" for node in ast.walk(ast.parse(text))):
        left |= {(one, _PARITY): True for one in list(others)[:_MOST_TEXTS]}
    if not left or sys.hash_info.algorithm != "siphash13":
        return list(_SEEDS[:_MOST_RUNS])
    orders = {pair: {_order(pair, FIRST_SEED)} - {0} for pair in left}
    chosen: list[int] = []
    while any(len(known) < 2 for known in orders.values()) and len(chosen) < _MOST_RUNS:
        seed = max(_SEEDS, key=lambda seed: _worth(seed, orders, left))
        chosen.append(seed)
        orders = {pair: known | ({_order(pair, seed)} - {0}) for pair, known in orders.items()}
    return chosen


def _worth(seed: int, orders: Mapping[tuple[str, str], set[int]], together: Mapping[tuple[str, str], bool]) -> int:
    """Return for how many pairs a seed gives an order that no other gave; those of one set count most."""
    total = 0
    for pair, known in orders.items():
        order = _order(pair, seed)
        if order and order not in known:
            total += _MOST_PAIRS if together[pair] else 1
    return total


def _order(pair: tuple[str, str], seed: int) -> int:
    """Return 1 if the first comes first in a set, -1 if the second does, 0 if that depends on more."""
    if pair[1] == _PARITY:  # hash("orders") % 2
        return -1 if text_hash(pair[0], seed) & 1 else 1
    one, two = (text_hash(text, seed) & _SLOTS for text in pair)
    return (two > one) - (one > two)


# -- which texts -------------------------------------------------------------------------------------------------


def _written_together(text: str) -> list[list[str]]:
    """Return the texts of each set that is written out: ``{"a", "b"}``, ``set(["a", "b"])``, ``set("ab")``."""
    found = []
    for node in ast.walk(ast.parse(text)):
        held: ast.AST | None = node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NAMES and node.args:
            held = node.args[0]
        elif not isinstance(node, ast.Set):
            continue
        if isinstance(held, ast.Constant) and isinstance(held.value, str):
            found.append(sorted(set(held.value)))
        elif isinstance(held, ast.Set | ast.List | ast.Tuple):
            found.append(sorted({one.value for one in held.elts if _is_text(one)}))  # type: ignore[attr-defined]
    return found


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _constants(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) <= _LONGEST:
            yield node.value
            yield from node.value.split()


def _texts(values: Mapping[str, Node]) -> Iterator[str]:
    """Give the texts in descriptions, those of the smallest values first."""
    nodes: list[Any] = list(values.values())
    for node in nodes:
        if not isinstance(node, list) or len(nodes) > 1000:
            continue
        if node[:2] == ["leaf", "str"] and len(str(node[2])) <= _LONGEST and str(node[2])[:1] in {"'", '"'}:
            yield str(ast.literal_eval(node[2]))
        else:
            nodes += node


# -- Python's hash of a text -------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def text_hash(text: str, seed: int) -> int:
    """Return the hash of a text in a process whose ``PYTHONHASHSEED`` is given: SipHash-1-3, without the sign.

    Parameters
    ----------
    text : str
        The text.
    seed : int
        The seed.
    """
    widest = max(map(ord, text), default=0)
    code = "latin-1" if widest < 1 << 8 else f"utf-{16 if widest < 1 << 16 else 32}-{_END}"
    data = text.encode(code, "surrogatepass")
    one, two = _key(seed)
    state = (one ^ 0x736F6D6570736575, two ^ 0x646F72616E646F6D, one ^ 0x6C7967656E657261, two ^ 0x7465646279746573)
    whole = len(data) // 8 * 8
    last = len(data) % 256 << 56 | int.from_bytes(data[whole:], "little")
    for word in (*struct.unpack(f"<{whole // 8}Q", data[:whole]), last):
        v0, v1, v2, v3 = _round(state[0], state[1], state[2], state[3] ^ word)
        state = (v0 ^ word, v1, v2, v3)
    state = (state[0], state[1], state[2] ^ 0xFF, state[3])
    for _ in range(3):
        state = _round(*state)
    return state[0] ^ state[1] ^ state[2] ^ state[3] if text else 0


_END = "le" if sys.byteorder == "little" else "be"


@lru_cache
def _key(seed: int) -> tuple[int, int]:
    """Return what Python makes of a seed, as ``lcg_urandom`` does."""
    number, found = seed, bytearray()
    for _ in range(16):
        number = (number * 214013 + 2531011) & 0xFFFFFFFF
        found.append(number >> 16 & 0xFF)
    one, two = struct.unpack("<2Q", found)
    return one, two


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0, v2 = (v0 + v1) & _64_BITS, (v2 + v3) & _64_BITS
    v1, v3 = _turned(v1, 13) ^ v0, _turned(v3, 16) ^ v2
    v0 = _turned(v0, 32)
    v2, v0 = (v2 + v1) & _64_BITS, (v0 + v3) & _64_BITS
    v1, v3 = _turned(v1, 17) ^ v2, _turned(v3, 21) ^ v0
    return v0, v1, _turned(v2, 32), v3


def _turned(value: int, bits: int) -> int:
    return (value << bits | value >> 64 - bits) & _64_BITS
