"""A cell under a magic that is not known may hold a handler that is deployed: it is told, and never removed."""

import pytest

from nbchalice.cli import code_of
from nbchalice.notebook.capture.unknown_magics import unknown_magics
from nbchalice.notebook.cells import Cell

from ..notebooks import write

ONE = "%%on_sqs_message unknown-one\ndef one(event):\n    pass"
TWO = "%%on_sqs_message unknown-two\ndef two(event):\n    pass"
START = ["%load_ext nbchalice", "%chalice app unknown"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (TWO.replace("on_sqs_message", "on_sqs_mesage"), "did you mean %%on_sqs_message?"),
        (TWO.replace("on_sqs_message", "on_pigeon_landing"), "install the package that provides %%"),
        ("# nightly\n\n%%shedule rate(1 day)\ndef two(event):\n    pass", "did you mean %%schedule?"),
        ("%%on_queue q --name two\ndef work(event):\n    pass", "install the package that provides %%"),
    ],
)
@pytest.mark.slow
def test_a_handler_under_an_unknown_magic_is_neither_deployed_nor_removed(typed, says, local_aws, tmp_path, capsys):
    path = write(tmp_path / "unknown.ipynb", [*START, ONE, TWO])
    assert code_of(["deploy", str(path), "--yes"]) == 0
    write(path, [*START, ONE, typed])
    capsys.readouterr()
    assert code_of(["deploy", str(path), "--prune", "--yes"]) == 2
    told = capsys.readouterr().err
    assert "there is no cell magic %%" in told and says in told and "cell 4" in told
    code_of(["status", str(path)])
    assert "orphaned" not in capsys.readouterr().out
    assert code_of(["delete", str(path), "--yes"]) == 0


def test_the_saved_file_counts_in_the_kernel_too(run, local_aws, tmp_path, monkeypatch):
    path = tmp_path / "unknown.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    write(path, [*START, ONE, TWO])
    for cell in ("%chalice app unknown", ONE, TWO, "%chalice deploy", "del two"):
        run(cell)
    write(path, [*START, ONE, TWO.replace("on_sqs_message", "on_sqs_mesage")])
    made = run("%chalice plan --prune")
    assert not [change for change in made.changes if change.action == "delete"]
    run("%chalice delete --yes")


def test_as_the_only_handler_it_is_named(tmp_path, capsys):
    path = write(tmp_path / "unknown.ipynb", [*START, TWO.replace("on_sqs_message", "on_pigeon_landing")])
    assert code_of(["package", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "there is no cell magic %%on_pigeon_landing here" in capsys.readouterr().err


@pytest.mark.parametrize(
    "source",
    [
        TWO,
        "%%sql\nSELECT 1",
        "%%time\ndef two(event):\n    pass",
        "%%bash\ndef two",
        "%%writefile x.py\ndef two(event):\n    pass",
        "def two(event):\n    pass",
        "x = '''\n%%on_sqs_mesage q\n'''\ndef f():\n    pass",
    ],
)
def test_what_is_known_or_defines_nothing_is_not_asked(source):
    assert list(unknown_magics([Cell("a", "cell 1", source, 0)])) == []


def test_a_magic_of_another_package_stops_nothing_and_keeps_what_it_may_be():
    (one,) = unknown_magics([Cell("a", "cell 1", "%%cython\ndef fast(int x):\n    return x", 0)])
    assert one.names == {"fast"} and not one.is_ours
