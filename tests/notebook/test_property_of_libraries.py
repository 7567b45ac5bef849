"""Random notebooks with objects of libraries and settings of the process: what is deployed answers as the kernel does.

``NBCHALICE_EXAMPLES=3000`` tries so many, ``make test-all`` too.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from .library_objects import DEFINITIONS, IMPORTS, INSTEAD, KINDS, METHOD_WAYS, SETTINGS, WAYS, has, named

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

EXAMPLES = int(os.environ.get("NBCHALICE_EXAMPLES", "60"))
SCRIPT = Path(__file__).with_name("in_forks.py")
AT_ONCE = 10
"""Examples of one seed: of more, hypothesis makes most by changing a little in those before."""


def method_of(change):
    """Return method and arguments of ``@.method(arguments)``, or None."""
    found = re.fullmatch(r"@\.(\w+)\((.*)\)", change)
    tree = ast.parse(named(change, "x")).body
    call = tree[0].value if found and len(tree) == 1 and isinstance(tree[0], ast.Expr) else None
    is_method = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == found[1]
    return found.groups() if is_method and isinstance(call.func.value, ast.Name) else None


@st.composite
def changed(draw, change, name):
    """A statement that changes the object of a name, in one of many ways."""
    method = method_of(change)
    way = draw(st.sampled_from(WAYS if method is None else WAYS + METHOD_WAYS))
    if method is not None:
        way = way.replace("CALL", method[0]).replace("ARGS", method[1])
    way = re.sub("<(.+)>", lambda found: named(change, found[1]), way)
    text = named(way, name).replace("TEXT", json.dumps(named(change, name)))
    assume(is_python(text))
    return text


def is_python(text):
    """Tell whether this Python can read a text: 3.11 knows no backslash within the braces of an f-string."""
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@st.composite
def statements(draw, objects, setting):
    """Statements that make objects and change them and a setting; and expressions for what they then are."""
    kinds = [KINDS[name] for name in objects]
    texts = [f"x{number} = {draw(st.sampled_from(kind.makes))}" for number, kind in enumerate(kinds)]
    reads = [named(kind.read, f"x{number}") for number, kind in enumerate(kinds)]
    if setting is not None:
        texts += SETTINGS[setting].first
        reads.append(SETTINGS[setting].read)
    for number in range(draw(st.integers(1, 6))):
        if setting is not None and (not kinds or draw(st.integers(0, 2)) == 0):
            texts.append(draw(changed(draw(st.sampled_from(SETTINGS[setting].changes)), "math")))
            continue
        index = draw(st.integers(0, len(kinds) - 1))
        name, what = f"x{index}", draw(st.integers(0, 11))
        if what < 2:
            texts.append(f"v{number} = {named(kinds[index].read, name)}")
            reads.append(f"v{number}")
        elif what == 2:
            texts.append(named(draw(st.sampled_from(INSTEAD)), name))
        else:
            texts.append(draw(changed(draw(st.sampled_from(kinds[index].changes)), name)))
    return texts, reads


def handler_of(reads):
    """A handler that answers with what it reads."""
    lines = ["@app.lambda_function()", "def h(event, context):", "    answer = []"]
    for read in reads:
        lines += ["    try:", f"        answer.append({read})", "    except Exception as error:"]
        lines.append("        answer.append(type(error).__name__)")
    return "\n".join([*lines, "    return answer"])


@st.composite
def notebooks(draw):
    """The cells of a notebook, in the order in which they are run; the last defines the handler ``h``."""
    objects = draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=2))
    setting = draw(st.sampled_from(sorted(SETTINGS))) if not objects or draw(st.booleans()) else None
    texts, reads = draw(statements(objects, setting))
    cells = [f"{IMPORTS}from nbchalice import Chalice\napp = Chalice('random')", DEFINITIONS]
    for text in texts:
        if cells[2:] and draw(st.booleans()):
            cells[-1] += f"\n{text}"
        else:
            cells.append(text)
    again = draw(st.lists(st.integers(2, len(cells) - 1), max_size=1)) if draw(st.integers(0, 3)) == 0 else []
    handler = handler_of(reads)
    if draw(st.integers(0, 3)) == 0 and len(cells) > 3 and not again:
        handler = f"{cells.pop()}\n{handler}"
    return [*cells, *(cells[index] for index in again), handler]


@pytest.fixture(scope="module")
def forks():
    """Ask the process that runs notebooks."""
    process = subprocess.Popen([sys.executable, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(cells):
        process.stdin.write(json.dumps(cells) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield ask
    process.stdin.close()
    process.stdout.close()
    process.wait()


def bound_in(cells):
    """The names that cells bind, without those in functions."""
    names = set()
    for node in (node for cell in cells for node in ast.parse(cell).body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names


def silent(cells, answer):
    """The expressions of which another value comes, though nothing that was told names a variable in them."""
    reads = re.findall(r"^        answer\.append\((.+)\)$", cells[-1], flags=re.MULTILINE)[::2]
    words, bound = re.findall(r"\w+", " ".join(answer["notes"])), bound_in(cells)
    told = {word for word in words if word in bound or word.isupper()}  # in capitals: a variable of the environment
    differing = set()
    for here, there in zip(answer["kernel"], answer["shipped"], strict=True):
        pairs = zip(json.loads(here), json.loads(there), strict=True)
        differing.update(read for read, (one, other) in zip(reads, pairs, strict=True) if one != other)
    return [read for read in differing if not told & set(re.findall(r"\w+", read))]


def test_what_is_deployed_answers_as_the_kernel_does(forks, record_property):
    seen = Counter()

    def compare(cells):
        answer = forks(cells)
        assert "crash" not in answer, answer
        if "refused" in answer:
            seen["refused"] += 1
            return
        seen["deployable, with something told" if answer["notes"] else "deployable"] += 1
        differing = silent(cells, answer)
        assert not differing, "\n".join(["", *cells, "-- module:", answer["module"], *answer["notes"], *differing])

    examples = settings(max_examples=AT_ONCE, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    for number in range(EXAMPLES // AT_ONCE):
        seed(number)(examples(given(cells=notebooks())(compare)))()
    total = sum(seen.values())
    shares = ", ".join(f"{count / total:.0%} {what}" for what, count in seen.most_common())
    more = "" if has("numpy") and has("pandas") else "; install numpy and pandas to try theirs, too"
    record_property("told", f"Notebooks with objects of libraries: {total}, none differs silently: {shares}{more}")
