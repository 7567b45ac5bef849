"""Options, declared once: magics, validation, the command line, forms and docs are made from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from nbchalice.text import near
from nbchalice.typed import JSON, Values


def json_value(text: str) -> object:
    """Read a JSON option; raise ValueError that shows where the JSON breaks."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"wants JSON in single quotes, and {text!r} is not valid JSON ({error})") from None


def flag_of(name: str) -> str:
    """Return how a parameter is typed in a magic or a shell."""
    return "--" + name.replace("_", "-")


@dataclass(frozen=True)
class Option:
    """One option of an event source or of the function behind it.

    Parameters
    ----------
    name : str
        The decorator's parameter; the magic's option is the same with dashes.
    help : str
        One line for people.
    type : Callable[[str], object]
        Turns the text of the magic line into the value; raises ValueError.
    default : object
        Value when the option is not given.
    metavar : str
        What stands for the value in the usage.
    repeats : bool
        The option may be given several times and collects a list.
    choices : tuple[str, ...] or None
        The only values allowed, or None; of an option that repeats, each value is one of them.
    minimum, maximum : int or None
        The range of a number, both included, or None.
    """

    name: str
    help: str
    type: Callable[[str], object] = str
    default: object = None
    metavar: str = "VALUE"
    repeats: bool = False
    choices: tuple[str, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None

    @property
    def flag(self) -> str:
        """The option as typed on a magic line."""
        return flag_of(self.name)

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with a value, or None."""
        if value is None:
            return None
        if wrong := self._wrong_type(value):
            return f"{self.flag} wants {wrong}, not {value!r}"
        # Of --kind a --kind b the value is ["a", "b"], and each of them must be allowed.
        refused = (self._not_allowed(one) for one in (value if self.repeats else [value]))
        return next((text for text in refused if text), None)

    def _not_allowed(self, value: Any) -> str | None:
        if self.choices and value not in self.choices:
            return f"{self.flag} is one of {', '.join(self.choices)}, not {value!r}"
        below = self.minimum is not None and value < self.minimum
        above = self.maximum is not None and value > self.maximum
        if below or above:
            return f"{self.flag} is {self.minimum} to {self.maximum}, not {value}"
        return None

    def _wrong_type(self, value: object) -> str | None:
        if not self.repeats:
            return self._wrong_single(value)
        if not isinstance(value, list | tuple | dict):
            return "a list"
        wrong = next((text for one in value if (text := self._wrong_single(one))), None)
        return f"a list, each of it {wrong}" if wrong else None

    def _wrong_single(self, value: object) -> str | None:
        if self.type is int:
            return None if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
        if self.type is bool:
            return None if isinstance(value, bool) else "true or false"
        if self.type is str:
            return None if isinstance(value, str) else "a text"
        return None


# Lambda: CreateEventSourceMapping, of queues and streams alike.
BATCHING_WINDOW = Option(
    "maximum_batching_window_in_seconds",
    "how long Lambda may wait to fill a batch",
    int,
    0,
    "SECONDS",
    minimum=0,
    maximum=300,
)


def problems(options: Iterable[Option], values: Values) -> list[str]:
    """Return what is wrong with the values: unknown names, wrong types, out of range."""
    known = {option.name: option for option in options}
    wrong = [f"there is no option {name!r}; {near(name, known)}" for name in values if name not in known]
    return wrong + [text for name, option in known.items() if (text := option.problem(values.get(name)))]


def fill(options: Iterable[Option], values: Values) -> JSON:
    """Return the values of all options, with the default of each one that is not given."""
    filled = {option.name: option.default for option in options}
    filled |= {name: values[name] for name in filled if values.get(name) is not None}
    return filled
