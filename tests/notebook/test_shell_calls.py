"""Calls of the shell that have a plain form, and magics that a notebook makes."""

import pytest

from nbchalice.notebook.analysis.magic import read_body
from nbchalice.notebook.analysis.own_magics import OwnMagics
from nbchalice.notebook_file import read_project
from nbchalice.operations import verified_packages

from ..notebooks import write


@pytest.mark.parametrize(
    ("cell", "is_read_as"),
    [
        ("get_ipython().run_cell('x = 2')", "exec('x = 2')"),
        ("r = get_ipython().run_cell(\n    'x = 2', silent=True\n)", "r = exec(\n'x = 2')\n"),
        ("é = 'ü'; get_ipython().ex(é)", "é = 'ü'; exec(é)"),
        ("get_ipython().push({'x': 1}, interactive=False)", "globals().update({'x': 1})"),
        ("ip = get_ipython()\nip.user_ns['x'] = ip.ev('1 + 1')", "ip = get_ipython()\nglobals()['x'] = eval('1 + 1')"),
        ("get_ipython().run_line_magic('time', 'x = 1')", "x = 1"),
        ("if a:\n    get_ipython().run_line_magic('time', 'x = 1')", "if a:\n    x = 1"),
        ("get_ipython().run_cell_magic('time', '', 'x = 1')", "exec('x = 1')"),
        ("get_ipython().run_cell_magic('bash', '', 'x=1')", "get_ipython().run_cell_magic('bash', '', 'x=1')"),
        ("get_ipython().run_cell('%ls')", "get_ipython().run_cell('%ls')"),
        ("def f():\n    get_ipython().ex('x')", "def f():\n    get_ipython().ex('x')"),
        ("get_ipython = 3\nget_ipython.user_ns", "get_ipython = 3\nget_ipython.user_ns"),
        ("ip = get_ipython()\nip = 3\nip.ex('x')", "ip = get_ipython()\nip = 3\nip.ex('x')"),
        (
            "t = '''\nget_ipython().run_line_magic('time', 'x')\n'''",
            "t = '''\nget_ipython().run_line_magic('time', 'x')\n'''",
        ),
        ("text = \"get_ipython().ex('x')\"", "text = \"get_ipython().ex('x')\""),
    ],
)
def test_a_call_of_the_shell_is_read_as_what_it_does(cell, is_read_as):
    assert read_body(cell).text == is_read_as


CELLS = {4: "x = 1", 5: "x += 1", 6: "%ls"}


@pytest.mark.parametrize(
    ("made", "used", "written_out"),
    [
        ("%alias_magic t time", "%t x = 1", "%time x = 1"),
        ("%alias_magic t time", "%%t\nx = 1", "%%time\nx = 1"),
        ("%alias_magic --line t %time", "%%t\nx = 1", "%%t\nx = 1"),
        ("%alias_magic --cell t capture", "%%t out\nx = 1", "%%capture out\nx = 1"),
        ("%macro again 4-5", "again", "exec('x = 1\\nx += 1\\n')"),
        ("%macro -q again 5 4", "  again", "exec('x += 1\\nx = 1\\n')"),
        ("%macro again 6", "again", "get_ipython().macro('again')"),
        ("%macro again 9", "again", "get_ipython().macro('again')"),
        ("%macro again 4", "again = 1", "again = 1"),
        ("@register_line_magic\ndef f(line): pass", "%f 3 'a'", "f(\"3 'a'\")"),
        ("@register_line_magic('g')\ndef f(line): pass", "if a:\n    %g", "if a:\n    f('')"),
        ("@m.register_cell_magic\ndef f(line, cell): pass", "# so\n%%f 3\nx\ny", "# so\nf('3', 'x\\ny')\n\n"),
        ("@register_line_cell_magic\ndef f(line, cell=None): pass", "%f 3", "f('3')"),
        ("%matplotlib inline", "%t x = 1", "%t x = 1"),
    ],
)
def test_a_magic_of_the_notebook_is_read_as_what_it_stands_for(made, used, written_out):
    magics = OwnMagics(CELLS.get)
    assert magics.written_out(made) == made
    assert magics.written_out(used) == written_out
    assert used.count("\n") == written_out.count("\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["SIZE = 1", "get_ipython().ast_transformers.append(print)", "SIZE = 2"], "ast_transformers changes what"),
        (["SIZE = 1", "get_ipython().input_transformers_cleanup.append(print)"], "input_transformers_cleanup changes"),
        (["SIZE = [1]", "get_ipython().register_magics(print)"], "SIZE (cell 2, line 1: RuntimeError: get_ipython()."),
        (["SIZE = [1]\nip = get_ipython()", "ip.anything()"], "SIZE (cell 2, line 1: RuntimeError: get_ipython()."),
        (["SIZE = [1]", "%macro again 9", "again"], "SIZE (cell 3, line 1: RuntimeError: get_ipython().macro needs"),
    ],
)
def test_what_only_a_kernel_can_do_is_told(cells, says, tmp_path):
    handler = "%%lambda_function\ndef h(event):\n    return SIZE"
    project = read_project(write(tmp_path / "n.ipynb", [*cells, handler]))
    verified_packages(project)
    (note,) = project.proven.notes()
    assert note.startswith("h: not compared with a run of the notebook: ")
    assert says in note


@pytest.mark.slow
def test_a_macro_runs_the_cells_again(tmp_path):
    cells = ["SIZE = [1]", "SIZE.append(2)", "%macro -q again 2", "again"]
    handler = "%%lambda_function\ndef h(event):\n    return SIZE"
    project = read_project(write(tmp_path / "n.ipynb", [*cells, handler]))
    verified_packages(project)
    assert "comes along: a run shows that it changes SIZE" in "".join(project.proven.notes())
