"""What invocations cost: memory-seconds, and their price by region and processor."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nbchalice.logs.records import InvocationData
from nbchalice.typed import JSON

Architecture = Literal["x86_64", "arm64"]

PRICED_ON = "2026-09-28"
"""The day whose prices the table has."""
USUAL = (16.6667, 13.3334)
USUAL_REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
# US dollars for a million GB-seconds of the first tier, on x86 and on Arm (AWS Lambda's pricing page: Duration).
PRICES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(USUAL_REGIONS, USUAL),
    "af-south-1": (22.1, 17.68),
    "ap-east-1": (22.92, 18.3),
    "eu-south-1": (19.5172, 15.6138),
    "me-central-1": (20.6667, 16.5334),
    "me-south-1": (20.6667, 16.5334),
}
MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """What a memory-second costs.

    Parameters
    ----------
    region : str
        For example ``eu-west-1``.
    architecture : str
        ``x86_64`` or ``arm64``.
    usd : float
        US dollars for a GB-second, of the first tier.
    """

    region: str
    architecture: str
    usd: float

    def __str__(self) -> str:
        return f"{self.architecture} in {self.region}, AWS Lambda's pricing page as of {PRICED_ON}"

    def to_dict(self) -> JSON:
        """Return the price as JSON-ready data."""
        return {**vars(self), "date": PRICED_ON}


def price_in(region: str, architecture: str) -> Price | None:
    """Return the price of a region, or None where it is not known."""
    both = PRICES.get(region)
    return None if both is None else Price(region, architecture, both[architecture == "arm64"] / MILLION)


def gb_seconds(invocation: InvocationData) -> float | None:
    """Return the memory-seconds that Lambda bills for an invocation, or None where the log does not tell."""
    if invocation.billed_ms is None or invocation.memory_mb is None:
        return None
    return invocation.memory_mb / 1024 * invocation.billed_ms / 1000


@dataclass(frozen=True)
class Cost:
    """What invocations cost, without requests and free tier.

    Parameters
    ----------
    invocations : int
        How many it is of: those whose memory and billed duration the log tells.
    gb_seconds : float
        Memory-seconds of them all.
    price : Price or None
        What one costs, or None where that is not known.
    """

    invocations: int
    gb_seconds: float
    price: Price | None = None

    @property
    def usd(self) -> float | None:
        """US dollars for them all, or None where the price is not known."""
        return None if self.price is None else self.gb_seconds * self.price.usd

    @property
    def usd_per_million(self) -> float | None:
        """US dollars for a million invocations like these, or None."""
        return None if self.usd is None or not self.invocations else self.usd / self.invocations * MILLION

    def __str__(self) -> str:
        told = f"{plain(self.gb_seconds)} GB-seconds"
        if self.usd is None or self.usd_per_million is None:
            return f"{told}; the price is not known here"
        return f"{told}, {dollars(self.usd)}; a million such invocations {dollars(self.usd_per_million)}"

    def to_dict(self) -> JSON:
        """Return the cost as JSON-ready data."""
        price = None if self.price is None else self.price.to_dict()
        return {"gb_seconds": self.gb_seconds, "usd": self.usd, "usd_per_million": self.usd_per_million, "price": price}


def cost_of(invocations: Iterable[InvocationData], price: Price | None = None) -> Cost | None:
    """Return what invocations cost together, or None where the log tells of none."""
    known = [each for each in map(gb_seconds, invocations) if each is not None]
    return Cost(len(known), math.fsum(known), price) if known else None


def dollars(value: float) -> str:
    """Return an amount with two decimals, a smaller one than a dollar with two digits that count.

    Not with a dollar sign: JupyterLab takes what stands between two of them for a formula.
    """
    return f"{value:,.2f} USD" if value >= 1 else f"{plain(value)} USD"


def plain(value: float) -> str:
    """Return a number with two digits that count, never as 2e-07."""
    if value <= 0:
        return "0"
    return f"{value:,.{max(0, 1 - math.floor(math.log10(value)))}f}"
