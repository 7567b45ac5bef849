"""How long it takes to follow notebooks whose functions all call one another: a parser by recursive descent."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.rows import Row, measured
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.history import Timeline
from nbchalice.notebook.capture.slice import cut
from nbchalice.notebook.cells import Cell

RUNS = 3
START = """import operator, re
TOKENS = []
VARIABLES = {}
FUNCTIONS = {}
RULES = {}

def peek():
    return TOKENS[0] if TOKENS else None

def take(wanted=None):
    if wanted is None or peek() == wanted or (callable(wanted) and wanted(peek())):
        return TOKENS.pop(0)
    raise SyntaxError(peek())

def is_name(word):
    return word.isalpha() and word not in RULES

class several:
    def __init__(self, part):
        self.part = part

    def __call__(self):
        found = [self.part()]
        while peek() == ",":
            found.append(self.part())
        return found

class Function:
    def __init__(self, name, body):
        self.name, self.body = name, body

    def __call__(self, value):
        VARIABLES[self.name] = value
        return evaluate(self.body)

def evaluate(tree):
    if isinstance(tree, tuple):
        head, *rest = tree
        return FUNCTIONS.get(head, head)(*[evaluate(one) for one in rest])
    return VARIABLES.get(tree, tree)

def statement():
    found = []
    for part in RULES[take(is_name)]:
        found.append(part() if callable(part) else take(part))
    return found

def parse(text):
    global TOKENS
    TOKENS = re.findall(r"[a-z]+|[0-9]+|.", text)
    return [statement() for line in text.splitlines()]

def execute(program):
    global VARIABLES, FUNCTIONS
    VARIABLES = {}
    FUNCTIONS = {"add": operator.add, **{one[0]: Function(*one[:2]) for one in program}}
    for name, body, *_ in program:
        VARIABLES[name] = evaluate(body)

def run(text):
    execute(parse(text))
"""
LEVEL = """
def level_{n}():
    left = level_{m}()
    while peek() in ("and{n}", "or{n}"):
        name = take()
        right = level_{m}() if name == "and{n}" else level_0()
        left = (FUNCTIONS[name], left, right)
    return left

RULES["rule{n}"] = [is_name, "=", several(level_{n}), level_0]
"""
ATOM = """
def level_{n}():
    if peek() == "(":
        take("(")
        inner = level_0()
        take(")")
        return inner
    return take(is_name)
"""
PROGRAM = """run('''
a = {n} and1 (b or2 3)
b = (c or3 {n}) and4 2
''')
assert VARIABLES["a"]
"""


def notebook(lines: int, levels: int = 20) -> list[Cell]:
    """Make a notebook of a parser with levels each of which may call all others, and the programs that it ran."""
    sources = [START]
    sources += [LEVEL.format(n=n, m=n + 1) for n in range(levels)]
    sources.append(ATOM.format(n=levels))
    while sum(source.count("\n") for source in sources) < lines - 2:
        sources.append(PROGRAM.format(n=len(sources)))
    sources.append("def handler(event):\n    return parse(event)")
    return [Cell(f"c{order}", f"cell {order + 1}", source, order) for order, source in enumerate(sources)]


def measure(lines: int) -> tuple[float, float, int]:
    """Return the CPU seconds of following a notebook and of a slice, and the statements of the slice."""
    cells = notebook(lines)
    start = time.process_time()
    effects = Effects(Timeline(cells, "parser.ipynb"))
    followed = time.process_time()
    piece = cut(effects, "handler")
    return followed - start, time.process_time() - followed, len(piece.positions)


def rows() -> Iterator[Row]:
    """Yield what each took of the processor."""
    for lines in (250, 500, 1000):
        runs = [measure(lines) for _ in range(RUNS)]
        size = f"{lines:,} lines"
        yield measured(size, "a parser of 20 levels followed", [run[0] * 1000 for run in runs], "ms")
        yield measured(size, "a slice of it", [run[1] * 1000 for run in runs], "ms", f"{runs[0][2]} statements")
