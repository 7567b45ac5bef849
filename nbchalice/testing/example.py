"""A trigger that a source's example gives, and how a check fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from nbchalice.handlers.line import read_values
from nbchalice.resources.base import FunctionRef
from nbchalice.runtime.app import Chalice, LambdaFunction
from nbchalice.sources.base import Source
from nbchalice.testing.model import ACCOUNT, REGION
from nbchalice.typed import JSON


def fail(source: Source, text: str) -> NoReturn:
    """Say what is wrong with a source."""
    raise AssertionError(f"{getattr(source, 'name', None) or type(source).__name__}: {text}")


def want(condition: object, source: Source, text: str) -> None:
    """Fail unless a condition holds."""
    if not condition:
        fail(source, text)


@contextmanager
def calling(source: Source, what: str) -> Iterator[None]:
    """Name the method that raised."""
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())
        raise AssertionError(f"{source.name}: {what} raised {type(error).__name__}: {text}") from error


@dataclass(frozen=True)
class Example:
    """A trigger as a line of the source's cell magic gives it.

    Parameters
    ----------
    source : Source
        The source.
    line : str
        What stands after the magic.
    """

    source: Source
    line: str

    @property
    def function(self) -> FunctionRef:
        """The function that the trigger is for."""
        return FunctionRef("check", "dev", "handle", REGION, ACCOUNT)

    @cached_property
    def given(self) -> JSON:
        """The options of the line."""
        with calling(self.source, f"the example {self.line!r}"):
            return read_values(self.source, self.line, ())

    @cached_property
    def options(self) -> JSON:
        """The options as the decorator records them."""
        with calling(self.source, f"@app.{self.source.name}(**{self.given})"):
            return dict(self.decorate(lambda event: None).triggers[0].options)

    def decorate(self, function: Callable[[Any], object]) -> LambdaFunction:
        """Return a handler with the trigger."""
        decorator = getattr(Chalice("check", configure_logs=False), self.source.name)(**self.given)
        handler: LambdaFunction = decorator(function)
        return handler

    def call(self, method: str, *more: object, **named: object) -> Any:
        """Call a method of the source that takes the options first."""
        with calling(self.source, f"{method} of {self.line!r}"):
            return getattr(self.source, method)(self.options, *more, **named)

    def sample(self, **values: object) -> Any:
        """Return a sample event."""
        return self.call("sample", self.function, **values)

    def want(self, condition: object, text: str) -> None:
        """Fail unless a condition holds."""
        want(condition, self.source, f"{text}, in the example {self.line!r}")


def is_line(text: object) -> bool:
    """Whether it is one line of text."""
    return isinstance(text, str) and bool(text.strip()) and "\n" not in text
