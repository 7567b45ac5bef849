"""Values as plain data, so that those of two processes can be compared, and what differs can be named."""

from nbchalice.notebook.sandbox.values.answers import function_of, unanswered, with_answers
from nbchalice.notebook.sandbox.values.describe import describe, held_in, standing_names
from nbchalice.notebook.sandbox.values.differences import (
    LAST_DIGITS,
    Difference,
    differ,
    differ_in_rounding,
    difference,
    is_order_of_keys,
    not_compared,
    settled,
)
from nbchalice.notebook.sandbox.values.imported import describe_imported
from nbchalice.notebook.sandbox.values.kept import aligned, is_setting, of_concern, without_before
from nbchalice.notebook.sandbox.values.nodes import UNSHOWN, Node, text
from nbchalice.notebook.sandbox.values.process import carrying
from nbchalice.notebook.sandbox.values.registered import unregistered
from nbchalice.notebook.sandbox.values.sharing import Shared, sharing

__all__ = [
    "LAST_DIGITS",
    "UNSHOWN",
    "Difference",
    "Node",
    "Shared",
    "aligned",
    "carrying",
    "describe",
    "describe_imported",
    "differ",
    "differ_in_rounding",
    "difference",
    "function_of",
    "held_in",
    "is_order_of_keys",
    "is_setting",
    "not_compared",
    "of_concern",
    "settled",
    "sharing",
    "standing_names",
    "text",
    "unanswered",
    "unregistered",
    "with_answers",
    "without_before",
]
