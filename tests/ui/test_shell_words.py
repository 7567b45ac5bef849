"""Messages name commands as whoever reads them types them: in a cell, or in a shell with the notebook's file."""

import ast
import re
import shlex
from pathlib import Path

import pytest

import nbchalice
from nbchalice.names import COMMANDS as CALLED
from nbchalice.ui.commands import COMMANDS, parse
from nbchalice.ui.shell_words import for_shell

NOTEBOOK = Path("my shop.ipynb")
SOURCES = sorted(Path(nbchalice.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("%chalice deploy makes it", "nbchalice deploy 'my shop.ipynb' makes it"),
        ("%chalice status", "nbchalice status 'my shop.ipynb'"),
        ("remove it (%chalice delete price), or run", "remove it (nbchalice delete 'my shop.ipynb' price), or run"),
        ("%chalice deploy --prune removes them", "nbchalice deploy 'my shop.ipynb' --prune removes them"),
        ("%chalice local reset forgets everything", "nbchalice local reset forgets everything"),
        ("add --here, or run %chalice replay price in the notebook", None),
        ("run %chalice status --target aws in a cell; %chalice plan", "run %chalice status --target aws in a cell; nbchalice plan 'my shop.ipynb'"),
        ("bundle the value with %chalice bundle NAME", None),
        ("%chalice app NAME makes an app of your own", None),
        ("%chalices deploy, %%chalice", None),
    ],
)  # fmt: skip
def test_a_command_of_a_notebook_is_told_as_that_of_a_shell(text, told):
    assert for_shell(text, NOTEBOOK, {"--stage": None}) == (told or text)


def test_what_was_said_of_stage_and_target_belongs_to_the_fix():
    told = for_shell("%chalice logs price", NOTEBOOK, {"--stage": "prod", "--target": "aws"})
    assert told == "nbchalice logs 'my shop.ipynb' --stage prod --target aws price"
    assert parse(COMMANDS["logs"], shlex.split(told)[2:], cli=True)["handler"] == "price"


def test_without_a_notebook_its_place_is_named():
    assert for_shell("%chalice deploy", None, {"--stage": None}) == "nbchalice deploy NOTEBOOK"


def test_each_command_that_a_message_names_is_one():
    named = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named |= set(re.findall(r"%chalice (\w+)", node.value))
    assert {"deploy", "status", "bundle"} <= named
    assert named - {"COMMAND", "NAME"} <= {*COMMANDS, *CALLED, "app"}
