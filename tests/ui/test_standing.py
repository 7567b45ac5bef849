"""What stands in the notebook's file in whatever way is not pruned; what cannot be told is said."""

import builtins
import os

import pytest

from nbchalice import operations

from ..notebooks import write

pytestmark = [pytest.mark.local_aws, pytest.mark.timeout(180)]

START = ["%load_ext nbchalice", "%chalice app standing"]
FIRST = "%%lambda_function --name one\ndef handler(event, context):\n    return 1"
SECOND = "%%lambda_function --name two\ndef handler(event, context):\n    return 2"
GAMMA = "%%lambda_function\ndef gamma(event, context):\n    return 3"
CALL = "def plain(event, context):\n    return 3\n\napp.lambda_function(name='gamma')(plain)"
BLOCK = "if True:\n    @app.lambda_function()\n    def gamma(event, context):\n        return 3"
LOOP = "for name in ['gamma']:\n    @app.lambda_function(name=name)\n    def looped(event, context):\n        return 3"


@pytest.fixture
def session(run, local_aws, tmp_path, monkeypatch):
    """Deploys cells; then the kernel knows nothing, and the file holds other cells, or another text."""
    path = tmp_path / "standing.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))

    def deploy(cells, written):
        write(path, [*START, *cells])
        run("%chalice app standing")
        for cell in cells:
            run(cell)
        run("%chalice deploy")
        for registered in list(run.notebook.registry.values()):
            run.notebook._drop(registered)
        if isinstance(written, str):
            path.write_text(written)
        else:
            write(path, [*START, *written])
        run(FIRST)
        return run

    yield deploy
    run("%chalice delete --yes")


def states(card):
    return {one.name: (one.state, "; ".join(one.drift)) for one in card.handlers}


def pruned(run):
    return run("%chalice plan --prune").plan.pruned


def test_a_function_name_that_two_handlers_share_is_no_handler_name(session):
    run = session([FIRST], [FIRST, SECOND])
    run("del handler")
    run(SECOND)
    run("%chalice deploy")
    run("del handler")
    run(FIRST)
    assert states(run("%chalice status"))["two"] == ("deployed", "not run in this kernel (cell 4 of the file)")
    assert pruned(run) == ()


@pytest.mark.parametrize(
    "cell", [CALL, BLOCK, LOOP, GAMMA.replace("return 3", "return (")], ids=["call", "block", "loop", "broken"]
)
def test_a_handler_that_stands_there_in_another_way_is_spared(session, cell):
    run = session([GAMMA], [FIRST, cell])
    state, why = states(run("%chalice status"))["gamma"]
    assert state == "deployed" and "cell 4" in why
    assert pruned(run) == ()
    run("%chalice deploy --prune --yes")
    assert "gamma" in states(run("%chalice status"))


def test_a_cell_that_ran_as_it_is_written_hides_no_handler(session):
    loop = LOOP.replace("gamma", "other")
    run = session([GAMMA], [FIRST, loop])
    assert pruned(run) == ()
    run(loop)
    assert pruned(run) == ("gamma",)


def test_another_librarys_schedule_is_no_handler(session):
    run = session(
        [GAMMA], [FIRST, "import sched\nplanner = sched.scheduler()\nif False:\n    planner.schedule('gamma')"]
    )
    assert pruned(run) == ("gamma",)


@pytest.mark.parametrize("text", ['{"cells": [', ""], ids=["damaged", "empty"])
def test_a_file_that_cannot_be_read_is_said_and_nothing_is_pruned(session, text):
    run = session([GAMMA], text)
    card = run("%chalice status")
    assert states(card)["gamma"] == ("deployed", "it may stand in standing.ipynb, which cannot be read")
    assert "is not a valid notebook" in str(card) and "is not known" in str(card)
    assert pruned(run) == ()
    run("%chalice deploy")


def test_what_was_deployed_after_the_last_save_is_said(session, tmp_path, monkeypatch):
    run = session([GAMMA], [FIRST])
    assert states(run("%chalice status"))["gamma"] == ("orphaned", "")
    os.utime(tmp_path / "standing.ipynb", (0, 0))
    assert "deployed after standing.ipynb was saved last" in states(run("%chalice status"))["gamma"][1]
    assert "deployed after standing.ipynb was saved last" in str(run("%chalice plan"))
    asked = []
    monkeypatch.setattr(builtins, "input", lambda question: asked.append(question) or "n")
    run.error("%chalice deploy --prune")
    assert "remove gamma from" in asked[0] and "saved last; save it" in asked[0]


