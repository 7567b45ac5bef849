"""Every tricky notebook: what the kernel returns, the packaged handler returns, or the exact error is raised."""

import base64
import functools
import re
from dataclasses import replace

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.history import Timeline
from nbchalice.notebook.analysis.magic import Body, read_body
from nbchalice.notebook.capture.discover import discover
from nbchalice.notebook.capture.slice import cut, slice_handler
from nbchalice.notebook.cells import read_notebook
from nbchalice.packaging.artifact import build

from ..interpreters import OTHERS_SLOW, VERSIONS
from .harness import FIXTURES, NAMES, ROOT, Kernel, expectation, jsonable, run_clean, run_script


@functools.cache
def captured(name):
    """Run the fixture in a kernel; return the slice or the error, the kernel's own result and its variables."""
    expect = expectation(name)
    cells = read_notebook(FIXTURES / f"{name}.ipynb")
    kernel = Kernel(name)
    try:
        executed = cells if expect.get("static") else kernel.run(cells, expect.get("runs"))
        space = None if expect.get("static") else kernel.shell.user_ns
        try:
            piece = slice_handler(executed, expect.get("function", "h"), notebook=f"{name}.ipynb", namespace=space)
        except NbChaliceError as error:
            return error, None, None
        if expect.get("static"):
            return piece, None, None
        result = jsonable(kernel.shell.user_ns[piece.function](expect.get("event")))
        if expect.get("restore"):
            exec(expect["restore"], kernel.shell.user_ns)
        return piece, result, kernel.shell.user_ns
    finally:
        kernel.close()


def packaged():
    return [name for name in NAMES if not any(expectation(name).get(key) for key in ("error", "discover_error"))]


def runnable():
    """All but those that need packages which the clean interpreters lack."""
    return [name for name in packaged() if not expectation(name).get("skip_run")]


def zip_of(piece, name):
    """Package a slice as a deploy does; a function that no decorator registers becomes a plain Lambda function."""
    if "@app." not in piece.module:
        register = f"__import__('nbchalice').Chalice('fixture').lambda_function(name={piece.function!r})"
        piece = replace(piece, module=f"{piece.module}\n_registered = {register}({piece.function}).app\n")
    return build(piece, expectation(name).get("name", piece.function), python="3.11").zip


