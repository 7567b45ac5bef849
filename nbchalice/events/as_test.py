"""A pytest file of past events and what the handler makes of them now."""

from __future__ import annotations

import os
import pprint
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbchalice.errors import InvalidInputError
from nbchalice.events.history import secret_in
from nbchalice.events.replay import Replay
from nbchalice.files import replace_file, unwritable

FIRST_LINE = '"""Events that came to {handler}, and what it makes of them: written by `replay --save-test`."""'
OF_OURS = re.compile(r'"""Events that came to \w')
HEAD = '''{first}

import re
from pathlib import Path

import pytest

from nbchalice.testing import Client, notebook_app

NOTEBOOK = Path(__file__).parent / {notebook!r}
HANDLER = {handler!r}


@pytest.fixture(scope="module")
def handle():
    """Return what calls the handler of the saved notebook with a raw event, in this process."""
    with Client(notebook_app(NOTEBOOK, {stage!r}), {stage!r}, str(NOTEBOOK.parent)) as client:
        yield lambda event: client.lambda_.invoke(HANDLER, event).payload
'''
WIDTH = 100


def write_test(path: Path, notebook: Path, handler: str, stage: str, replays: Sequence[Replay]) -> list[str]:
    """Write a test for each replayed event; return which events none was written for, and why.

    Parameters
    ----------
    path : Path
        The file; one that was written so before is written anew.
    notebook : Path
        The notebook's file, which the tests read.
    handler, stage : str
        The handler and the stage of its settings.
    replays : Sequence[Replay]
        What became of the events.

    Raises
    ------
    InvalidInputError
        There is another file of that name, or it cannot be written.
    """
    left_out = {one.event.id: why for one in replays if (why := _unfit(one))}
    fit = [one for one in replays if one.event.id not in left_out]
    first = FIRST_LINE.format(handler=handler)
    try:
        if path.exists() and not OF_OURS.match(path.read_text(encoding="utf-8")):
            raise InvalidInputError(f"--save-test {path}: a file is there that was not written so", "give another name")
        where = os.path.relpath(notebook.absolute(), path.absolute().parent)
        head = HEAD.format(first=first, notebook=where, handler=handler, stage=stage)
        text = "\n\n".join([head, *_tests(fit)])
        replace_file(path, text.encode())
    except OSError as error:
        raise unwritable(path, error, "--save-test") from None
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"--save-test {path} cannot be written: {error}", "give another path") from None
    return [f"event {name} has no test: {why}" for name, why in left_out.items()]


def _unfit(one: Replay) -> str:
    """Return why no test can be made of an event, or an empty text."""
    if what := secret_in([one.event.event, one.now.result, one.now.error]):
        return f"it holds what looks like {what}"
    return "it called AWS, which --no-aws refused" if one.refused else ""


def _tests(replays: Sequence[Replay]) -> Iterator[str]:
    names: dict[str, int] = {}
    for one in replays:
        short = re.sub(r"\W+", "_", one.event.id)[:8].strip("_").lower() or "event"
        names[short] = names.get(short, 0) + 1
        name = short if names[short] == 1 else f"{short}_{names[short]}"
        yield f"def test_event_{name}(handle):\n{textwrap.indent(_body(one), ' ' * 4)}\n"


def _body(one: Replay) -> str:
    event = f"event = {_literal(one.event.event)}"
    error = one.invocation.error if one.invocation is not None and one.now.status == "error" else None
    if error is not None:
        message = repr(error.message.split("\n")[0])
        lines = [
            f"with pytest.raises(Exception, match=re.escape({message})) as raised:",
            "    handle(event)",
            f"assert raised.type.__name__ == {error.type.rpartition('.')[2]!r}",
        ]
        return "\n".join([event, *lines])
    equals = "is" if one.now.result is None else "=="
    return f"{event}\nassert handle(event) {equals} {_literal(one.now.result)}"


def _literal(value: object) -> str:
    return pprint.pformat(value, width=WIDTH, sort_dicts=False)
