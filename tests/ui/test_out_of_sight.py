"""What no name of a handler leads to: the order of a set, codecs, what a thread has for itself."""

import decimal
import threading

import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook.sandbox.values import carrying
from nbchalice.notebook_file import read_project
from nbchalice.ui.widgets.panel import Worker

from .test_proof import H, from_the_file, in_the_kernel
from .test_registrations import write

pytestmark = pytest.mark.slow

WORDS = "'the order of a set is another one in each process'.split()"
ORDERS = {
    "a list": f"X = list(set({WORDS}))",
    "a display": "X = [*{'a', 'b', 'c', 'd', 'e', 'f'}]",
    "a function": f"def unique(words):\n    return list(set(words))\nX = unique({WORDS})",
}
PLACES = {
    "a text": f"X = ' '.join(set({WORDS}))",
    "numbers": f"X = {{word: number for number, word in enumerate(set({WORDS}))}}",
    "the first": f"X = next(iter({{*{WORDS}}}))",
    "a hash": "X = hash('a')",
}


def refused(tmp_path, cells):
    project = read_project(write(tmp_path / "n.ipynb", cells))
    with pytest.raises(CaptureError) as caught:
        project.verify(project.handlers[0])
    return caught.value


@pytest.mark.parametrize("case", [*ORDERS, *PLACES])
def test_without_a_kernel_another_process_has_a_set_in_another_order(case, tmp_path):
    error = refused(tmp_path, [{**ORDERS, **PLACES}[case], f"{H}X"])
    assert error.code == "diverged" and error.location.cell == "cell 1"
    if case in ORDERS:
        assert error.hint.startswith("a set has another order")


def test_the_hint_works(tmp_path):
    assert from_the_file(tmp_path, [f"X = sorted(set({WORDS}))", f"{H}X"])[1] == sorted({*eval(WORDS)})


@pytest.mark.parametrize("way", ["kernel", "file"])
def test_the_order_of_a_dictionary_of_a_set_is_told(way, run, tmp_path):
    cells = [f"X = {{word: 1 for word in set({WORDS})}}", f"{H}X"]
    if way == "kernel":
        in_the_kernel(run, tmp_path, cells)
        told = run("%chalice package --out again").notes
    else:
        told = from_the_file(tmp_path, cells)[0].proven.notes()
    assert "X (its order) (another one in each process, as a set's)" in told[0]


REGISTERED = {
    "an error handler": (
        "codecs.register_error('mine', lambda e: ('?', e.end))",
        "'é'.encode('ascii', 'mine').decode()",
    ),
    "by its keyword": ("codecs.register_error('mine', lambda e: ('?', e.end))", "'é'.encode(errors='mine').decode()"),
    "a codec": (
        "codecs.register(lambda name: codecs.lookup('utf-8') if name == 'mine' else None)",
        "'é'.encode('mine').decode()",
    ),
}


@pytest.mark.parametrize("way", ["kernel", "file"])
@pytest.mark.parametrize("case", REGISTERED)
def test_a_codec_that_is_registered_out_of_sight(case, way, run, tmp_path):
    registers, uses = REGISTERED[case]
    cells = ["import codecs", f"exec({registers!r})", f"{H}{uses}"]
    if way == "kernel":
        for cell in cells:
            run(cell)
        error = run.error("%chalice package --out out")
    else:
        error = refused(tmp_path, cells)
    assert error.code == "unresolved-name" and "'mine'" in error.message and "nothing registers" in error.message
    right = ["import codecs", registers, f"{H}{uses}"]
    assert from_the_file(tmp_path, right)[1] in {"?", "é"}


DRAWN = {
    "a lambda": ("import random\nX = sorted(range(99), key=lambda _: random.random())", "X comes from random.random()"),
    "a function": (
        "import uuid\ndef new(_):\n    return str(uuid.uuid4())\nX = list(map(new, range(2)))",
        "X comes from uuid.uuid4()",
    ),
    "the time": (
        "import datetime\nX = [*map(lambda _: datetime.datetime.now().isoformat(), 'ab')]",
        "X comes from datetime.datetime.now(), which gives another value each time",
    ),
}


@pytest.mark.parametrize("case", DRAWN)
def test_what_a_function_that_is_handed_on_draws_is_called_random(case, run, tmp_path):
    made, said = DRAWN[case]
    cells = [made, f"{H}str(X)"]
    for cell in cells:
        run(cell)
    last = f"line {made.count(chr(10)) + 1}"
    for error in (run.error("%chalice package --out out"), refused(tmp_path, cells)):
        assert said in str(error) and last in str(error)


def test_a_function_that_draws_and_is_only_kept_is_no_draw(run, tmp_path):
    cells = ["import random\nX = {'new': lambda: random.random()}\nY = [1]", f"{H}[len(X), Y]"]
    assert in_the_kernel(run, tmp_path, cells) == ([1, [1]],) * 2


def test_what_only_looks_like_a_codec(run, tmp_path):
    made = "class Model:\n    def encode(self, text, kind='x'):\n        return [text, kind]\nmodel = Model()"
    cells = [made, f"{H}model.encode('a text', 'query')"]
    assert in_the_kernel(run, tmp_path, cells)[0] == from_the_file(tmp_path, cells)[1] == ["a text", "query"]


def test_a_thread_of_a_panel_compares_the_notebooks_settings(run):
    told = []
    for cell in ("import decimal", "exec('decimal.getcontext().prec = 5')", f"{H}str(decimal.Decimal(1) / 3)"):
        run(cell)
    worker = Worker(told.append)
    worker.start(lambda: told.extend(run("%chalice package --out out").notes))
    worker.wait(60)
    assert len(told) == 1 and told[0].endswith("comes along: a run shows that it changes decimal")


def test_another_thread_has_what_this_one_set():
    with decimal.localcontext(prec=7):
        found = []
        thread = threading.Thread(target=carrying(lambda: found.append(decimal.getcontext().prec)))
        thread.start()
        thread.join()
    assert found == [7]
