"""The command line on a notebook's file."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from nbchalice.cli import code_of
from nbchalice.ui.commands import COMMANDS

from . import notebooks

pytestmark = pytest.mark.usefixtures("empty_local_aws")
ORDERS = [
    "%load_ext nbchalice",
    "%chalice app clishop",
    "RATE = 2",
    "%%on_sqs_message cli-orders\ndef price(event):\n    for record in event:\n"
    "        app.log.info('costs %s', float(record.body) * RATE)",
    "raise SystemExit('a notebook that is read is not executed')",
]


def write(path, cells):
    return str(notebooks.write(path, cells))


@pytest.fixture
def notebook(tmp_path):
    return write(tmp_path / "orders.ipynb", ORDERS)


@pytest.fixture
def cli(capsys):
    def run(*words):
        capsys.readouterr()
        code = code_of(list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def call(cli):
    def run(*words, status=0):
        code, out, err = cli(*words, "--json")
        assert code == status, err
        return json.loads(out)

    return run


def test_the_life_of_an_app(call, cli, notebook, local_aws, tmp_path):
    planned = call("plan", notebook)
    first = call("deploy", notebook)
    assert planned["changes"] == first["changes"]
    assert planned["sizes"] == first["sizes"]
    assert first["sizes"]["price"]["zip"] < 40 * 1024
    assert first["sizes"]["price"]["limits"] == {"zip": 50 * 1024**2, "unzipped": 250 * 1024**2}
    assert {key: first[key] for key in ("app", "stage", "target", "account", "region")} == {
        "app": "clishop",
        "stage": "dev",
        "target": "local",
        "account": "000000000000",
        "region": "us-east-1",
    }
    assert first["functions"][0]["name"] == "clishop-dev-price"
    assert first["functions"][0]["arn"].endswith(":function:clishop-dev-price")
    assert first["functions"][0]["changed"] is True
    assert first["api_calls"] > 0
    assert first["seconds"] > 0

    second = call("deploy", notebook)
    assert second["changes"] == []
    assert second["sizes"] == {}
    assert second["functions"][0]["changed"] is False

    sent = call("send", notebook, "price", "--message", "21")
    assert sent["invocation"]["status"] == "ok"
    assert [record["message"] for record in sent["invocation"]["records"]] == ["costs 42.0"]

    failed = call("send", notebook, "price", "--message", "x", status=1)
    assert failed["invocation"]["status"] == "error"
    assert failed["invocation"]["error"]["type"] == "ValueError"
    assert failed["invocation"]["error"]["frames"][0]["cell"] == "cell 4"
    assert failed["invocation"]["error"]["frames"][0]["line"] == 4

    code, out, _ = cli("logs", notebook, "price", "--json")
    assert code == 0
    assert [json.loads(line)["status"] for line in out.splitlines()][:2] == ["ok", "error"]

    status = call("status", notebook)
    assert [(handler["name"], handler["state"]) for handler in status["handlers"]] == [("price", "deployed")]

    write(tmp_path / "orders.ipynb", [cell.replace("def price", "def cost") for cell in ORDERS])
    states = {h["name"]: h["state"] for h in call("status", notebook)["handlers"]}
    assert states == {"cost": "registered", "price": "orphaned"}

    gone = call("delete", notebook, "--yes")
    assert {change["action"] for change in gone["changes"]} == {"delete"}
    assert call("delete", notebook, "--yes")["changes"] == []


def test_package_writes_a_zip_for_each_handler_without_any_aws(cli, notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("NBCHALICE_LOCAL_HOME", str(tmp_path / "nowhere"))
    code, out, _ = cli("package", notebook, "--out", str(tmp_path / "out"))
    assert code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["price.zip"]
    assert "price.zip" in out
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("form", ["cloudformation", "sam"])
def test_package_writes_a_template_and_says_how_it_is_deployed(cli, notebook, tmp_path, monkeypatch, form):
    monkeypatch.setenv("NBCHALICE_LOCAL_HOME", str(tmp_path / "nowhere"))
    code, out, _ = cli("package", notebook, "--out", str(tmp_path / "out"), "--format", form)
    assert code == 0
    (zipped,) = (tmp_path / "out" / "code").iterdir()
    template = json.loads((tmp_path / "out" / "template.json").read_text())
    assert zipped.name in json.dumps(template["Resources"]["PriceFunction"])
    assert "--stack-name clishop-dev" in out and ("sam deploy" in out) == (form == "sam")
    assert not (tmp_path / "nowhere").exists()


def test_package_writes_a_configuration_of_terraform(cli, notebook, tmp_path):
    code, out, _ = cli("package", notebook, "--out", str(tmp_path / "out"), "--format", "terraform")
    assert code == 0
    (zipped,) = (tmp_path / "out" / "code").iterdir()
    body = json.loads((tmp_path / "out" / "main.tf.json").read_text())
    made = body["resource"]["aws_lambda_function"]["price_function"]
    assert (
        made["filename"] == f"${{path.module}}/code/{zipped.name}"
        and body["variable"]["app_name"]["default"] == "clishop"
    )
    assert (
        f"terraform -chdir={tmp_path / 'out'} apply\n" in out + "\n"
        and not (tmp_path / "out" / "template.json").exists()
    )


def test_package_tells_all_that_is_wrong_and_writes_nothing(cli, tmp_path):
    cells = [f"%%lambda_function\ndef {name}(event):\n    import no_such_{name}" for name in ("one", "two")]
    code, _, err = cli("package", write(tmp_path / "wrong.ipynb", cells), "--out", str(tmp_path / "out"))
    assert code == 2
    assert "no_such_one" in err
    assert "cell 2, line 3: import no_such_two" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("SIZES = {'tea': 1}\nTEA = SIZES['milk']", "does not import by itself: KeyError: 'milk'"),
        ("import os\nos.environ['TABLE']\nTEA = os.environ['TABLE']", "--env NAME=VALUE"),
        ("from math import *\nTEA = nothing_of_math", "nothing_of_math"),
    ],
)
def test_package_refuses_what_deploy_refuses_with_the_same_words(cli, tmp_path, local_aws, cell, said):
    path = write(tmp_path / "n.ipynb", [cell, "%%lambda_function\ndef h(event):\n    return TEA"])
    deployed, packed = cli("plan", path), cli("package", path, "--out", str(tmp_path / "out"))
    assert packed[0] == deployed[0] == 2
    assert said in packed[2]
    assert packed[2] == deployed[2]
    assert not (tmp_path / "out").exists()


def test_show_prints_the_module(cli, notebook):
    code, out, _ = cli("show", notebook, "price")
    assert code == 0
    assert "# orders.ipynb, cell 3, line 1\nRATE = 2\n" in out
    assert "SystemExit" not in out


def test_show_as_html_puts_the_place_beside_each_line(notebook):
    from nbchalice.notebook_file import read_project
    from nbchalice.ui.render.cards import ModuleCard

    project = read_project(Path(notebook))
    card = ModuleCard({handler.name: project.slice(handler) for handler in project.handlers})
    assert "cell 4:2</span>def price(event):\n" in card.html
    assert "cell 4:4</span>        app.log.info(&#x27;costs %s&#x27;" in card.html
    assert card.to_dict()["segments"][0][0]["cell"] == "cell 2"
    assert "user-select:none" in card.html


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["deploi", "x.ipynb"], 2, "no command 'deploi'\n  fix: nbchalice deploy"),
        (["deploy"], 2, "Missing argument 'NOTEBOOK'"),
        (["deploy", "missing.ipynb"], 2, "missing.ipynb"),
        (["deploy", "{notebook}", "--target", "moon"], 2, "moon"),
        (["send", "{notebook}", "cost"], 2, "there is no handler 'cost'\n  fix: the only handler is price"),
        (["send", "{notebook}", "price", "--subject", "x"], 2, "--subject is not for SQS events"),
        (["send", "{notebook}", "price", "--attribute", "x"], 2, "wants NAME=VALUE"),
        (["local", "create"], 2, "local create wants a kind and a name"),
    ],
)
def test_wrong_usage_is_said_on_stderr_with_status_2(cli, notebook, local_aws, words, code, said):
    got, out, err = cli(*[word.replace("{notebook}", notebook) for word in words])
    assert (got, out) == (code, "")
    assert said in err
    assert err.startswith("error: ")


def test_a_failed_operation_ends_with_status_1(cli, notebook, local_aws):
    code, out, err = cli("send", notebook, "price", "--message", "1")
    assert (code, out) == (1, "")
    assert "price is not deployed" in err


def test_sizes_are_told_before_the_first_change(cli, notebook, local_aws):
    code, out, err = cli("deploy", notebook)
    assert code == 0
    told = err.splitlines()
    assert " ".join(told[1].split()) == "handler zip (of 50 MB) layer (of 50 MB) unzipped (of 250 MB) largest"
    assert told[2].split()[0] == "price"
    assert "create" in told[3]
    assert "your code" in out
    code, out, _ = cli("plan", notebook)
    assert "your code" not in out
    assert cli("delete", notebook, "--yes")[0] == 0


def test_a_notebook_without_handlers_says_how_to_begin(cli, tmp_path, local_aws):
    code, _, err = cli("deploy", write(tmp_path / "empty.ipynb", ["1 + 1"]))
    assert code == 2
    assert "empty.ipynb has no handlers" in err


def test_execute_runs_the_notebook_first(cli, notebook, tmp_path, local_aws):
    code, _, err = cli("plan", notebook, "--execute")
    assert code == 1
    assert "orders.ipynb failed while it was executed: SystemExit" in err
    assert "at cell 5" in err


def test_execute_leaves_out_the_commands_that_need_aws_and_says_so(cli, tmp_path, local_aws):
    cells = [
        "%load_ext nbchalice",
        "%chalice app executed",
        "import json\nRATES = json.loads('{\"a\": 2}')",
        "%chalice bundle RATES",
        "%%on_sqs_message executed-orders\ndef price(event):\n    return RATES",
        "%chalice deploy",
        "sent = %chalice send price --message 5",
        "assert sent.ok, sent.invocation",
        "%chalice show price",
        "%chalice delete --yes",
    ]
    path = write(tmp_path / "executed.ipynb", cells)
    Path(path).write_text(Path(path).read_text(), encoding="utf-8-sig")
    code, out, err = cli("plan", path, "--execute", "--json")
    assert code == 0, err
    assert {change["action"] for change in json.loads(out)["changes"]} == {"create"}
    skipped = [line.partition(" needs AWS")[0] for line in err.splitlines() if ": skipped: " in line]
    assert skipped == [
        "cell 6: skipped: %chalice deploy",
        "cell 7: skipped: %chalice send",
        "cell 10: skipped: %chalice delete",
    ]
    assert (tmp_path / ".nbchalice" / "bundles").is_dir()


@pytest.mark.slow
def test_execute_compares_with_the_kernel_what_a_run_without_files_cannot(cli, tmp_path):
    (tmp_path / "rate.txt").write_text("7")
    read = "exec(\"RATES['a'] = int(open('rate.txt').read())\")"
    cells = ["RATES = {'a': 1}", read, "%load_ext nbchalice", "%%lambda_function\ndef h(event):\n    return RATES"]
    path, out = write(tmp_path / "n.ipynb", cells), ["--out", str(tmp_path / "out")]
    code, told, _ = cli("package", path, *out)
    assert code == 0
    assert "h: not compared with a run of the notebook: RATES (cell 2, line 1: " in told
    code, _, err = cli("package", path, *out, "--execute")
    assert code == 2
    assert "RATES is {'a': 7} in the kernel, {'a': 1} in the captured module (from cell 1)" in err

    (tmp_path / "rate.txt").write_text("1")
    code, told, err = cli("package", path, *out, "--execute")
    assert code == 0, err
    assert "not compared" not in told


@pytest.mark.slow
def test_execute_names_a_kernel_that_is_missing(cli, tmp_path):
    import nbformat

    path = write(tmp_path / "strange.ipynb", ["1"])
    made = nbformat.read(path, as_version=4)
    made.metadata.kernelspec = {"name": "nowhere", "display_name": "Nowhere", "language": "python"}
    nbformat.write(made, path)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    code, out, err = cli("show", path, "--execute")
    assert (code, out) == (2, "")
    assert "wants the kernel 'nowhere', which is not installed here" in err
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers, "Ctrl-C is dead"
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    path = write(tmp_path / "runs.ipynb", ["1"])
    assert "runs.ipynb has no handlers" in cli("show", path, "--execute")[2], "an earlier Ctrl-C ends it"


@pytest.mark.slow
def test_ctrl_c_ends_an_execution_and_its_kernel(tmp_path):
    """The kernel is ended at once, and what is said is no error of what executes."""
    path = write(
        tmp_path / "long.ipynb",
        ["import os, time\nprint(os.getpid(), file=open('pid', 'w'), flush=True)\ntime.sleep(60)"],
    )
    command = [sys.executable, "-m", "nbchalice", "show", str(path), "--execute"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert "nbchalice show was stopped" in err and "Traceback" not in err and "fix:" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_ctrl_c_while_the_command_line_is_loaded_is_one_line():
    code = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from nbchalice.__main__ import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: nbchalice was stopped\n")


def test_local_tells_how_other_tools_reach_it(cli, call, local_aws):
    assert call("local", "status")["endpoint"] == local_aws.endpoint
    code, out, _ = cli("local", "env")
    assert code == 0
    assert f"export AWS_ENDPOINT_URL={local_aws.endpoint}" in out
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        assert f"export {name}=" in out


def test_ctrl_c_ends_with_status_130_and_says_what_was_done(cli, notebook, local_aws, monkeypatch):
    from nbchalice.aws.target import Connection

    def stop(self, service, region=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(Connection, "client", stop)
    code, out, err = cli("deploy", notebook, "--json")
    assert code == 130 and [one["code"] for one in json.loads(out)["errors"]] == ["interrupted"]
    assert err.startswith("error: ")
    assert "nbchalice deploy was stopped" in err or "nothing was changed" in err


def test_the_command_is_installed_and_keeps_stdout_to_json(notebook, local_aws):
    done = subprocess.run(
        [sys.executable, "-m", "nbchalice", "plan", notebook, "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["changes"]


def test_help_lists_the_commands(cli):
    code, out, _ = cli("--help")
    assert code == 0
    for name in ("deploy", "plan", "status", "send", "logs", "package", "show", "local", "delete"):
        assert f"\n  {name}" in out


S3_HANDLER = "@app.on_s3_event('bkt')\ndef handler(event):\n    pass"
SQS_HANDLER = "@app.on_sqs_message('q')\ndef handler(event):\n    pass"


@pytest.mark.parametrize(
    "cells",
    [
        [S3_HANDLER, SQS_HANDLER],
        [S3_HANDLER + "\n\n" + SQS_HANDLER],
        ["%%on_s3_event bkt --name handler\ndef f(event):\n    pass", SQS_HANDLER],
        [S3_HANDLER.replace("'bkt'", "'bkt', name='handler'").replace("def handler", "def f"), SQS_HANDLER],
    ],
)
def test_two_handlers_of_one_name_are_refused_and_both_places_named(cli, tmp_path, local_aws, cells):
    path = write(tmp_path / "twice.ipynb", ["%chalice app twice", *cells])
    for command in ("plan", "deploy", "package"):
        code, out, err = cli(command, path)
        assert (code, out) == (2, "")
        assert re.search(r"two handlers are named handler: cell 2, line \d and cell [23], line \d", err)
        assert "fix: give one of them another name" in err
    code, out, _ = cli("status", path)
    assert code == 0
    assert "a deploy would be refused: two handlers are named handler: cell 2, line" in out


CHALICES = """@app.authorizer()
def allowed(request):
    return True

