"""Completion offers a magic's own words and nothing else."""

import pytest
from IPython.core.completer import provisionalcompleter


def offered(run, text):
    with provisionalcompleter():
        return [completion.text for completion in run.shell.Completer.completions(text, len(text))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("%%on_sqs_message orders --batch-s", ["--batch-size"]),
        ("%%on_sqs_message orders --maximum", ["--maximum-batching-window-in-seconds", "--maximum-concurrency"]),
        ("%%on_sns_message news --filter-scope ", ["MessageAttributes", "MessageBody"]),
        ("%%schedule rate(1 hour) --arch ", ["x86_64", "arm64"]),
        ("%chalice de", ["deploy", "delete"]),
        ("%chalice deploy --tar", ["--target"]),
        ("%chalice deploy --target ", ["local", "aws"]),
        ("%chalice send pri", ["price"]),
        ("%chalice local st", ["start", "status", "stop"]),
        ("%chalice app --st", ["--stage"]),
    ],
)  # fmt: skip
def test_the_words_that_fit(run, text, words):
    run("%%on_sqs_message orders\ndef price(event):\n    pass")
    assert sorted(offered(run, text)) == sorted(words)


@pytest.mark.slow
def test_other_lines_are_left_to_ipython(run):
    run("prices = [1]")
    assert "prices" in offered(run, "pri")
    assert "%%time" in offered(run, "%%tim")
