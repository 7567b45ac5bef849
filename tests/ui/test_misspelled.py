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


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ('send price {"net": 2}', """send price --message '{"net": 2}'"""),
        ("send price 50", "send price --message 50"),
        ("send price 50 --wait 3", "send price --message 50"),
        ('invoke price {"net": 2}', "invoke price --event FILE, with the event in a file"),
        ("invoke price event.json", "invoke price --event event.json"),
        ("replay price 1f2e3d", "replay price --event 1f2e3d"),
        ("replay price --all 1f2e3d", "replay price --event 1f2e3d"),
        ("logs price 10m", "logs price --since 10m"),
    ],
)
def test_a_word_that_belongs_to_an_option_names_it(run, line, meant):
    assert run.error(f"%chalice {line}").hint == f"did you mean %chalice {meant}?"


def test_a_file_as_a_message_names_the_command_for_files(run):
    hint = run.error("%chalice send price order.json").hint
    assert hint == "the message itself stands behind --message; %chalice invoke price --event order.json takes a file"


@pytest.mark.parametrize("magic", ["on_sqs_message orders", "on_kinesis_record clicks"])
def test_records_one_at_a_time_report_what_fails(run, magic):
    cell = f"%%{magic} --per-record --no-report-failures\ndef price(record):\n    pass"
    assert "--per-record reports each record that fails" in run.error(cell).message
    run(cell.replace(" --no-report-failures", ""))
    run(cell.replace(" --per-record", ""))
