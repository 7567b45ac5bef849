import re
from pathlib import Path

import pytest

import nbchalice
from nbchalice import Chalice
from nbchalice.runtime.event_kinds import KINDS, at, ids_of, items_of, kinds_of

ROOT = Path(nbchalice.__file__).parent
FILES = {
    "on_s3_event": ["s3_put", "s3_delete", "s3_two", "s3_test"],
    "on_sns_message": ["sns"],
    "on_sqs_message": ["sqs", "sqs_fifo"],
    "schedule": ["schedule", "scheduler", "schedule_own_input"],
    "on_cw_event": ["cloudwatch_ec2"],
    "on_kinesis_record": ["kinesis"],
    "on_dynamodb_record": ["dynamodb"],
}


@pytest.mark.parametrize(("name", "file"), [(name, file) for name, files in FILES.items() for file in files])
def test_each_kind_recognizes_its_own_events_and_no_other_does(name, file, event):
    assert [kind.name for kind in kinds_of(event(file))] == [name]


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ({"Event": "s3:TestEvent", "Bucket": "b"}, ["on_s3_event"]),
        ({"detail-type": "Order", "id": "1"}, ["on_cw_event"]),
        ({"detail-type": "Scheduled Event"}, ["schedule"]),
        ({"any": "json"}, ["schedule"]),
        ({"Records": "text"}, ["schedule"]),
        ({"Records": [3]}, ["schedule"]),
        ({"Records": []}, ["schedule"]),
        ({"Records": [{"eventSource": ""}]}, ["schedule"]),
        ({"Records": [{"eventSource": ["aws:sqs"]}]}, ["schedule"]),
        ({"eventSource": "aws:sqs"}, ["schedule"]),
        ([1, 2], ["schedule"]),
        (None, ["schedule"]),
    ],
)
def test_what_no_kind_recognizes_may_be_a_schedules_own_input(raw, names):
    assert [kind.name for kind in kinds_of(raw)] == names


@pytest.mark.parametrize("raw", [None, 3, [], {}, {"Records": None}, {"Records": [None, {"s3": 1, "Sns": "x"}]}])
def test_ids_of_anything_are_asked_without_an_error(raw):
    assert ids_of(raw) == [] and items_of(raw) == {}


def test_a_value_is_looked_up_by_its_path():
    assert at("a", "b")({"a": {"b": 1}}) == 1
    assert at("a", "b")({"a": "text"}) is None and at("a")(None) is None


def test_every_kind_is_a_decorator_and_no_two_share_a_name_for_middleware():
    assert all(callable(getattr(Chalice, name)) for name in KINDS)
    assert len({kind.middleware for kind in KINDS.values()}) == len(KINDS)


def test_no_other_file_lists_decorators():
    """A list of them elsewhere would be forgotten by who adds one: two names in one file are a list."""
    homes = {"runtime/decorators.py", "runtime/event_kinds.py", "export/chalice.py"}  # the last: what Chalice has
    word = re.compile("|".join(f'"{name}"' for name in KINDS))
    files = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.rglob("*.py")}
    lists = {
        name: found
        for name, text in files.items()
        if name not in homes and len(found := set(word.findall(text)) - {'"schedule"'}) > 1
    }
    assert not lists
