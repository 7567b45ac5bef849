"""Reading a notebook's file, magics and statements."""

import ast
import json
import subprocess
import sys

import nbformat
import pytest

from nbchalice.errors import CaptureError, InvalidInputError
from nbchalice.notebook.analysis.handler_function import decorator_text, find_handler
from nbchalice.notebook.analysis.magic import read_body
from nbchalice.notebook.analysis.scripts import names_of_script
from nbchalice.notebook.analysis.statements import split_cell
from nbchalice.notebook.capture.discover import discover
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.cells import Cell, read_notebook
from nbchalice.notebook.errors import HandlerNotFoundError
from nbchalice.notebook.secrets import find_secret


def test_code_cells_in_document_order(tmp_path):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell("A = 1", id="one"),
        nbformat.v4.new_markdown_cell("text"),
        nbformat.v4.new_code_cell("", id="two"),
        nbformat.v4.new_code_cell("B = 2", id="three"),
    ]
    stamp = {"iopub.execute_input": "2024-01-01T00:00:00Z", "shell.execute_reply": "2024-01-01T00:00:03Z"}
    notebook.cells[3].metadata["execution"] = stamp
    path = tmp_path / "nb.ipynb"
    nbformat.write(notebook, path)
    assert [(cell.id, cell.label, cell.seconds) for cell in read_notebook(path)] == [
        ("one", "cell 1", None),
        ("three", "cell 3", 3.0),
    ]


@pytest.mark.parametrize(
    "strange",
    [
        {"comment": "a field that no format knows"},
        {"metadata": {"widgets": None, "kernelspec": None, "language_info": {"name": "python", "x": [1]}}},
        {"metadata": None},
        {"nbformat_minor": 99},
        {"nbformat_minor": None},
    ],
)
def test_what_jupyter_opens_with_a_warning_is_read(tmp_path, strange):
    cell = {"cell_type": "code", "source": ["A = 1\n", "B = 2"], "extra": 1, "outputs": [{"no": "type"}]}
    raw = {"cells": [cell, {"cell_type": "sketch"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **strange}
    path = tmp_path / "nb.ipynb"
    path.write_text(json.dumps(raw), encoding="utf-8-sig")
    assert [(cell.id, cell.source) for cell in read_notebook(path)] == [("cell-1", "A = 1\nB = 2")]


@pytest.mark.parametrize("version", [2, 3])
def test_a_notebook_of_an_old_format_is_read(tmp_path, version):
    cell = {"cell_type": "code", "language": "python", "input": "A = 1\nB = 2", "outputs": []}
    raw = {"worksheets": [{"cells": [cell]}], "metadata": {"name": "old"}, "nbformat": version, "nbformat_minor": 0}
    path = tmp_path / "nb.ipynb"
    path.write_text(json.dumps(raw))
    assert [(cell.label, cell.source) for cell in read_notebook(path)] == [("cell 1", "A = 1\nB = 2")]


def test_of_two_equal_ids_the_second_is_made_up(tmp_path):
    cells = [{"cell_type": "code", "id": "a", "source": f"A = {n}", "outputs": []} for n in range(2)]
    path = tmp_path / "nb.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert [cell.id for cell in read_notebook(path)] == ["a", "cell-2"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "there is no notebook"),
        ("{", "not a valid notebook"),
        ("[" * 100_000, "not a valid notebook"),
        ("[]", "not a valid notebook"),
        ('{"cells": 1}', "not a valid"),
        ('{"nbformat": 4, "cells": 1}', "no list of cells"),
        ('{"nbformat": 4, "cells": [1]}', "no list of cells"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}', "source of cell 1 is not a text"),
        ('{"nbformat": 5, "cells": []}', "does not say that its format is nbformat 4"),
        ('{"nbformat": 3, "worksheets": 1}', "not a valid notebook"),
    ],
)
def test_a_bad_file_is_told(tmp_path, text, says):
    path = tmp_path / "nb.ipynb"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        read_notebook(path)
    assert says in str(caught.value)
    assert caught.value.hint


