"""What a source declares: its name and texts, its options, the fields of its form."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from itertools import chain

from nbchalice.handlers import META, SETTINGS
from nbchalice.handlers.line import magic_help
from nbchalice.runtime.events import LambdaFunctionEvent
from nbchalice.sources import SOURCES
from nbchalice.sources.base import FIELD_KINDS, RESERVED_FIELDS, Field, Source
from nbchalice.sources.options import Option
from nbchalice.testing.example import calling, is_line, want

TEXTS = {"text", "area", "json"}


def check_declaration(source: Source) -> None:
    """Check the name and the texts, and that the source is installed."""
    want(
        isinstance(source, Source), source, f"it is a {type(source).__name__}, not an instance of a subclass of Source"
    )
    name = getattr(source, "name", None)
    want(isinstance(name, str) and name.isidentifier(), source, f"its name is {name!r}, which no decorator can have")
    want(
        name in SOURCES,
        source,
        "no installed package has it; declare it in the entry-point group nbchalice.sources and install the package",
    )
    want(is_line(source.title), source, "its title is to be a word or two, for messages and forms")
    want((type(source).__doc__ or "").strip(), source, "its class has no docstring, which is to name AWS's page on it")
    want(source.examples, source, "it has no examples: give lines of its cell magic, the simplest one first")
    kind = source.kind
    want(isinstance(source.on_local_aws, bool), source, "on_local_aws is to be True or False")
    plain = kind.event_class is LambdaFunctionEvent
    want(
        source.triggered != plain, source, f"triggered is {source.triggered}, and its event {kind.event_class.__name__}"
    )


def check_options(source: Source) -> None:
    """Check that options have defaults, help and checks of their values."""
    with calling(source, "all_options"):
        options = source.all_options()
    taken = {option.name for option in (*SETTINGS, *META)}
    names = [option.name for option in options if isinstance(option, Option)]
    want(len(names) == len(options), source, "argument and options are to be Options")
    for name in names:
        want(
            name.isidentifier() and names.count(name) == 1, source, f"there are two options {name!r}, or it is no word"
        )
        want(name not in taken, source, f"option {name} is one of the function's settings, too; give it another name")
    for option in options:
        flag = option.flag
        want(is_line(option.help), source, f"{flag} has no help of one line")
        wrong = option.problem(option.default)
        want(wrong is None, source, f"{flag} refuses its own default: {wrong}")
        low, high = option.minimum, option.maximum
        want((low is None) == (high is None), source, f"{flag} has one end of a range only")
        if low is not None and high is not None:
            want(option.problem(low - 1) and option.problem(high + 1), source, f"{flag} takes numbers out of its range")
        with calling(source, f"problems of a wrong {flag}"):
            checked = option.type in {int, bool, str} or option.repeats
            want(not checked or source.problems({option.name: object()}), source, f"{flag} takes a value of any type")
    with calling(source, "problems"):
        want(source.problems({"no_such_option": 1}), source, "an option that it does not have is not a problem to it")
        missing = source.problems({})
        want(missing or not source.argument, source, "nothing given is not a problem to it, though it has an argument")
    with calling(source, "the help of its magic"):
        help_text = magic_help(source)
    for option in source.options:
        want(option.flag in help_text, source, f"{option.flag} is not in the help of the magic")


def check_fields(source: Source) -> None:
    """Check that a form and the command line can be made of the fields, and that no value is asked for beside them."""
    names = [field.name for field in source.fields if isinstance(field, Field)]
    want(names and len(names) == len(source.fields), source, "fields are to be Fields, and one at least")
    others = {field.name: field for field in chain.from_iterable(other.fields for other in SOURCES.values())}
    for field in source.fields:
        name, kind = field.name, field.kind
        want(name.isidentifier() and names.count(name) == 1, source, f"there are two fields {name!r}, or it is no word")
        want(name not in RESERVED_FIELDS, source, f"field {name}: send has an option {field.flag} of its own")
        want(is_line(field.label), source, f"field {name} has no label of one line")
        want(kind in FIELD_KINDS, source, f"field {name} is of kind {kind!r}; there are {', '.join(FIELD_KINDS)}")
        other = others[name].kind if name in others else kind
        same = other == kind or {other, kind} <= TEXTS
        want(
            same,
            source,
            f"field {name} is of kind {kind}, and of kind {other} with another source; {field.flag} is one",
        )
        if kind == "json" and field.default:
            with calling(source, f"the default of field {name}"):
                json.loads(_text(field.default))
    for method in ("sample", "send"):
        for used in _values_used(source, method):
            want(used in names, source, f"{method} asks for {used!r}, which is not a field of the form")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"it is to be JSON text, and is {value!r}")
    return value


def _values_used(source: Source, method: str) -> list[str]:
    """Return the values that a method asks for: its own keywords, and ``values.get("x")`` and ``values["x"]``."""
    function = getattr(source, method)
    parameters = inspect.signature(function).parameters.values()
    rest = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
    used = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):  # It has no text of its own: a lambda within an expression, or typed at a prompt.
        return used
    for node in ast.walk(tree):
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == rest:
            key = node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            of_values = isinstance(node.func.value, ast.Name) and node.func.value.id == rest
            key = node.args[0] if of_values and node.args else None
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            used.append(key.value)
    return used
