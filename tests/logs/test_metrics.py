import re

import pytest

from nbchalice.logs.cost import PRICED_ON, dollars, price_in
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.metrics import metrics, percentile
from nbchalice.logs.numbers import look, throttles
from nbchalice.resources.base import FunctionRef
from nbchalice.testing.model import ModelAWS
from nbchalice.ui.render.metrics import MetricsCard

REF = FunctionRef("shop", "dev", "price", ModelAWS.region, ModelAWS.account)


def run(started, duration, status="ok", **more):
    return Invocation(f"r{started}", "f", status, started=started, duration_ms=duration, **more)


def test_numbers_are_of_what_has_ended():
    found = metrics([run(2, 30.0, "error"), run(1, 10.0, init_ms=5.0), run(3, 20.0), Invocation("x", "f")])
    assert (found.invocations, found.errors, found.cold_starts) == (3, 1, 1)
    assert (found.p50_ms, found.p95_ms) == (20.0, 30.0)
    assert [point.time for point in found.points] == [1, 2, 3]


def test_without_invocations_there_are_no_durations():
    found = metrics([])
    numbers = {
        "p50_ms": None,
        "p95_ms": None,
        "max_memory_mb": None,
        "memory_mb": None,
        "throttles": None,
        "cost": None,
    }
    assert found.to_dict() == {"invocations": 0, "errors": 0, "cold_starts": 0, **numbers}
    card = MetricsCard("price", found, "1h")
    assert "p95 none" in card.text and "no invocations in this time" in card.html


@pytest.mark.parametrize(("part", "wanted"), [(0.5, 5), (0.95, 10), (0.1, 1), (1.0, 10)])
def test_percentiles_are_values_that_occurred(part, wanted):
    assert percentile(list(range(1, 11)), part) == wanted


def test_each_invocation_is_a_bar_with_a_label():
    card = MetricsCard("<b>", metrics([run(1, 10.0), run(5, 40.0, "error")]), "10m")
    assert card.html.count("<rect") == 2 and "failed in 40 ms" in card.html and 'aria-label="2 invocations' in card.html
    assert "<b>: last" not in card.html


def test_the_numbers_are_counted_as_a_person_says_them_and_say_when():
    one = MetricsCard("price", metrics([run(86_401_000, 10.0, "error", init_ms=5.0)]), "1h")
    assert "  1 invocation, 1 error, 1 cold start, p50 10 ms" in one.text and "1970-01-02 00:00:01 UTC" in one.html
    assert re.match(r"price: last 1h · 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\n", one.text)
    none = MetricsCard("price", metrics([]), "1h")
    assert "0 invocations, 0 errors, 0 cold starts" in none.text


def test_the_invocation_nearest_to_its_memory_counts():
    runs = [run(1, 1.0, memory_mb=1024, max_memory_mb=300), run(2, 1.0, memory_mb=128, max_memory_mb=206)]
    card = MetricsCard("price", metrics(runs), "1h")
    assert card.to_dict()["max_memory_mb"] == 206 and "up to 206 of 128 MB" in card.text
    assert "set --memory 320" in card.text and "set --memory 320" in card.html


def test_what_was_before_the_memory_was_changed_does_not_count():
    before = [run(n, 1.0, max_memory_mb=128, memory_mb=128) for n in (1, 2)]
    found = metrics([*before, run(3, 1.0, max_memory_mb=158, memory_mb=512), run(4, 1.0)])
    assert (found.fullest.started, found.to_dict()["memory_mb"]) == (3, 512)
    assert "set --memory" not in MetricsCard("price", found, "1h").text


def test_the_cost_is_memory_seconds_at_the_price_of_region_and_processor():
    runs = [run(n, 10.0, memory_mb=512, billed_ms=100.0) for n in (1, 2)] + [run(3, 10.0)]
    found = metrics(runs, price_in("eu-west-1", "arm64"))
    assert found.cost.gb_seconds == pytest.approx(0.1) and found.cost.usd == pytest.approx(0.1 * 13.3334e-6)
    assert found.cost.usd_per_million == pytest.approx(0.05 * 13.3334)
    card = MetricsCard("price", found, "1h")
    assert "cost of 2 of them: 0.10 GB-seconds, 0.0000013 USD; a million such invocations 0.67 USD" in card.text
    assert f"pricing page as of {PRICED_ON}; requests and the free tier are not counted" in card.text
    assert "$" not in card.html
    assert card.to_dict()["cost"]["price"]["architecture"] == "arm64"


