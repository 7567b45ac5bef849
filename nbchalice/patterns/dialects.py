"""What differs between event patterns, filter criteria and filter policies."""

from __future__ import annotations

from dataclasses import dataclass

EVERY_OPERATOR = (
    "anything-but", "cidr", "equals-ignore-case", "exactly", "exists", "numeric", "prefix", "suffix", "wildcard",
)  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """What a service takes as a pattern.

    Parameters
    ----------
    name : str
        The service.
    operators : tuple[str, ...]
        The operators that a rule may have.
    negated : tuple[str, ...]
        Those that ``anything-but`` may hold.
    negated_lists : bool
        Whether an operator within ``anything-but`` may have several values.
    ends_ignore_case : bool
        Whether ``prefix`` and ``suffix`` may hold ``equals-ignore-case``.
    present_means_filled : bool
        Whether ``exists: true`` wants a value that is neither null nor an empty text.
    """

    name: str
    operators: tuple[str, ...] = EVERY_OPERATOR
    negated: tuple[str, ...] = ("equals-ignore-case", "prefix", "suffix", "wildcard")
    negated_lists: bool = True
    ends_ignore_case: bool = True
    present_means_filled: bool = False


EVENT_PATTERN = Dialect("EventBridge")
# Lambda, "Filter rule syntax": filter rules follow EventBridge's and use their syntax.
FILTER_CRITERIA = Dialect("Lambda")
# SNS, "String value matching" and "Key matching": no wildcards; anything-but holds one prefix at the most.
FILTER_POLICY = Dialect(
    "SNS",
    operators=("anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix"),
    negated=("prefix",),
    negated_lists=False,
    ends_ignore_case=False,
    present_means_filled=True,
)
