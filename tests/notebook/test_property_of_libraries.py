"""Random notebooks with objects of libraries and settings of the process: what is deployed answers as the kernel does.

``NBCHALICE_EXAMPLES=3000`` tries so many, ``make test-all`` too.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from .library_objects import DEFINITIONS, IMPORTS, KINDS, SETTINGS, has

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

EXAMPLES = int(os.environ.get("NBCHALICE_EXAMPLES", "60"))
SCRIPT = Path(__file__).with_name("in_forks.py")
AT_ONCE = 10
"""Examples of one seed: of more, hypothesis makes most by changing a little in those before."""


def indented(text, by=1):
    return "\n".join("    " * by + line for line in text.split("\n"))


def quoted(text):
    return json.dumps(text)


def method_of(text):
    """Return object, method and arguments of ``@.method(...)``, or None."""
    if text.startswith("@.") and text.endswith(")") and "\n" not in text and text.count("(") == text.count(")"):
        name, _, arguments = text[2:].partition("(")
        if name.isidentifier():
            return name, arguments[:-1]
    return None


@st.composite
def changed(draw, change, name):
    """A statement that changes the object of a name, in one of many ways."""
    method = method_of(change)
    ways = [
        *[
            "@",
            "@",
            "@",
            "@",
            "if True:\n    @",
            "try:\n    @\nexcept ValueError:\n    pass",
            "for i in range(3):\n    @\n    break",
        ],
        *[
            "exec({quoted})",
            "def act():\n    @\nact()",
            "def act(y):\n    {y}\nact({name})",
            "y = {name}\n{y}",
            "box = [{name}]\n{box}",
        ],
        *[
            "for y in [{name}]:\n    {y}",
            "{globals}",
            "def act(y={name}):\n    {y}\nact()",
            "class Holder:\n    held = {name}\n{held}",
            "text = {quoted}\nexec(text)",
        ],
        *[
            "with contextlib.suppress(LookupError):\n    @",
            "def outer():\n    def inner():\n        @\n    return inner\nouter()()",
            "for i in itertools.count():\n    @\n    if i:\n        break",
        ],
        *[
            "exec(compile({quoted}, '', 'exec'))",
            "import __main__\n{main}",
            "def act():\n    y = {name}\n    yield\n    {y}\nfor _ in act():\n    pass",
            "i = 0\nwhile i < 2:\n    i += 1\n    @",
        ],
        *[
            "y, z = {name}, 1\n{y}",
            "match {name}:\n    case y:\n        {y}",
            "def act(*ys):\n    {ys}\nact({name})",
            "act = exec\nact({quoted})",
            "class Runs:\n    @",
            "box = dict(k={name})\n{key}",
        ],
        *[
            "thread = threading.Thread(target=exec, args=({quoted}, globals()))\nthread.start()\nthread.join()",
            "def act():\n    @\nlist(map(lambda _: act(), [1, 2]))",
        ],
        *[
            "def twice(work):\n    work()\n    work()\n@twice\ndef act():\n    {deep}".replace("@twice", "ATtwice"),
            "[y for y in [{name}] if eval('True')]\n@",
        ],
    ]
    if method is not None:
        call, arguments = method[0], method[1].replace("@", name)
        both = f", {arguments}" if arguments.strip() else ""
        ways += [
            *[
                f"kept = {name}.{call}\nkept({arguments})",
                f"getattr({name}, {call!r})({arguments})",
                f"(lambda y: y.{call}({arguments}))({name})",
            ],
            *[
                f"functools.partial({name}.{call}{both})()",
                f"operator.methodcaller({call!r}{both})({name})",
                f"[{name}.{call}({arguments}) for _ in range(2)]",
            ],
            *[
                f"type({name}).{call}({name}{both})",
                f"kept = {name}.{call}\ndef act():\n    kept({arguments})\nact()",
                f"value = {name}.{call}({arguments})",
            ],
            *[
                f"hooks = {{'k': {name}.{call}}}\nhooks['k']({arguments})",
                f"def act(work, *a):\n    return work(*a)\nact({name}.{call}{both})",
                f"eval({quoted(f'{name}.{call}({arguments})')})",
            ],
            *[
                f"contextlib.ExitStack().callback({name}.{call}{both})",
                f"with contextlib.ExitStack() as stack:\n    stack.callback({name}.{call}{both})",
            ],
            *[
                f"thread = threading.Thread(target=lambda: {name}.{call}({arguments}))\nthread.start()\nthread.join()",
                f"assert {name}.{call}({arguments}) is not Ellipsis",
            ],
        ]
    way = draw(st.sampled_from(ways))
    plain = change.replace("@", name)
    lines = []
    for line in way.split("\n"):
        deep = len(line) - len(line.lstrip())
        text = line.strip()
        if text == "@" or text == "{deep}":
            lines.append(indented(plain, deep // 4))
        elif text in ("{y}", "{box}", "{held}", "{globals}", "{main}", "{ys}", "{key}"):
            other = {
                "y": "y",
                "box": "box[0]",
                "held": "Holder.held",
                "globals": f"globals()[{name!r}]",
                "main": f"__main__.{name}",
                "ys": "ys[0]",
                "key": "box['k']",
            }[text[1:-1]]
            lines.append(indented(change.replace("@", other), deep // 4))
        else:
            lines.append(line.replace("{name}", name).replace("{quoted}", quoted(plain)).replace("ATtwice", "@twice"))
    return "\n".join(lines)


@st.composite
def notebooks(draw):
    """The cells of a notebook, in the order in which they are run; the last defines the handler ``h``."""
    objects = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=0, max_size=2))
    kept = draw(st.lists(st.sampled_from(SETTINGS), min_size=0 if objects else 1, max_size=1))
    statements, reads = [], []
    for number, name in enumerate(objects):
        statements.append(f"x{number} = {draw(st.sampled_from(KINDS[name].makes))}")
        reads.append(KINDS[name].read.replace("@", f"x{number}"))
    reads += [setting.read for setting in kept]
    if any("random.random()" in read and "np." not in read for read in reads[len(objects) :]):
        statements.append("random.seed(3)")
    if "np.random.rand()" in reads:
        statements.append("np.random.seed(3)")
    for number in range(draw(st.integers(1, 6))):
        if kept and (not objects or draw(st.integers(0, 2)) == 0):
            text = draw(changed(draw(st.sampled_from(draw(st.sampled_from(kept)).sets)), "math"))
        else:
            index = draw(st.integers(0, len(objects) - 1))
            kind, name = KINDS[objects[index]], f"x{index}"
            text = draw(changed(draw(st.sampled_from(kind.changes)), name))
            if draw(st.integers(0, 5)) == 0:
                text = f"v{number} = {kind.read.replace('@', name)}"
                reads.append(f"v{number}")
            elif draw(st.integers(0, 11)) == 0:
                text = draw(
                    st.sampled_from(
                        [
                            "print({0})",
                            "{0}",
                            "copy.copy({0})",
                            "also = {0}",
                            "len({0})",
                            "{0} = {0}",
                            "repr({0})",
                            "copy.deepcopy({0})",
                        ]
                    )
                ).format(name)
        statements.append(text)
    cells = [IMPORTS + "from nbchalice import Chalice\napp = Chalice('random')", DEFINITIONS]
    for text in statements:
        if cells[2:] and draw(st.booleans()):
            cells[-1] += "\n" + text
        else:
            cells.append(text)
    again = draw(st.lists(st.integers(2, len(cells) - 1), max_size=1)) if draw(st.integers(0, 3)) == 0 else []
    tried = [
        f"    try:\n        answer.append({read})\n    except Exception as error:\n        answer.append(type(error).__name__)"
        for read in reads
    ]
    handler = "\n".join(
        ["@app.lambda_function()", "def h(event, context):", "    answer = []", *tried, "    return answer"]
    )
    if draw(st.integers(0, 3)) == 0:
        handler = f"{cells.pop()}\n{handler}" if len(cells) > 3 and not again else handler
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


def test_what_is_deployed_answers_as_the_kernel_does(forks, record_property):
    seen = Counter()

    def compare(cells):
        answer = forks(cells)
        assert "crash" not in answer, answer
        refused = "refused" in answer
        seen["refused" if refused else "deployable, with something told" if answer["notes"] else "deployable"] += 1
        same = refused or answer["shipped"] == answer["kernel"] or answer["notes"]
        assert same, "\n".join(["", *cells, "-- module:", answer["module"], f"{answer['kernel']}, {answer['shipped']}"])

    examples = settings(max_examples=AT_ONCE, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    for number in range(EXAMPLES // AT_ONCE):
        seed(number)(examples(given(cells=notebooks())(compare)))()
    total = sum(seen.values())
    shares = ", ".join(f"{count / total:.0%} {what}" for what, count in seen.most_common())
    more = "" if has("numpy") and has("pandas") else "; install numpy and pandas to try theirs, too"
    record_property("told", f"Notebooks with objects of libraries: {total}, none differs silently: {shares}{more}")
