import asyncio
import json
import sys
import traceback
from concurrent import futures

import pytest

from nbchalice import SQSEvent, SQSRecord
from nbchalice.runtime.answers import read_answer

IDS = [f"{n:08d}-0000-4000-8000-000000000000" for n in (1, 2, 3)]


def failures(*numbers):
    return {"batchItemFailures": [{"itemIdentifier": IDS[n - 1]} for n in numbers]}


@pytest.fixture(autouse=True)
def no_coroutine_is_left():
    yield
    while WAITING:
        WAITING.pop().close()


class TestPerRecord:
    @pytest.fixture
    def price(self, app):
        @app.on_sqs_message("orders", batch_size=10, per_record=True)
        def price(record):
            seen.append(record.body)
            return float(record.body)

        seen = price.seen = []
        return price

    def test_each_message_stands_for_itself(self, price, event):
        assert price(event("sqs")) == failures(2)
        assert price.seen == ["3", "x", "4"]

    def test_a_fifo_queue_keeps_its_order(self, price, event):
        assert price(event("sqs_fifo")) == failures(2, 3)
        assert price.seen == ["3", "x"]

    def test_an_answer_that_names_the_record_counts(self, app, event):
        @app.on_sqs_message("orders", per_record=True)
        def price(record):
            return {"batchItemFailures": [{"itemIdentifier": record.message_id}] if record.body == "x" else []}

        assert price(event("sqs")) == failures(2)

    @pytest.mark.parametrize("shape", ["never_awaited", "never_run"])
    def test_a_function_that_nobody_runs_has_handled_nothing(self, app, event, shape):
        handler = app.on_sqs_message("orders", per_record=True)(globals()[shape])
        with pytest.raises(RuntimeError, match="none of 3 messages could be handled"):
            handler(event("sqs"))

    def test_a_batch_of_which_nothing_could_be_handled_is_a_failed_invocation(self, price, event, capsys):
        """So that the metric of errors rises, and with it an alarm."""
        raw = event("sqs")
        for record in raw["Records"]:
            record["body"] = "x"
        with pytest.raises(RuntimeError, match="none of 3 messages could be handled"):
            price(raw)
        assert capsys.readouterr().out.count("could not convert string to float") == 3

    def test_the_only_message_of_a_batch_fails_with_its_own_exception_told_once(self, price, event, capsys):
        raw = event("sqs")
        del raw["Records"][::2]
        with pytest.raises(ValueError, match="could not convert string to float: 'x'") as failed:
            price(raw)
        assert "nbchalice/runtime" not in "".join(traceback.format_tb(failed.tb)[1:])
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(
        ("bodies", "groups", "failed", "seen"),
        [
            ("3x4", "aab", (2,), ["3", "x", "4"]),
            ("x34", "aab", (1, 2), ["x", "4"]),
            ("x3x", "aba", (1, 3), ["x", "3"]),
            ("345", "aab", (), ["3", "4", "5"]),
        ],
    )
    def test_other_groups_of_a_fifo_queue_go_on_where_that_is_asked_for(self, app, event, bodies, groups, failed, seen):
        @app.on_sqs_message("orders.fifo", batch_size=10, per_record=True, skip_failed_groups=True)
        def price(record):
            calls.append(record.body)
            return float(record.body)

        calls, raw = [], event("sqs_fifo")
        for record, body, group in zip(raw["Records"], bodies, groups, strict=True):
            record["body"], record["attributes"]["MessageGroupId"] = body, group
        assert (price(raw), calls) == (failures(*failed), seen)

    def test_a_good_batch_has_no_failures(self, price, event):
        raw = event("sqs")
        raw["Records"][1]["body"] = "5"
        assert price(raw) == failures()

    def test_an_event_object_is_handled_alike(self, price, event):
        assert price(SQSEvent(event("sqs"))) == failures(2)

    def test_the_failure_is_logged_with_its_own_lines_only(self, price, event, capsys):
        price(event("sqs"))
        out = capsys.readouterr().out
        assert out.startswith(f"shop - ERROR - message {IDS[1]} failed\nTraceback (most recent call last):\n")
        assert "return float(record.body)" in out
        assert "ValueError: could not convert string to float: 'x'" in out
        assert "nbchalice/runtime" not in out


def collect(event):
    rows = []
    for record in event:
        rows.append(float(record.body))


def comprehension(event):
    [float(record.body) for record in event]


def json_of_each(event):
    [record.json() for record in event]


def generator(event):
    sum(float(body) for body in (record.body for record in event))


def chunks(event):
    chunk = []
    for record in event:
        chunk.append(record.body)
        if len(chunk) == 2:
            raise OSError("the database is away")


def a_dict(event):
    prices = {}
    for record in event:
        prices[record.message_id] = float(record.body)


def totals(event):
    total = 0.0
    for record in event:
        total += float(record.body)


def pool(event):
    with futures.ThreadPoolExecutor() as threads:
        started = []
        for record in event:
            started.append(threads.submit(float, record.body))
            if len(started) == 2:
                [each.result() for each in started]


