import dataclasses
import inspect
import linecache
import pickle
import subprocess
import sys
import textwrap
import traceback
import warnings

import pytest

from nbchalice.runtime.cells import Segment, load_module


def segment(cell, line, count, cell_line):
    return Segment(cell, cell, line, count, cell_line)


@pytest.fixture
def load():
    def load(source, *segments, name="notebook_code_test"):
        return load_module(textwrap.dedent(source), list(segments), "shop.ipynb", name)

    yield load
    sys.modules.pop("notebook_code_test", None)


def frames(caught):
    tail = [line for line in traceback.format_exception(caught.value) if "#" in line]
    return "".join(tail)


SHOP = """\
# cell 2
RATE = 1.2

def price(text):
    number = float(text)
    return number * RATE / (number - 3)

# cell 4
def handle(event):
    for record in event:
        price(record)
"""
SHOP_SEGMENTS = [segment("cell 2", 2, 1, 1), segment("cell 2", 4, 3, 7), segment("cell 4", 9, 3, 2)]


def test_a_traceback_names_notebook_cell_line_and_source(load):
    module = load(SHOP, *SHOP_SEGMENTS)
    with pytest.raises(ZeroDivisionError) as caught:
        module.handle(["3"])
    text = frames(caught)
    assert '  File "shop.ipynb#cell 4", line 4, in handle\n    price(record)\n' in text
    assert '  File "shop.ipynb#cell 2", line 9, in price\n    return number * RATE / (number - 3)\n' in text
    assert "           ~~~~~~~~~~~~~~^~~~~~~~~~~~~~\n" in text


def test_checkcache_keeps_the_lines(load):
    load(SHOP, *SHOP_SEGMENTS)
    linecache.checkcache()
    assert linecache.getline("shop.ipynb#cell 2", 7) == "def price(text):\n"
    assert linecache.getline("shop.ipynb#cell 2", 1) == "RATE = 1.2\n"
    assert linecache.getline("shop.ipynb#cell 2", 3) == "\n"


def test_a_functions_source_can_be_read(load):
    module = load(SHOP, *SHOP_SEGMENTS)
    assert inspect.getsource(module.handle).startswith("def handle(event):\n    for record")


def test_the_module_is_registered_for_pickles_and_dataclasses(load):
    source = """\
    from dataclasses import dataclass

    @dataclass
    class Order:
        item: str
    """
    module = load(source, segment("cell 1", 1, 5, 1))
    assert sys.modules["notebook_code_test"] is module
    order = module.Order("tea")
    assert pickle.loads(pickle.dumps(order)) == order
    assert dataclasses.asdict(order) == {"item": "tea"}


def test_future_imports_hold_for_all_that_follows(load):
    source = """\
    from __future__ import annotations
    def price(order: NotDefinedAnywhere) -> AlsoNot: ...
    """
    module = load(source, segment("cell 1", 1, 1, 1), segment("cell 2", 2, 1, 1))
    assert module.price.__annotations__ == {"order": "NotDefinedAnywhere", "return": "AlsoNot"}


def test_without_a_future_import_annotations_are_values(load):
    assert load("def price(order: int): ...\n").price.__annotations__ == {"order": int}


def test_an_unknown_future_import_is_a_syntax_error(load):
    with pytest.raises(SyntaxError, match="not defined"):
        load("from __future__ import teleport\n", segment("cell 1", 1, 1, 1))


def test_a_decorator_written_by_a_magic_takes_the_line_of_the_magic(load):
    source = """\
    def mark(function):
        return function

    @mark
    @undefined
    def handle(event):
        return 1 / 0
    """
    with pytest.raises(NameError) as caught:
        load(source, segment("cell 4", 6, 2, 3))
    assert '"shop.ipynb#cell 4", line 2, in <module>\n    @undefined' in frames(caught)
    fixed = source.replace("@undefined", "@mark")
    with pytest.raises(ZeroDivisionError) as caught:
        load(fixed, segment("cell 4", 6, 2, 3)).handle(None)
    assert '"shop.ipynb#cell 4", line 4, in handle\n    return 1 / 0' in frames(caught)


