"""A cell that is run again as it was changes nothing on AWS, and tracebacks name the cells as they are now."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from nbchalice.cli import code_of

SETTINGS = "import json\nRATE = 2"
CHECK = "def check(text: str | None) -> float:\n    value = float(text) * RATE\n    if value < 0:\n        raise ValueError(f'bad {value}')\n    return value"
PRICE = "%%lambda_function\ndef price(event):\n    return check(event['price'])"
ALERT = "@app.schedule('rate(1 hour)', name='nightly')\ndef alert(event):\n    return 'night'"
CELLS = {"settings": SETTINGS, "check": CHECK, "price": PRICE, "alert": ALERT}


class Kernel:
    """Runs the cells of a notebook by their ids."""

    def __init__(self, run):
        self.run, self.cells = run, dict(CELLS)

    def __call__(self, *ids):
        for one in ids:
            self.run.shell.run_cell(self.cells[one], store_history=True, cell_id=one).raise_error()
            self.label = f"cell {self.run.shell.execution_count - 1}"
        return self.label

    def edit(self, one, text):
        self.cells[one] = text
        return self(one)

    def changes(self):
        """Return what a plan would change."""
        return {change.resource.name: change.reason for change in self.run("%chalice plan").changes}

    def written(self, command):
        """Return what a command writes to AWS."""
        connection = self.run.notebook.connect()
        before = len(connection.writes)
        self.run(command)
        return [operation for _, operation, *_ in connection.writes[before:]]

    def error(self, **event):
        """Invoke the handler that stands, and return its error."""
        Path("event.json").write_text(json.dumps(event))
        return self.run("%chalice invoke price --event event.json").error


def save(path, ids):
    cells = [new_code_cell("%load_ext nbchalice\n%chalice app shop")]
    cells += [new_code_cell(CELLS[one], id=one) for one in ids]
    nbformat.write(new_notebook(cells=cells), path)


@pytest.fixture
def kernel(run, local_aws, tmp_path, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "again.ipynb"))
    save(tmp_path / "again.ipynb", CELLS)
    made = Kernel(run)
    made(*CELLS)
    run("%chalice deploy")
    yield made
    run("%chalice delete --yes")


@pytest.mark.parametrize(
    "ids",
    [["price"], ["check"], ["settings"], ["alert"], ["price", "check", "settings"], ["alert", "settings", "price"]],
    ids="-".join,
)
def test_what_is_run_again_as_it_was_changes_nothing(kernel, ids):
    kernel(*ids)
    assert kernel.changes() == {}
    assert kernel.written("%chalice deploy") == []
    assert [handler.state for handler in kernel.run("%chalice status").handlers] == ["deployed", "deployed"]


def restart(kernel):
    """Restart the kernel, with nothing run but the app's cell."""
    shell = kernel.run.shell
    shell.run_line_magic("unload_ext", "nbchalice")
    shell.reset()
    kernel.run("%load_ext nbchalice")
    kernel.run("%chalice app shop")


@pytest.mark.parametrize(
    "ids", [["settings", "price", "check", "alert"], ["alert", "price", "check", "settings"]], ids="-".join
)
def test_all_run_in_another_order_after_a_restart_changes_nothing(kernel, ids):
    restart(kernel)
    kernel(*ids)
    assert kernel.changes() == {}
    assert kernel.written("%chalice deploy") == []


def test_what_a_kernel_deployed_stands_for_the_command_line_too(kernel, tmp_path, capsys):
    save(tmp_path / "again.ipynb", ["alert", "settings", "check", "price"])
    assert code_of(["plan", str(tmp_path / "again.ipynb")]) == 0
    assert "0 changes" in capsys.readouterr().out


def test_an_edit_changes_the_handlers_that_use_it_and_no_other(kernel):
    kernel.edit("check", CHECK.replace("bad", "negative"))
    assert list(kernel.changes()) == ["shop-dev-price"]
    kernel.edit("alert", ALERT.replace("'night'", "'day'"))
    assert set(kernel.changes()) == {"shop-dev-price", "shop-dev-nightly"}
    kernel.edit("check", CHECK)
    assert list(kernel.changes()) == ["shop-dev-nightly"]
    kernel("price")
    assert "UpdateFunctionCode" in kernel.written("%chalice deploy")
    assert kernel.changes() == {}


