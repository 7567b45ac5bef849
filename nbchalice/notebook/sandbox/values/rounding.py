"""Numbers that differ in their last digits: another processor, or other addresses, round otherwise.

``LinearRegression().fit(X, y).coef_`` is 0.9223216569163383 in one process and 0.9223216569163387 in the next: BLAS
adds in the order that suits the addresses of the arrays. On Lambda it does, too.
"""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

Rounded: TypeAlias = "list[Any]"
"""What stands for the numbers: how exact they can be, what is infinite or no number, sums of blocks, and the sizes."""

_BLOCKS = 64
_OF_A_NUMBER = 1e-12
_OF_ITS_BLOCK = 1e-9
_OF_THE_WHOLE = 1e-13
_ULPS = 32


def of_number(value: float) -> Rounded | None:
    """Return what is compared of one number.

    Parameters
    ----------
    value : float
        The number.
    """
    return [_OF_A_NUMBER, 0.0, "", [value], [abs(value)]] if -1e300 < value < 1e300 else None


def of_array(value: Any) -> Rounded | None:
    """Return what is compared of an array of numbers with digits; None for others.

    Of more than 64 elements these are the sums of 64 blocks, in which each has a weight: where one is another, or two
    have changed places, a sum is another.

    Parameters
    ----------
    value : numpy.ndarray
        An array of any shape and type.
    """
    numpy = sys.modules["numpy"]
    if value.dtype.kind not in "fc" or not value.size:
        return None
    flat = numpy.ascontiguousarray(value).reshape(-1)
    flat = flat.view(flat.real.dtype) if value.dtype.kind == "c" else flat
    eps = float(numpy.finfo(flat.dtype).eps)
    flat = flat.astype("f8")
    odd = ~numpy.isfinite(flat)
    told = str([[int(at), str(flat[at])] for at in numpy.flatnonzero(odd)[:_BLOCKS]]) if odd.any() else ""
    flat[odd] = 0
    width = -(-len(flat) // _BLOCKS)
    blocks = numpy.zeros(-(-len(flat) // width) * width)
    blocks[: len(flat)] = flat
    blocks = blocks.reshape(-1, width)
    weights = 1 + numpy.arange(width) % 97 / 97
    with numpy.errstate(all="ignore"):
        sums, sizes = blocks @ weights, numpy.abs(blocks) @ weights
    if not numpy.isfinite(sizes).all():
        return None
    exact = max(_OF_ITS_BLOCK, _ULPS * eps)
    return [exact, max(_OF_THE_WHOLE, eps), f"{value.shape} {told}", sums.tolist(), sizes.tolist()]


def is_rounding(one: Rounded, two: Rounded) -> bool:
    """Tell whether numbers are the same but for their last digits.

    Parameters
    ----------
    one, two : Rounded
        What stands for them.
    """
    exact, whole, told, sums, sizes = one
    if [exact, whole, told, len(sums)] != [*two[:3], len(two[3])]:
        return False
    most = whole * max([*sizes, *two[4]])
    pairs = zip(sums, two[3], sizes, two[4], strict=True)
    return all(abs(here - there) <= max(most, exact * max(size, other)) for here, there, size, other in pairs)
