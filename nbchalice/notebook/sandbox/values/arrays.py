"""Arrays and data frames: by a hash of their elements. Nothing is imported: who has a frame has pandas."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.sandbox.values.nodes import Describer, Node, digest, is_only_kept, leaf
from nbchalice.notebook.sandbox.values.rounding import of_array

if TYPE_CHECKING:
    from collections.abc import Callable

_SHORT = 20


def _array(describer: Describer, value: Any, path: str) -> Node:
    numpy = sys.modules["numpy"]
    locked = isinstance(value, numpy.ndarray) and not value.flags.writeable
    by_columns = value.flags.f_contiguous and not value.flags.c_contiguous
    kind = f"{'read-only ' if locked else ''}{'Fortran-ordered ' if by_columns else ''}"
    kind += f"{type(value).__name__} of {value.dtype}"
    if value.dtype.hasobject:
        return describer.parts(kind, [(".shape", value.shape), ("", numpy.asarray(value).tolist())], path)
    shown = f"{kind}, shape {value.shape}"
    base = value.view(numpy.ndarray) if isinstance(value, numpy.ndarray) else numpy.asarray(value)
    if value.size <= _SHORT:
        shown = f"array({base.tolist()})" if base.ndim else repr(base.tolist())
    data = numpy.ascontiguousarray(base).reshape(-1).view("u1").data
    return leaf(kind, f"{value.shape} {digest(data)}", shown, of_array(base))


def _masked(describer: Describer, value: Any, path: str) -> Node:
    numpy = sys.modules["numpy"]
    items = [(".mask", numpy.ma.getmaskarray(value)), (".data", value.filled()), (".fill_value", value.fill_value)]
    items.append((".hardmask", value.hardmask))
    return describer.parts("masked array", items, path)


def _frame(describer: Describer, value: Any, path: str) -> Node:
    """Describe a data frame column by column."""
    # The column "1" is another than the column 1.
    labels = []
    for label in value.columns:
        labels.append(repr(label) if isinstance(label, str) else str(label))
    parts = []
    for number, label in enumerate(labels):
        parts.append([f"[{label}]", _elements(describer, value.iloc[:, number], f"{path}[{label}]")])
    shape = [" (shape)", leaf("shape", str(value.shape))]
    heads = [" (columns)", leaf("columns", str(labels), str(list(value.columns)))]
    names = [".columns.names", describer.describe(list(value.columns.names))]
    index = [" (index)", _elements(describer, value.index, path)]
    return ["parts", "DataFrame", [shape, heads, index, *parts, names, *_beside(describer, value)], False]


def _beside(describer: Describer, value: Any) -> list[list[Any]]:
    """Describe what a frame or a series has beside its elements."""
    parts = [[".index.names", describer.describe(list(value.index.names))]]
    if value.attrs:
        parts.append([".attrs", describer.describe(value.attrs)])
    if not value.flags.allows_duplicate_labels:
        parts.append([".flags.allows_duplicate_labels", leaf("bool", "False")])
    return [*parts, *_set_on(describer, value)]


def _set_on(describer: Describer, value: Any) -> list[list[Any]]:
    """Describe attributes that pandas knows nothing of: ``frame.unit = "kg"``."""
    kind = type(value)
    own = {name: x for name, x in vars(value).items() if not name.startswith("_") and not is_only_kept(kind, name)}
    return [[f".{name}", describer.describe(held)] for name, held in own.items()]


def _series(describer: Describer, value: Any, path: str) -> Node:
    name = [".name", describer.describe(value.name)]
    parts = [
        [" (values)", _elements(describer, value, path)],
        [" (index)", _elements(describer, value.index, path)],
        name,
        *_beside(describer, value),
    ]
    return ["parts", "Series", parts, False]


def _index(describer: Describer, value: Any, path: str) -> Node:
    names = [".names", describer.describe(list(value.names))]
    parts = [[" (values)", _elements(describer, value, path)], names, *_set_on(describer, value)]
    return ["parts", "Index", parts, False]


def _elements(describer: Describer, value: Any, path: str) -> Node:
    """Describe the elements of a column or an index."""
    pandas = sys.modules["pandas"]
    kind = str(value.dtype) if hasattr(value, "dtype") else type(value).__name__
    if getattr(value, "freq", None) is not None:  # of an index of dates
        kind += f", freq {value.freq.freqstr}"
    if kind == "object" and not isinstance(value, pandas.MultiIndex):
        return describer.describe(value.tolist(), path)
    rounded = of_array(value.to_numpy()) if getattr(getattr(value, "dtype", None), "kind", "") in "fc" else None
    if len(value) <= _SHORT:
        return leaf(kind, str(value.tolist()), rounded=rounded)
    hashed = pandas.util.hash_pandas_object(value, index=False).to_numpy()
    return leaf(kind, f"{len(value)} {digest(hashed.tobytes())}", f"{len(value)} of {kind}", rounded)


def _dtype(describer: Describer, value: object, path: str) -> Node:
    return leaf("dtype", str(value))


def _flat(describer: Describer, value: Any, path: str) -> Node:
    items = [(" (source)", value.base), (" (position)", value.index)]
    return describer.parts("flatiter", items, path, of_library=True)


def _iterated(describer: Describer, value: Any, path: str) -> Node:
    items = [(" (source)", value.operands), (" (position)", value.iterindex), (" (finished)", value.finished)]
    node = describer.parts("nditer", items, path, of_library=True)
    if not value.iterindex:  # before the first element and at it
        node[2].append([" (started)", ["opaque", "nditer"]])
    return node


KNOWN: dict[str, Callable[[Describer, Any, str], Node]] = {
    **dict.fromkeys(["numpy.ndarray", "numpy.generic"], _array),
    **dict.fromkeys(["numpy.ma.core.MaskedArray", "numpy.ma.MaskedArray"], _masked),
    "numpy.dtype": _dtype,
    "numpy.flatiter": _flat,
    "numpy.nditer": _iterated,
    **dict.fromkeys(["pandas.DataFrame", "pandas.core.frame.DataFrame"], _frame),
    **dict.fromkeys(["pandas.Series", "pandas.core.series.Series"], _series),
    **dict.fromkeys(["pandas.Index", "pandas.core.indexes.base.Index"], _index),
}
