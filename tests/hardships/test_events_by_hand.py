"""Events that somebody wrote by hand, and that lack what AWS's have: errors say what is missing, of which class."""

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nbchalice.runtime.app import Chalice
from nbchalice.runtime.event_kinds import BUILT_IN, ids_of, items_of

from .mutations import mutated
from .share import EXAMPLES

KINDS = {kind.name: kind for kind in BUILT_IN}
EVENTS = [json.loads(path.read_text()) for path in sorted(Path(__file__).parents[1].glob("fixtures/events/*.json"))]
CLEAR = re.compile(r"this \w+ (has no valid [\w.-]+|holds no record): | is not JSON \(")
METHODS = ["json", "unfinished", "done"]


def look_at(event):
    """Ask an event or record for all that its class has; errors must say what is wrong with it."""
    assert repr(event)
    kind = type(event)
    for name in [name for name in dir(kind) if isinstance(getattr(kind, name), property)] + METHODS:
        try:
            if name in METHODS:
                getattr(event, name)() if hasattr(kind, name) else None
            else:
                getattr(event, name)
        except (KeyError, ValueError) as error:
            assert CLEAR.search(error.args[0]), f"{kind.__name__}.{name}: {error!r}"


def look_at_all(event):
    look_at(event)
    if not hasattr(type(event), "_records"):
        return
    try:
        records = list(event)
    except ValueError as error:
        assert CLEAR.search(str(error)), repr(error)
        return
    for record in records:
        look_at(record)


ARGUMENTS = {
    "schedule": ["rate(1 hour)"],
    "on_cw_event": [{"source": ["shop"]}],
    "on_dynamodb_record": ["arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"],
    "lambda_function": [],
}


def handlers_of(kind):
    """Handlers of a kind of events, in each way that hands them over."""
    app = Chalice("by-hand")
    ways = [{}, {"per_record": True}, {"report_failures": True}] if kind.batch_item else [{}]
    arguments = ARGUMENTS.get(kind.name, ["name"])
    return [getattr(app, kind.name)(*arguments, name=f"h{n}", **way)(look_at_all) for n, way in enumerate(ways)]


def test_an_event_that_lacks_something_says_what(record_property):
    handlers, tried = {name: handlers_of(kind) for name, kind in KINDS.items()}, []

    @EXAMPLES
    @given(mutated(EVENTS), st.sampled_from(sorted(handlers)))
    def look(event, kind):
        tried.append(event)
        assert all(isinstance(one, str) for one in [*ids_of(event), *items_of(event)])
        for handler in handlers[kind]:
            try:
                handler(event, None)
            except (KeyError, ValueError) as error:
                assert CLEAR.search(str(error)), repr(error)

    look()
    record_property("tried", ["hardships: events written by hand", len(tried)])