@functools.cache
def answers(python):
    requests, names = [], runnable()
    for name in names:
        piece, _, _ = captured(name)
        expect = expectation(name)
        whole = not isinstance(piece, NbChaliceError)
        requests.append(
            {
                "zip": base64.b64encode(zip_of(piece, name)).decode() if whole else "",
                "event": expect.get("event"),
                "restore": expect.get("restore"),
            }
        )
    return dict(zip(names, run_clean(python, requests), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", runnable())
@pytest.mark.parametrize("python", OTHERS_SLOW, indirect=True)
def test_the_zip_does_what_the_kernel_does(name, python):
    expect = expectation(name)
    piece, result, _ = captured(name)
    assert not isinstance(piece, NbChaliceError), piece
    answer = answers(python)[name]
    assert "error" not in answer, (answer["error"], piece.module)
    if not expect.get("static"):
        assert answer["result"] == expect.get("result", result), piece.module


@pytest.mark.parametrize("name", packaged())
def test_the_module_holds_what_it_should(name):
    piece, _, _ = captured(name)
    for part in expectation(name).get("contains", []):
        assert part in piece.module
    code = [line for line in piece.module.split("\n") if not line.startswith(f"# {name}.ipynb")]
    for part in expectation(name).get("lacks", []):
        assert part not in "\n".join(code[1:])


@pytest.mark.parametrize("name", packaged())
def test_segments_map_every_statement(name):
    piece, _, _ = captured(name)
    cells = {
        cell.label: cell.source.replace("\r\n", "\n").split("\n") for cell in read_notebook(FIXTURES / f"{name}.ipynb")
    }
    lines = piece.module.split("\n")
    if expectation(name).get("runs"):
        return
    for segment in piece.segments:
        for offset in range(segment.count):
            text = lines[segment.line - 1 + offset].strip()
            raw = cells[segment.cell][segment.cell_line - 1 + offset]
            generated = text.startswith(("@app.", "app = Chalice", "from nbchalice import", "import ", "from "))
            magic = raw.lstrip()[:1] in {"%", "!", "/", ",", ";"}
            assert text in raw or generated or magic, (text, raw)


def test_cutting_a_handler_out_leaves_the_notebook_as_it_was():
    for name in packaged():
        cells = read_notebook(FIXTURES / f"{name}.ipynb")
        notebook, function = f"{name}.ipynb", expectation(name).get("function", "h")
        effects = Effects(Timeline(cells, notebook))
        try:
            alone = slice_handler(cells, function, notebook=notebook)
        except NbChaliceError:
            continue
        assert [cut(effects, function), cut(effects, function)] == [alone, alone], name


@pytest.mark.parametrize("name", packaged())
def test_comments_tell_where_each_statement_comes_from(name):
    piece, _, _ = captured(name)
    starts = {segment.line: (segment.cell, segment.cell_line) for segment in piece.segments}
    mapped = {segment.line + n for segment in piece.segments for n in range(segment.count)}
    cell, line, shown = None, 0, set()
    for number, text in enumerate(piece.module.split("\n"), 1):
        if mark := re.fullmatch(rf"# {name}\.ipynb, (.+), line (\d+)", text):
            cell, line = mark[1], int(mark[2]) - 1
        elif number in mapped or not text.startswith("@app."):  # but for the decorators of a magic
            line += 1
        # The second statement of a line, and what `%chalice app` stands for, has no line of its own.
        if number in starts and starts[number] not in shown:
            assert (cell, line) == starts[number], piece.module
            shown.add(starts[number])


@pytest.mark.parametrize("name", [name for name in packaged() if not expectation(name).get("runs")])
def test_reading_gives_the_same_module_as_running(name):
    expect = expectation(name)
    if expect.get("live") or expect.get("static"):
        return
    cells = read_notebook(FIXTURES / f"{name}.ipynb")
    assert slice_handler(cells, "h", notebook=f"{name}.ipynb").module == captured(name)[0].module


@pytest.mark.parametrize("name", [name for name in NAMES if expectation(name).get("error")])
def test_the_error_names_cell_line_and_fix(name):
    expect = expectation(name)
    error, _, _ = captured(name)
    assert isinstance(error, NbChaliceError), error.module
    code, *parts = expect["error"]
    assert error.code == code, error
    for part in parts:
        assert part in str(error)
    assert error.hint
    assert error.location is not None
    if expect.get("hides"):
        assert expect["hides"] not in str(error)


@pytest.mark.parametrize("name", [name for name in NAMES if expectation(name).get("found")])
def test_handlers_are_discovered(name):
    found = discover(read_notebook(FIXTURES / f"{name}.ipynb"), str(FIXTURES / f"{name}.ipynb")).handlers
    assert [[one.name, one.triggers[0][0]] for one in found] == [list(pair) for pair in expectation(name)["found"]]


@pytest.mark.parametrize("name", [name for name in NAMES if expectation(name).get("discover_error")])
def test_discovery_says_what_is_wrong(name):
    read = discover(read_notebook(FIXTURES / f"{name}.ipynb"), str(FIXTURES / f"{name}.ipynb"))
    (error,) = [*read.problems, *(one.error for one in read.unread)]
    code, *parts = expectation(name)["discover_error"]
    assert error.code == code, error
    for part in parts:
        assert part in str(error)


SLICE = """
import json, sys
sys.path.insert(0, {root!r})
from nbchalice.notebook.cells import Cell
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.history import Timeline
from nbchalice.notebook.capture.slice import cut, slice_handler
from nbchalice.packaging.artifact import build
answers = []
for name, cells in json.load(sys.stdin):
    cells = [Cell(id, label, source, order) for order, (id, label, source) in enumerate(cells)]
    answers.append(slice_handler(cells, "h", notebook=name + ".ipynb").module)
json.dump(answers, sys.stdout)
"""


@pytest.mark.parametrize("python", OTHERS_SLOW, indirect=True)
def test_every_python_slices_alike(python):
    """Those without magics: reading these takes packages that the clean interpreters lack."""
    wanted = [name for name in packaged() if not expectation(name).get("live") and not expectation(name).get("runs")]
    cells = {name: read_notebook(FIXTURES / f"{name}.ipynb") for name in wanted}
    names = [name for name in wanted if not any(read_body(c.source) != Body(c.source) for c in cells[name])]
    request = [[name, [[cell.id, cell.label, cell.source] for cell in cells[name]]] for name in names]
    modules = run_script(python, SLICE.format(root=str(ROOT)), request)
    for name, module in zip(names, modules, strict=True):
        assert module == slice_handler(cells[name], "h", notebook=f"{name}.ipynb").module


@pytest.mark.parametrize("python", [version for version in VERSIONS if version != "3.11"], indirect=True)
def test_type_parameters(python):
    source = "K = int\ntype Pair[T] = tuple[T, K]\nclass Box[T: (int, str)]:\n    def get[U](self, x: U) -> Pair[T]:\n        return LATER\nLATER = 1"
    request = [
        ["typed", [["a", "cell 1", source], ["b", "cell 2", "def h[T](event: T) -> T:\n    return Box[int]().get(1)"]]]
    ]
    (module,) = run_script(python, SLICE.format(root=str(ROOT)), request)
    assert "type Pair[T]" in module
    assert "K = int" in module
    assert "LATER = 1" in module


def test_there_are_enough_fixtures():
    assert len(NAMES) >= 40
