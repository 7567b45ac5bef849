"""An option that a command has not: what is told is the option that was meant, and never one that was not."""

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.ui.commands import COMMANDS, parse

MEANT = [
    # What other commands have is no misspelling.
    ("invoke NB price --message x", "send, why and tune have it; here: --event"),
    ("plan NB --check", "deploy has it"),
    ("status NB --since 1h", "logs, metrics, events and replay have it"),
    # Misspelled.
    ("deploy NB --prun", "did you mean --prune?"),
    ("logs NB price --folow", "did you mean --follow?"),
    # As Chalice and AWS's command line call it.
    ("deploy NB --profile work", "AWS_PROFILE chooses it: set it in the environment"),
    ("deploy NB --region eu-west-1", "AWS_DEFAULT_REGION chooses it: set it in the environment"),
    ("deploy NB --no-autogen-policy", "plan says what a role lacks, and --allow adds it"),
    ("logs NB price --tail", "did you mean --follow?"),
    ("logs NB -n price", "give the handler's name alone, with no option"),
    ("logs NB price --num-entries 5", "did you mean --since?"),
    ("invoke NB --function-name price", "give the handler's name alone, with no option"),
    ("invoke NB price --payload x", "did you mean --event?"),
    ("send NB price --payload x", "did you mean --message?"),
    ("package NB --pkg-format terraform", "did you mean --format?"),
    ("plan NB --output json", "did you mean --json?"),
    # Nothing near.
    ("deploy NB --handler price", "nbchalice deploy --help lists the options"),
    ("deploy NB --verbose", "nbchalice deploy --help lists the options"),
]


@pytest.mark.parametrize(("line", "meant"), MEANT, ids=[line for line, _ in MEANT])
def test_the_hint_names_what_was_meant(line, meant):
    name, *words = line.split()
    with pytest.raises(InvalidInputError) as caught:
        parse(COMMANDS[name], words, cli=True, prefix="nbchalice")
    assert caught.value.hint == meant