def test_what_stands_above_in_the_cell_moves_a_statement_and_changes_nothing(kernel):
    kernel.edit("check", f"print('checking')\n\n\n{CHECK}")
    assert kernel.changes() == {}


def test_an_order_that_may_matter_is_a_change(kernel):
    kernel.edit("settings", "from decimal import Decimal, getcontext\nRATE = 2\nthird = Decimal(1) / 3")
    kernel.edit("check", "getcontext().prec = 5\n" + CHECK.replace("* RATE", "* RATE + float(third)"))
    kernel("price")
    kernel.run("%chalice deploy")
    kernel("settings")
    assert list(kernel.changes()) == ["shop-dev-price"]


def deploy_with_setup(kernel, settings, check):
    """Deploy with statements in two cells that do more than to bind names."""
    kernel.edit("settings", settings)
    kernel.edit("check", check)
    kernel("price")
    kernel.run("%chalice deploy")


TABLES = "import collections\nRATE = 2\ntable = collections.OrderedDict(a=1)"
LIMITS = CHECK.replace("* RATE", "* RATE * table['a'] * limits['b']") + "\nlimits = dict(b=int('1'))"


def test_an_order_that_proves_not_to_matter_is_no_change(kernel):
    deploy_with_setup(kernel, TABLES, LIMITS)
    kernel("settings")
    assert kernel.changes() == {}
    assert kernel.written("%chalice deploy") == []
    assert stands(kernel).why == "code (the order in which cells ran)"


def test_what_of_another_order_cannot_be_compared_is_told(kernel):
    client = "import boto3\nRATE = 2\ntable = boto3.client('sqs', region_name='us-east-1')"
    deploy_with_setup(kernel, client, LIMITS.replace("table['a']", "len(table.meta.region_name)"))
    kernel("settings")
    plan = kernel.run("%chalice plan")
    assert not plan.changes
    assert any("price stays as it stands" in note and "not compared: table (" in note for note in plan.plan.notes)


def test_an_order_that_proves_to_matter_is_a_change(kernel):
    numbers = "import itertools\nRATE = 2\nnumbers = itertools.count(1)\ndef number():\n    return next(numbers)"
    kernel.edit("numbers", numbers)
    deploy_with_setup(
        kernel, "first = number()", CHECK.replace("* RATE", "* RATE * first - second") + "\nsecond = number()"
    )
    kernel("numbers", "check", "settings", "price")
    assert "shop-dev-price" in kernel.changes()


def frames(error):
    return [str(frame) for frame in error.frames if frame.cell]


def test_a_traceback_names_the_cells_as_they_are_now(kernel):
    check, price = kernel("check"), kernel("price")
    error = kernel.error(price="-1")
    assert frames(error) == [f"{price}, line 3, in price", f"{check}, line 4, in check"]
    assert f'again.ipynb#{check}", line 4' in error.text and "@" not in error.text


def test_a_traceback_in_the_log_names_them_too(kernel):
    check, price = kernel("check"), kernel("price")
    kernel.error(price="-1")
    [invocation] = kernel.run("%chalice logs price").invocations
    assert frames(invocation.error) == [f"{price}, line 3, in price", f"{check}, line 4, in check"]


def test_a_line_that_moved_is_named_as_it_is_now(kernel):
    check = kernel.edit("check", f"print('checking')\n\n{CHECK}")
    assert frames(kernel.error(price="-1"))[1:] == [f"{check}, line 6, in check"]


def test_a_line_that_was_edited_is_named_as_it_was_deployed(kernel):
    check = kernel.edit("check", CHECK.replace("bad", "negative"))
    assert frames(kernel.error(price="-1"))[1:] == [f"{check} (as deployed), line 4, in check"]


def test_of_two_cells_with_one_text_the_one_that_was_deployed_is_named(kernel):
    check = kernel("check")
    kernel.cells["copy"] = CHECK
    kernel("copy")
    assert frames(kernel.error(price="-1"))[1:] == [f"{check}, line 4, in check"]


