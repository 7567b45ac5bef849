"""After a restart of the kernel: what stands in the notebook's file is not an orphan, and prune names what goes and asks."""

import builtins
import io

import pytest

from nbchalice.cli import code_of

from ..notebooks import write

PRICE = "%%on_sqs_message restart-orders\ndef price(event):\n    for record in event:\n        app.log.info('%s', record.body)"
ALERT = "%%schedule rate(1 hour) --name nightly_alert\ndef alert(event):\n    app.log.info('night')"
SCORE = "@app.lambda_function(name='scorer')\ndef score(event, context):\n    return 1"
OLD = "%%lambda_function\ndef old(event, context):\n    return 2"
START = ["%load_ext nbchalice", "%chalice app restart"]


@pytest.fixture
def restarted(run, local_aws, tmp_path, monkeypatch):
    """A kernel that ran half of a notebook whose handlers are all deployed; `old` was deleted from it since."""
    path = tmp_path / "restart.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    write(path, [*START, PRICE, ALERT, SCORE, OLD])
    run("%chalice app restart")
    for cell in (PRICE, ALERT, SCORE, OLD):
        run(cell)
    run("%chalice deploy")
    run("%chalice send price --message 5")
    for name in ("alert", "score", "old", "price"):
        run(f"del {name}")
    write(path, [*START, PRICE, ALERT, SCORE])
    run(PRICE)
    yield run
    run("%chalice delete --yes")


def states(card):
    return {handler.name: (handler.state, "; ".join(handler.drift)) for handler in card.handlers}


def test_what_stands_in_the_file_is_told_as_not_run(restarted):
    found = states(restarted("%chalice status"))
    assert found["nightly_alert"][0] == "deployed" and "not run in this kernel (cell 4" in found["nightly_alert"][1]
    assert found["scorer"][0] == "deployed" and "not run in this kernel (cell 5" in found["scorer"][1]
    assert found["old"][0] == "orphaned"
    plan = restarted("%chalice plan")
    assert plan.plan.orphans == ("old",)
    assert any("scorer stays as it stands: not run in this kernel" in note for note in plan.plan.notes)


def test_prune_spares_what_stands_in_the_file(restarted):
    removed = [change for change in restarted("%chalice plan --prune").changes if change.action == "delete"]
    assert {change.resource.name for change in removed if change.resource.kind == "function"} == {"restart-dev-old"}
    restarted("%chalice deploy --prune --yes")
    assert set(states(restarted("%chalice status"))) == {"price", "nightly_alert", "scorer"}


def test_prune_names_what_goes_and_asks(restarted, monkeypatch):
    asked = []

    def answer(question):
        asked.append(question)
        return "n"

    monkeypatch.setattr(builtins, "input", answer)
    error = restarted.error("%chalice deploy --prune")
    assert "not confirmed" in str(error) and "--yes" in str(error)
    assert len(asked) == 1 and "remove old from" in asked[0]
    assert "old" in states(restarted("%chalice status"))
    monkeypatch.setattr(builtins, "input", lambda question: "y")
    restarted("%chalice deploy --prune")
    assert "old" not in states(restarted("%chalice status"))


def test_with_nothing_to_prune_nobody_is_asked(restarted, monkeypatch):
    restarted("%chalice deploy --prune --yes")
    monkeypatch.setattr(builtins, "input", lambda question: pytest.fail(question))
    restarted("%chalice deploy --prune")


def test_logs_and_numbers_of_what_was_not_run_are_there(restarted):
    restarted("del price")
    assert "5" in str(restarted("%chalice logs price"))
    assert restarted("%chalice metrics price") is not None
    assert "there is no handler 'nobody'" in str(restarted.error("%chalice logs nobody"))


def test_what_needs_the_cell_says_which_one(restarted):
    error = str(restarted.error("%chalice send scorer"))
    assert "scorer was not run in this kernel" in error and "run cell 5 of the file" in error
    assert "nightly_alert was not run in this kernel" in str(restarted.error("%chalice invoke nightly_alert"))


def test_an_error_of_a_handler_whose_cell_was_deleted_says_how_to_take_it_back(restarted):
    restarted("%%lambda_function\ndef lost(event, context):\n    return NOWHERE")
    error = str(restarted.error("%chalice deploy"))
    assert "NOWHERE" in error and "del lost takes the handler back" in error
    restarted("del lost")
    restarted("%chalice deploy")


def test_the_command_line_asks_too(local_aws, tmp_path, capsys, monkeypatch):
    path = tmp_path / "asked.ipynb"
    start = ["%load_ext nbchalice", "%chalice app asked"]
    write(path, [*start, OLD, PRICE.replace("restart", "asked")])
    assert code_of(["deploy", str(path)]) == 0
    write(path, [*start, PRICE.replace("restart", "asked")])
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert code_of(["deploy", str(path), "--prune"]) == 2
    assert "remove old from" in capsys.readouterr().err
    assert code_of(["deploy", str(path), "--prune", "--yes"]) == 0
    assert code_of(["delete", str(path), "--yes"]) == 0


@pytest.mark.parametrize(
    "made", ["RATE = 2", "from math import pi as RATE", "def RATE():\n    return 2", "if True:\n    RATE = 2"]
)
def test_a_name_of_a_cell_that_was_not_run_says_which_cell(made, run, tmp_path, monkeypatch):
    path = tmp_path / "half.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    handler = "%%lambda_function\ndef h(event, context):\n    return RATE"
    write(path, [*START, made, handler])
    run("%chalice app half")
    run(handler)
    error = run.error("%chalice package --out out")
    assert error.message == "RATE is defined in cell 3 of the file, which was not run in this kernel"
    assert error.hint == "run cell 3 of the file" and error.location.line == 3
    run(made)
    run("%chalice package --out out")
