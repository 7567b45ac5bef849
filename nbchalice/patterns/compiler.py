"""A pattern, checked as AWS checks it and ready to match events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from nbchalice.patterns.dialects import Dialect
from nbchalice.patterns.fields import fields_of, passes_all
from nbchalice.patterns.operators import Rule, rule_of
from nbchalice.patterns.refusal import InvalidPatternError
from nbchalice.patterns.wildcards import check_complexity

# The rules of each field, by its path.
Rules = dict[str, tuple[Rule, ...]]
OR = "$or"
MOST_ALTERNATIVES = 1000
RESERVED = frozenset(
    {
        "anything-but", "cidr", "date-after", "date-before", "date-on-or-after", "date-on-or-before",
        "equals-ignore-case", "exactly", "exists", "in-date-range", "ip-address-in-range", "ip-address-not-in-range",
        "not-equals-ignore-case", "not-wildcard", "numeric", "prefix", "regex", "suffix", "wildcard",
        "=", "<", "<=", ">", ">=",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """A pattern that a service takes.

    Parameters
    ----------
    alternatives : tuple[Rules, ...]
        What it says with each ``$or`` resolved: an event passes if it passes one of them.
    """

    alternatives: tuple[Rules, ...]

    @property
    def names(self) -> list[str]:
        """The fields of the event itself that it asks for, such as ``detail``."""
        return sorted({path.split(".", 1)[0] for path in chain.from_iterable(self.alternatives)})

    @classmethod
    def of(cls, pattern: object, dialect: Dialect) -> Pattern:
        """Return a pattern that is given as JSON's values.

        Parameters
        ----------
        pattern : object
            The pattern.
        dialect : Dialect
            Who is to match it.

        Raises
        ------
        InvalidPatternError
            The service refuses it.
        """
        if not isinstance(pattern, dict):
            raise InvalidPatternError("Filter is not an object", 'write {"field": ["value"]}')
        try:
            alternatives = _Compiler(dialect, or_operator=True).with_object([], pattern)
        except InvalidPatternError as error:
            alternatives = _without_or(pattern, dialect, error)
        for path in set(chain.from_iterable(alternatives)):
            _check_complexity(path, (rules[path] for rules in alternatives if path in rules))
        return cls(tuple(alternatives))

    @classmethod
    def parse(cls, text: str, dialect: Dialect) -> Pattern:
        """Return a pattern that is given as a text of JSON; see `of`."""
        try:
            pattern = json.loads(text, parse_constant=_no_json)
        except (ValueError, RecursionError) as error:
            raise InvalidPatternError(f"failed to parse JSON. {error}") from None
        return cls.of(pattern, dialect)

    def matches(self, event: object) -> bool:
        """Whether an event passes: an object of JSON's values; nothing else ever does."""
        if not isinstance(event, dict):
            return False
        fields = fields_of(event)
        return any(passes_all(rules, fields) for rules in self.alternatives)


def _no_json(constant: str) -> object:
    raise ValueError(f"Unexpected {constant}")


def _without_or(pattern: dict[str, object], dialect: Dialect, error: InvalidPatternError) -> list[Rules]:
    """Return a pattern that was refused as one with ``$or``, if it can be read as one with fields of that name.

    ``{"$or": ["tea"]}`` asks for a field that is called ``$or``.
    """
    try:
        return _Compiler(dialect, or_operator=False).with_object([], pattern)
    except InvalidPatternError:
        raise error from None


@dataclass(frozen=True)
class _Compiler:
    """Adds the fields of a pattern to its alternatives; the last of equal paths counts."""

    dialect: Dialect
    or_operator: bool

    def with_object(
        self, alternatives: list[Rules], fields: dict[str, object], path: str = "", *, inside_or: bool = False
    ) -> list[Rules]:
        if not fields:
            raise InvalidPatternError("Empty objects are not allowed", "", path)
        for name, value in fields.items():
            here = f"{path}.{name}" if path else name
            if name == OR and self.or_operator:
                alternatives = self.with_either(alternatives, value, path)
            elif inside_or and name in RESERVED:
                reason = f"{name} is Ruler reserved fieldName which cannot be used inside {OR}."
                raise InvalidPatternError(reason, "", here)
            elif isinstance(value, dict):
                alternatives = self.with_object(alternatives, value, here, inside_or=inside_or)
            elif isinstance(value, list):
                rules = self.rules(value, here)
                alternatives = [{**alternative, here: rules} for alternative in alternatives or [{}]]
            else:
                reason = f'"{name}" must be an object or an array'
                raise InvalidPatternError(reason, f"write [{json.dumps(value)}]", here)
        return alternatives

    def with_either(self, alternatives: list[Rules], objects: object, path: str) -> list[Rules]:
        """Return each alternative once with each of the objects of an ``$or``."""
        here = f"{path}.{OR}" if path else OR
        if not isinstance(objects, list):
            raise InvalidPatternError(f"It must be an Array followed with {OR}.", "", here)
        forks: list[Rules] = []
        for one in objects:
            if not isinstance(one, dict):
                reason = f"Only JSON object is allowed in array of {OR} relationship."
                raise InvalidPatternError(reason, "", here)
            forks += self.with_object(alternatives, one, path, inside_or=True)
            if len(forks) > MOST_ALTERNATIVES:
                raise InvalidPatternError(f"more than {MOST_ALTERNATIVES} combinations of {OR}", "", here)
        if len(objects) < 2:
            raise InvalidPatternError(f"There must have at least 2 Objects in {OR} relationship.", "", here)
        return forks

    def rules(self, values: list[object], path: str) -> tuple[Rule, ...]:
        """Return the rules of a field."""
        if not values:
            raise InvalidPatternError("Empty arrays are not allowed", "", path)
        try:
            return tuple(rule_of(value, self.dialect) for value in values)
        except InvalidPatternError as error:
            raise InvalidPatternError(error.reason, error.fix, path) from None


def _check_complexity(path: str, alternatives: Iterable[tuple[Rule, ...]]) -> None:
    wildcards = list(chain.from_iterable(rule.wildcards for rule in chain.from_iterable(alternatives)))
    try:
        check_complexity(wildcards)
    except InvalidPatternError as error:
        raise InvalidPatternError(error.reason, error.fix, path) from None
