"""What nbchalice expects of an event source, as a check that anyone can run over one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nbchalice.deploy.suggest import iam_prefix
from nbchalice.errors import InvalidInputError
from nbchalice.runtime.event_kinds import records_of
from nbchalice.sources.base import Field, Sent, Source
from nbchalice.testing.declared import check_declaration, check_fields, check_options
from nbchalice.testing.example import Example, calling, fail
from nbchalice.testing.model import ModelAWS
from nbchalice.testing.pairs import check_pairs
from nbchalice.testing.triggers import check_trigger
from nbchalice.typed import JSON

MARK = "nbchalicecheck"


def check_source(source: Source) -> None:
    """Check that an event source keeps to what nbchalice expects of one.

    It checks the declaration (options, fields, texts), and for each of the source's `examples` the trigger that it
    makes: its resources, its sample event and how that reaches a handler, what the form offers, how live mode redirects
    it, and that the notebook's file says the same of it as the kernel. Nothing is sent: the calls of `send` are checked
    against botocore's models, and answered with made-up values. (Provisional: what is checked may grow.)

    Parameters
    ----------
    source : Source
        An event source that nbchalice has, or that an installed package declares in the entry-point group
        ``nbchalice.sources``.

    Raises
    ------
    AssertionError
        The first thing that is not as it should be, in a sentence.

    Examples
    --------
    >>> from nbchalice.sources import SOURCES
    >>> from nbchalice.testing import check_source
    >>> check_source(SOURCES["on_sqs_message"])
    """
    check_declaration(source)
    check_options(source)
    check_fields(source)
    examples = [Example(source, line) for line in source.examples]
    for example in examples:
        check_trigger(example)
        _check_that_values_come_back(example)
    check_pairs(source, examples)
    _check_that_values_are_sent(source, examples)
    _check_reader(source, examples)


def _check_that_values_come_back(example: Example) -> None:
    """What a raw record was sent as must be values of the form, and make such a record again."""
    fields = {field.name for field in example.source.fields}
    for record in records_of(example.sample()):
        values = _values_of(example, record)
        example.want(
            isinstance(values, dict) and values.keys() <= fields, f"values_of gives {values}, no form's values"
        )
        again = records_of(example.sample(**values)) if values else []
        for one in again:
            example.want(_values_of(example, one) == values, "a sample of what values_of gives has other values")


def _values_of(example: Example, record: JSON) -> JSON:
    with calling(example.source, f"values_of a sample of {example.line!r}"):
        return example.source.values_of(record)


def _check_that_values_are_sent(source: Source, examples: Iterable[Example]) -> None:
    """Each field must make a difference to what is sent, where a form shows it."""
    unsent = {field.name: field for field in source.fields}
    shown: set[str] = set()
    for example in examples:
        with tempfile.TemporaryDirectory() as folder:
            for field in example.call("form_fields"):
                shown.add(field.name)
                if MARK in _sent_text(example, {field.name: _marked(field, Path(folder))}):
                    unsent.pop(field.name, None)
    for name in unsent:
        what = "makes no difference to what is sent" if name in shown else "is shown by the form of no example"
        fail(source, f"field {name} {what}")


def _sent_text(example: Example, values: JSON) -> str:
    """Send an event to nowhere; return the calls as text, in which ``MARK`` stands for the value."""
    aws = ModelAWS()
    with calling(example.source, f"send of {example.line!r} with {values}, answered as botocore's models say,"):
        sent = example.source.send(aws, example.options, example.function, **values)
    example.want(aws.calls, "send calls nothing of AWS")
    example.want(isinstance(sent, Sent), "send is to return a Sent")
    example.want(isinstance(sent.message_id, str) and sent.message_id, "Sent.message_id is to be text")
    whole = sent.ids and all(isinstance(name, str) for name in sent.ids)
    example.want(whole, "Sent.ids is to have one text at least, by which the invocation is known")
    invokes = any(call[:2] == ("lambda", "Invoke") for call in aws.calls)
    passes_by = example.call("passes_by")
    text = "send invokes the function past its service, and passes_by is False, and no filter is asked: give the way"
    example.want(passes_by or not invokes, text)
    granted: set[str] = set()
    for grant in example.call("grants", example.function):
        granted.update(grant.actions)
    called = {f"{iam_prefix(service)}:{name}" for service, name, _ in aws.calls if service != "lambda"}
    lacking = sorted(called - granted)
    example.want(
        not lacking, f"send calls {', '.join(lacking)}, and grants does not name it: who sends must be allowed it"
    )
    (value,) = values.values()
    leaves = []
    for leaf in _leaves([params for _, _, params in aws.calls]):
        leaves.append(MARK if leaf == value else leaf)
    return str(leaves)


def _marked(field: Field, folder: Path) -> object:
    """Return a value of a field that is known again in what is sent."""
    if field.kind == "number":
        return field.maximum if field.maximum is not None else 4321
    if field.kind == "json":
        return json.dumps({MARK: MARK})
    if field.kind == "pairs":
        return {MARK: MARK}
    if field.kind == "file":
        path = folder / f"{MARK}.txt"
        path.write_text(MARK)
        return str(path)
    return MARK


def _leaves(value: object) -> Iterator[object]:
    """Yield the keys and the plain values within a value; JSON in texts counts as text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _check_reader(source: Source, examples: Sequence[Example]) -> None:
    """The notebook's file must say of the magic's line what the kernel says, and of the decorator, too."""
    from nbchalice.notebook_file import read_project

    cells = ["%chalice app check"]
    for number, example in enumerate(examples):
        cells.append(f"%%{source.name} {example.line}\ndef handle_{number}(event):\n    return 1")
    given = ", ".join(f"{name}={value!r}" for name, value in examples[0].given.items())
    cells.append(f"@app.{source.name}({given})\ndef decorated(event):\n    return 1")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "check.ipynb"
        path.write_text(json.dumps(_notebook(cells)))
        try:
            project = read_project(path)
        except InvalidInputError as error:
            fail(source, f"a notebook with its magic cannot be read: {error.message}")
    if project.wrong:
        fail(source, f"a notebook with its magic is read wrongly: {project.wrong[0].message}")
    handlers = {handler.function: handler for handler in project.handlers}
    wanted = {f"handle_{number}": example for number, example in enumerate(examples)}
    for function, example in {**wanted, "decorated": examples[0]}.items():
        triggers = [(one.source, one.options) for one in handlers[function].triggers] if function in handlers else []
        how = "decorator" if function == "decorated" else "magic"
        same = triggers == [(source.name, example.options)]
        example.want(same, f"the file of a notebook says of its {how} {triggers}, and the kernel {example.options}")


def _notebook(cells: Iterable[str]) -> JSON:
    code: list[JSON] = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": text,
            "outputs": [],
            "execution_count": None,
        }
        for number, text in enumerate(cells)
    ]
    return {"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
