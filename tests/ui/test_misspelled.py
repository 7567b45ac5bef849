"""Names that are nearly those of something that is there, and values that lack their quotes."""

import pytest

pytestmark = [pytest.mark.local_aws, pytest.mark.timeout(180)]
HANDLER = "%%on_{} {}\ndef {}(event):\n    pass"
CASES = {
    "queue": ("sqs_message", "spelt-orders", "spelt-order"),
    "topic": ("sns_message", "spelt-news", "spelt-new"),
    "bucket": ("s3_event", "spelt-uploads", "spelt-upload"),
}


@pytest.mark.parametrize("kind", CASES)
def test_what_is_about_to_be_made_for_a_misspelt_name_is_told_first(run, local_aws, kind):
    source, right, wrong = CASES[kind]
    run(f"%chalice local create {kind} {right}")
    run(HANDLER.format(source, wrong, "price"))
    note = f"there is no {kind} {wrong}, and a deploy makes it; did you mean {right}?"
    assert run("%chalice plan").plan.notes[0] == note
    assert f"note: {note}" in str(run("%chalice deploy"))
    assert "did you mean" not in str(run("%chalice plan"))


@pytest.mark.parametrize("other", ["spelt-orders-2", "spelt-orders-lost", "dev-orders", "spelt-orders.fifo"])
def test_names_that_are_others_on_purpose_are_not(run, local_aws, other):
    run("%chalice local create queue spelt-orders-1")
    run("%chalice local create queue spelt-orders")
    run(HANDLER.format("sqs_message", other, "price"))
    assert "did you mean" not in str(run("%chalice plan"))


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("--message hello world", "--message 'hello world'"),
        ("--message we open at nine --wait 3", "--message 'we open at nine'"),
        ("--wait 3 --message it is 5", "--message 'it is 5'"),
    ],
)
def test_a_value_with_blanks_is_told_with_its_quotes(run, line, fix):
    run(HANDLER.format("sqs_message", "spelt-orders", "price"))
    error = run.error(f"%chalice send price {line}")
    assert error.message.startswith("Got unexpected extra argument")
    assert error.hint == f"put a value with blanks in quotes: {fix}"


def test_a_word_too_many_that_is_no_value_is_told_with_the_help(run):
    assert run.error("%chalice plan now").hint == "%chalice plan --help"
