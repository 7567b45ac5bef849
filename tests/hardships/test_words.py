"""Lines of magics and commands with words that nobody foresaw: a result, or one error of ours that says what is wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbchalice.cli import code_of
from nbchalice.errors import NbChaliceError
from nbchalice.handlers.line import HelpShown, magic_command, parse_cell_magic
from nbchalice.names import COMMANDS
from nbchalice.sources import SOURCES
from nbchalice.ui import commands

from .. import notebooks
from ..ui.conftest import bare, run  # noqa: F401
from .mutations import joined, odd
from .share import EXAMPLES

HANDLER = "%%on_sqs_message orders\ndef price(event):\n    return [record.body for record in event]"
# What goes on until somebody stops it, or stops the local AWS of the other tests.
ENDLESS = {"live", "local"}


def require_clear(error):
    """An error is one of ours, short, and says how to go on."""
    lines = error.lines()
    assert error.message.strip() and "Traceback" not in str(error) and len(lines) < 40, str(error)


def line_for(options, *words):
    return joined(st.one_of(st.sampled_from([*options, *words]), odd))


@pytest.fixture(scope="module")
def lines():
    """For each cell magic, lines that may stand behind it."""
    made = {}
    for name, source in SOURCES.items():
        flags = [flag for param in magic_command(source).params for flag in param.opts if flag.startswith("-")]
        made[name] = line_for(flags, *source.examples)
    return made


@pytest.fixture(scope="module")
def words():
    """For each command, words that may stand behind it."""
    made = {}
    for name in sorted(COMMANDS):
        command = commands.COMMANDS[name]
        flags = [flag for param in (*command.more(), *command.params) for flag in param.opts if flag.startswith("-")]
        made[name] = line_for(sorted({*flags, "--stage", "--target"} - {"--follow"}), "price", "handle")
    return made


def test_the_line_of_a_cell_magic(lines, record_property):
    tried = []

    @EXAMPLES
    @given(st.data())
    def look(data):
        magic = data.draw(st.sampled_from(sorted(lines)))
        tried.append(line := data.draw(lines[magic]))
        try:
            parse_cell_magic(magic, line)
        except HelpShown:
            pass
        except NbChaliceError as error:
            require_clear(error)

    look()
    record_property("tried", ["hardships: lines of cell magics", len(tried)])


@pytest.mark.local_aws
def test_lines_in_a_notebook(run, lines, words, empty_local_aws, record_property):  # noqa: F811
    tried = []
    run(HANDLER)

    @EXAMPLES
    @given(st.data())
    def look(data):
        if data.draw(st.booleans()):
            magic = data.draw(st.sampled_from(sorted(lines)))
            line = " ".join(data.draw(lines[magic]).splitlines())  # IPython warns of some that end lines.
            cell = f"%%{magic} {line}\ndef handle(event):\n    pass"
        else:
            command = data.draw(st.sampled_from(sorted({*words} - ENDLESS)))
            cell = f"%chalice {command} {data.draw(words[command])}".replace("--target aws", "")
            cell = " ".join(cell.splitlines())
        cell = cell.encode(errors="ignore").decode()  # IPython's history refuses half a character.
        tried.append(cell)
        result = run.shell.run_cell(cell, silent=True)
        error = result.error_in_exec or result.error_before_exec
        if error is not None:
            assert isinstance(error, NbChaliceError), f"{cell!r}: {error!r}"
            require_clear(error)

    look()
    record_property("tried", ["hardships: cells with random lines", len(tried)])


@pytest.mark.local_aws
def test_words_of_the_command_line(tmp_path, monkeypatch, words, capsys, empty_local_aws, record_property):
    monkeypatch.chdir(tmp_path)
    path = str(notebooks.write(tmp_path / "shop.ipynb", ["%load_ext nbchalice\n%chalice app words", HANDLER]))
    tried = []

    @EXAMPLES
    @given(st.data())
    def look(data):
        command = data.draw(st.sampled_from([*sorted({*words} - ENDLESS), "strange", ""]))
        line = data.draw(words.get(command, joined(odd))).split()
        given_words = [command, *([path] if data.draw(st.integers(0, 9)) else []), *line]
        tried.append(given_words)
        capsys.readouterr()
        code = code_of(given_words)
        out, err = capsys.readouterr()
        assert code in {0, 1, 2}, given_words
        told = [text for text in err.splitlines() if text.startswith("error: ")]
        assert len(told) == (0 if code == 0 else 1) or code == 1, (given_words, err)
        if code and "--json" in given_words and told:
            assert json.loads(out.splitlines()[-1])["errors"], given_words

    look()
    record_property("tried", ["hardships: command lines", len(tried)])


@pytest.mark.parametrize(
    ("word", "said"),
    [("x" * 5000, "did you mean nbchalice send "), ("caf\udce9", "'caf\\udce9' is no text"), ("a\0", "is no text")],
    ids=["too long for a file's name", "another encoding", "NUL"],
)
def test_a_word_that_is_no_text_or_names_no_file(tmp_path, capsys, word, said):
    path = str(notebooks.write(tmp_path / "shop.ipynb", [HANDLER]))
    assert code_of(["send", path, "price", word]) == 2
    assert said in capsys.readouterr().err
    assert code_of(["send", path, "price", "--file", word]) == 2
    assert code_of(["plan", word]) == 2