def work_in_the_loop(event):
    for number, record in enumerate(event):
        print(number, float(record.body))


def loop_over_a_list(event):
    for record in list(event):
        float(record.body)


def after_the_loop(event):
    rows = [record.body for record in event]
    raise KeyError(len(rows))


def before_the_loop(event):
    raise KeyError("before")


def second_loop(event):
    for record in event:
        assert record.body
    for record in event:
        float(record.body)


def by_hand(event):
    for record in event.to_dict()["Records"]:
        float(record["body"])


def in_a_function(event):
    def work(records):
        for record in records:
            float(record.body)

    work(event)


def asynchronous_inside(event):
    async def work():
        await asyncio.gather(*(asyncio.to_thread(float, record.body) for record in event))

    with futures.ThreadPoolExecutor(1) as pool:  # In the tests' own thread a loop may run already, a browser's.
        pool.submit(lambda: asyncio.run(work())).result()


def leaves(event):
    for record in event:
        if record.body == "x":
            sys.exit(1)


async def waiting(event):
    for record in event:
        print(record.body)


WAITING = []


def never_awaited(event):
    WAITING.append(waiting(event))
    return WAITING[-1]


def never_run(event):
    for record in event:
        yield record.body


SHAPES = [
    collect, comprehension, json_of_each, generator, chunks, a_dict, totals, pool, work_in_the_loop, loop_over_a_list,
    after_the_loop, before_the_loop, second_loop, by_hand, in_a_function, asynchronous_inside, leaves, never_awaited,
    never_run,
]  # fmt: skip


class TestReportFailures:
    def handler(self, app, function):
        return app.on_sqs_message("orders", batch_size=10, report_failures=True)(function)

    @pytest.mark.table("shapes of batches")
    @pytest.mark.parametrize("fixture", ["sqs", "sqs_fifo"])
    @pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
    def test_a_function_that_fails_fails_the_whole_batch(self, app, event, shape, fixture):
        with pytest.raises((Exception, SystemExit)) as caught:
            self.handler(app, shape)(event(fixture))
        assert not isinstance(caught.value, AssertionError)

    def test_a_function_that_nobody_runs_is_named(self, app, event):
        with pytest.raises(TypeError, match="the function returned a coroutine, which nobody runs"):
            self.handler(app, never_awaited)(event("sqs"))

    @pytest.mark.parametrize("answer", [None, "done", 3, {}, {"statusCode": 200}, [], {"batchItemFailures": []}])
    def test_a_function_that_returns_has_handled_the_batch(self, app, event, answer):
        def price(event):
            for record in event:
                assert record.body
            return answer

        assert self.handler(app, price)(event("sqs")) == failures()

    @pytest.mark.parametrize("answer", [[IDS[0]], [{"itemIdentifier": IDS[0]}], {"batchItemFailures": "x"}])
    def test_an_answer_that_means_a_failure_is_no_success(self, app, event, answer):
        def price(event):
            return answer

        assert self.handler(app, price)(event("sqs")) == answer

    def test_the_functions_own_answer_is_passed_on(self, app, event):
        def price(event):
            return {"batchItemFailures": [{"itemIdentifier": IDS[2]}]}

        assert self.handler(app, price)(event("sqs")) == failures(3)


class TestDone:
    def price(self, *done, broken="x"):
        def price(event):
            for number, record in enumerate(event, 1):
                if record.body == broken:
                    continue
                if number in done:
                    record.done()
            raise OSError("the database is away")

        return price

    @pytest.mark.parametrize("done", [(1,), (3,), (1, 3)])
    def test_a_record_called_done_does_not_come_back(self, app, event, done, capsys):
        handler = app.on_sqs_message("orders", report_failures=True)(self.price(*done))
        answer = handler(event("sqs"))
        assert answer == failures(*sorted({1, 2, 3} - set(done)))
        assert json.loads(json.dumps(answer)) == answer
        out = capsys.readouterr().out
        assert f"{3 - len(done)} of 3 messages failed\nTraceback" in out and "OSError" in out

    def test_records_of_another_loop_are_the_same(self, app, event):
        def price(event):
            first = list(event)
            for record in event:
                if record.message_id == first[1].message_id:
                    record.done()
            for record in event:
                float(record.body)

        assert app.on_sqs_message("orders", report_failures=True)(price)(event("sqs")) == failures(1, 3)

    def test_done_in_threads(self, app, event):
        def price(event):
            def work(record):
                float(record.body)
                record.done()

            with futures.ThreadPoolExecutor() as threads:
                started = [threads.submit(work, record) for record in event]
            [each.result() for each in started]

        assert app.on_sqs_message("orders", report_failures=True)(price)(event("sqs")) == failures(2)

    def test_with_all_of_them_done_nothing_comes_back(self, app, event):
        handler = app.on_sqs_message("orders", report_failures=True)(self.price(1, 2, 3, broken=None))
        assert handler(event("sqs")) == failures()

    def test_an_event_handled_again_begins_anew(self, app, event):
        handler = app.on_sqs_message("orders", report_failures=True)(self.price(1))
        assert handler(event("sqs")) == handler(event("sqs")) == failures(2, 3)

    @pytest.mark.parametrize(
        ("groups", "done", "back"),
        [("aaa", (1,), (2, 3)), ("aaa", (3,), (1, 2, 3)), ("aab", (3,), (1, 2)), ("aba", (3,), (1, 2, 3)),
         ("abb", (1, 3), (2, 3)), ("abc", (1, 3), (2,))],
    )  # fmt: skip
    def test_in_a_fifo_queue_no_record_overtakes_one_of_its_group(self, app, event, groups, done, back):
        raw = event("sqs_fifo")
        for record, group in zip(raw["Records"], groups, strict=True):
            record["attributes"]["MessageGroupId"] = group
        handler = app.on_sqs_message("orders", report_failures=True)(self.price(*done))
        if len(back) < 3:
            assert handler(raw) == failures(*back)
        else:
            with pytest.raises(OSError):
                handler(raw)

    def test_per_record_takes_its_word_too(self, app, event):
        @app.on_sqs_message("orders", per_record=True)
        def price(record):
            if record.body == "3":
                record.done()
            raise OSError("the log is away")

        assert price(event("sqs")) == failures(2, 3)

    def test_without_the_option_it_is_told_that_it_does_not_count(self, app, event, capsys):
        with pytest.raises(OSError):
            app.on_sqs_message("orders")(self.price(1))(event("sqs"))
        assert "record.done() needs report_failures: the whole batch comes back" in capsys.readouterr().out

    def test_a_record_of_ones_own_takes_it(self, event):
        SQSRecord(event("sqs")["Records"][0]).done()


