"""`%chalice invoke`: in the kernel, without AWS, or on Lambda."""

import os

import pytest

CELL = """%%on_sqs_message invoke-orders --env WORD=hello
def price(event):
    import os
    print(os.environ["WORD"], [record.body for record in event])
    return [record.body for record in event]
"""


@pytest.fixture
def offline(run, monkeypatch):
    """A shell in which nothing may connect to AWS, not even to the local one."""

    def refuse(*_, **__):
        raise AssertionError("AWS was asked")

    monkeypatch.setattr("nbchalice.aws.target.connect", refuse)
    return run


def test_a_sample_runs_in_the_kernel_without_aws(offline):
    offline(CELL)
    result = offline("%chalice invoke price --sample")
    assert result.ok and result.result == ['{"hello": "nbchalice"}']
    assert 'hello [\'{"hello": "nbchalice"}\']' in str(result) and "WORD" not in os.environ
    offline(CELL.replace("print(", "1 / 0\n    print("))
    failed = offline("%chalice invoke price --sample")
    assert failed.status == "error" and "cell 5, line 4, in price" in str(failed)


def test_an_event_of_a_file_runs_in_the_kernel(offline, tmp_path):
    offline(CELL)
    (tmp_path / "event.json").write_text('{"Records": [{"messageId": "1", "body": "7"}]}')
    assert offline("%chalice invoke price --here --event event.json").result == ["7"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--sample --event event.json", "--sample and --event are two events"),
        ("--here --event event.json", "--event event.json is not JSON: Expecting value"),
        ("--event event.json", "--event event.json is not JSON: Expecting value"),
        ("--here --event list.json", "--event list.json holds a list; SQS events are JSON objects"),
        ("--here --event missing.json", "--event missing.json: there is no such file in "),
        ("--sample --source sns", "price has no source 'sns'"),
    ],
)
def test_what_cannot_be_meant_is_told(offline, tmp_path, words, message):
    offline(CELL)
    (tmp_path / "event.json").write_text("no json")
    (tmp_path / "list.json").write_text("[1]")
    assert message in str(offline.error(f"%chalice invoke price {words}"))


@pytest.mark.parametrize(
    ("given", "message", "fix"),
    [
        ("ordres.json", "there is no such file in {here}", "did you mean orders.json?"),
        ("data/row.json", "there is no such file in {here}/data", "did you mean data/rows.json?"),
        ("zzz", "there is no such file in {here}", "put it there, or give its path from {here}"),
        ("none/orders.json", "there is no folder {here}/none", "paths begin at {here}"),
        ("data", "is a folder", "give a file in it"),
    ],
)
@pytest.mark.parametrize(("command", "option"), [("invoke", "--event"), ("send", "--file")])
def test_a_file_that_is_not_there_is_told_with_its_folder(offline, tmp_path, given, message, fix, command, option):
    offline(CELL)
    (tmp_path / "data").mkdir()
    for name in ("orders.json", "data/rows.json"):
        (tmp_path / name).write_text("{}")
    told = str(offline.error(f"%chalice {command} price {option} {given}"))
    assert f"{option} {given}" in told and message.format(here=tmp_path) in told
    assert f"fix: {fix.format(here=tmp_path)}" in told
