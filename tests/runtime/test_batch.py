import json
import traceback

import pytest

from nbchalice import SQSEvent

IDS = [f"{n:08d}-0000-4000-8000-000000000000" for n in (1, 2, 3)]


def failures(*numbers):
    return {"batchItemFailures": [{"itemIdentifier": IDS[n - 1]} for n in numbers]}


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


class TestReportFailures:
    def handler(self, app, function):
        return app.on_sqs_message("orders", batch_size=10, report_failures=True)(function)

    @pytest.mark.parametrize("fixture", ["sqs", "sqs_fifo"])
    def test_a_loop_that_breaks_off_fails_the_rest(self, app, event, fixture, capsys):
        def price(event):
            for record in event:
                float(record.body)

        assert self.handler(app, price)(event(fixture)) == failures(2, 3)
        assert f"message {IDS[1]} failed\nTraceback" in capsys.readouterr().out

    def test_a_finished_loop_has_no_failures(self, app, event):
        def price(event):
            for _ in event:
                pass
            return "done"

        assert self.handler(app, price)(event("sqs")) == failures()

    def test_an_error_before_the_loop_fails_the_batch(self, app, event):
        def price(event):
            raise KeyError("before")

        with pytest.raises(KeyError, match="before"):
            self.handler(app, price)(event("sqs"))

    def test_an_error_after_the_loop_fails_the_batch(self, app, event):
        def price(event):
            rows = [record.body for record in event]
            raise KeyError(len(rows))

        with pytest.raises(KeyError, match="3"):
            self.handler(app, price)(event("sqs"))

    def test_messages_that_are_collected_and_not_yet_handled_fail_too(self, app, event):
        def price(event):
            chunk = []
            for record in event:
                chunk.append(record)
                if len(chunk) == 2:
                    raise OSError("the database is away")

        assert self.handler(app, price)(event("sqs")) == failures(1, 2, 3)

    def test_a_second_loop_counts_anew(self, app, event):
        def price(event):
            for record in event:
                assert record.body
            for record in event:
                float(record.body)

        assert self.handler(app, price)(event("sqs")) == failures(2, 3)

    def test_the_functions_own_answer_is_passed_on(self, app, event):
        def price(event):
            return {"batchItemFailures": [{"itemIdentifier": IDS[2]}]}

        assert self.handler(app, price)(event("sqs")) == failures(3)

    def test_the_answer_is_json(self, app, event):
        def price(event):
            for record in event:
                float(record.body)

        assert json.loads(json.dumps(self.handler(app, price)(event("sqs")))) == failures(2, 3)


def test_without_the_option_an_error_fails_the_whole_batch(app, event):
    @app.on_sqs_message("orders", batch_size=10)
    def price(event):
        for record in event:
            float(record.body)

    with pytest.raises(ValueError, match="could not convert") as caught:
        price(event("sqs"))
    assert "nbchalice/runtime" not in "".join(traceback.format_tb(caught.tb)[1:])
