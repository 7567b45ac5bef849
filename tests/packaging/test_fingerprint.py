"""What counts as another code, and what only tells where it came from."""

import itertools
from types import SimpleNamespace

import pytest

from nbchalice.packaging.artifact import build
from nbchalice.packaging.statement_order import in_one_order
from nbchalice.runtime.cells import Segment

CELLS = [
    ("cell 2", "a", 1, "from nbchalice import Chalice, Rate\napp = Chalice(app_name='shop')"),
    ("cell 3", "b", 1, "import json\nRATE = 24 * 60"),
    (
        "cell 4",
        "c",
        3,
        "# Doubles.\ndef double(x: int | None = 1) -> dict[str, int]:\n    y = {'x': x * RATE}\n    return y",
    ),
    (
        "cell 5",
        "d",
        2,
        "@app.schedule(Rate(5, unit=Rate.MINUTES))\ndef tick(event):\n    return double(json.loads('1'))",
    ),
]


def fingerprint(cells, notebook="shop.ipynb", **options):
    """Return the fingerprint of the zip that cells give."""
    lines, segments = [f"# Captured from {notebook} by nbchalice."], []
    for label, identity, line, text in cells:
        lines += ["", f"# {notebook}, {label}, line {line}"]
        part = text.split("\n")
        segments.append(Segment(label, identity, len(lines) + 1, len(part), line))
        lines += part
    made = SimpleNamespace(module="\n".join(lines) + "\n", segments=segments, function="tick", notebook=notebook)
    return build(made, "tick", python="3.13", **options).fingerprint


def test_labels_ids_and_lines_do_not_count():
    moved = [
        (f"cell {number}", f"{identity}{identity}", line + 7, text)
        for number, (_, identity, line, text) in enumerate(CELLS)
    ]
    assert fingerprint(moved) == fingerprint(CELLS)


@pytest.mark.parametrize(
    ("number", "old", "new"),
    [
        (1, "24", "25"),
        (2, "x * RATE", "x + RATE"),
        (2, "Doubles", "Trebles"),
        (3, "Rate(5", "Rate(6"),
        (0, "shop", "shops"),
    ],
)
def test_each_text_counts(number, old, new):
    label, identity, line, text = CELLS[number]
    edited = [*CELLS[:number], (label, identity, line, text.replace(old, new)), *CELLS[number + 1 :]]
    assert fingerprint(edited) != fingerprint(CELLS)


def test_all_else_in_the_zip_counts():
    found = [
        fingerprint(CELLS),
        fingerprint(CELLS, requirements=["numpy==2.0.0"]),
        fingerprint(CELLS, vendored=[("helper.py", b"A = 1\n")]),
        fingerprint(CELLS, vendored=[("helper.py", b"A = 2\n")]),
        fingerprint(CELLS, notebook="other.ipynb"),
    ]
    assert len(set(found)) == len(found)


def orders(statements, *chains):
    """Return the orders of statements that keep each chain of numbers in its order."""
    for order in itertools.permutations(range(len(statements))):
        if all(list(chain) == sorted(chain, key=order.index) for chain in chains):
            yield [statements[number] for number in order]


FREE = {
    "definitions": ["RATE = 2", "def one():\n    y = RATE\n    return y", "def two():\n    y = one()\n    return y"],
    "imports of Python's": ["import json", "from re import sub", "import os.path as p"],
    "a handler and a client": [
        "import boto3\nclient = boto3.client('s3')",
        "import json",
        "def load():\n    return client, json",
    ],
    "a class": [
        "class Order:\n    price: float = 1.0\n    @property\n    def total(self):\n        return self.price",
        "B = [1, (2, 'x')]",
    ],
    "another name": ["print(A_LIST)", "B = 1"],
}


@pytest.mark.parametrize("case", FREE)
def test_an_order_that_is_free_does_not_count(case):
    assert len({tuple(in_one_order(one)) for one in orders(FREE[case])}) == 1


BOUND = {
    "a name bound twice": ["RATE = 1", "RATE = 2"],
    "a value that is used": ["A = 1", "B = A"],
    "a value that is used by what is called": ["A = 1", "def f():\n    return A", "B = f()"],
    "what is called through another name": ["A = 1", "def f():\n    return A", "g = f", "B = g()"],
    "a callback in a list": ["A = 1", "def f():\n    return A", "TODO = []", "TODO.append(f)", "B = TODO[0]()"],
    "two that act": ["third = Decimal(1) / 3", "getcontext().prec = 5"],
    "an attribute of something": ["LIMIT = settings.limit", "configure(limit=5)"],
    "an item of something": ["HOME = environ['HOME']", "load_dotenv()"],
    "imports of other people's": ["import patches", "import requests"],
    "globals": ["A = 1", "globals()['B'] = 2"],
    "a star": ["from helpers import *", "A = 1"],
    "a default": ["A = 1", "def f(x=A):\n    return x"],
    "a decorator": ["@cache\ndef f():\n    return 1", "patch()"],
    "a constructor of one's own": ["@app.schedule(Rate(5))\ndef f(event):\n    pass", "patch()"],
    "a base class": ["class A(Base):\n    pass", "patch()"],
    "an operator": ["chain = prompt | model", "patch()"],
    "the future": ["from __future__ import annotations", "A = 1"],
    "a deletion": ["A = 1", "del A", "B = 2"],
}


@pytest.mark.parametrize("case", BOUND)
def test_an_order_that_may_matter_counts(case):
    first, *others = BOUND[case][:2] if case == "a deletion" else BOUND[case]
    given = [first, *others]
    swapped = [*given[:-2], given[-1], given[-2]]
    assert in_one_order(given) != in_one_order(swapped)


@pytest.mark.parametrize(
    "case", ["a value that is used by what is called", "what is called through another name", "a callback in a list"]
)
def test_a_value_stays_before_the_call_that_may_use_it(case):
    given = BOUND[case]
    assert in_one_order(given) != in_one_order([*given[1:], given[0]])
    assert in_one_order(given).index("A = 1") < in_one_order(given).index(given[-1])


COMPARED = {
    "two clients": (["import boto3", "s3 = boto3.client('s3')", "sqs = boto3.client('sqs')"], True),
    "imports of other people's": (["import patches", "import requests"], True),
    "a decorator": (["@cache\ndef f():\n    return 1", "third = Decimal(1) / 3"], True),
    "what sets something": (["third = Decimal(1) / 3", "getcontext().prec = 5"], False),
    "what is called for its effect": (["third = Decimal(1) / 3", "setcontext(BasicContext)"], False),
    "an item": (["A = make()", "A['x'] = 1"], False),
    "a value of another": (["A = make()", "B = A + make()"], False),
    "a value that a function uses": (["A = make()", "def f():\n    return A", "B = f()"], False),
    "what a function uses when it is called": (
        ["@dataclass\nclass A:\n    x: int", "@cache\ndef f():\n    return A(1)"],
        True,
    ),
    "a decorator that is made": (["cache = make()", "@cache\ndef f():\n    return A(1)"], False),
    "a loop": (["A = make()", "for x in range(3):\n    use(x)"], False),
}


@pytest.mark.parametrize("case", COMPARED)
def test_where_values_are_compared_those_that_make_some_are_free(case):
    given, free = COMPARED[case]
    swapped = [*given[:-2], given[-1], given[-2]]
    if case == "a value that a function uses":
        swapped = [*given[1:], given[0]]
    assert (in_one_order(given, compared=True) == in_one_order(swapped, compared=True)) == free
