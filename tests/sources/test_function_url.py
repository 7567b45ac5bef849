"""Functions with a URL: who may call it is said, found again, changed and taken away."""

import json

import pytest

from nbchalice.deploy import engine
from nbchalice.resources.base import FunctionRef
from nbchalice.resources.function_url import ACTIONS, FunctionUrl, UrlPermission
from nbchalice.sources import SOURCES
from nbchalice.testing.model import ModelAWS

SOURCE = SOURCES["lambda_function"]
REF = FunctionRef("app", "dev", "price", "eu-west-1", "123456789012")


def statements(one):
    client = one.aws.client("lambda")
    try:
        policy = json.loads(client.get_policy(FunctionName=one.ref.name)["Policy"])["Statement"]
    except client.exceptions.ResourceNotFoundException:
        return {}
    return {s["Action"]: (s["Principal"], s["Condition"]) for s in policy}


def url(one):
    client = one.aws.client("lambda")
    try:
        return client.get_function_url_config(FunctionName=one.ref.name)
    except client.exceptions.ResourceNotFoundException:
        return None


def test_a_public_url_is_made_shown_and_changed(deployable):
    one = deployable("@app.lambda_function(url='public')")
    done = one.deploy()
    made = url(one)
    assert made["AuthType"] == "NONE"
    assert statements(one) == {
        "lambda:InvokeFunctionUrl": ("*", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}),
        "lambda:InvokeFunction": ("*", {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
    }
    (shown,) = [note for note in done.plan.notes if made["FunctionUrl"] in note]
    assert shown.startswith(f"price: {made['FunctionUrl']} (public)")
    assert shown in engine.status(one.app, one.packages, one.aws).notes
    assert one.plan().changes == ()
    one.change("@app.lambda_function(url='iam')")
    one.deploy()
    assert url(one)["AuthType"] == "AWS_IAM" and url(one)["FunctionUrl"] == made["FunctionUrl"]
    # AWS writes the account as the ARN of its root.
    assert [one.aws.account in who["AWS"] for who, _ in statements(one).values()] == [True, True]
    assert one.plan().changes == ()
    one.change("@app.lambda_function()")
    assert {("delete", "function URL"), ("delete", "URL permission")} <= set(one.changes())
    assert (url(one), statements(one)) == (None, {})
    assert one.plan().changes == ()


def test_what_was_changed_by_hand_is_repaired(deployed):
    one = deployed("@app.lambda_function(url='iam')")
    client = one.aws.client("lambda")
    client.update_function_url_config(FunctionName=one.ref.name, AuthType="NONE")
    assert "AWS_IAM" in str(one.plan().changes[0])
    one.deploy()
    client.remove_permission(FunctionName=one.ref.name, StatementId="nbchalice-url-iam-InvokeFunction")
    assert one.changes() == [("create", "URL permission")]
    client.delete_function_url_config(FunctionName=one.ref.name)
    assert one.changes() == [("create", "function URL")]
    one.delete()
    assert one.plan().changes[0].action == "create"


def test_public_is_said_before_anything_is_made(deployable, monkeypatch):
    one = deployable("@app.lambda_function(url='public')")
    monkeypatch.setattr(one.aws, "local", False)
    told = [note for note in one.plan().notes if "public" in note]
    assert told == ["price: its URL is public: anyone on the internet who knows it can run the function"]
    assert SOURCE.notes({"url": "public"}, {})[0] == told[0].partition(": ")[2]
    monkeypatch.setattr(one.aws, "local", True)
    one.change("@app.lambda_function(url='iam')")
    assert not [note for note in one.plan().notes if "public" in note]


def test_other_words_are_refused():
    (text,) = SOURCE.problems({"url": "open"})
    assert text == "--url is one of iam, public, not 'open'"


@pytest.mark.parametrize("access", ["iam", "public"])
def test_the_calls_are_those_of_the_model(access):
    aws = ModelAWS()
    for resource in SOURCE.resources({"url": access}, REF):
        resource.write(aws, None)
        resource.delete(aws, {})
    names = [name for _, name, _ in aws.calls]
    assert names.count("AddPermission") == names.count("RemovePermission") == 2
    assert {"CreateFunctionUrlConfig", "DeleteFunctionUrlConfig"} <= set(names)


def test_a_change_that_was_cut_short_is_found_again():
    policy = [{"Sid": UrlPermission(REF, access, action).sid} for access in ("iam", "public") for action in ACTIONS]
    found = {one.key for one in SOURCE.attached(REF, [*policy, {"Sid": "nbchalice-sns-1"}, {}], [])}
    wanted = [UrlPermission(REF, access, action) for access in ("iam", "public") for action in ACTIONS]
    assert found == {one.key for one in [*wanted, FunctionUrl(REF)]}
    assert SOURCE.attached(REF, [{"Sid": "nbchalice-sns-1"}], []) == []


def test_another_statement_under_the_id_is_seen():
    mine = UrlPermission(REF, "iam", ACTIONS[0])
    right = {
        "Action": ACTIONS[0], "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
    }  # fmt: skip
    assert mine.differences(right) == []
    for wrong in (
        {**right, "Principal": "*"}, {**right, "Action": "lambda:*"}, {**right, "Condition": {}},
        {**right, "Principal": {"AWS": "arn:aws:iam::999999999999:root"}},
        {**right, "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}},
    ):  # fmt: skip
        assert mine.differences(wrong) == ["its statement is not the wanted one"], wrong
