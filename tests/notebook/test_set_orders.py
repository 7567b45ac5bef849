"""What follows the order of a set is found for certain, however few elements the set has."""

import itertools
import os
import subprocess
import sys

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.notebook.capture.set_orders import may_have_set, seeds_for, text_hash
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.capture.verify import verify, warm
from nbchalice.notebook.cells import Cell
from nbchalice.notebook.sandbox.helper import FIRST_SEED

H = "def h(event):\n    return "
TEXTS = ["", "a", "ada", "né", "abcdefgh", "longer than one word of eight", "€ 3", "\U0001f600 smiles", "\0"]


@pytest.fixture(autouse=True, scope="module")
def helper():
    warm()


def proven(*sources):
    """Compare with the values that this process has, whose hashes have a seed by chance."""
    space = {"__name__": "__main__"}
    for source in sources:
        exec(source, space)
    cells = [Cell(f"c{order}", f"cell {order + 1}", source, order) for order, source in enumerate(sources)]
    return verify(slice_handler(cells, "h", notebook="nb.ipynb", namespace=space), namespace=space)


@pytest.mark.parametrize("seed", [1, 2, 33, 4_000_000_000])
def test_the_hash_of_a_text_is_python_s(seed):
    code = f"import sys; print([hash(text) & (1 << 64) - 1 for text in {TEXTS!a}])"
    env = {**os.environ, "PYTHONHASHSEED": str(seed)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert [text_hash(text, seed) for text in TEXTS] == eval(done.stdout)


@pytest.mark.parametrize("pair", [*itertools.combinations(["ada", "bob", "eve", "x", "é", "10"], 2)])
def test_two_texts_come_in_both_orders(pair):
    text = f"names = list({{{pair[0]!r}, {pair[1]!r}}})"
    orders = set()
    for seed in [FIRST_SEED, *seeds_for(text, {})]:
        code = f"print(list({{{pair[0]!a}, {pair[1]!a}}}) == [{pair[0]!a}, {pair[1]!a}] and 'first' or 'second')"
        env = {**os.environ, "PYTHONHASHSEED": str(seed)}
        orders.add(subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout)
    assert len(orders) == 2


@pytest.mark.parametrize("pair", ["ada bob", "x y", "north south", "tea milk", "10 20"])
@pytest.mark.parametrize(
    "made",
    [
        "X = list({A, B})",
        "X = next(iter({A, B}))",
        "X = {k: i for i, k in enumerate(set([A, B]))}",
        "rows = [A, B]\nX = '-'.join({one.strip() for one in rows})",
        "one, two = {A: 1, B: 2, 'c': 3}, {'c': 1}\nX = list(one.keys() - two.keys())",
        "both = frozenset((A, B))\ndef first():\n    return [*both][0]\nX = first()",
        "X = hash(A) % 2",
    ],
)
def test_what_follows_the_order_of_two_texts_is_refused(pair, made):
    one, two = pair.split()
    with pytest.raises(NbChaliceError) as caught:
        proven(made.replace("A", repr(one)).replace("B", repr(two)), f"{H}X")
    assert caught.value.variable == "X"
    assert caught.value.hint.startswith("a set has another order in each process, and a text another hash")


@pytest.mark.parametrize(
    "made",
    [
        "X = sorted({'ada', 'bob'})",
        "X = {'ada', 'bob'}",
        "stop = {'a', 'of'}\nX = [w for w in ['cat', 'of'] if w not in stop]",
    ],
)
def test_what_does_not_follow_it_passes(made):
    proven(made, f"{H}X")


def test_code_without_a_set_is_run_once():
    assert not may_have_set("x = {'a': 1}\ny = [one for one in x]\nz = f'{y}'")
    for made in (
        "{'a:b', 'c'}",
        "{one for one in x}",
        "set(x)",
        "x.keys() & y.keys()",
        "x.union(y)",
        "map(frozenset, x)",
    ):
        assert may_have_set(f"z = {made}")
