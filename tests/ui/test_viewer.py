"""The log viewer's kernel side, with its widget but without a browser."""

import threading
import tracemalloc

import pytest
from IPython.utils.capture import capture_output

from nbchalice.errors import AWSError
from nbchalice.logs.buffer import MOST_AT_ONCE, Buffer
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.records import InvocationError, LogRecord
from nbchalice.ui.widgets.panel import Worker

from ..waiting import wait_until

pytestmark = pytest.mark.timeout(180)


def invocation(number, count=1, status="ok", cut=0, text="line"):
    request = f"request-{number}"
    records = tuple(LogRecord(1000 + i, "INFO", f"{text} {cut + i}", request) for i in range(count))
    return Invocation(request, "shop-dev-price", status, started=1000, records=records, records_cut=cut)


def test_of_an_invocation_fed_again_only_the_new_records_count():
    buffer = Buffer()
    buffer.feed(invocation(1, 2, "running"))
    first = buffer.take()
    buffer.feed(invocation(1, 3))
    second = buffer.take()
    assert [row["text"] for row in first["rows"]] == ["line 0", "line 1"]
    assert [row["text"] for row in second["rows"]] == ["line 2"]
    assert (first["heads"][0]["status"], second["heads"][0]["status"]) == ("running", "ok")
    assert buffer.take() is None
    assert [record["message"] for record in buffer.records()] == ["line 0", "line 1", "line 2"]


def test_records_that_were_cut_before_are_not_taken_for_new_ones():
    buffer = Buffer()
    buffer.feed(invocation(1, 10))
    buffer.take()
    buffer.feed(invocation(1, 5, cut=7))
    assert [row["text"] for row in buffer.take()["rows"]] == ["line 10", "line 11"]


def test_of_very_much_only_the_newest_is_told_and_the_rest_is_counted():
    buffer = Buffer(most=3000)
    for number in range(5):
        buffer.feed(invocation(number, 1000))
    message = buffer.take()
    assert len(message["rows"]) == MOST_AT_ONCE and message["skipped"] == 4000
    assert len(buffer.records()) == 3000


def test_a_view_that_begins_gets_what_is_kept():
    buffer = Buffer()
    buffer.feed(invocation(1, 2))
    snapshot = buffer.snapshot()
    assert snapshot["reset"] and len(snapshot["rows"]) == 2 and snapshot["heads"][0]["key"] == "request-1#1"
    assert buffer.take() is None


def test_an_error_comes_with_its_frames_and_a_long_text_is_shortened():
    buffer = Buffer()
    failed = Invocation("r", "f", "error", error=InvocationError("ValueError", "no"))
    buffer.feed(failed)
    buffer.feed(invocation(1, text="x" * 20_000))
    message = buffer.take()
    assert message["heads"][0]["error"] == ["ValueError: no"]
    assert "more characters" in message["rows"][0]["text"] and len(message["rows"][0]["text"]) < 11_000
    assert len(buffer.records()[0]["message"]) > 20_000


@pytest.mark.slow
def test_a_batch_that_failed_as_a_whole_is_as_red_as_where_it_was_sent():
    from pathlib import Path

    from nbchalice.logs.buffer import head_of
    from nbchalice.ui import widgets

    whole = Invocation("r", "f", "partial", ids=("a",), failed_ids=("a",))
    assert head_of("k", whole)["status"] == "failed"
    assert head_of("k", Invocation("r", "f", "partial", ids=("a", "b"), failed_ids=("a",)))["status"] == "partial"
    styles = (Path(widgets.__file__).parent / "static" / "viewer.css").read_text()
    (red,) = [rule for rule in styles.split("}") if "nbchalice-log-failed" in rule]
    assert "border-color: var(--bad)" in red


@pytest.mark.slow
def test_memory_stays_bounded():
    buffer = Buffer(most=2000)
    for number in range(50):
        buffer.feed(invocation(number, 1000))
    tracemalloc.start()
    for number in range(50, 250):
        buffer.feed(invocation(number, 1000))
        buffer.take()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 5_000_000


@pytest.fixture
def viewer(monkeypatch):
    from nbchalice.ui.widgets.viewer import Viewer

    made = []

    def make(read=None):
        viewer = Viewer("price: log", "local AWS", read)
        viewer.sent = []
        monkeypatch.setattr(viewer.view, "send", viewer.sent.append)
        made.append(viewer)
        return viewer

    yield make
    for viewer in made:
        viewer.close()


def test_messages_are_batched_and_records_are_ready_for_pandas(viewer):
    made = viewer()
    for number in range(100):
        made.feed(invocation(number, 10))
    wait_until(lambda: sum(len(message["rows"]) for message in made.sent) == 1000)
    assert len(made.sent) < 10
    assert made.records[0]["message"] == "line 0" and len(made.records) == 1000


