"""Texts that a module puts together, and those of which it does not say enough."""

import ast
import textwrap

import pytest

from nbchalice.notebook.capture.composed import composed_texts

COMPOSED = {
    "a sum": "open('x_' + 'y.csv')",
    "a constant": "def h(event):\n    return open(X + '_y.csv')\nX = 'x'",
    "an f-string": "NAME = 'y'\ndef h(event):\n    return open(f'x_{NAME}.csv')",
    "a width": 'open(f\'{"x":s}_{"y"!s}.csv\')',
    "a percent": "open('%s_%s.csv' % ('x', 'y'))",
    "a percent of one": "n = 'x_y'\nopen('%s.csv' % n)",
    "a percent by name": "open('%(a)s_y.csv' % {'a': 'x'})",
    "a format": "open('{}_{n}.csv'.format('x', n='y'))",
    "a method": "open('X_Y'.lower() + '.csv')",
    "a join of texts": "open('_'.join(['x', 'y']) + '.csv')",
    "a suffix": "from pathlib import Path\nPath('x_y').with_suffix('.csv').read_text()",
    "a stem": "from pathlib import Path\nopen(Path('a/x_y.txt').stem + '.csv')",
    "the folder of the process": "import os\nopen(os.path.join(os.getcwd(), 'x_y' + '.csv'))",
    "a path of the folder": "from pathlib import Path\n(Path.cwd() / ('x_' + 'y.csv')).resolve()",
    "a loop": "for name in ['a', 'x']:\n    open(name + '_y.csv')",
    "pairs": "for name, kind in {'x_y': 'csv'}.items():\n    open(f'{name}.{kind}')",
    "numbers": "names = [f'x_{n}.csv' for n in range(9)]\nY = 'x_' + 'y.csv'",
    "a comprehension": "[open(f'x_{n}.csv') for n in ('y', 'z')]",
    "an element": "FILES = {'rates': 'x_y'}\ndef h(event):\n    return open(FILES['rates'] + '.csv')",
    "an argument": "def load(name, kind='csv'):\n    return open(f'x_{name}.{kind}')\ndef h(event):\n    load('y')",
    "an argument by name": "def load(*, name):\n    return open(f'x_{name}.csv')\nload(name='y')",
    "an attribute": "class Load:\n    START = 'x_'\n    def read(self):\n        return open(self.START + 'y.csv')",
    "an attribute of self": "class A:\n    def __init__(self):\n        self.a = 'x_'\n    def f(self):\n        self.a + 'y.csv'",
    "a field": "conf = Settings(start='x_')\ndef h(event):\n    return open(conf.start + 'y.csv')",
    "one of two": "if debug:\n    n = 'a'\nelse:\n    n = 'x'\nopen(n + '_y.csv')",
}
FOLDERS = {
    "a path": "from pathlib import Path\nDATA = 'a'\nPath(DATA) / 'x_y.csv'",
    "a join": "import os\nos.path.join('a', 'x_y.csv')",
    "a joined path": "Path('a').joinpath('x_y.csv')",
    "its parent": "Path('a/b.csv').parent / 'x_y.csv'",
}
UNKNOWN = {
    "the event": "def h(event):\n    return open(event['name'] + '.csv')",
    "the event, in an f-string": "def h(event):\n    return open(f'x_{event.body}.csv')",
    "a parameter that another function has as a constant": "def f():\n    n = 'y'\ndef h(n):\n    return open(f'x_{n}.csv')",
    "itself": "x = 'a'\nx = x + x\ny = y + 'b'",
    "what cannot be": "'%d.csv' % 'x'; 'a' / 2; {}['x']; ''.no(); [1][5]",
    "too long": "'%9999999999d' % 1; f'{1:9999999999}'; '{:9999999999}'.format(1); 'x'.ljust(10**10); 'x'.zfill(9999999999)",
    "what is no text": "seen = {}\nseen.clear(); seen.setdefault('a'); 'a'.encode(); 'a'.isalpha(); range(3).index(1); [].copy()",
    "unpacked": "'{}.csv'.format(*names); '{a}.csv'.format(**names)",
}


def texts(module):
    return {text for text, _ in composed_texts(ast.parse(textwrap.dedent(module)))}


@pytest.mark.parametrize("case", COMPOSED)
def test_what_stands_in_the_module_is_put_together(case):
    assert "x_y.csv" in texts(COMPOSED[case])


@pytest.mark.parametrize("case", FOLDERS)
def test_paths_too(case):
    assert "a/x_y.csv" in texts(FOLDERS[case])


@pytest.mark.parametrize("case", UNKNOWN)
def test_nothing_is_made_up(case):
    found = texts(UNKNOWN[case])
    assert not {text for text in found if text.endswith(".csv")} and all(len(text) < 500 for text in found)


def test_a_module_that_goes_round_ends():
    text = "x = 'a'\n" + "x = x + x + x\n" * 400 + "y = " + " + ".join(["x"] * 300)
    assert len(texts(text)) < 1000


def test_a_text_has_its_line():
    assert list(composed_texts(ast.parse("\n\nopen('x_' +\n 'y.csv')"))) == [("x_y.csv", 3)]