def test_where_the_file_is_not_known_it_is_said(run, local_aws, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    run("%chalice app standing")
    run(GAMMA)
    run("%chalice deploy")
    run("del gamma")
    assert "file is not known here" in states(run("%chalice status"))["gamma"][1]
    run("%chalice delete --yes")


def test_what_holds_for_several_is_said_once(run, local_aws, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    run("%chalice app standing")
    for name in ("gamma", "delta", "stays"):
        run(GAMMA.replace("gamma", name))
    run("%chalice deploy")
    run("del gamma, delta")
    for command in ("status", "plan"):
        told = str(run(f"%chalice {command}"))
        assert told.count("file is not known here") == 1 and "delta and gamma: the notebook's file" in told
    asked = []
    monkeypatch.setattr(builtins, "input", lambda question: asked.append(question) or "n")
    run.error("%chalice deploy --prune")
    assert asked[0].count("file is not known here") == 1
    run("%chalice delete --yes")


def test_a_renamed_handler_is_told_where_it_takes_messages(run, local_aws, aws):
    aws("sqs").create_queue(QueueName="standing-jobs")
    run("%chalice app standing")
    run("%%on_sqs_message standing-jobs\ndef job(event):\n    pass")
    run("%chalice deploy")
    run("del job")
    run("%%on_sqs_message standing-jobs\ndef work(event):\n    pass")
    both = "it takes messages of standing-jobs, which work reads, too: each goes to one of them only"
    told = "job is deployed, and not in the notebook any more"
    assert told in str(run.error("%chalice send job"))
    assert f"job is not in the notebook any more; {both}" in str(run("%chalice deploy"))
    error = run.error("%chalice send job")
    assert error.message == f"{told}; {both}" and "%chalice delete job" in error.hint and "has work" in error.hint
    run("%chalice delete job --yes")
    assert "there is no handler 'job'" in run.error("%chalice send job").message
    assert "not in the notebook any more" not in str(run("%chalice deploy"))
    run("%chalice delete --yes")


def test_where_nobody_can_be_asked_the_names_are_said(session, monkeypatch):
    run = session([GAMMA], [FIRST])

    def nobody(question):
        raise RuntimeError("no frontend")

    monkeypatch.setattr(builtins, "input", nobody)
    error = str(run.error("%chalice deploy --prune"))
    assert "remove gamma from" in error and "add --yes" in error
    assert "gamma" in states(run("%chalice status"))


def test_only_what_was_named_is_removed(session, monkeypatch):
    run = session([GAMMA, SECOND], [FIRST, SECOND])
    project, aws = run.notebook.project(), run.notebook.connect()
    assert operations.plan(project, aws, prune=True).pruned == ("gamma",)
    made = operations.plan(project, aws, prune=frozenset({"other"}))
    assert made.pruned == () and made.orphans == ("gamma",)
    assert not [change for change in made.changes if change.action == "delete"]


def test_the_prune_button_names_what_goes_again_when_more_goes(session, tmp_path):
    from nbchalice.ui.widgets.status import StatusPanel

    run = session([GAMMA, SECOND], [FIRST, SECOND])
    panel = StatusPanel(run.notebook.pinned(), run.notebook.command("status")(run.notebook))

    def press():
        panel._prune.click()
        panel.wait()
        return panel._note.value

    assert "removes gamma (deployed" in press()
    write(tmp_path / "standing.ipynb", [*START, FIRST])
    assert "removes gamma, two (deployed" in press()
    assert set(states(run("%chalice status"))) == {"one", "two", "gamma"}
    press()
    assert set(states(run("%chalice status"))) == {"one"}


def test_the_log_viewer_and_invoke_need_no_registered_handler(session, tmp_path):
    from nbchalice.ui.widgets.viewer import log_viewer

    run = session([GAMMA], [FIRST, GAMMA])
    viewer = log_viewer(run.notebook.pinned(), "gamma")
    viewer.close()
    (tmp_path / "event.json").write_text("{}")
    assert run("%chalice invoke gamma --event event.json").status == "ok"
    assert "gamma was not run in this kernel" in str(run.error("%chalice invoke gamma"))


@pytest.mark.parametrize(
    "cell",
    [
        "%%on_sqs_message standing-slow --timeout 60\ndef lost(event):\n    return 1",
        "%%lambda_function\ndef lost(event, context):\n    return NOWHERE",
    ],
    ids=["refused by AWS", "not captured"],
)
def test_whatever_is_wrong_with_a_deleted_cells_handler_says_how_to_take_it_back(session, cell):
    run = session([FIRST], [FIRST])
    run(cell)
    assert "del lost takes the handler back" in str(run.error("%chalice deploy"))
    assert "del lost takes the handler back" in str(run.error("%chalice plan"))


GONE = "gamma stands in no cell of the saved notebook, and is still registered here; del gamma takes it back"


def test_a_handler_whose_cell_was_deleted_is_told_once_the_notebook_is_saved(session, tmp_path):
    path = tmp_path / "standing.ipynb"
    run = session([FIRST], [FIRST])
    run(GAMMA)
    assert GONE not in str(run("%chalice deploy")), "the file may not have it yet"
    write(path, [*START, FIRST, GAMMA])
    assert GONE not in str(run("%chalice status"))
    write(path, [*START, FIRST])
    for command in ("status", "plan", "deploy"):
        assert GONE in str(run(f"%chalice {command}"))
    run("del gamma")
    assert GONE not in str(run("%chalice status"))


def test_an_error_of_a_cell_that_stands_speaks_of_no_deletion(session):
    wrong = "%%on_sqs_message standing-slow --timeout 60\ndef slow(event):\n    return 1"
    run = session([FIRST], [FIRST, wrong])
    run(wrong)
    assert "takes the handler back" not in str(run.error("%chalice deploy"))


def test_before_any_cell_is_run_the_cells_to_run_are_named(session):
    run = session([FIRST], [FIRST, GAMMA])
    run("del handler")
    error = str(run.error("%chalice deploy"))
    assert (
        "no handler of standing.ipynb was run in this kernel" in error
        and "run cell 3 of the file, cell 4 of the file" in error
    )
