"""The doctor: each line is ok, a warning, or wrong with a fix; nothing is changed or started."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import nbformat
import pytest

from nbchalice.aws.target import connect
from nbchalice.cli import code_of
from nbchalice.doctor import account, machine, permissions
from nbchalice.doctor.examine import examine
from nbchalice.project import Project

from ..aws_configuration import KEYS


def by_name(findings):
    return {one.name: one for one in findings}


def no_connection():
    pytest.fail("AWS was connected to")


def test_on_the_command_line_without_a_notebook(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("NBCHALICE_LOCAL_HOME", str(tmp_path / "home"))
    assert code_of(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    found = {one["name"]: one for one in told["findings"]}
    assert list(found) == ["Python", "kernel", "front end", "uv", "local AWS", "real AWS"]
    assert {one["state"] for one in found.values()} == {"ok"}
    assert found["Python"]["text"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
    assert found["local AWS"]["text"].startswith("not running; it starts when it is needed")
    assert not list(tmp_path.iterdir())
    assert code_of(["doctor"]) == 0
    assert re.match(
        r"doctor: 0 wrong, 0 warnings · 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\n  ok       Python", capsys.readouterr().out
    )


def test_a_notebook_is_looked_at_and_what_is_wrong_with_it_is_told(tmp_path, capsys):
    path = tmp_path / "nb.ipynb"
    path.write_text("{}")
    assert code_of(["doctor", str(path)]) == 1
    assert "wrong    notebook" in capsys.readouterr().out
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%chalice app shop")]), path)
    assert code_of(["doctor", str(path)]) == 0
    assert f"{path}; app shop, stage dev" in capsys.readouterr().out


def test_a_running_local_aws_is_described_and_not_asked_for_more(local_aws):
    (found,) = machine.local_aws()
    assert (found.state, local_aws.endpoint in found.text) == ("ok", True), found


@pytest.mark.parametrize(
    ("versions", "state", "fix"),
    [
        ({"ipywidgets": "8.1.5", "jupyterlab_widgets": "3.0.13", "anywidget": "0.9"}, "ok", ""),
        ({"ipywidgets": "8.1.5", "jupyterlab_widgets": "1.1.7", "anywidget": "0.9"}, "wrong", "%pip install -U"),
        ({"ipywidgets": "7.8.5", "jupyterlab_widgets": "3.0.13", "anywidget": "0.9"}, "wrong", "%pip install -U"),
        ({"ipywidgets": "8.1.5", "anywidget": "0.9"}, "warning", "where JupyterLab is installed"),
        ({"ipywidgets": "8.1.5", "jupyterlab_widgets": "3.0.13"}, "wrong", "%pip install ipywidgets anywidget"),
    ],
)
def test_widgets_of_kernel_and_front_end_go_together(monkeypatch, versions, state, fix):
    monkeypatch.setattr(machine, "_kernel", lambda: object())
    monkeypatch.setattr(machine, "_version", versions.get)
    monkeypatch.setenv("JPY_SESSION_NAME", "nb.ipynb")
    (found,) = machine.front_end()
    assert (found.state, fix in found.fix) == (state, True), found


def test_a_uv_that_fails_is_told_with_the_fix(monkeypatch, tmp_path):
    program = tmp_path / "uv"
    program.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr("uv.find_uv_bin", lambda: str(program))
    (found,) = machine.uv()
    assert (found.state, found.text, found.fix) == ("wrong", "broken", "pip install --force-reinstall uv")


@pytest.mark.parametrize(
    ("seconds", "state"), [(0, "ok"), (-90, "warning"), (90, "warning"), (900, "wrong"), (-900, "wrong")]
)
def test_the_clock_is_compared_with_the_endpoints(seconds, state):
    date = format_datetime(datetime.now(UTC) - timedelta(seconds=seconds), usegmt=True)
    (found,) = account.clock({"ResponseMetadata": {"HTTPHeaders": {"date": date}}})
    assert found.state == state
    side = "ahead of" if seconds > 0 else "behind"
    assert state == "ok" or side in found.text
    assert list(account.clock({})) == []


def look():
    return by_name(examine(None, "aws", lambda: connect("aws")).findings)


def test_keys_of_a_file_are_told_with_whose_they_are(configured):
    configured(f"[default]\n{KEYS}")
    found = look()
    assert found["credentials"].text.startswith("keys in ~/.aws/config, arn:aws:")
    assert found["account"].text == "123456789012, partition aws"
    assert found["region"].text == "eu-west-1"
    assert found["endpoint"].text == "AWS's own (https://lambda.eu-west-1.amazonaws.com)"
    assert {one.state for one in found.values()} == {"ok"}


def test_an_assumed_role_is_told_with_its_end(configured):
    configured(
        f"[profile base]\n{KEYS}\n[default]\nrole_arn = arn:aws:iam::123456789012:role/d\nsource_profile = base\n"
    )
    text = look()["credentials"].text
    assert text.startswith("an assumed role, arn:aws:sts::123456789012:assumed-role/d/")
    assert " UTC, and renewed then" in text


def test_without_credentials_the_fix_is_told_and_the_exit_status_is_1(configured, capsys):
    configured("")
    found = look()["credentials"]
    assert (found.state, found.text) == ("wrong", "connecting to AWS: no AWS credentials were found")
    assert "aws configure" in found.fix
    assert code_of(["doctor", "--target", "aws"]) == 1


@pytest.fixture
def project(tmp_path, shops):
    made = shops["first"].made
    return Project(made.name, "dev", tmp_path / "nb.ipynb", (), made.handlers)


SIMULATE = {"Sid": "Ask", "Effect": "Allow", "Action": ["iam:SimulatePrincipalPolicy"], "Resource": "*"}


def with_statements(policy, *more):
    return {**policy, "Statement": [*policy["Statement"], *more]}


def test_permissions_are_asked_of_iam_where_that_is_allowed(deployer, policy, project):
    (found,) = permissions.look(project, deployer(with_statements(policy, SIMULATE)))
    assert (found.state, found.text.startswith("IAM allows all ")) == ("ok", True), found


def test_permissions_that_lack_are_named_with_the_way_round(deployer, policy, project):
    fewer = json.loads(
        json.dumps(policy).replace('"lambda:CreateFunction", ', "").replace('"sns:Publish"', '"sns:None"')
    )
    (found,) = permissions.look(project, deployer(with_statements(fewer, SIMULATE)))
    assert found.state == "wrong"
    assert (
        f"lambda:CreateFunction on arn:aws:lambda:us-east-1:000000000000:function:{project.app.name}-dev-*"
        in found.text
    )
    assert "sns:Publish on arn:aws:sns:us-east-1:000000000000:" in found.text
    assert "%chalice doctor --policy" in found.fix


def test_where_iam_may_not_be_asked_that_is_said(deployer, policy, project):
    (found,) = permissions.look(project, deployer(policy))
    assert (found.state, "AWS denies iam:SimulatePrincipalPolicy" in found.text) == ("warning", True), found


def test_an_app_without_a_name_is_wrong_on_real_aws(deployer, policy, project):
    project.is_named = False
    (found,) = machine.app(project, deployer(policy))
    assert (found.state, "%chalice app NAME" in found.fix) == ("wrong", True)
