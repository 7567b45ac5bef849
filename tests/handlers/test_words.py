"""A magic's line: JSON is taken as it is typed, and the names that errors suggest are near ones."""

import random
import shlex
import sys

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.handlers import parse_cell_magic
from nbchalice.handlers.words import split_line
from nbchalice.text import listing, near, nearest
from nbchalice.ui import commands

TAKEN = {
    """q --filter {"body": {"kind": ["sale"]}}""": ["q", "--filter", '{"body": {"kind": ["sale"]}}'],
    """q --filter={"a":["b c"]} --timeout 3""": ["q", '--filter={"a":["b c"]}', "--timeout", "3"],
    """send price --message {"text": "it's"} --delay 1""": ["send", "price", "--message", '{"text": "it\'s"}', "--delay", "1"],
    """{"source": ["a\\"b", "{"]}""": ['{"source": ["a\\"b", "{"]}'],
    """x --message ["a", 1, null]""": ["x", "--message", '["a", 1, null]'],
    """x --message [1, 2]  --delay 2""": ["x", "--message", "[1, 2]", "--delay", "2"],
    """x --filter '{"a": ["b"]}'""": ["x", "--filter", '{"a": ["b"]}'],
    '''x --filter "{\\"a\\": [1]}"''': ["x", "--filter", '{"a": [1]}'],
    """x --message 'say {"a": 1}' --subject a\\ {b""": ["x", "--message", 'say {"a": 1}', "--subject", "a {b"],
    """x --message {name} --key [a-z]""": ["x", "--message", "{name}", "--key", "[a-z]"],
    """rate(5 minutes) --env A='b c'""": ["rate(5", "minutes)", "--env", "A=b c"],
    """x --message a{"b": 1}""": ["x", "--message", "a{b:", "1}"],
}  # fmt: skip
REFUSED = [
    """x --message {"a": [b]}""",
    """x --message {'a': 1}""",
    """x --message {"a": 1},{"b": 2}""",
    """x --filter={"a": "b\"""",
    """x --message ["a" "b"]""",
]


def test_an_open_quote_shows_no_value():
    with pytest.raises(InvalidInputError) as refused:
        split_line("orders --env PASSWORD=it's-hunter", "%%on_sqs_message")
    assert refused.value.message == "%%on_sqs_message: no closing quotation"


@pytest.mark.parametrize("line", TAKEN)
def test_json_keeps_its_quotes(line):
    assert split_line(line, "%chalice") == TAKEN[line]


def test_words_are_a_shells():
    chance = random.Random(1)
    refused = 0
    for _ in range(3000):
        line = "".join(chance.choices(list("ab'\"\\ \n-="), k=chance.randrange(12)))
        try:
            wanted = shlex.split(line)
        except ValueError:
            refused += 1
            with pytest.raises(InvalidInputError, match="no closing quotation|no escaped character"):
                split_line(line, "%chalice")
        else:
            assert split_line(line, "%chalice") == wanted
    assert 500 < refused < 2500


@pytest.mark.parametrize("message", ["x" * 50_000, "'" + "x y" * 20_000 + "'", '"' + "x\\'" * 20_000 + '"'])
def test_a_long_message_takes_no_longer_to_read_for_each_letter(message):
    steps = 0

    def count(frame, event, argument):
        nonlocal steps
        steps += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        words = split_line(f"send price --message {message} --wait 1", "%chalice")
    finally:
        sys.settrace(before)
    assert len(words) == 6 and len(words[3]) >= 50_000
    assert steps < 500


@pytest.mark.parametrize("line", REFUSED)
def test_what_would_lose_its_quotes_is_refused_with_the_way_out(line):
    with pytest.raises(InvalidInputError, match="begins like JSON and is none") as refused:
        split_line(line, "%chalice")
    assert refused.value.hint == """put JSON into single quotes: --option '{"key": ["value"]}'"""


def test_a_cell_magic_takes_json_as_it_is_typed():
    magic = parse_cell_magic("on_sqs_message", """orders --filter {"body": {"kind": ["sale"]}} --batch-size 2""")
    assert magic.options["filter"] == {"body": {"kind": ["sale"]}}
    pattern = parse_cell_magic("on_cw_event", """{"source": ["shop", "web"]} --timeout 9""")
    assert (pattern.options, pattern.settings) == ({"event_pattern": {"source": ["shop", "web"]}}, {"timeout": 9})


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("--environment", ["--env", "--requirements", "--timeout"], "--env"),
        ("--env-vars", ["--env", "--requirements"], "--env"),
        ("--body", ["--message", "--delay", "--group-id"], None),
        ("--mem", ["--message", "--memory"], "--memory"),
        ("--memmory", ["--message", "--memory"], "--memory"),
        ("--messages", ["--message", "--memory"], "--message"),
        ("--time", ["--times", "--timeout"], "--times"),
        ("--batchsize", ["--batch-size", "--suffix"], "--batch-size"),
        ("tiemout", ["timeout", "memory"], "timeout"),
        ("--zzz", ["--env", "--tag"], None),
    ],
)
def test_the_nearest_name(name, known, expected):
    assert nearest(name, known) == expected
    assert near(name, known).startswith("did you mean" if expected else "there are")


def test_lists_are_sentences():
    assert [listing(names) for names in ([], ["a"], ["a", "b"], "abc")] == [
        "there is none", "there is only a", "there are a and b", "there are a, b and c",
    ]  # fmt: skip
    assert [listing(names, "handler") for names in (["a"], ["a", "b"])] == [
        "the only handler is a",
        "the handlers are a and b",
    ]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["send", "price", "--mesage", "x"], "did you mean --message?"),
        (["send", "price", "--body", "x"], "did you mean --message?"),
        (["send", "price", "--colour", "x"], "%chalice send --help lists the options"),
        (["deploy", "--prun"], "did you mean --prune?"),
        (["logs", "price", "--following"], "did you mean --follow?"),
    ],
)
def test_an_unknown_option_of_a_command_names_the_near_one_only(words, hint):
    with pytest.raises(InvalidInputError) as refused:
        commands.parse(commands.COMMANDS[words[0]], words[1:])
    assert (refused.value.message, refused.value.hint) == (
        f"%chalice {words[0]} has no option {words[-1 if words[-1].startswith('--') else -2]}", hint,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("prune", "%chalice deploy --prune"),
        ("follow", "%chalice logs --follow"),
        ("depoly", "%chalice deploy"),
        ("xyzzy", "%chalice --help lists the commands"),
    ],
)
def test_an_unknown_command_names_what_does_it(name, hint):
    assert commands.no_such_command(name, "%chalice").hint == hint