@app.route('/', methods=['GET'], authorizer=allowed)
def index():
    return {}

@app.on_ws_message()
def talk(event):
    pass"""


def test_what_chalice_has_besides_stops_nobody(cli, tmp_path, local_aws):
    cells = ["from nbchalice import Chalice\napp = Chalice('routes')", CHALICES, "index()", "app.api.cors = True"]
    path = write(tmp_path / "routes.ipynb", [*cells, SQS_HANDLER.replace("pass", "return index()")])
    code, out, err = cli("plan", path)
    assert code == 0, err
    for function, line in (("allowed", 1), ("index", 5), ("talk", 9)):
        assert f"note: {function} (cell 2, line {line}) is not deployed" in out
    code, out, err = cli("invoke", path, "handler", "--sample")
    assert code == 0, err + out


def test_one_decorator_that_cannot_be_read_leaves_the_others_alone(cli, tmp_path, local_aws):
    cells = ["%chalice app one-broken", SQS_HANDLER, "%%lambda_function\ndef other(event):\n    return 1"]
    broken = "@app.on_sqs_message(queue={'a': 1}['q'])\ndef broken(event):\n    pass"
    path = write(tmp_path / "one.ipynb", [*cells, broken.replace("{'a': 1}['q']", "'q2'")])
    assert cli("deploy", path)[0] == 0
    path = write(tmp_path / "one.ipynb", [*cells, broken])
    for command in ("plan", "deploy", "package"):
        code, _, err = cli(command, path)
        assert code == 2
        assert "the decorators of broken cannot be evaluated: KeyError: 'q'" in err
        assert "at cell 4, line 1" in err
        assert cli(command, path, *(["--prune"] if command != "package" else []))[0] == 2
    assert cli("show", path, "handler")[0] == 0
    assert "1" in cli("invoke", path, "other", "--sample")[1]
    code, out, err = cli("show", path, "broken")  # Nothing is run for it.
    assert code == 0 and "def broken(event)" in out
    code, out, _ = cli("status", path)
    assert code == 0
    assert "orphaned" not in out
    assert "may stand in the notebook: the decorators of broken cannot be evaluated" in out
    cli("delete", path, "--yes")


@pytest.mark.slow
def test_decorators_that_end_or_hang_the_process_name_themselves(cli, tmp_path, monkeypatch):
    from nbchalice.notebook.capture import evaluate

    monkeypatch.setattr(evaluate, "TIMEOUT_SECONDS", 2)
    endless = "def queue():\n    while True:\n        pass"
    for helper, says in (("import os\ndef queue():\n    os._exit(3)", "exit status 3"), (endless, "took more than")):
        wrong = SQS_HANDLER.replace("'q'", "queue()").replace("handler", "wrong")
        path = write(tmp_path / "wrong.ipynb", ["%chalice app w", helper, SQS_HANDLER, wrong])
        code, _, err = cli("package", path, "--out", str(tmp_path / "out"))
        assert (code, "the decorators of wrong cannot be evaluated" in err, says in err) == (2, True, True)
        assert "decorators of handler" not in err


def test_decorators_of_other_libraries_are_no_handlers_and_typing_errors_are(cli, tmp_path):
    other = "class Button:\n    def on_click(self, f):\n        return f\nbutton = Button()"
    click = "@button.on_click\ndef clicked(b):\n    pass"
    path = write(tmp_path / "other.ipynb", ["%chalice app other", other, click, SQS_HANDLER])
    assert cli("package", path, "--out", str(tmp_path / "out"))[0] == 0
    path = write(tmp_path / "other.ipynb", ["%chalice app other", SQS_HANDLER.replace("message", "mesage")])
    code, _, err = cli("package", path, "--out", str(tmp_path / "out"))
    assert code == 2
    assert "no attribute 'on_sqs_mesage'" in err


def test_a_copied_cell_is_no_second_handler(call, tmp_path):
    path = write(tmp_path / "copied.ipynb", [*ORDERS[:3], ORDERS[3], ORDERS[3]])
    assert call("package", path, "--out", str(tmp_path / "build"))["files"] == [str(tmp_path / "build" / "price.zip")]


def test_a_report_that_nobody_reads_is_told_by_plan_and_deploy(call, tmp_path, local_aws):
    cells = [
        "%load_ext nbchalice",
        f"%chalice app told{tmp_path.stat().st_ino}",
        "def failed(record):\n    return {'batchItemFailures': [{'itemIdentifier': record.message_id}]}",
        "%%on_sqs_message told-orders\ndef price(event):\n    for record in event:\n        return failed(record)",
        "%%on_sqs_message told-others --report-failures\ndef other(event):\n    for record in event:\n"
        "        return failed(record)",
    ]
    path = write(tmp_path / "told.ipynb", cells)
    for command in ("plan", "deploy"):
        (note,) = [note for note in call(command, path)["notes"] if "batchItemFailures" in note]
        assert note.startswith("price: its code reports failed records") and "add --report-failures" in note
    call("delete", path, "--yes")


@pytest.mark.parametrize(
    "asking",
    [
        "%%on_sqs_message --help",
        "%%on_sqs_message -h",
        "%%on_sqs_message orders --timeout 5 --help\n@app.lambda_function()\ndef other(event):\n    return 1",
        "# which options?\n\n%%schedule --help\nnot Python",
        "%%capture shown\n%%lambda_function --help\n@app.schedule('rate(1 day)')\ndef other(event):\n    return 1",
        "%%on_sqs_message?",
    ],
)
def test_a_cell_that_asks_for_help_is_no_handler(call, tmp_path, local_aws, asking):
    path = write(tmp_path / "helped.ipynb", [*ORDERS[:4], asking])
    planned = call("plan", path)
    assert {change["name"] for change in planned["changes"] if change["kind"] == "function"} == {"clishop-dev-price"}
    assert not [note for note in planned["notes"] if "cell 5" in note or "help" in note]
    assert [Path(file).name for file in call("package", path, "--out", str(tmp_path / "out"))["files"]] == ["price.zip"]


def test_a_cell_that_asks_wrongly_for_help_is_a_problem(cli, tmp_path):
    path = write(tmp_path / "helped.ipynb", [*ORDERS[:4], "%%on_sqs_message orders --nmae x --help\ndef one(event): 1"])
    code, _, err = cli("package", path, "--out", str(tmp_path / "out"))
    assert code == 2 and "has no option --nmae" in err and "cell 5, line 1" in err


@pytest.mark.parametrize("command", ["logs", "metrics"])
def test_of_a_handler_that_is_not_deployed_no_numbers_are_shown(cli, notebook, local_aws, command):
    code, out, err = cli(command, notebook, "price")
    assert (code, out) == (1, "")
    assert "price is not deployed (clishop-dev-price does not exist)" in err and "fix: deploy it first" in err
    assert cli("deploy", notebook)[0] == 0
    code, out, _ = cli(command, notebook, "price")
    assert code == 0 and ("no invocations yet" in out if command == "logs" else "0 invocations" in out)


def test_status_says_where_stands_what_refuses_a_deploy(cli, tmp_path, local_aws):
    path = write(tmp_path / "orders.ipynb", [*ORDERS[:4], "# none yet\n%%on_sqs_message others\nx = 1"])
    code, out, _ = cli("status", path)
    assert code == 0 and "a deploy would be refused: the cell defines no function (cell 5, line 2)" in out


def test_what_is_wrong_for_two_handlers_is_told_once(cli, tmp_path):
    reads = "%%lambda_function\ndef {}(event):\n    return shared()"
    cells = ["%chalice app once", "def shared():\n    return RATEE", reads.format("one"), reads.format("two")]
    code, _, err = cli("package", write(tmp_path / "once.ipynb", cells), "--out", str(tmp_path / "out"))
    assert code == 2 and err.count("RATEE is not defined") == 1 and "problems found" not in err
    cells[-1] += " + TAX"
    code, _, err = cli("package", write(tmp_path / "once.ipynb", cells), "--out", str(tmp_path / "out"))
    assert code == 2 and err.count("RATEE is not defined") == err.count("TAX is not defined") == 1
    assert "2 problems found" in err


def commands_on_a_handler():
    return [name for name, command in COMMANDS.items() if command.handler == "required"]


@pytest.mark.parametrize("command", commands_on_a_handler())
def test_a_command_that_lacks_a_handler_names_those_of_the_notebook(cli, notebook, command):
    got, out, err = cli(command, notebook)
    assert (got, out) == (2, "")
    assert err.startswith(f"error: nbchalice {command} wants the name of a handler\n  fix: the only handler is price")


def test_the_local_aws_is_not_emptied_unasked(cli, local_aws, monkeypatch):
    got, out, err = cli("local", "reset")
    assert (got, out) == (2, "") and "nobody can be asked here: forget all functions" in err


@pytest.mark.parametrize("broken", ["AWS_PROFILE", "AWS_CONFIG_FILE"])
def test_the_local_aws_needs_nothing_of_the_aws_configuration(cli, notebook, local_aws, monkeypatch, tmp_path, broken):
    file = tmp_path / "broken"
    file.write_text("[profile mine\nregion")
    monkeypatch.setenv(broken, str(file))
    got, out, _ = cli("plan", notebook)
    assert got == 0 and "plan for" in out


def test_a_question_that_is_broken_off_is_answered_with_no(cli, notebook, local_aws, monkeypatch):
    def broken_off(*_, **__):
        raise click.Abort

    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("click.confirm", broken_off)
    for words in (["local", "reset"], ["delete", notebook]):
        got, out, err = cli(*words)
        assert (got, out) == (2, "") and "not confirmed; nothing was removed" in err


def test_what_is_sent_where_nothing_was_given_is_said(cli, notebook, local_aws):
    assert cli("deploy", notebook)[0] == 0
    _, out, _ = cli("send", notebook, "price")
    assert "nothing was given, so a sample was sent: " in out
    assert "nothing was given" not in cli("send", notebook, "price", "--message", "5")[1]
    assert cli("delete", notebook, "--yes")[0] == 0
