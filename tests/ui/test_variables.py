"""A value or a trigger that follows a variable of the function may be another one in the kernel."""

import json

import pytest

HANDLER = "%%lambda_function{}\ndef price(event):\n    return TABLE"


@pytest.fixture
def config(tmp_path):
    def write(**stages):
        (tmp_path / ".chalice").mkdir(exist_ok=True)
        found = {name: {"environment_variables": values} for name, values in stages.items()}
        (tmp_path / ".chalice" / "config.json").write_text(json.dumps({"stages": found}))

    return write


@pytest.mark.parametrize(
    "cells",
    [
        ["import os\nTABLE = os.environ.get('TABLE_NAME', 'default')"],
        ["import os\nTABLE = {'name': os.getenv('TABLE_NAME') or 'default', 'of': [1, 2]}"],
        ["from settings import TABLE"],
        ["import os\nTABLE = 'default'\nif 'TABLE_NAME' in os.environ:\n    TABLE = os.environ['TABLE_NAME']"],
        ["import os\nNAMES = dict(os.environ)", "TABLE = NAMES.get('TABLE_NAME', 'default')"],
    ],
)
def test_a_value_from_a_variable_of_the_function_is_not_compared_and_said(run, local_aws, tmp_path, monkeypatch, cells):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "settings.py").write_text("import os\nTABLE = os.environ.get('TABLE_NAME', 'default')\n")
    for cell in cells:
        run(cell)
    run(HANDLER.format(" --env TABLE_NAME=prod --name from-variable"))
    text = run("%chalice plan").text
    if "settings" not in cells[0]:
        assert "TABLE (from the variable" in text
    sent = run("%chalice deploy") and run("%chalice invoke from-variable")
    assert "prod" in str(sent)
    run("%chalice delete --yes")


def test_a_stage_of_other_values_than_the_kernels_is_deployed(run, local_aws, config, monkeypatch):
    config(dev={"TABLE_NAME": "dev"}, prod={"TABLE_NAME": "prod"})
    monkeypatch.setenv("TABLE_NAME", "dev")
    run("import os\nTABLE = os.environ['TABLE_NAME']\nRATE = 2")
    run("%%lambda_function\ndef price(event):\n    return [TABLE, RATE]")
    assert "not compared" not in run("%chalice plan").text
    assert "price: not compared: TABLE (from the variable TABLE_NAME)" in run("%chalice plan --stage prod").text
    run.names["RATE"] = 3
    assert "RATE is 3 in the kernel, 2 in the captured module" in str(run.error("%chalice plan --stage prod"))


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT"])
def test_what_lambda_sets_is_not_compared(run, local_aws, name):
    run(f"import os\nTABLE = os.environ.get('{name}')")
    run(HANDLER.format(""))
    assert f"TABLE (from the variable {name})" in run("%chalice plan").text


def test_a_variable_of_the_kernel_alone_is_still_told(run, local_aws, monkeypatch):
    monkeypatch.setenv("TABLE_NAME", "mine")
    run("import os\nTABLE = os.environ.get('TABLE_NAME', 'default')")
    run(HANDLER.format(""))
    error = str(run.error("%chalice plan"))
    assert "TABLE is 'mine' in the kernel, 'default' in the captured module" in error
    assert "--env NAME=VALUE" in error


def test_what_the_functions_values_lead_to_must_import(run, local_aws):
    run("import os\nTABLE = 10 // int(os.environ.get('DIVISOR', '1'))")
    run(HANDLER.format(" --env DIVISOR=0"))
    assert "ZeroDivisionError" in str(run.error("%chalice plan"))


BUCKET = "import os\nsource = os.getenv('SOURCE_BUCKET', 'default-bucket')\n"
ON_BUCKET = "@app.on_s3_event(bucket=source)\ndef handle(event):\n    return source"


def test_a_trigger_follows_the_stages_variables_not_the_kernels(run, local_aws, config):
    config(dev={"SOURCE_BUCKET": "right-dev"}, prod={"SOURCE_BUCKET": "right-prod"}, bare={})
    run(BUCKET)
    run(ON_BUCKET)
    for stage, bucket in (("dev", "right-dev"), ("prod", "right-prod"), ("bare", "default-bucket")):
        card = run(f"%chalice plan --stage {stage}")
        assert f"bucket {bucket}" in str([change.resource for change in card.changes]) or bucket in card.text
        assert ("default-bucket" in card.text) == (stage == "bare")


def test_the_variable_that_decided_is_said(run, local_aws, config, monkeypatch):
    monkeypatch.setenv("SOURCE_BUCKET", "of-the-kernel")
    config(dev={"SOURCE_BUCKET": "right-dev"})
    run(BUCKET)
    run(ON_BUCKET)
    note = "handle: SOURCE_BUCKET is 'right-dev' for the function, 'of-the-kernel' here"
    assert note in run("%chalice plan").text
    assert run.notebook.project().handlers[0].triggers[0].options["bucket"] == "right-dev"


def test_a_trigger_that_needs_a_variable_which_only_the_kernel_has_is_refused(run, local_aws, monkeypatch):
    monkeypatch.setenv("STAGE_NAME", "dev")
    run("import os")
    run("@app.on_sns_message('topic-{}'.format(os.getenv('STAGE_NAME')))\ndef handle(event):\n    pass")
    error = str(run.error("%chalice plan"))
    assert "the decorators of handle need STAGE_NAME, which is not set for the function (it is set here only)" in error
    assert "set STAGE_NAME in environment_variables of stage dev in .chalice/config.json" in error


def test_a_trigger_that_follows_no_variable_stays_the_kernels(run, local_aws):
    run("names = ['a-queue']")
    run("@app.on_sqs_message(names[0])\ndef handle(event):\n    pass")
    run("names[0] = 'another-queue'")
    assert run.notebook.project().handlers[0].triggers[0].options["queue"] == "a-queue"


SETTINGS = "from pydantic_settings import BaseSettings\nclass S(BaseSettings{}):\n    report_to: str = 'nobody'\n    cc: str = ''"


@pytest.mark.parametrize(("options", "variable"), [("", "REPORT_TO"), (", env_prefix='shop_'", "SHOP_REPORT_TO")])
def test_settings_that_follow_a_variable_of_this_computer_name_the_field_and_the_variable(
    run, local_aws, monkeypatch, options, variable
):
    monkeypatch.setenv(variable, "ops@example.org")
    run(SETTINGS.format(options))
    run("settings = S()")
    run("%%lambda_function\ndef report(event):\n    return settings.report_to")
    error = run.error("%chalice plan")
    assert "settings.report_to is 'ops@example.org' in the kernel, 'nobody' in the captured module" in error.message
    assert error.hint.endswith(f"give it to the function with --env {variable}=VALUE")
    run(f"%%lambda_function --env {variable}=ops@example.org\ndef report(event):\n    return settings.report_to")
    assert "not compared" not in run("%chalice plan").text
