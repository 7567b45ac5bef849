"""What code looks up by a text, by a base class or by its place: it comes along, or one line says what does not."""

import contextlib
import sys
import types

import pytest

from nbchalice.notebook.capture.companions import told
from nbchalice.notebook.capture.looked_up import FOLLOWED_BY_TEXT
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.cells import Cell
from nbchalice.runtime.cells import load_module


def cut(*sources):
    cells = [Cell(f"c{n}", f"cell {n + 1}", source, n) for n, source in enumerate(sources)]
    return slice_handler(cells, "h", notebook="nb.ipynb")


@contextlib.contextmanager
def standing(name, module):
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        yield
    finally:
        sys.modules.pop(name, None)
        if before is not None:
            sys.modules[name] = before


def in_the_notebook(*sources):
    """Run the cells as a kernel does, and call the handler."""
    module = types.ModuleType("__main__")
    with standing("__main__", module):
        for source in sources:
            exec(source, vars(module))
        return module.h({})


def on_lambda(piece):
    """Import the module as the function does, and call the handler."""
    with standing("notebook_code", types.ModuleType("notebook_code")):
        module = load_module(piece.module, piece.segments, piece.notebook, "notebook_code")
        sys.modules["notebook_code"] = module
        return module.h({})


BASE = "class Base:\n    kind = 'base'\n    @classmethod\n    def all(cls):\n        return cls.__subclasses__()"
MODEL = "from pydantic import BaseModel\n"


@pytest.mark.parametrize(
    "sources",
    [
        [BASE, "class Csv(Base): kind = 'csv'", "def h(event): return [c.kind for c in Base.__subclasses__()]"],
        [BASE, "class Csv(Base): kind = 'csv'", "def h(event): return [c.kind for c in Base.all()]"],
        [BASE, "class Csv(Base): kind = 'csv'", "def h(event): return [c.kind for c in type.__subclasses__(Base)]"],
        [
            f"{BASE}\nclass Middle(Base): pass",
            "class Leaf(Middle): kind = 'leaf'",
            "def every(c):\n    for one in c.__subclasses__():\n        yield one.kind\n        yield from every(one)",
            "def h(event): return list(every(Base))",
        ],
        [
            "import json",
            "class Mine(json.JSONEncoder): pass",
            "def h(event): return 'Mine' in {c.__name__ for c in json.JSONEncoder.__subclasses__()}",
        ],
        ["rate = 3", "def h(event): return globals()['rate'], globals().get('rate'), 'rate' in globals()"],
        ["rate = 3", "def h(event): return '{rate}'.format(**globals()) + '%(rate)s' % globals()"],
        ["rate = 3", "from string import Template\ndef h(event): return Template('$rate').substitute(globals())"],
        ["rate = 3", "import sys\ndef h(event): return sys.modules[__name__].rate"],
        ["rate = 3", "import sys\ndef h(event): return getattr(sys.modules[__name__], 'rate')"],
        ["rate = 3", "import sys\ndef h(event): return hasattr(sys.modules[__name__], 'rate')"],
        ["rate = 3\ndef twice(x): return 2 * x", "def h(event): return eval('twice(rate)')"],
        ["rate = 3", "def h(event):\n    found = {}\n    exec('y = rate + 1', globals(), found)\n    return found['y']"],
        ["def slow(): return 1", "import timeit\ndef h(event): return timeit.timeit('slow()', globals=globals(), number=1) > 0"],
        [f"{MODEL}class Order(BaseModel):\n    items: list['Item']", "class Item(BaseModel):\n    n: int",
         "def h(event): return Order(items=[{'n': 3}]).model_dump()"],
        [f"{MODEL}from typing import Optional\nclass Order(BaseModel):\n    item: 'Optional[Item]' = None",
         "class Item(BaseModel):\n    n: int", "def h(event): return Order(item={'n': 3}).model_dump()"],
        ["import typing\ndef f(x: 'Inner') -> 'Inner | None': pass", "class Inner: pass",
         "def h(event): return typing.get_type_hints(f)['x'].__name__"],
        ["from dataclasses import dataclass\nimport typing\n@dataclass\nclass Cfg:\n    inner: 'Inner'",
         "class Inner: pass", "def h(event): return typing.get_type_hints(Cfg)['inner'].__name__"],
        ["import typing\nT = typing.TypeVar('T', bound='Inner')\nItems = list['Inner']\ndef f(x: Items, y: T): pass",
         "class Inner: pass", "def h(event): return str(typing.get_type_hints(f)['x']).rpartition('.')[2]"],
    ],
)  # fmt: skip
def test_what_a_text_or_a_base_class_leads_to_comes_along(sources):
    piece = cut(*sources)
    assert on_lambda(piece) == in_the_notebook(*sources)
    assert told([piece]) == []