def test_what_was_read_before_the_viewer_is_shown_is_kept_in_the_notebook(run, capsys):
    from nbchalice.ui.widgets.viewer import InvocationsCard, Viewer

    made = Viewer("price: log", "local AWS", None)
    made.keep(InvocationsCard("price", [invocation(1)]))  # A reading thread is sooner than the display.
    run.shell.user_ns["made"] = made
    with capture_output() as outputs:
        run("display(made)")
    made.close()
    assert any("line 0" in shown.data.get("text/plain", "") for shown in outputs.outputs)


def kept(viewer):
    return viewer._latest._repr_mimebundle_()["text/plain"]


def test_what_a_view_that_begins_was_given_is_kept_too(viewer, monkeypatch):
    made = viewer()
    feed = made._buffer.feed

    def feed_and_open(one):
        feed(one)
        made._on_message(None, {"kind": "hello"}, None)

    monkeypatch.setattr(made._buffer, "feed", feed_and_open)
    made.feed(invocation(1))
    wait_until(lambda: "line 0" in kept(made))


def test_what_came_just_before_the_end_is_sent_and_kept(viewer):
    made = viewer()
    made.feed(invocation(1, text="first"))
    wait_until(lambda: "first 0" in kept(made))
    made.feed(invocation(2, text="last"))
    made.close()
    wait_until(lambda: "last 0" in kept(made))
    assert [row["text"] for message in made.sent for row in message["rows"]] == ["first 0", "last 0"]


def test_a_reading_that_was_replaced_adds_nothing_and_tells_nothing(viewer, monkeypatch):
    begun = []

    def read(feed):
        begun.append(feed)
        feed.stop.wait(60)

    made = viewer(read)
    made.follow("10m")
    wait_until(lambda: begun)
    clear = made._buffer.clear

    def clear_and_add():
        clear()
        begun[0].add(invocation(1))  # It was about to, in its own thread.

    monkeypatch.setattr(made._buffer, "clear", clear_and_add)
    made._on_message(None, {"kind": "range", "since": "1h"}, None)
    wait_until(lambda: len(begun) == 2)
    begun[0].trouble(AWSError("the credentials have expired", "log in again"))
    assert made.records == [] and made.view.trouble == ""
    begun[1].add(invocation(2))
    begun[1].trouble(AWSError("the credentials have expired", "log in again"))
    assert len(made.records) == 1 and "expired" in made.view.trouble


def test_a_button_that_was_pressed_again_at_once_stays_busy():
    told, again = [], threading.Event()
    worker = Worker(told.append)

    class Shown:
        def begin(self):
            told.append("busy")

        def end(self):
            if not again.is_set():
                again.set()
                assert worker.start(lambda: None, self)
                worker.wait(0.1)  # It must not begin before this has ended.
            told.append("idle")

    worker.start(lambda: None, Shown())
    wait_until(lambda: told.count("idle") == 2)
    assert told == ["busy", "idle", "busy", "idle"]


def test_trouble_is_shown_and_reading_goes_on(viewer, monkeypatch):
    monkeypatch.setattr("nbchalice.ui.widgets.viewer.RETRY_AFTER", 0.05)
    shown, tries = [], threading.Event()

    def read(feed):
        if not tries.is_set():
            tries.set()
            raise AWSError("the credentials have expired", "log in again")
        feed.trouble(None)
        feed.add(invocation(1))
        feed.stop.wait(60)

    made = viewer(read)
    made.view.observe(lambda change: shown.append(change["new"]), names="trouble")
    made.follow("10m")
    wait_until(lambda: made.records)
    assert "expired" in shown[0] and "log in again" in shown[0] and shown[-1] == ""
    assert made.view.following
    made.pause()
    wait_until(lambda: not made.view.following)


def test_nobody_reads_a_log_that_nobody_looks_at(viewer):
    begun = []

    def read(feed):
        begun.append(feed)
        feed.stop.wait(60)

    made = viewer(read)
    made.follow("10m")
    made._on_message(None, {"kind": "hello"}, None)
    wait_until(lambda: begun)
    made._on_message(None, {"kind": "bye"}, None)
    assert begun[0].stop.is_set()
    wait_until(lambda: not made.view.following)
    made._on_message(None, {"kind": "hello"}, None)
    wait_until(lambda: len(begun) == 2)
    assert made.view.following


def test_it_is_readable_without_a_front_end(viewer):
    bundle = viewer()._repr_mimebundle_()
    assert "no invocations yet" in bundle["text/plain"] and "no invocations yet" in bundle["text/html"]


def test_a_program_that_runs_the_notebook_gets_a_list_that_ends(run, local_aws):
    run("%chalice app logview")
    run("%%on_sqs_message logview-orders\ndef price(event):\n    print('seen')")
    run("%chalice deploy")
    run("%chalice send price")
    run.shell.kernel = object()  # as in a kernel that nbclient drives
    try:
        assert "seen" in str(run("%chalice logs price --follow"))
        assert "no invocations" in str(run("%chalice logs price --since 1d --until 1h"))
    finally:
        del run.shell.kernel