def test_a_notebook_in_another_language(tmp_path):
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    path = tmp_path / "nb.ipynb"
    nbformat.write(notebook, path)
    with pytest.raises(InvalidInputError, match="a notebook in R"):
        read_notebook(path)


def test_nothing_heavy_is_imported():
    code = "import sys, nbchalice.notebook.session, nbchalice.notebook.capture.slice; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", "import json;" + code]))
    assert not {"nbformat", "IPython", "boto3", "jsonschema"} & set(loaded)


def function(text):
    return find_handler(ast.parse(text)).name


def test_the_handler_of_a_cell():
    assert function("def f(event): ...") == "f"
    assert function("def f(event, context): ...") == "f"
    assert function("def f(event, limit=5): ...") == "f"
    assert function("def g(): ...\ndef f(record): ...\ndef k(a, b): ...") == "f"
    assert find_handler(ast.parse("def a(x): ...\ndef b(x): ..."), "a").name == "a"
    with pytest.raises(CaptureError, check=lambda error: error.code == "ambiguous-handler", match="a, b"):
        function("def a(x): ...\ndef b(event, context): ...")
    for text in (
        "def enter(event):\n    amount(event)\ndef amount(text): ...",
        "def amount(text): ...\ndef enter(e): amount(e)",
    ):
        with pytest.raises(CaptureError, check=lambda error: error.hint == "say which one: --handler enter"):
            function(text)
    with pytest.raises(HandlerNotFoundError, match=r"f\(a, b, c\)"):
        function("def f(a, b, c): ...")
    with pytest.raises(HandlerNotFoundError, match="defines no function"):
        function("x = 1")
    with pytest.raises(HandlerNotFoundError, match="has no function z"):
        find_handler(ast.parse("def a(x): ..."), "z")


def test_the_decorator_of_a_magic():
    options = {"queue": "orders", "batch_size": 10, "maximum_concurrency": None, "report_failures": False}
    assert decorator_text("on_sqs_message", options, None) == "@app.on_sqs_message(queue='orders', batch_size=10)"
    assert decorator_text("on_sns_message", {"topic": "t"}, "x") == "@app.on_sns_message(topic='t', name='x')"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = !ls", ["x"]),
        ("a, b = !ls", ["a", "b"]),
        ("x = %sx ls", ["x"]),
        ("%time y = 1", []),
        ("%timeit y = 1", ["y"]),
        ("%%bash --out listing --err wrong\nls", ["listing", "wrong"]),
        ("%%timeit\nz = 1", ["z"]),
        ("%store -r kept", ["kept"]),
        ("%%bash\nfoo", []),
        ("x != 1", []),
        ("x = 5 % 2", []),
        ("%%capture out\nA = 1", ["out"]),
    ],
)
def test_names_that_magics_define(text, names):
    assert [hidden.name for hidden in read_body(text).hidden] == names


@pytest.mark.parametrize(
    "line",
    [
        "log.info('p=%.3f', p)",
        'LABELS.append("n=%d")',
        "x = '%s' % y",
        'url = f"a=!{b}"',
        "t = 'really?'",
        "f(a=1, b='=!')",
        "x = y %z",
        "q = (1\n%z\n)",
        "s = '''\n%time x\n!ls\nwhat?\n'''",
        "d = {'a': b\n!= c}",
        "# %matplotlib inline",
        "x = a != b",
        "x = 1 # = !ls",
        "x = y \\\n% z",
        "assert f'{x!r}' == '%d?'",
        "x: str = '=%a'",
    ],
)
def test_text_is_no_magic(line):
    cell = f"%matplotlib inline\n{line}\nkept = 1"
    body = read_body(cell)
    assert body.text == f"\n{line}\nkept = 1" and body.hidden == () and body.magics == ()


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("%time x = f()", "x = f()"),
        ("%time  x = f(1) % 2", "x = f(1) % 2"),
        ("%prun -l 5 x = f()", "x = f()"),
        ("if a:\n    %time x = f()", "if a:\n    x = f()"),
        ("  x = 1\n  y = 2", "x = 1\ny = 2"),
        (">>> x = 1\n>>> y = 2", "x = 1\ny = 2"),
        ("In [3]: x = 1", "x = 1"),
        ("a = 1; %time", "a = 1; %time"),
        (",f a b", 'f("a", "b")'),
        (";f a b", 'f("a b")'),
        ("/f a b", "f(a, b)"),
        ("%xdel x", "del x"),
        ("files = !ls\nn = len(files)", "\nn = len(files)"),
        ("if a:\n    files = !ls", "if a:\n    files = None"),
        ("%timeit -n1 -r1 xs.append(9)", "xs.append(9)"),
    ],
)
def test_what_ipython_makes_of_a_cell(cell, text):
    assert read_body(cell).text == text


