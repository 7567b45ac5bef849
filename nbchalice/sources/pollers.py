"""Provisioned pollers of a queue: Lambda keeps so many ready (Lambda: "provisioned mode" of SQS event sources)."""

from __future__ import annotations

from nbchalice.sources.options import Option
from nbchalice.typed import JSON, Values

LEAST, USUAL_MOST = 2, 200
POLLERS = (
    Option("min_pollers", "pollers that Lambda keeps ready for the queue", int, None, "N", minimum=2, maximum=200),
    Option(
        "max_pollers", "pollers that Lambda starts for the queue at most", int, None, "N", minimum=2, maximum=10_000
    ),
)


def pollers_of(options: Values) -> JSON:
    """Return the pollers as CreateEventSourceMapping takes them; with one given, the other is Lambda's default."""
    least, most = options.get("min_pollers"), options.get("max_pollers")
    if least is None and most is None:
        return {}
    return {"MinimumPollers": least or LEAST, "MaximumPollers": most or max(USUAL_MOST, least or 0)}


def poller_problems(options: Values) -> list[str]:
    """Return what Lambda would reject of the pollers."""
    pollers = pollers_of(options)
    if not pollers:
        return []
    problems = []
    if pollers["MinimumPollers"] > pollers["MaximumPollers"]:
        problems.append(
            f"--min-pollers {pollers['MinimumPollers']} is more than --max-pollers {pollers['MaximumPollers']}"
        )
    if options.get("maximum_concurrency"):
        problems.append(
            "--maximum-concurrency is not for provisioned pollers; --max-pollers limits how much runs at once"
        )
    return problems


def poller_notes(options: Values) -> list[str]:
    """Return what provisioned pollers cost, and that the local AWS has none."""
    pollers = pollers_of(options)
    if not pollers:
        return []
    ready = f"Lambda keeps {pollers['MinimumPollers']} to {pollers['MaximumPollers']} pollers for the queue"
    return [f"{ready}, which cost also while it is empty; the local AWS notes them and polls as ever"]
