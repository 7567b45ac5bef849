"""A number of things is said as a person says it, wherever one is shown."""

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.events.deadletter import DeadLetter
from nbchalice.logs.buffer import LONGEST_MESSAGE, Buffer
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.metrics import metrics
from nbchalice.logs.records import LogRecord
from nbchalice.logs.show import MOST_SHOWN
from nbchalice.resources.queue import QueueRef, RedrivePolicy
from nbchalice.text import counted, readable
from nbchalice.ui.render.chart import bars
from nbchalice.ui.render.dead_letters import DeadLetterCard
from nbchalice.ui.render.reports import InvocationsCard
from nbchalice.ui.render.sends import MOST_SHOWN as MOST_RESULTS
from nbchalice.ui.render.sends import SendsCard

RUN = Invocation("r", "f", "ok", started=1, duration_ms=3.0)


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 messages"), (1, "1 message"), (2, "2 messages"), (999, "999 messages"), (12_000, "12,000 messages")],
)
def test_one_is_singular_and_all_other_numbers_are_plural(number, words):
    assert counted(number, "message") == words


def test_a_plural_that_is_not_the_singular_with_an_s():
    assert [counted(number, "try", "tries") for number in (0, 1, 2)] == ["0 tries", "1 try", "2 tries"]
    assert (readable(1), readable(2)) == ("1 byte", "2 bytes")


@pytest.mark.parametrize(("number", "words"), [(1, "1 invocation"), (2, "2 invocations")])
def test_invocations_in_the_log_and_the_metrics(number, words):
    runs = [RUN] * number
    assert f'aria-label="{words}, 0 failed' in bars(metrics(runs))
    assert f"price: {words}<" in InvocationsCard("price", runs).html


@pytest.mark.parametrize(("hidden", "words"), [(1, "1 earlier record not"), (2, "2 earlier records not")])
def test_records_that_are_not_shown(hidden, words):
    records = tuple(LogRecord(n, "INFO", f"record {n}", "r") for n in range(MOST_SHOWN + hidden))
    for text in Invocation("r", "f", "ok", records=records)._repr_mimebundle_().values():
        assert words in text


@pytest.mark.parametrize(("cut", "words"), [(1, "(1 more character in"), (2000, "(2,000 more characters in")])
def test_what_is_cut_off_a_long_record(cut, words):
    buffer = Buffer()
    buffer.feed(Invocation("r", "f", "ok", records=(LogRecord(1, "INFO", "x" * (LONGEST_MESSAGE + cut), "r"),)))
    assert words in str(buffer.take())


@pytest.mark.parametrize(("hidden", "words"), [(1, "1 more is not shown"), (2, "2 more are not shown")])
def test_dead_letters_and_results_that_are_not_shown(hidden, words):
    letter = DeadLetter("m-1", "body", 1, 0, None, {})
    card = DeadLetterCard("price", "orders-dlq", 1 + hidden, [letter], "")
    assert words in card.html and f"price: {1 + hidden} messages in dead-letter queue" in card.text
    assert "price: 1 message in" in DeadLetterCard("price", "orders-dlq", 1, [letter], "").text
    errors = [NbChaliceError(str(number)) for number in range(MOST_RESULTS + hidden)]
    assert words in SendsCard(errors, len(errors)).text


@pytest.mark.parametrize(("tries", "words"), [(1, "after 1 try"), (3, "after 3 tries")])
def test_tries_of_a_queue(tries, words):
    queue, other = "arn:aws:sqs:eu-west-1:123456789012:dlq", "arn:aws:sqs:eu-west-1:123456789012:other"
    policy = RedrivePolicy(QueueRef("orders", "eu-west-1", "123456789012", "aws"), queue, tries)
    assert policy.differences({})[0].endswith(words)
    assert policy.conflicts({"deadLetterTargetArn": other, "maxReceiveCount": tries})[0].endswith(f"{words} already")
