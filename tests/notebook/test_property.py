"""Random notebooks of assignments, functions, changes in place and reruns: what is captured does what the kernel does."""

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from nbchalice.errors import CaptureError
from nbchalice.notebook.capture.slice import slice_handler

from .running import run_cells

pytestmark = pytest.mark.slow

NAMES = ["a", "b", "c", "d"]
FUNCTIONS = ["f0", "f1", "f2"]
CLASSES = ["K0", "K1"]
name = st.sampled_from(NAMES)
number = st.integers(0, 9)
key = st.sampled_from(["'x'", "'y'"])


@st.composite
def expression(draw, depth=2):
    kind = draw(st.integers(0, 17 if depth else 2))
    sub = lambda: draw(expression(depth - 1))  # noqa: E731
    n = draw(name)
    forms = {
        0: lambda: str(draw(number)),
        1: lambda: n,
        2: lambda: draw(st.sampled_from(["[]", "{}", "'s'", "None", "[1, [2]]", "{'x': [1]}"])),
        3: lambda: f"[{sub()}, {sub()}]",
        4: lambda: f"{{{draw(key)}: {sub()}}}",
        5: lambda: f"{n}[{draw(st.sampled_from(['0', '-1', *['chr(120)', repr('y')]]))}]",
        6: lambda: f"({sub()} + {sub()})",
        7: lambda: f"({sub()} if {sub()} else {sub()})",
        8: lambda: f"{draw(st.sampled_from(FUNCTIONS))}({sub()})",
        9: lambda: f"[q for q in {n}]",
        10: lambda: f"list({n})",
        11: lambda: f"dict({n})",
        12: lambda: f"{draw(st.sampled_from(CLASSES))}({sub()})",
        13: lambda: f"{n}.v",
        14: lambda: f"{n}.get({draw(key)})",
        15: lambda: f"{n}.m({sub()})",
        16: lambda: f"len({n})",
        17: lambda: f"(lambda p: {draw(st.sampled_from(['p', 'p or ' + n, '[p, ' + n + ']']))})({sub()})",
    }
    return forms[kind]()


@st.composite
def change(draw):
    """A statement that changes an object in place."""
    n, value = draw(name), draw(expression(1))
    return draw(
        st.sampled_from(
            [
                f"{n}[{draw(key)}] = {value}",
                f"{n}.append({value})",
                f"{n}.v = {value}",
                f"{n} += {value}",
                f"{n}[0] = {value}",
                f"{n}.setdefault({draw(key)}, []).append({value})",
                f"setattr({n}, 'v', {value})",
                f"{n}.m({value})",
                f"{n}.pop()",
                f"{n}['x'].append({value})",
                f"{n}.update(x={value})",
                f"K0.shared.append({value})",
                "K1.m = K0.m",
                f"{n}.v.append({value})",
                f"for q in {n}:\n    q.append({value})",
                f"list(map(lambda q: q.append({value}), {n}))",
                f"[q.append(1) for q in {n}]",
            ]
        )
    )


@st.composite
def function(draw):
    index = draw(st.integers(0, len(FUNCTIONS) - 1))
    lower = st.sampled_from(FUNCTIONS[:index]) if index else st.just("list")
    g = draw(name)
    lines = draw(
        st.lists(
            st.sampled_from(
                [
                    "p.append(1)",
                    "p['x'] = 1",
                    f"{g}.append(p)",
                    f"{g}['y'] = p",
                    "t = p\n    t.append(2)",
                    f"t = {g}\n    t.append(3)",
                    f"t = {draw(lower)}(p)",
                    f"{draw(lower)}({g})",
                    "for q in p:\n        q.append(4)",
                    f"k = lambda z: z.append({g})\n    k(p)",
                    "def inner(z):\n        z.append(5)\n    inner(p)",
                    f"p.v = {g}",
                    "p.m(1)",
                ]
            ),
            max_size=2,
        )
    )
    declared = []
    if draw(st.booleans()):
        other = draw(name)
        declared = [f"global {other}"]
        lines.append(draw(st.sampled_from([f"{other} = p", f"{other} = [p]", f"{other} = 5", f"{other} += [6]"])))
        lines = [line for line in lines if not line.startswith("global")]
    result = draw(st.sampled_from(["p", g, "None", f"[p, {g}]", "1", f"{draw(lower)}(p)", "lambda z: p.append(z)"]))
    default = draw(st.sampled_from(["", f", e={draw(name)}", ", e=[]"]))
    extra = ["e.append(7)"] if default and draw(st.booleans()) else []
    decorator = draw(st.sampled_from(["", "", "", "@f0\n"])) if index else ""
    body = "\n    ".join([*declared, *lines, *extra, f"return {result}"])
    return f"{decorator}def {FUNCTIONS[index]}(p=0{default}):\n    {body}"