def test_after_a_restart_a_cell_that_was_not_run_is_named_by_the_file(kernel):
    restart(kernel)
    price = kernel("settings", "price")
    assert frames(kernel.error(price="-1")) == [f"{price}, line 3, in price", "cell 3 of the file, line 4, in check"]


def test_a_cell_that_is_not_there_any_more_is_not_taken_for_another(kernel, tmp_path):
    save(tmp_path / "again.ipynb", ["settings", "price"])
    restart(kernel)
    kernel("settings", "price")
    former = frames(kernel.error(price="-1"))[1]
    assert former.startswith("former cell ") and former.endswith(", line 4, in check")


def test_the_command_line_names_the_cells_of_the_file(kernel, tmp_path, capsys):
    kernel.error(price="-1")
    save(tmp_path / "again.ipynb", ["price", "alert", "settings", "check"])
    assert code_of(["logs", str(tmp_path / "again.ipynb"), "price"]) == 0
    shown = capsys.readouterr().out
    assert "cell 2, line 3, in price" in shown and "cell 5, line 4, in check" in shown


def test_other_code_that_stands_is_seen_whatever_the_tags_say(kernel):
    client = kernel.run.notebook.connect().client("lambda")
    kernel("price")
    kernel.run("%chalice package")
    client.update_function_code(FunctionName="shop-dev-price", ZipFile=Path("build/nightly.zip").read_bytes())
    assert list(kernel.changes()) == ["shop-dev-price"]


def test_after_a_rollback_what_is_run_again_goes_forward(kernel):
    kernel.edit("check", CHECK.replace("bad", "negative"))
    kernel("price")
    kernel.run("%chalice deploy")
    kernel.run("%chalice rollback price")
    kernel("check", "price")
    assert list(kernel.changes()) == ["shop-dev-price"]
    kernel.run("%chalice deploy")
    assert "negative" in kernel.error(price="-1").message
    assert kernel.changes() == {}


def stands(kernel, name="price"):
    return next(handler for handler in kernel.run("%chalice status").handlers if handler.name == name)


def test_status_says_which_cells_and_settings_are_others_and_which_version_stands(kernel):
    assert (stands(kernel).state, stands(kernel).version, stands(kernel).why) == ("deployed", "1", "")
    check = kernel.edit("check", CHECK.replace("bad", "negative"))
    assert (stands(kernel).state, stands(kernel).version, stands(kernel).why) == ("changed", "1", f"code ({check})")
    assert stands(kernel, "nightly").state == "deployed"
    kernel.edit("price", PRICE.replace("%%lambda_function", "%%lambda_function --memory 256"))
    assert stands(kernel).why == f"code ({check}); MemorySize: 128 -> 256"


def test_what_a_deploy_changes_is_told_with_its_cells_and_files(kernel, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    Path("helper_of_price.py").write_text("def half(x):\n    return x / 2\n")
    kernel.run.shell.run_cell("from helper_of_price import half", store_history=True, cell_id="helper").raise_error()
    price = kernel.edit("price", PRICE.replace("check(event['price'])", "half(event['price'])"))
    reason = kernel.changes()["shop-dev-price"]
    assert reason.startswith("code (") and price in reason and "helper_of_price.py" in reason
    kernel.run("%chalice deploy")
    assert stands(kernel).version == "2"
    kernel.run("%chalice rollback price")
    assert (stands(kernel).version, stands(kernel).state) == ("1", "changed")


@pytest.mark.parametrize("options", ["", " --json-logs"])
def test_what_is_logged_of_an_exception_names_them_too(kernel, options):
    caught = "    try:\n        check(event['price'])\n    except ValueError as error:\n        app.log.exception('caught')\n        raise KeyError() from error"
    kernel.edit("price", f"%%lambda_function{options}\ndef price(event):\n{caught}")
    kernel.run("%chalice deploy")
    check, price = kernel("check"), kernel("price")
    assert frames(kernel.error(price="-1")) == [f"{price}, line 7, in price"]
    [invocation] = kernel.run("%chalice logs price").invocations
    for record in invocation.records:
        assert f'#{price}", line 4, in price' in record.message and f'#{check}", line 4, in check' in record.message
    assert len(invocation.records) == 2
