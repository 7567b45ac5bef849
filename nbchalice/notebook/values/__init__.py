"""Values as plain data, so that those of two processes can be compared, and what differs can be named."""

from nbchalice.notebook.values.describe import describe
from nbchalice.notebook.values.differences import ITS_ORDER, Difference, differ, difference, not_compared, settled
from nbchalice.notebook.values.imported import describe_imported
from nbchalice.notebook.values.nodes import UNSHOWN, Node, text

__all__ = [
    "ITS_ORDER",
    "UNSHOWN",
    "Difference",
    "Node",
    "describe",
    "describe_imported",
    "differ",
    "difference",
    "not_compared",
    "settled",
    "text",
]
