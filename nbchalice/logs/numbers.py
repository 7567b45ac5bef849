"""What AWS tells of a function beside its log: the price of its processor, and the events that were turned away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nbchalice.logs.cost import Price, price_in
from nbchalice.logs.when import parse_time
from nbchalice.resources.base import AWS, FunctionRef, is_denied, or_missing

# What CloudWatch answers at once, and the periods that it adds up by (seconds).
MOST_POINTS = 1440
PERIODS = (60, 300, 3600, 86_400)
HERE = "durations are this computer's, where the processor does not grow with memory: on AWS they are others"


@dataclass(frozen=True)
class Seen:
    """What was seen.

    Parameters
    ----------
    price : Price or None
        What a memory-second costs; None where it is not known.
    throttles : int or None
        How many events were turned away; None where it is not known.
    notes : tuple[str, ...]
        What a person has to know of the numbers.
    """

    price: Price | None
    throttles: int | None
    notes: tuple[str, ...]


def look(aws: AWS, ref: FunctionRef, since: str) -> Seen:
    """Ask AWS; what it denies is told in a note."""
    notes: list[str] = [HERE] if aws.local else []
    counted: int | None = None
    try:
        counted = throttles(aws, ref, since)
    except Exception as error:
        if not is_denied(error):
            raise
        notes.append("throttles are not counted: AWS denies cloudwatch:GetMetricStatistics")
    return Seen(price_of(aws, ref), counted, tuple(notes))


def price_of(aws: AWS, ref: FunctionRef) -> Price | None:
    """Return what a memory-second of a function costs, or None where region or function is not known."""
    try:
        with or_missing():
            told = aws.client("lambda").get_function_configuration(FunctionName=ref.name)
            return price_in(aws.region, (told.get("Architectures") or ["x86_64"])[0])
    except Exception as error:
        if not is_denied(error):
            raise
    return None


def throttles(aws: AWS, ref: FunctionRef, since: str) -> int | None:
    """Return how many events were turned away, or None on the local AWS (CloudWatch: GetMetricStatistics, Throttles).

    Parameters
    ----------
    aws : AWS
        Where the function stands.
    ref : FunctionRef
        The function.
    since : str
        As `parse_time` takes it.
    """
    if aws.local:
        return None
    end = datetime.now(UTC)
    start = min(parse_time(since, end), end - timedelta(seconds=PERIODS[0]))
    span = (end - start).total_seconds()
    answer = aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Throttles",
        Dimensions=[{"Name": "FunctionName", "Value": ref.name}],
        StartTime=start,
        EndTime=end,
        Period=next((period for period in PERIODS if span / period <= MOST_POINTS), PERIODS[-1]),
        Statistics=["Sum"],
    )
    total: float = sum(point.get("Sum", 0) for point in answer["Datapoints"])
    return round(total)