def test_without_the_option_an_error_fails_the_whole_batch(app, event):
    @app.on_sqs_message("orders", batch_size=10)
    def price(event):
        for record in event:
            float(record.body)

    with pytest.raises(ValueError, match="could not convert") as caught:
        price(event("sqs"))
    assert "nbchalice/runtime" not in "".join(traceback.format_tb(caught.tb)[1:])


@pytest.mark.table("answers of partial batches")
@pytest.mark.parametrize(
    ("answer", "failed", "wrong"),
    [
        (None, "", ""),
        ({}, "", ""),
        ("", "", ""),
        ([], "", ""),
        ({"batchItemFailures": []}, "", ""),
        ({"batchItemFailures": None}, "", ""),
        ({"statusCode": 200}, "", ""),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, "b", ""),
        ({"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}, "ba", ""),
        ({"batchItemFailures": ({"itemIdentifier": "b"},)}, "b", ""),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, "abc", "{'itemIdentifier': ''}"),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, "abc", "{'itemIdentifier': None}"),
        ({"batchItemFailures": [{"itemIdentifier": 7}]}, "abc", "{'itemIdentifier': 7}"),
        ({"batchItemFailures": [{"itemIdentifier": ["b"]}]}, "abc", "{'itemIdentifier': ['b']}"),
        ({"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "x"}]}, "abc", "{'itemIdentifier': 'x'}"),
        ({"batchItemFailures": [{"itemId": "b"}]}, "abc", "{'itemId': 'b'}"),
        ({"batchItemFailures": [{}]}, "abc", "{}"),
        ({"batchItemFailures": [None]}, "abc", "None"),
        ({"batchItemFailures": ["b"]}, "abc", "'b'"),
        ({"batchItemFailures": "b"}, "abc", "'b'"),
        ({"batchItemFailures": {"itemIdentifier": "b"}}, "abc", "{'itemIdentifier': 'b'}"),
        ({"batchItemFailures": ""}, "abc", "''"),
        ({"batchItemFailures": 0}, "abc", "0"),
        (["b"], "abc", "['b']"),
    ],
)
def test_an_answer_counts_as_aws_counts_it(answer, failed, wrong):
    found, why = read_answer(answer, "abc")
    assert (found, why) == (list(failed), wrong)


def test_an_answer_whose_truth_cannot_be_told_names_no_record():
    class Frame:
        def __bool__(self):
            raise ValueError("the truth value is ambiguous")

    assert read_answer(Frame(), ["a"]) == ([], "")


@pytest.mark.parametrize(
    ("source", "groups", "failed", "told"),
    [
        ("sqs_fifo", "aaa", (2,), (3,)),
        ("sqs_fifo", "aaa", (2, 3), ()),
        ("sqs_fifo", "aba", (1,), (3,)),
        ("sqs_fifo", "aab", (2,), ()),
        ("sqs", "aaa", (1,), ()),
    ],
)
def test_what_an_answer_lets_overtake_a_failed_message_of_its_group_is_said(
    app, event, source, groups, failed, told, capsys
):
    @app.on_sqs_message("orders.fifo", batch_size=10, report_failures=True)
    def price(event):
        return failures(*failed)

    raw = event(source)
    for record, group in zip(raw["Records"], groups, strict=True):
        record["attributes"]["MessageGroupId"] = group
    assert price(raw) == failures(*failed)
    out = capsys.readouterr().out
    assert [n for n in (1, 2, 3) if f"message {IDS[n - 1]} counts as handled before one of its group" in out] == list(
        told
    )