def test_installing_what_an_import_did_not_find_is_no_part_of_the_code():
    found = read_body("try:\n    import pint\nexcept ImportError:\n    !pip install pint\n    import pint\n")
    assert (
        found.text == "try:\n    import pint\nexcept ImportError:\n    pass\n    import pint\n" and found.magics == ()
    )
    other = read_body("try:\n    import pint\nexcept ImportError:\n    !rm -r build\n")
    assert other.magics == (4,)
    assert read_body("try:\n    x()\nexcept ValueError:\n    def y():\n        !pip install pint\n").magics == (5,)


@pytest.mark.parametrize("magic", ["files = !ls", "files = %sx ls", "%store -r files", "%%capture files\nprint(1)"])
def test_a_magic_replaces_an_earlier_definition(magic):
    cells = [
        Cell(str(n), f"cell {n}", text, n)
        for n, text in enumerate(["files = ['old']", magic, "def h(event):\n    return files"])
    ]
    with pytest.raises(
        CaptureError, check=lambda error: error.code == "magic-name", match="files is defined only by a magic in cell 1"
    ):
        slice_handler(cells, "h", notebook="x.ipynb")


def test_a_plain_definition_after_a_magic_counts():
    texts = ["files = !ls", "files = ['new']", "%timeit files = 1", "def h(event):\n    return files"]
    cells = [Cell(str(n), f"cell {n}", text, n) for n, text in enumerate(texts)]
    assert "files = ['new']" in slice_handler(cells, "h", notebook="x.ipynb").module


def test_lines_keep_their_numbers():
    body = read_body("%a \\\n  b\nx = 1\nif x:\n    !ls\n    %b\n'''\n%c\n'''\n(1\n% 2)\nx?\n")
    assert body.text == "\n\nx = 1\nif x:\n    pass\n    pass\n'''\n%c\n'''\n(1\n% 2)\n\n"
    assert body.magics == (5, 6)


@pytest.mark.parametrize(
    "text", ["def h(event):\n    return {}", "{}", "x = [{}]", "async def f():\n    {}", "class A:\n    {}"]
)
@pytest.mark.parametrize(
    ("part", "uses"),
    [
        ("[a for a in b]", {"b"}),
        ("lambda q=c: q + d", {"c", "d"}),
        ("{k: v for k, v in e.items()}", {"e"}),
        ("f'{g!r:>{w}}'", {"g", "w"}),
    ],
)
def test_names_of_inner_scopes_stay_inside(text, part, uses):
    (statement,) = split_cell(text.replace("{}", part)).statements
    assert statement.now.uses | statement.uses_later == uses


def test_what_a_statement_defines():
    def binds(text):
        (statement,) = split_cell(text).statements
        return statement.defines, statement.may_define

    assert binds("a, *b = c") == ({"a", "b"}, set())
    assert binds("if x:\n    a = 1\nelse:\n    a = 2") == ({"a"}, set())
    assert binds("if x:\n    a = 1") == (set(), {"a"})
    assert binds("import a.b, c as d") == ({"a", "d"}, set())
    assert binds("with x as y:\n    z = 1") == ({"y", "z"}, set())
    assert binds("for i in x:\n    j = 1") == (set(), {"i", "j"})
    assert binds("x.y = 1") == (set(), set())
    assert binds("[q := 1]") == (set(), {"q"})
    assert binds("def f():\n    g = 1") == ({"f"}, set())


