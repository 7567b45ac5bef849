"""What a source makes of two triggers beside each other: neither may get lost without a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from nbchalice.resources.base import Resource
from nbchalice.sources.base import Source
from nbchalice.testing.example import Example, calling, fail
from nbchalice.typed import Values


def check_pairs(source: Source, examples: Sequence[Example]) -> None:
    """Check the examples in pairs, of one function and of two, the second with the argument of the first."""
    for one, other in product(examples, repeat=2):
        options = _with_argument_of(one, other)
        with calling(source, "problems"):
            wrong = source.problems(options)
        if not wrong and options != one.options:  # The same trigger again counts once.
            _check_pair(one, options, same_function=True)
            _check_pair(one, options, same_function=False)


def _with_argument_of(one: Example, other: Example) -> Values:
    """Return options with another argument: of "clicks --batch-size 5" those of "orders --batch-size 5"."""
    argument = one.source.argument
    given = one.given.get(argument.name) if argument else None
    return {**other.options, argument.name: given} if argument and given is not None else other.options


def _check_pair(one: Example, options: Values, *, same_function: bool) -> None:
    source, function = one.source, one.function
    second = replace(function, number=2 if source.is_numbered(options) else 1)
    if not same_function:
        second = replace(function, handler="other")
    clash = one.call("clash", options, same_function=same_function)
    if clash:
        return
    first = {resource.key: resource for resource in one.call("resources", function)}
    with calling(source, f"resources of {options}"):
        beside = source.resources(options, second)
    for resource in beside:
        if resource.key in first:
            _check_same_key(source, first[resource.key], resource)


def _check_same_key(source: Source, one: Resource, other: Resource) -> None:
    if not other.agrees_with(one):
        text = f"two triggers make {one.key} in two ways, and neither its clash refuses them nor has"
        fail(source, f"{text} {type(one).__name__} a merge that makes one of both: {one} and {other}")
    with calling(source, f"merge of {type(one).__name__}"):
        merged = one.merge(other)
    if not isinstance(merged, Resource) or merged.key != one.key:
        fail(source, f"merge of {type(one).__name__} is to return a resource with the same key")
