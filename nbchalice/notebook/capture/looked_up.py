"""What a handler looks up at run time: what can be told of it comes along, and the rest is said in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, product
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.history import END
from nbchalice.notebook.analysis.known_calls import words
from nbchalice.notebook.analysis.lookups import Text, lookups, names_read
from nbchalice.notebook.analysis.model import Kind
from nbchalice.notebook.analysis.texts import names_in
from nbchalice.notebook.capture.companions import LeftOut, left_out
from nbchalice.notebook.capture.replayable import require_replayable

if TYPE_CHECKING:
    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.capture.closure import Closure

_MOST = 3
_READERS = words("pandas numexpr duckdb timeit cProfile profile statsmodels patsy pandasql polars")
"""Libraries that look names in a text up in the module that calls them."""
FOLLOWED_BY_TEXT = "looked up when it runs, and followed only where a text of the code says the name"
_OWN = frozenset({"globals", "eval", "exec", "__import__", "vars", "locals"})


def with_looked_up(closure: Closure) -> tuple[Closure, tuple[LeftOut, ...]]:
    """Take along the variables that texts name, and the classes that a base class is asked for.

    Parameters
    ----------
    closure : Closure
        What the handler needs by name, followed to its end; it is not changed.

    Returns
    -------
    tuple[Closure, tuple[LeftOut, ...]]: the grown closure, and what is looked up and cannot come along.
    """
    tried: set[tuple[str, int]] = set()
    left: dict[tuple[str, int], LeftOut] = {}
    while True:
        wanted = [one for one in _asked(closure) if (one[1], one[2]) not in tried]
        if not wanted:
            return closure, tuple(left.values())
        for step, name, moment, certain in wanted:
            if (name, moment) in tried:
                continue
            tried.add((name, moment))
            try:
                closure = _grown(closure, step, name, moment)
            except CaptureError as error:
                if certain:
                    maker = closure.timeline.steps[closure.timeline.standing(name, moment)[0][0]]
                    left[name, maker.position] = left_out(maker, error.message)


def _grown(closure: Closure, step: Step, name: str, moment: int) -> Closure:
    grown = closure.copy()
    grown.want(name, moment, step)
    grown.finish()
    for position in grown.wanted.keys() - closure.wanted.keys():
        require_replayable(grown.timeline.steps[position], grown.effects, grown.wanted[position])
    return grown


def _asked(closure: Closure) -> Iterator[tuple[Step, str, int, bool]]:
    """Give what is looked up: where, the name, the moment, and whether it is certain that the text is a name."""
    steps = [closure.timeline.steps[position] for position in sorted(closure.wanted)]
    each = [lookups(step.statement.text) for step in steps]
    open_ended = any(_unshadowed(closure, one.unfollowed) for one in each)
    queries = any(one.queries for one in each)
    handed_on = chain.from_iterable(one.handed for one in each)
    handed = {reader for reader, module in handed_on if _reads_names(closure, module)}
    for step, one in zip(steps, each, strict=True):
        for reader, (written, line) in product(sorted(handed), one.written):  # duckdb.sql(QUERY)
            text, query = Text(names_read(reader, written), line, later=True), names_in(written) is None
            yield from _of_text(closure, step, text, certain=query)
        for text in (*one.texts, *(one.marked if queries else ())):
            if not text.module or _reads_names(closure, text.module):
                yield from _of_text(closure, step, text, certain=True)
        for text in one.constants if open_ended else ():
            yield from _of_text(closure, step, text, certain=False)
    if any(one.subclasses for one in each):
        yield from _subclasses(closure)


def _of_text(closure: Closure, step: Step, text: Text, *, certain: bool) -> Iterator[tuple[Step, str, int, bool]]:
    moment = END if text.later else step.position
    for name in sorted(text.names):
        if (name, moment) not in closure.resolved and closure.timeline.standing(name, moment)[0]:
            yield step, name, moment, certain


def _reads_names(closure: Closure, name: str) -> bool:
    """Tell whether a name is a library that looks names up in texts, or what such a library made."""
    for position in closure.timeline.standing(name, END)[0]:
        statement = closure.timeline.steps[position].statement
        if any(alias.name == name and alias.module.partition(".")[0] in _READERS for alias in statement.imports):
            return True
        if statement.origin is not None and statement.origin.root not in ("", name):
            return _reads_names(closure, statement.origin.root)
    return False


def _subclasses(closure: Closure) -> Iterator[tuple[Step, str, int, bool]]:
    """Give the classes of the notebook that are derived from those of the slice, or from what it imports."""
    timeline, wanted = closure.timeline, closure.wanted
    kin = set[str]().union(*(timeline.steps[position].statement.binds for position in wanted))
    for step in timeline.steps:
        statement = step.statement
        if statement.kind is Kind.CLASS and statement.bases & kin:
            kin |= statement.defines
            for name in statement.defines:
                if step.position in timeline.standing(name, END)[0] and (name, END) not in closure.resolved:
                    yield step, name, END, True


def _unshadowed(closure: Closure, found: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Leave out what is a function of the notebook that has the name of a builtin."""
    return [one for one in found if not closure.timeline.events.get(_function(one[1]))]


def _function(text: str) -> str:
    name = text.partition("(")[0]
    return name if name in _OWN else ""


def told_of(closure: Closure) -> str:
    """Say what the code of a handler looks up at run time and nothing follows; empty if there is nothing.

    Parameters
    ----------
    closure : Closure
        All that the handler needs.
    """
    steps = [closure.timeline.steps[position] for position in sorted(closure.wanted)]
    by_text: dict[str, None] = {}
    elsewhere: dict[str, None] = {}
    for step in steps:
        looked = lookups(step.statement.text)
        for told, places in ((by_text, looked.unfollowed), (elsewhere, looked.differs)):
            for line, text in _unshadowed(closure, places):
                told[f"{text} ({step.cell.label}, line {step.statement.line + line - 1})"] = None
    parts = [f"{FOLLOWED_BY_TEXT}: {_listed(list(by_text))}"] if by_text else []
    parts += [f"may do otherwise on Lambda because of {_listed(list(elsewhere))}"] if elsewhere else []
    return "; ".join(parts)


def _listed(texts: list[str]) -> str:
    more = [f"{len(texts) - _MOST} more"] if len(texts) > _MOST else []
    return ", ".join([*texts[:_MOST], *more])