SECRETS = [
    "KEY = 'AKIA" + "ABCDEFGHIJKLMNOP'",
    "aws_secret_access_key = '" + "a1B2" * 10 + "'",
    "PEM = '''-----BEGIN RSA PRIVATE " + "KEY-----",
    "t = 'gh" + "p_" + "a1" * 20 + "'",
    "t = 'xox" + "b-1234567890-abcdefghij'",
    "t = 'sk_" + "live_" + "a1" * 12 + "'",
    "db = 'postgres://user:" + "hunter2x@db.example.org/x'",
    "password = 'c0rrect-horse-9" + "battery'",
    "config = {'api_key': 'a1b2c3d4e5f6" + "g7h8'}",
    "jwt = 'ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTY3.SflKxwRJSMeKKF2QT4'",
]


@pytest.mark.parametrize("line", SECRETS)
def test_secrets_are_found(line):
    assert find_secret(line)
    with pytest.raises(CaptureError, check=lambda error: error.code == "secret-in-slice") as caught:
        slice_handler(
            [
                Cell("a", "cell 1", f"{line}\n'''" if "BEGIN" in line else line, 0),
                Cell("b", "cell 2", f"def h(event):\n    return {line.split(' = ')[0]}", 1),
            ],
            "h",
            notebook="nb.ipynb",
        )
    assert line.strip("'").split("'")[-1][:8] not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "KEY = 'AKIAIOSFODNN7EXAMPLE'",
        "password = os.environ['PASSWORD']",
        "token = 'token'",
        "url = 'https://example.org/a?b=c'",
        "SECRET_NAME = 'prod/db/password'",
        "key = 'AKIA" + "ABCDEFGHIJKLMNOP'  # pragma: allowlist secret",
        "arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1b2c3'",
        "batch_token_count = 128",
    ],
)
def test_what_is_no_secret(line):
    assert find_secret(line) is None


def test_a_handler_that_a_later_cell_deletes_is_none():
    handler = "%%on_sqs_message orders\ndef f(event):\n    pass"
    texts = ["%chalice app shop", handler, "del f", "@app.lambda_function()\ndef g(event, context):\n    pass", handler]
    cells = [Cell(f"c{order}", f"cell {order + 1}", text, order) for order, text in enumerate(texts)]
    assert [one.name for one in discover(cells[:4], "nb.ipynb").handlers] == ["g"]
    assert [one.name for one in discover(cells, "nb.ipynb").handlers] == ["g", "f"]


def test_discovery_gives_all_triggers_settings_and_places():
    cells = [
        Cell("a", "cell 1", "%chalice app shop", 0),
        Cell(
            "b",
            "cell 2",
            "from nbchalice import Rate\n@app.schedule(Rate(1, unit=Rate.HOURS), name='both', timeout=9)\n@app.on_sns_message('t')\ndef f(event):\n    return pandas_is_not_needed",
            1,
        ),
        Cell("c", "cell 3", "%%on_s3_event bucket --prefix in/ --memory 256\ndef g(event):\n    pass", 2),
        Cell("d", "cell 4", "%%schedule rate(1 hour) --name later\ndef g2(event):\n    pass", 3),
    ]
    found = discover(cells, "nb.ipynb").handlers
    assert [(one.name, one.function, one.app) for one in found] == [
        ("both", "f", "shop"),
        ("g", "g", "shop"),
        ("later", "g2", "shop"),
    ]
    assert [[source for source, _ in one.triggers] for one in found] == [
        ["on_sns_message", "schedule"],
        ["on_s3_event"],
        ["schedule"],
    ]
    assert found[0].triggers[1][1]["expression"] == "rate(1 hour)"
    assert found[0].settings == {"timeout": 9}
    assert found[1].triggers[0][1]["prefix"] == "in/"
    assert found[1].settings == {"memory": 256}
    assert str(found[2].location) == "cell 4, line 2: def g2(event):"


