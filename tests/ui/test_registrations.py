"""What the command line reads as a handler, what it says that it did not read, and what it never prunes."""

import json

import pytest

from nbchalice.cli import code_of
from nbchalice.notebook_file import read_project
from nbchalice.operations import write_packages

from ..notebooks import write
from .test_registering import APP, WAYS, WORK, shipped

pytestmark = pytest.mark.slow

INDENTED = WORK.replace("\n", "\n    ")


@pytest.mark.parametrize("way", WAYS)
def test_a_file_has_the_handlers_that_its_kernel_would_have(way, tmp_path):
    cells, handler = WAYS[way]
    project = read_project(write(tmp_path / "n.ipynb", [APP, *cells]))
    assert handler in [one.name for one in project.handlers]
    assert project.notes == ()
    write_packages(project, tmp_path / "out")
    assert shipped(tmp_path, tmp_path / "out", handler) == 42


def test_each_trigger_of_a_loop_is_a_handler_with_its_own_options(tmp_path):
    cells = [
        APP,
        "QUEUES = {'a': 1, 'b': 10}",
        "for queue, size in QUEUES.items():\n    @app.on_sqs_message(queue, batch_size=size, name=f'of_{queue}')\n"
        "    def work(event):\n        pass",
    ]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    assert {h.name: h.triggers[0].options["batch_size"] for h in project.handlers} == {"of_a": 1, "of_b": 10}
    assert all(h.location.cell == "cell 3" for h in project.handlers)


def test_a_call_adds_a_trigger_to_a_decorated_function(tmp_path):
    cells = [APP, f"@app.on_sqs_message('q')\n{WORK}", "app.on_sns_message('t')(work)"]
    (handler,) = read_project(write(tmp_path / "n.ipynb", cells)).handlers
    assert [trigger.source for trigger in handler.triggers] == ["on_sqs_message", "on_sns_message"]


def test_del_takes_back_what_a_statement_registered(tmp_path):
    project = read_project(write(tmp_path / "n.ipynb", [APP, f"{WORK}\napp.lambda_function()(work)", "del work"]))
    assert (project.handlers, project.notes) == ((), ())


UNREAD = {
    "condition that is false here": (
        f"if RATE > 100:\n    @app.lambda_function()\n    {INDENTED}",
        "cell 3, line 2: @app.lambda_function() (it registers nothing when the notebook is read from the top)",
    ),
    "function that nobody calls": (
        f"def register(app):\n    @app.on_sqs_message('q')\n    {INDENTED}",
        "cell 3, line 2: @app.on_sqs_message('q')",
    ),
    "file of this computer": (
        f"{WORK}\nimport csv\nname = next(csv.reader(open('names.csv')))[0]\napp.on_sqs_message(queue=name)(work)",
        "cell 3, line 5: app.on_sqs_message(queue=name)(work) (",
    ),
    "below a magic that is not known": (f"%%timeit\n%%lambda_function\n{WORK}", "cell 3, line 2: %%lambda_function"),
    "magic below code": (f"x = 1\n%%lambda_function\n{WORK}", "cell 3, line 2: %%lambda_function"),
    "no Python": (f"@app.lambda_function()\n{WORK}\nx = (", "cell 3, line 1: @app.lambda_function()"),
}


@pytest.mark.parametrize("case", UNREAD)
def test_what_is_not_read_is_said_by_each_command_and_never_pruned(case, tmp_path, local_aws, capsys):
    cell, said = UNREAD[case]
    other = "%%lambda_function\ndef other(event):\n    return 1"
    name = f"unread{list(UNREAD).index(case)}"
    app = APP.replace("shop", name)
    before = write(tmp_path / "n.ipynb", [app, other, f"@app.lambda_function()\n{WORK}"])
    assert code_of(["deploy", str(before)]) == 0
    path = str(write(tmp_path / "n.ipynb", [app, other, cell]))
    for words in (
        ["plan"],
        ["plan", "--prune"],
        ["status"],
        ["package", "--out", str(tmp_path / "out")],
        ["deploy", "--prune"],
    ):
        capsys.readouterr()
        assert code_of([words[0], path, *words[1:]]) == 0
        told = capsys.readouterr().out
        assert said in told, words
        assert "delete" not in told and "orphan" not in told
    code_of(["status", path, "--json"])
    states = {one["name"]: one["state"] for one in json.loads(capsys.readouterr().out)["handlers"]}
    assert states == {"other": "deployed", "work": "deployed"}
    assert code_of(["delete", path, "work", "--yes"]) == 0, "named, it is removed"


def test_what_is_text_or_left_out_by_the_user_is_no_handler(tmp_path):
    cells = [
        APP,
        f"%%writefile other.py\n@app.lambda_function()\n{WORK}",
        "%%markdown\n%%on_sqs_message orders",
        f"# nbchalice: exclude\nif RATE:\n    @app.lambda_function()\n    {INDENTED}",
        "import sched\ns = sched.scheduler()",
        "text = '''\n@app.lambda_function()\n'''",
    ]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    assert (project.handlers, project.notes, project.unread) == ((), (), ())
