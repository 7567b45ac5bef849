"""The fields of a record, above the JSON that they make."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as widgets

from nbchalice.handlers.records import Leaf, Record
from nbchalice.sources.base import Field
from nbchalice.typed import JSON
from nbchalice.ui.widgets.forms import LABEL, WIDE, AreaInput, Changed

ABSENT = "(not given)"


class RecordInput(AreaInput):
    """A field for each of a record's, and the JSON: each follows the other.

    What the fields do not show, as other names in the JSON, stays.

    Parameters
    ----------
    record : Record
        The type of the handler's records.
    field : Field
        The source's own field for the message.
    changed : Changed
        Called after each change.
    """

    def __init__(self, record: Record, field: Field, changed: Changed) -> None:
        super().__init__(field, changed)
        self._following = False
        self.leaves: list[tuple[Leaf, Any]] = []
        for leaf in record.leaves:
            box = _box(leaf)
            box.observe(partial(self._typed, leaf), names="value")
            self.leaves.append((leaf, box))
        self.box.observe(lambda _: self._follow(), names="value")
        self.widget = widgets.VBox([*(box for _, box in self.leaves), self.widget])

    def _typed(self, leaf: Leaf, change: JSON) -> None:
        """Write what was typed into the JSON."""
        if self._following:
            return
        whole = _object(self.box.value)
        if whole is None:
            whole = {}
        _place(whole, leaf, change["new"])
        self._following = True
        self.box.value = json.dumps(whole, ensure_ascii=False)
        self._following = False

    def _follow(self) -> None:
        """Show what the JSON says in the fields."""
        whole = _object(self.box.value)
        if self._following or whole is None:
            return
        self._following = True
        for leaf, box in self.leaves:
            box.value = _shown(leaf, _found(whole, leaf.path))
        self._following = False


def record_input(record: Record) -> Callable[[Field, Changed], RecordInput]:
    """Return what makes the input for the message of a handler that wants records.

    Parameters
    ----------
    record : Record
        The type of its records.
    """
    return partial(RecordInput, record)


def _box(leaf: Leaf) -> Any:
    layout = widgets.Layout(width=WIDE)
    if leaf.kind == "choice":
        options = [(str(one) if not isinstance(one, bool) else json.dumps(one), one) for one in leaf.choices]
        layout = widgets.Layout(width="24em")
        return widgets.Dropdown(
            description=leaf.label, options=[(ABSENT, None), *options], value=None, style=LABEL, layout=layout
        )
    words = leaf.words if leaf.required else f"{leaf.words or 'a text'}; may be empty"
    return widgets.Text(description=leaf.label, placeholder=words, style=LABEL, layout=layout, continuous_update=True)


def _place(whole: JSON, leaf: Leaf, value: object) -> None:
    """Set a value in the JSON, or take it out where nothing was typed; records that it is in are made."""
    *way, name = leaf.path
    inside = whole
    for step in way:
        below = inside.get(step)
        inside[step] = inside = below if isinstance(below, dict) else {}
    if value is None or (value == "" and not (leaf.kind == "text" and leaf.required)):
        inside.pop(name, None)
    else:
        inside[name] = _value(leaf, value)


def _value(leaf: Leaf, value: object) -> object:
    """Return what was typed as JSON has it; what is no number or JSON stays text, and the type says what is wrong."""
    if leaf.kind not in {"number", "decimal", "json"} or not isinstance(value, str):
        return value
    try:
        made = json.loads(value)
    except ValueError:
        return value
    # A decimal keeps its digits: 4.50 is no 4.5.
    return value if leaf.kind == "decimal" and json.dumps(made) != value else made


def _found(whole: JSON, path: tuple[str, ...]) -> object:
    inside: object = whole
    for step in path:
        inside = inside.get(step) if isinstance(inside, dict) else None
    return inside


def _shown(leaf: Leaf, value: object) -> object:
    """Return what a field shows for a value of the JSON."""
    if leaf.kind == "choice":
        return next((one for one in leaf.choices if one == value and type(one) is type(value)), None)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _object(text: str) -> JSON | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
