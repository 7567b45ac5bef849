"""What a pipeline and a shell count on: errors as data, a check that fails, completion, and help that costs little."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nbchalice.cli import code_of
from nbchalice.error_codes import CODES

from . import notebooks
from .test_docs import ROOT

pytestmark = pytest.mark.local_aws
CELLS = [
    "%load_ext nbchalice\n%chalice app piped",
    "%%on_sqs_message piped-orders\ndef price(event):\n    pass",
    "%%lambda_function\ndef ready(event):\n    pass",
]


def write(path, cells=CELLS):
    return str(notebooks.write(path, cells))


def run(capsys, *words):
    """Return the exit status, the document on stdout, and what stands on stderr."""
    capsys.readouterr()
    code = code_of([*words, "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out), err


def test_each_error_is_one_document_with_code_message_place_and_fix(capsys, tmp_path):
    wrong = write(tmp_path / "wrong.ipynb", [*CELLS, "%%lambda_function\ndef other(event):\n    import no_such_module"])
    code, told, err = run(capsys, "plan", wrong)
    (error,) = told["errors"]
    assert code == 2 and told["ok"] is False and set(error) == {"code", "message", "place", "fix"}
    assert error["place"] == {"cell": "cell 4", "line": 3, "source": "    import no_such_module"}
    assert error["code"] in CODES and "no_such_module" in error["message"] and error["fix"]
    assert error["message"] in err  # a person reads it, too


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["depoy"], "no command"), (["plan"], "Missing argument"), (["plan", "nowhere.ipynb"], "nowhere.ipynb"),
        (["plan", "NOTEBOOK", "--stag", "x"], "has no option --stag"), (["send", "NOTEBOOK", "nobody"], "nobody"),
        (["deploy", "NOTEBOOK", "--target", "aws"], "credentials"), (["logs", "NOTEBOOK", "nobody"], "nobody"),
    ],
)  # fmt: skip
def test_what_fails_before_it_begins_is_a_document_too(capsys, tmp_path, words, said):
    notebook = write(tmp_path / "piped.ipynb")
    code, told, _ = run(capsys, *[notebook if word == "NOTEBOOK" else word for word in words])
    assert code in {1, 2} and any(said in one["message"] for one in told["errors"]), told


def test_several_problems_are_listed_each_with_its_place(capsys, tmp_path):
    cells = [f"%%lambda_function\ndef {name}(event):\n    import no_such_{name}" for name in ("one", "two")]
    _, told, _ = run(capsys, "package", write(tmp_path / "two.ipynb", cells), "--out", str(tmp_path / "out"))
    assert [one["place"]["cell"] for one in told["errors"]] == ["cell 1", "cell 2"]


def test_a_check_fails_until_the_notebook_is_deployed_and_changes_nothing(capsys, tmp_path):
    notebook = write(tmp_path / "piped.ipynb")
    before = run(capsys, "deploy", notebook, "--check")
    assert before[0] == 1 and before[1]["changes"]
    assert run(capsys, "deploy", notebook, "--check")[1]["changes"] == before[1]["changes"]
    assert run(capsys, "deploy", notebook)[0] == 0
    code, told, _ = run(capsys, "deploy", notebook, "--check")
    assert (code, told["changes"]) == (0, [])
    write(tmp_path / "piped.ipynb", [*CELLS[:1], CELLS[1].replace("pass", "print(1)"), CELLS[2]])
    assert run(capsys, "deploy", notebook, "--check")[0] == 1
    write(tmp_path / "piped.ipynb", CELLS[:2])
    assert run(capsys, "deploy", notebook, "--check")[0] == 0  # a deploy leaves what the notebook has no more
    assert run(capsys, "deploy", notebook, "--check", "--prune")[0] == 1
    assert run(capsys, "delete", notebook, "--yes")[0] == 0


SCRIPT = """
eval "$(_NBCHALICE_COMPLETE=bash_source nbchalice)"
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
compopt() {{ :; }}
_nbchalice_completion nbchalice
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("nbchalice pl", ["plan"]), ("nbchalice deploy a.ipynb --ch", ["--check"]),
        ("nbchalice send NOTEBOOK ''", ["price", "ready"]), ("nbchalice send nowhere.ipynb ''", []),
        ("nbchalice package a.ipynb --format c", ["cloudformation"]),
        ("nbchalice package a.ipynb --format t", ["terraform"]),
        ("nbchalice send NOTEBOOK price --mess", ["--message"]),
    ],
)  # fmt: skip
def test_bash_completes_commands_options_values_and_handlers(tmp_path, words, wanted):
    notebook = write(tmp_path / "piped.ipynb")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = SCRIPT.format(words=words.replace("NOTEBOOK", notebook))
    done = subprocess.run(
        [shutil.which("bash"), "--norc", "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.split() == wanted, done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_their_script(shell):
    environment = {**os.environ, "_NBCHALICE_COMPLETE": f"{shell}_source"}
    done = subprocess.run(
        [sys.executable, "-m", "nbchalice"], capture_output=True, text=True, env=environment, check=True
    )
    assert f"_NBCHALICE_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["plan", "--help"], ["nonsense"]])
def test_help_imports_nothing_that_it_does_not_need(words):
    code = (
        "import sys; from nbchalice.cli import code_of\n"
        f"code_of({words!r})\n"
        "heavy = ('boto3', 'botocore', 'IPython', 'nbformat', 'nbchalice.sources', 'nbchalice.handlers', 'nbchalice.notebook')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


def blocks(language):
    """The blocks of the page on pipelines in some language."""
    text = (ROOT / "docs" / "pipelines.md").read_text()
    return [part.partition("```")[0] for part in text.split(f"```{language}\n")[1:]]


def test_the_pipelines_of_the_documentation_are_such_and_every_command_in_them_is_one():
    jobs = [yaml.safe_load(block) for block in blocks("yaml")]
    github = next(one for one in jobs if "jobs" in one)
    assert github["permissions"]["id-token"] == "write"
    lines = [line for block in blocks("yaml") for line in block.splitlines() if "-m nbchalice " in line]
    words = [line.partition("-m nbchalice ")[2].split() for line in lines]
    assert {one[0] for one in words} >= {"plan", "deploy"}
    from nbchalice.ui import commands

    for one in words:
        options = {
            option
            for param in commands.click_command(commands.COMMANDS[one[0]], cli=True).params
            for option in param.opts
        }
        assert {word for word in one if word.startswith("--")} <= options, one