def test_the_settings_of_a_cell_magic_count_beside_decorators():
    texts = [
        "%chalice app shop\ndef logged(run):\n    return run",
        "%%on_sqs_message q --dlq lost --timeout 7 --name other\n@logged\n@app.schedule('rate(1 hour)', timeout=9, memory=512)\n"
        "def f(event):\n    pass",
    ]
    (found,) = discover(
        [Cell(f"c{at}", f"cell {at + 1}", text, at) for at, text in enumerate(texts)], "nb.ipynb"
    ).handlers
    assert (found.name, found.settings) == ("other", {"dlq": "lost", "timeout": 7, "memory": 512})


def test_a_wrong_magic_line_is_told_with_its_place():
    wrong = Cell("a", "cell 1", "\n%%on_sqs_message orders --nonsense\ndef f(event):\n    pass", 0)
    (unread,) = discover([wrong], "nb.ipynb").unread
    assert "cell 1, line 2" in str(unread.error)


def test_what_timeit_runs_binds_nothing_and_is_marked():
    (statement,) = split_cell("%timeit -n10 -r1 z = []; z.append(1)").statements
    assert statement.repeats
    assert not statement.binds
    assert not statement.now.touches
    (statement,) = split_cell("%%timeit\nxs = []\nxs.append(1)").statements
    assert statement.repeats
    assert not statement.binds


@pytest.mark.parametrize(
    ("arguments", "names"),
    [("rates.py", {"RATE", "rate"}), ("-i rates.py 3", {"RATE", "rate"}), ("missing.py", set()), ("'", set())],
)
def test_names_of_a_script_that_is_run(arguments, names, tmp_path):
    (tmp_path / "rates.py").write_text("RATE = 1\ndef rate(): return RATE\n")
    assert names_of_script(arguments, {}, tmp_path) == names
    assert names_of_script("rates.py", {"./rates.py": "OTHER = 1"}, tmp_path) == {"OTHER"}
    assert names_of_script(arguments, {}, None) == set()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rows.append(1)", {"rows"}),
        ("rates['a'] = 2\nbox.size += 1\ndel rows[0]", {"rates", "box", "rows"}),
        ("for row in rows:\n    row['a'] = 1", {"row", "rows"}),
        (
            "def more(row):\n    kept = []\n    kept.append(1)\n    row.append(1)\n    rows.append(row)",
            {"more", "rows"},
        ),
        ("print(len(rows), rows.index(1), rates['a'])", set()),
    ],
)
def test_what_a_script_changes_that_runs_among_the_names_of_the_notebook(text, names, tmp_path):
    assert names_of_script("-i more.py", {"more.py": text}, tmp_path) == names
    (tmp_path / "more.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "source": text}]}))
    assert names_of_script("more.ipynb", {}, tmp_path) == names
    assert names_of_script("more.py", {"more.py": text}, tmp_path) == names & {"row", "more"}


def test_names_of_a_notebook_that_is_run(tmp_path):
    cells = [{"cell_type": "markdown", "source": "x = 1"}, {"cell_type": "code", "source": ["%pwd\n", "y = 1"]}]
    (tmp_path / "setup.ipynb").write_text(json.dumps({"cells": cells}))
    assert names_of_script("setup.ipynb", {}, tmp_path) == {"y"}
    (tmp_path / "setup.ipynb").write_text("[]")
    assert names_of_script("setup.ipynb", {}, tmp_path) == set()


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("shop", "did you mean shop.ipynb?"),
        ("shpo.ipynb", "did you mean shop.ipynb?"),
        ("quite-another.ipynb", "check the path; it is relative to the current folder"),
        ("nowhere/shop.ipynb", "check the path; it is relative to the current folder"),
    ],
)
def test_a_notebook_that_is_not_there_is_told_with_the_one_that_is_near(tmp_path, given, hint):
    (tmp_path / "shop.ipynb").write_text("{}")
    with pytest.raises(InvalidInputError) as caught:
        read_notebook(tmp_path / given)
    assert caught.value.hint == hint