def test_where_the_price_is_not_known_the_memory_seconds_are_told():
    assert price_in("mars-north-1", "arm64") is None
    found = metrics([run(1, 10.0, memory_mb=1024, billed_ms=1500.0)], None)
    assert "cost: 1.5 GB-seconds; the price is not known here" in MetricsCard("price", found, "1h").text


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0 USD"), (2.13e-7, "0.00000021 USD"), (0.5, "0.50 USD"), (1234.5, "1,234.50 USD"), (0.999, "1.00 USD")],
)
def test_amounts_are_told_as_people_write_them(value, told):
    assert dollars(value) == told


def test_times_within_a_second_are_told_apart_and_a_span_of_none_is_one_time():
    card = MetricsCard("price", metrics([run(86_400_250, 10.0), run(86_400_750, 10.0)]), "1h")
    assert re.findall(r">(00:00:0[\d.]+)</text>", card.html) == ["00:00:00.250", "00:00:00.500", "00:00:00.750"]
    assert "1970-01-02 00:00:00 UTC</span>" in card.html and " UTC to " not in card.html


def test_the_chart_has_axes_with_units_and_times_and_a_legend():
    drawn = MetricsCard("price", metrics([run(32_400_000, 10.0), run(32_460_000, 55.0, "error")]), "1h").html
    for words in (
        ">60 ms<",
        ">30 ms<",
        ">0<",
        ">09:00:00<",
        ">09:00:30<",
        ">09:01:00<",
        "> done<",
        "> failed<",
        "> p95<",
    ):
        assert words in drawn, words
    only_done = MetricsCard("price", metrics([run(32_400_000, 0.0)]), "1h").html
    assert "> failed<" not in only_done and only_done.count(">09:00:00<") == 1
    days = MetricsCard("price", metrics([run(32_400_000, 1.0), run(320_400_000, 2.0)]), "1w").html
    assert ">01-01 09:00<" in days and ">01-04 17:00<" in days


class Throttling(ModelAWS):
    """AWS that has counted throttles, or denies them."""

    def __init__(self, denies=False):
        super().__init__()
        client = self.client("cloudwatch")

        def answer(model, **_):
            from botocore.awsrequest import AWSResponse

            content = {"Datapoints": [{"Sum": 2.0}, {"Sum": 1.0}]}
            error = {"Error": {"Code": "AccessDenied", "Message": "not authorized"}}
            status = 403 if denies else 200
            return AWSResponse("", status, {}, None), {**(error if denies else content), "ResponseMetadata": {}}

        client.meta.events.register_first("before-call", answer)


@pytest.mark.parametrize(("since", "period"), [("10s", 60), ("1d", 60), ("2d", 300), ("3w", 3600), ("20w", 86_400)])
def test_throttles_are_counted_in_periods_that_cloudwatch_answers_at_once(since, period):
    aws = Throttling()
    assert throttles(aws, REF, since) == 3
    (call,) = (params for service, _, params in aws.calls if service == "cloudwatch")
    assert call["Period"] == period and call["Dimensions"] == [{"Name": "FunctionName", "Value": "shop-dev-price"}]
    assert (call["EndTime"] - call["StartTime"]).total_seconds() / period <= 1440


def test_throttles_are_told_and_that_they_may_not_be_asked_for():
    card = MetricsCard("price", metrics([run(1, 1.0)], None, 3), "1h")
    assert "1 invocation, 0 errors, 3 throttles" in card.text
    seen = look(Throttling(denies=True), REF, "1h")
    assert seen.throttles is None and "AWS denies cloudwatch:GetMetricStatistics" in seen.notes[0]