@st.composite
def klass(draw):
    index = draw(st.integers(0, 1))
    base = "(K0)" if index and draw(st.booleans()) else ""
    g = draw(name)
    act = draw(
        st.sampled_from(["self.v.append(z)", f"{g}.append(z)", "self.v = z", "self.shared.append(z)", "return self.v"])
    )
    start = draw(
        st.sampled_from(["self.v = z", f"self.v = {g}", "self.v = [z]", f"{g}.append(self.__class__.__name__)"])
    )
    hook = (
        f"\n    def __init_subclass__(cls):\n        {g}.append(cls.__name__)"
        if not index and draw(st.booleans())
        else ""
    )
    return (
        f"class {CLASSES[index]}{base}:\n    shared = {draw(expression(1))}\n"
        f"    def __init__(self, z=0):\n        {start}\n    def m(self, z):\n        {act}{hook}"
    )


@st.composite
def statement(draw):
    n = draw(name)
    kind = draw(st.integers(0, 13))
    if kind <= 3:
        return f"{n} = {draw(expression())}"
    if kind <= 6:
        return draw(change())
    if kind <= 8:
        return draw(function())
    if kind == 9:
        return draw(klass())
    return draw(
        st.sampled_from(
            [
                f"{draw(st.sampled_from(FUNCTIONS))}({draw(expression(1))})",
                f"del {n}",
                f"if {draw(expression(1))}:\n    {n} = {draw(expression(1))}",
                f"try:\n    {n}.append(1)\nexcept Exception:\n    {n} = []",
                f"{n}, {draw(name)} = {draw(expression(1))}, {draw(expression(1))}",
                f"{n} = {draw(name)} = {draw(expression(1))}",
                f"for {n} in [{draw(expression(1))}]:\n    pass",
                f"({n} := {draw(expression(1))})",
                f"{draw(st.sampled_from(FUNCTIONS))} = {draw(st.sampled_from(FUNCTIONS))}",
                f"{n} = {draw(st.sampled_from(FUNCTIONS))}\n{n}({draw(name)})",
                f"{n} = f1({draw(name)})\n{n}({draw(name)})",
            ]
        )
    )


@st.composite
def notebooks(draw):
    start = "a = [[1]]\nb = {'x': [2]}\nc = a\nd = 4\ndef f0(p=0):\n    return p\nf1 = f2 = f0\nclass K0:\n    shared = []\n    def __init__(self, z=0):\n        self.v = z\n    def m(self, z):\n        self.v = z\nK1 = K0"
    cells = [
        start,
        *("\n".join(draw(st.lists(statement(), min_size=1, max_size=3))) for _ in range(draw(st.integers(2, 7)))),
    ]
    runs = [0, *draw(st.lists(st.integers(0 if draw(st.booleans()) else 1, len(cells) - 1), min_size=2, max_size=14))]
    used = draw(st.lists(st.sampled_from([*NAMES, "K0.shared", "f1([1])", "f2(a)"]), min_size=1, max_size=3))
    after = draw(st.sampled_from(["", "    d.append(8)\n", "    f0(c)\n"]))
    return cells, runs, f"def h(event):\n{after}    return [{', '.join(used)}]"


def plain(value, depth=6):
    """Make values of the kernel and of the module comparable."""
    if isinstance(value, list | tuple):
        return [type(value).__name__, *(plain(item, depth - 1) for item in value)] if depth else "..."
    if isinstance(value, dict):
        return {str(k): plain(v, depth - 1) for k, v in value.items()} if depth else "..."
    if hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value):
        return [type(value).__name__, plain(vars(value), depth - 1)] if depth else "..."
    return getattr(value, "__name__", None) or repr(value)


def outcome(space):
    results = []
    for _ in range(2):
        try:
            results.append(plain(space["h"](None)))
        except Exception as error:
            results.append(type(error).__name__)
    return results


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(notebooks())
def test_no_slice_differs_from_the_kernel_without_an_error(notebook):
    sources, runs, handler = notebook
    space = {"__name__": "__main__"}
    cells = run_cells([*(sources[index] for index in runs), handler], space)
    try:
        piece = slice_handler(cells, "h", notebook="random.ipynb")
    except CaptureError as error:
        event(f"error: {type(error).__name__}")
        return
    event("captured")
    module = {"__name__": "notebook_code"}
    exec(compile(piece.module, "<module>", "exec"), module)
    assert outcome(module) == outcome(space), piece.module
