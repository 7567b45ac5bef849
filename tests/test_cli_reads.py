"""What a command of the shell runs of a notebook: nothing where its text says enough."""

import json
import subprocess
import sys

import pytest

from .notebooks import write

SCRIPT = """
import json, sys
from nbchalice.cli import code_of
from nbchalice.notebook.sandbox.helper import HELPER
code = code_of(sys.argv[1:])
print("\\n" + json.dumps([code, HELPER.confined_by is not None]))
"""
APP = "from nbchalice import Chalice\napp = Chalice(app_name='shop')"
HANDLER = "@app.on_sqs_message('orders', batch_size=1 // 0)\ndef price(event):\n    return RATE"
RATE = "RATE = 1.2"


@pytest.fixture
def shell(tmp_path):
    """Write cells as a notebook, and run a command on it; return its output and whether anything was run."""

    def run(cells, command, *words):
        path = tmp_path / "shop.ipynb"
        write(path, cells)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, command, str(path), *words], capture_output=True, text=True, check=False
        )
        out, _, last = done.stdout.rpartition("\n[")
        code, ran = json.loads("[" + last)
        return code, out + done.stderr, ran

    return run


@pytest.mark.parametrize("words", [(), ("price",)])
def test_show_runs_nothing_of_the_notebook(words, shell):
    cells = [APP, "import os", "os.unlink('/nothing')", RATE, HANDLER]
    code, text, ran = shell(cells, "show", *words)
    assert code == 0 and not ran, text
    assert "RATE = 1.2" in text and "def price" in text and "1 // 0" in text


@pytest.mark.slow
def test_show_names_handlers_as_the_text_does(shell):
    cells = [
        "%chalice app shop",
        "%%on_sqs_message orders --name by-magic\ndef a(event):\n    return 'one'",
        "@app.on_sqs_message('orders', name='written')\ndef b(event):\n    return 'two'",
        "NAME = 'x'",
        "@app.on_sqs_message('orders', name=NAME)\ndef c(event):\n    return 'three'",
        "%%on_sqs_message broken\ndef d(event:",
    ]
    for name, answer in (("by-magic", "one"), ("a", "one"), ("written", "two"), ("b", "two"), ("c", "three")):
        code, text, ran = shell(cells, "show", name)
        assert code == 0 and not ran and f"'{answer}'" in text, text
    assert "the text does not say the name of c (cell 5, line 1), and nothing was run" in text
    assert "cell 6 is not valid Python: '(' was never closed" in text and "the name of a handler" not in text
    assert shell(cells, "show", "nobody")[0] == 2


def test_logs_runs_nothing_where_the_text_says_the_names(shell, local_aws):
    for app in (APP, "%chalice app shop"):
        code, text, ran = shell([app, RATE, HANDLER], "logs", "price")
        assert not ran and "note: the text" not in text, text


def test_logs_says_when_a_name_has_to_be_computed(shell, local_aws):
    cells = [
        "from nbchalice import Chalice\nNAME = 'sh' + 'op'\napp = Chalice(NAME)",
        RATE,
        HANDLER.replace(" // 0", ""),
    ]
    _, text, ran = shell(cells, "logs", "price")
    assert ran and "note: the text does not say the name of the app: what computes it is run, confined" in text


@pytest.mark.local_aws
@pytest.mark.usefixtures("empty_local_aws")
def test_logs_says_what_is_missing_where_no_run_could_find_the_handler(shell):
    cells = [APP, "%%on_commit docs\ndef build(event): ...", "@app.on_commit('x')\ndef docs(event): ...", HANDLER]
    code, text, ran = shell(cells, "logs", "build")
    assert code == 2 and not ran and text.strip().startswith("error: there is no cell magic %%on_commit here"), text
    for name in ("docs", "price"):
        code, text, ran = shell(cells, "logs", name)
        assert not ran and f"error: {name} is not deployed" in text and "note: the text" not in text


@pytest.mark.usefixtures("empty_local_aws")
def test_a_fix_is_a_command_of_this_shell_in_text_and_in_json(tmp_path, local_aws, capsys):
    from nbchalice.cli import code_of

    path = write(tmp_path / "shop.ipynb", ["%chalice app shop", "%%lambda_function\ndef price(event):\n    return 1"])
    assert code_of(["rollback", str(path), "price", "--stage", "prod", "--json"]) == 2
    out, err = capsys.readouterr()
    (error,) = json.loads(out)["errors"]
    assert error["fix"] == f"nbchalice deploy {path} --stage prod" and error["fix"] in err
    assert code_of(error["fix"].split()[1:]) == 0
    assert code_of(["rollback", str(path), "price", "--stage", "prod"]) == 2
    capsys.readouterr()
    write(path, ["%chalice app shop", "%%lambda_function\ndef other(event):\n    return 1"])
    assert code_of(["plan", str(path), "--stage", "prod"]) == 0
    assert f"nbchalice deploy {path} --stage prod --prune removes them" in capsys.readouterr().out
