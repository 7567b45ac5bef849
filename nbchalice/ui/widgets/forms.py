"""The fields of a form, as a source declares them, as widgets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import ipywidgets as widgets

from nbchalice.errors import InvalidInputError
from nbchalice.sources.base import Field
from nbchalice.typed import JSON, Values
from nbchalice.ui.render import html
from nbchalice.ui.widgets.panel import area, button, row

LABEL_WIDTH = "9em"
INDENT = "calc(9em + 8px)"
LABEL = {"description_width": LABEL_WIDTH}
LEAST_ROWS, MOST_ROWS = 4, 16
WIDE = "calc(100% - 4px)"
Changed = Callable[[], None]


def label(text: str) -> widgets.Label:
    """Return a label that stands where those of the fields do."""
    layout = widgets.Layout(width=LABEL_WIDTH, justify_content="flex-end", margin="0 8px 0 0")
    return widgets.Label(text, layout=layout)


class TextInput:
    """One line of text, also for numbers and paths."""

    def __init__(self, field: Field, changed: Changed) -> None:
        self.field = field
        self.box: Any = widgets.Text(
            description=field.label, placeholder=field.help, style=LABEL, layout=widgets.Layout(width=WIDE)
        )
        self.box.observe(lambda _: changed(), names="value")
        self.widget: widgets.Widget = self.box

    def read(self) -> object:
        """Return the value, or None where the field is empty."""
        text = self.box.value.strip()
        if not text or self.field.kind != "number":
            return text or None
        try:
            number = int(text)
        except ValueError:
            raise InvalidInputError(f"{self.field.label} wants a whole number, not {text!r}") from None
        least, most = self.field.minimum, self.field.maximum
        if (least is not None and number < least) or (most is not None and number > most):
            raise InvalidInputError(f"{self.field.label} is {least} to {most}, not {number}")
        return number

    def write(self, value: object) -> None:
        """Set the value."""
        self.box.value = "" if value is None else str(value)


class AreaInput(TextInput):
    """Text of several lines; says whether it is JSON, and can lay it out."""

    def __init__(self, field: Field, changed: Changed) -> None:
        self.field = field
        self.box = widgets.Textarea(
            description=field.label,
            placeholder=field.help,
            rows=LEAST_ROWS,
            style=LABEL,
            layout=widgets.Layout(width=WIDE, height="auto"),
        )
        self.note = area()
        self.note.layout.margin = "0 0 0 8px"
        self.box.observe(lambda _: self._check(), names="value")
        self.box.observe(lambda _: changed(), names="value")
        tidy = button("Format JSON", self.format, f"lay out {field.label} as JSON")
        self.widget = widgets.VBox([self.box, row(tidy, self.note, margin=f"0 0 0 {INDENT}")])
        self._check()

    def read(self) -> object:
        """Return the text; a JSON field's must be JSON."""
        text = self.box.value
        if self.field.kind == "json" and (problem := json_problem(text)):
            raise InvalidInputError(f"{self.field.label} is not JSON: {problem}", "correct it, or press Format JSON")
        return text

    def write(self, value: object) -> None:
        """Set the text; anything else is written as JSON."""
        self.box.value = value if isinstance(value, str) else json.dumps(value or {}, ensure_ascii=False)

    def format(self) -> None:
        """Lay out the text as JSON, if it is JSON."""
        if self.box.value.strip() and not json_problem(self.box.value):
            self.box.value = json.dumps(json.loads(self.box.value), indent=2, ensure_ascii=False)

    def _check(self) -> None:
        self.box.rows = max(LEAST_ROWS, min(MOST_ROWS, self.box.value.count("\n") + 1))
        problem = json_problem(self.box.value)
        if not self.box.value.strip():
            self.note.value = html.text("empty", "muted")
        elif problem is None:
            self.note.value = html.text("valid JSON", "good")
        else:
            self.note.value = html.text(*self._told(problem))

    def _told(self, problem: str) -> tuple[str, str]:
        """Return what is said of text that is no JSON, and its colour; the reason where it looks meant to be."""
        if self.field.kind == "json":
            return f"not JSON: {problem}", "bad"
        why = f": {problem}" if self.box.value.lstrip()[:1] in {"{", "["} else ""
        return f"not JSON{why}; it is sent as text", "muted"


