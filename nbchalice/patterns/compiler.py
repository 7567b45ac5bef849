"""A pattern, checked as AWS checks it and ready to match events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

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
        return sorted({path.split(".", 1)[0] for rules in self.alternatives for path in rules})

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
        alternatives = _with_object([], pattern, "", dialect)
        for path in {path for rules in alternatives for path in rules}:
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


def _with_object(alternatives: list[Rules], fields: dict[str, object], path: str, dialect: Dialect) -> list[Rules]:
    """Return the alternatives with the fields of an object added to each; the last of equal paths counts."""
    if not fields:
        raise InvalidPatternError("Empty objects are not allowed", "", path)
    for name, value in fields.items():
        here = f"{path}.{name}" if path else name
        if name == OR and _is_or(value):
            forks = (_with_object(list(map(dict, alternatives)), one, path, dialect) for one in _objects(value))
            alternatives = [rules for fork in forks for rules in fork]
            if len(alternatives) > MOST_ALTERNATIVES:
                raise InvalidPatternError(f"more than {MOST_ALTERNATIVES} combinations of $or", "", here)
        elif isinstance(value, dict):
            alternatives = _with_object(alternatives, value, here, dialect)
        elif isinstance(value, list):
            rules = _rules(value, here, dialect)
            alternatives = alternatives or [{}]
            for alternative in alternatives:
                alternative[here] = rules
        else:
            raise InvalidPatternError(f'"{name}" must be an object or an array', f"write [{json.dumps(value)}]", here)
    return alternatives


def _objects(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _is_or(value: object) -> bool:
    """Whether ``$or`` with this value is the operator: anything else makes it a field of that name."""
    objects = _objects(value)
    whole = isinstance(value, list) and len(objects) == len(value) >= 2
    return whole and not any(_has_reserved(one) for one in objects)


def _has_reserved(fields: dict[str, object]) -> bool:
    inner = [one for value in fields.values() if isinstance(value, dict) for one in [value]]
    inner += _objects(fields.get(OR))
    return not RESERVED.isdisjoint(fields) or any(map(_has_reserved, inner))


def _rules(values: list[object], path: str, dialect: Dialect) -> tuple[Rule, ...]:
    if not values:
        raise InvalidPatternError("Empty arrays are not allowed", "", path)
    try:
        return tuple(rule_of(value, dialect) for value in values)
    except InvalidPatternError as error:
        fix = error.fix
        if path.rpartition(".")[2] == OR:
            fix = "$or wants two or more objects, none of which has a field that is called like an operator"
        raise InvalidPatternError(error.reason, fix, path) from None


def _check_complexity(path: str, alternatives: Iterable[tuple[Rule, ...]]) -> None:
    wildcards = [text for rules in alternatives for rule in rules for text in rule.wildcards]
    try:
        check_complexity(wildcards)
    except InvalidPatternError as error:
        raise InvalidPatternError(error.reason, error.fix, path) from None