@pytest.mark.parametrize(
    "body",
    [
        "return frame.query('a > @limit')",
        "return frame.query(f'a > @limit and a < {9}')",
        "text = 'a > @limit'\n    return frame.query(text)",
        "return frame.query(TEXT)",
        "return frame.eval('@limit * a')",
        "return pd.eval('limit + 1')",
        "return ne.evaluate('2 * limit')",
        "return duckdb.sql('select * from limit where x = 1')",
        "return duckdb.sql(QUERY)",
        "text = 'select 1 from other'\n    return duckdb.query(QUERIES['all'])",
        "return duckdb.execute(QUERY.format(event))",
        "return ne.evaluate(SUM)",
        "return smf.ols('y ~ limit(x)', frame)",
    ],
)
def test_names_in_a_text_for_a_library_come_along(body):
    libraries = "import pandas as pd, numexpr as ne, duckdb\nimport statsmodels.formula.api as smf\nTEXT = 'a > @limit'"
    libraries += "\nSUM = 'limit + 1'\nQUERY = 'select * from limit {}'\nQUERIES = {'all': QUERY}"
    piece = cut(libraries, "limit = 2\na = x = y = open", f"def h(event, frame=None):\n    {body}")
    assert "limit = 2" in piece.module
    assert "y = open" not in piece.module
    assert told([piece]) == []


@pytest.mark.parametrize(
    ("sources", "code"),
    [
        (["def fx(): return 1\ndef fy(): return 2", "def h(event): return [globals()[n]() for n in ['fx', 'fy']]"],
         "globals()[n]"),
        (["def fx(): return 1\nOPS = {'a': 'fx'}", "def h(event): return globals()[OPS['a']]()"], "globals()[OPS['a']]"),
        (["def fx(): return 1\nCODE = 'fx() + 1'", "def h(event): return eval(CODE)"], "eval(CODE)"),
        (["rate = 1\nTEXT = '{rate}'", "def h(event): return TEXT.format(**globals())"], "globals()"),
        (["rate = 1", "import sys\ndef h(event): return getattr(sys.modules[__name__], event.get('n', 'rate'))"],
         "getattr(sys.modules[__name__], event...."),
        (["MODULES = ['json', 'math']", "def h(event): return [__import__(m).__name__ for m in MODULES]"], "__import__(m)"),
        (["from importlib.metadata import entry_points", "def h(event): return len(entry_points(group='none'))"],
         "entry_points(group='none')"),
    ],
)  # fmt: skip
def test_what_is_computed_is_told_once_and_the_texts_at_hand_come_along(sources, code):
    piece = cut(*sources)
    assert on_lambda(piece) == in_the_notebook(*sources)
    (line,) = told([piece])
    assert line.startswith(f"h: {FOLLOWED_BY_TEXT}: {code} (cell 2, line ")


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("def f(): return __name__ == '__main__'", "__name__"),
        ("def f():\n    if __name__.startswith('__main'):\n        return 1", "__name__"),
        ("def f():\n    try:\n        get_ipython()\n    except NameError:\n        return 1", "get_ipython"),
        ("def f():\n    try:\n        return __file__\n    except NameError:\n        return 1", "__file__"),
        ("import sys\ndef f(): return 'ipykernel' in sys.modules", "'ipykernel' in sys.modules"),
        ("import sys\ndef f(): return sys.modules['__main__']", "sys.modules['__main__']"),
        ("import sys\ndef f(): return hasattr(sys, 'ps1'), sys.argv", "sys.argv"),
        ("def f():\n    import __main__\n    return __main__", "the module __main__"),
    ],
)
def test_what_is_otherwise_on_lambda_is_told(source, what):
    (line,) = told([cut(source, "def h(event): return f()")])
    assert line.startswith(f"h: may do otherwise on Lambda because of {what}, ")
    assert "(cell 1, line " in line


@pytest.mark.parametrize(
    "source",
    [
        "import logging\ndef f(): return logging.getLogger(__name__)",
        "import re\ndef f(): return re.compile('a').sub('b', 'c'), {}.get('x')",
        "def f(): return vars(), locals()",
        "def f(text='a'): return eval(text, {'a': 1})",
        "def eval(x): return x\ndef globals(): return {}\ndef f(): return eval(f), globals()",
        "import ast\ndef f(text='1'): return ast.literal_eval(text)",
        "import sys\ndef f(): return sys.modules['json'], sys.path",
        "from importlib import import_module\ndef f(): return import_module('json')",
        "order = open\nfrom typing import Annotated, Literal\ndef f(k: Literal['order'], d: Annotated[int, 'order']): pass",
        "order = open\ndef f(db=None): return db.execute('select * from order'), db.query('order'), 'me@order.org'",
        "from __future__ import annotations\nimport dataclasses\n@dataclasses.dataclass\nclass f:\n    x: Nowhere = 1",
    ],
)
def test_code_that_looks_nothing_up_is_left_in_peace(source):
    piece = cut(source, "def h(event): return f")
    assert told([piece]) == []
    assert "order = open" not in piece.module


def test_what_is_looked_up_and_cannot_come_along_is_told():
    piece = cut("import time\nlimit = time.time()", "def h(event): return 'limit' in globals()")
    (line,) = told([piece])
    assert line.startswith("left out: limit = time.time() (cell 1, line 2): limit comes from time.time()")