class PairsInput:
    """Names and values, one pair a line, each with its type where there are several."""

    def __init__(self, field: Field, changed: Changed) -> None:
        self.field, self._changed = field, changed
        self._rows = widgets.VBox()
        more = button("Add", lambda: self._add("", ""), f"another line for {field.label}")
        more.layout.align_self = "flex-start"
        self._pairs: list[tuple[Any, ...]] = []
        name = label(field.label)
        name.layout.margin = "2px 8px 2px 0"
        self.widget: widgets.Widget = widgets.HBox([name, widgets.VBox([self._rows, more])])

    def read(self) -> dict[str, str] | None:
        """Return the pairs that have a name: ``price:Number`` for one whose type is not the first."""
        named = [pair for pair in self._pairs if pair[0].value.strip()]
        return {self._key(pair): pair[1].value for pair in named} or None

    def _key(self, pair: tuple[Any, ...]) -> str:
        name, kind = pair[0].value.strip(), pair[2].value if len(pair) > 2 else ""
        return name if not kind or kind == self.field.types[0] or ":" in name else f"{name}:{kind}"

    def write(self, value: Values | None) -> None:
        """Set the pairs."""
        self._pairs = []
        for name, text in (value or {}).items():
            self._add(name, str(text))
        self._show()

    def _add(self, name: str, value: str) -> None:
        number = len(self._pairs) + 1
        bare, _, kind = name.partition(":")
        offered = kind in self.field.types
        boxes: list[Any] = [
            widgets.Text(
                value=text,
                placeholder=what,
                layout=widgets.Layout(width="14em"),
                tooltip=f"{what} of {self.field.label} {number}",
            )
            for what, text in (("name", bare if offered else name), ("value", value))
        ]
        if self.field.types:
            tooltip = f"type of {self.field.label} {number}"
            chosen = kind if offered else self.field.types[0]
            layout = widgets.Layout(width="9em")
            boxes.append(widgets.Dropdown(options=self.field.types, value=chosen, tooltip=tooltip, layout=layout))
        for box in boxes:
            box.observe(lambda _: self._changed(), names="value")
        self._pairs.append(tuple(boxes))
        self._show()

    def _show(self) -> None:
        self._rows.children = [
            row(*pair, button("Remove", partial(self._remove, pair), "remove this line")) for pair in self._pairs
        ]

    def _remove(self, pair: tuple[Any, ...]) -> None:
        self._pairs = [one for one in self._pairs if one is not pair]
        self._show()
        self._changed()


Input = TextInput | PairsInput


class Form:
    """The fields of one source.

    Parameters
    ----------
    fields : Sequence[Field]
        As the source declares them.
    changed : Changed
        Called after each change of a value.
    special : Mapping[str, Callable[[Field, Changed], AreaInput]]
        What makes the inputs of some fields, by their names. Default: their kinds do.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        changed: Changed,
        special: Mapping[str, Callable[[Field, Changed], AreaInput]] = MappingProxyType({}),
    ) -> None:
        kinds: dict[str, Callable[[Field, Changed], Input]]
        kinds = {"area": AreaInput, "json": AreaInput, "pairs": PairsInput}
        self.inputs: dict[str, Input] = {
            field.name: (special.get(field.name) or kinds.get(field.kind, TextInput))(field, changed)
            for field in fields
        }
        self.widget = widgets.VBox([one.widget for one in self.inputs.values()])

    def read(self) -> JSON:
        """Return the values of the fields that are filled.

        Raises
        ------
        InvalidInputError
            A value is not of its field's kind.
        """
        values = {name: one.read() for name, one in self.inputs.items()}
        return {name: value for name, value in values.items() if value is not None}

    def write(self, values: Values) -> None:
        """Set all fields; those without a value become empty."""
        for name, one in self.inputs.items():
            one.write(values.get(name, None if not isinstance(one, AreaInput) else ""))


def json_problem(text: str) -> str | None:
    """Return why a text is not JSON, or None."""
    try:
        json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", None)
        return f"{getattr(error, 'msg', error)}" + (f" (line {line}, column {error.colno})" if line else "")  # type: ignore[attr-defined]
    return None