def test_more_decorators_than_lines_above_do_not_break(load):
    source = """\
    def mark(function):
        return function

    @mark
    @mark
    @mark
    def handle(event):
        return 1 / 0
    """
    with pytest.raises(ZeroDivisionError) as caught:
        load(source, segment("cell 4", 7, 2, 1)).handle(None)
    assert '"shop.ipynb#cell 4", line 2, in handle\n    return 1 / 0' in frames(caught)


def test_a_generated_statement_has_a_name_of_its_own(load):
    with pytest.raises(ZeroDivisionError) as caught:
        load("x = 1\ny = 1 / 0\n")
    assert '"shop.ipynb#generated", line 2, in <module>\n    y = 1 / 0' in frames(caught)


def test_statements_of_one_line_are_joined_again(load):
    source = "é = 1\nb = [é, 1 / 0]\n"
    with pytest.raises(ZeroDivisionError) as caught:
        load(source, segment("cell 1", 1, 1, 5), segment("cell 1", 2, 1, 5))
    assert '"shop.ipynb#cell 1", line 5, in <module>\n    é = 1; b = [é, 1 / 0]\n' in frames(caught)
    assert "               ~~^~~" in frames(caught)


def test_a_statement_that_is_replayed_twice_is_shown_once(load):
    load("x = 1\nx = 1\n", segment("cell 1", 1, 1, 1), segment("cell 1", 2, 1, 1))
    assert linecache.getline("shop.ipynb#cell 1", 1) == "x = 1\n"


def test_a_syntax_error_names_the_cell(load):
    with pytest.raises(SyntaxError) as caught:
        load("x = 1\ny = = 2\n", segment("cell 1", 1, 1, 1), segment("cell 3", 2, 1, 4))
    assert (caught.value.filename, caught.value.lineno) == ("shop.ipynb#cell 3", 4)
    with pytest.raises(SyntaxError) as caught:
        load("x = 1\nreturn 2\n", segment("cell 1", 1, 1, 1), segment("cell 3", 2, 1, 4))
    assert (caught.value.filename, caught.value.lineno) == ("shop.ipynb#cell 3", 4)


def test_a_module_that_fails_is_not_left_behind(load):
    with pytest.raises(ZeroDivisionError):
        load("1 / 0\n")
    assert "notebook_code_test" not in sys.modules


def test_all_kinds_of_statements_can_be_moved(load):
    source = '''\
    """Not the docstring."""
    import os as system, sys
    class Shop[T: int]: ...
    type Prices[K] = dict[K, float]
    async def fetch(*args, key: str = "a", **rest):
        async with rest as r: yield [x async for x in r]
    match [1, {"a": 2}]:
        case [int(x), {"a": y, **more}] if x: z = f"{x:>{y}}"
        case _: z = None
    try: 1 / 0
    except* ZeroDivisionError as group: count = len(group.exceptions)
    value: int = (lambda *, n=1: n)()
    '''
    if sys.version_info < (3, 12):
        source = source.replace("[T: int]", "").replace("type Prices[K] =", "Prices =").replace("[K, float]", "")
    module = load(source, segment("cell 1", 1, 12, 30))
    assert (module.z, module.count, module.value, module.x) == (" 1", 1, 1, 1)


def test_warnings_and_empty_modules_do_no_harm(load):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load("", segment("cell 1", 1, 0, 1)).__name__ == "notebook_code_test"


def test_asserts_and_annotations_work_on_every_installed_python(tmp_path):
    script = tmp_path / "check.py"
    script.write_text(
        textwrap.dedent("""\
        import sys, traceback
        from nbchalice.runtime.cells import Segment, load_module
        module = load_module("def f(x):\\n    return 1 / x\\n", [Segment("cell 1", "a", 1, 2, 3)], "n.ipynb", "m")
        try:
            module.f(0)
        except ZeroDivisionError:
            print(traceback.format_exc())
        """)
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert 'File "n.ipynb#cell 1", line 4, in f\n    return 1 / x\n           ~~^~~' in done.stdout
