"""The policy that the doctor prints: with it every command works, and without any one line of it the right error comes."""

import json
import os
import re
from fnmatch import fnmatchcase

import pytest

from nbchalice.deploy import engine
from nbchalice.doctor.policy import WHY, lines_of
from nbchalice.errors import NbChaliceError
from nbchalice.project import Project
from nbchalice.resources.base import or_missing
from nbchalice.resources.upload_bucket import upload_bucket
from nbchalice.ui.live_mode import beside, explain_paused, settle

from .conftest import least
from .use import QUEUES, commands

WHOLE = os.environ.get("NBCHALICE_POLICY") == "whole"
USUAL = ("find live handlers", "plan", "deploy", "send", "invoke", "logs", "delete")


@pytest.fixture(scope="module", params=["first", "second"])
def shop(request, shops):
    return shops[request.param]


@pytest.fixture(scope="module")
def policy(root, shop):
    return least(shop, root)


def test_with_exactly_that_policy_the_usual_commands_work(deployer, root, shop, policy):
    steps = commands(deployer(policy), root, shop)
    told = [text for name in USUAL for text in steps[name]() or ()]
    assert [text for text in told if "denies" in text] == []


@pytest.mark.slow
def test_with_exactly_that_policy_every_command_works(deployer, root, shop, policy):
    told = [text for step in commands(deployer(policy), root, shop).values() for text in step() or ()]
    assert [text for text in told if "denies" in text] == []


# Lambda leaves the tags out where they may not be read: tests/deploy/test_owners.py.
# What cannot be looked at of a bus is AWS's to say: a deploy goes on.
NOT_DENIED = {"lambda:ListTags", "events:DescribeEventBus"}
# AWS asks for these within a call of another name, or where one is cut short, or the local AWS has no such call.
NOT_ASKED_HERE = {
    "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "logs:AssociateKmsKey", "s3:AbortMultipartUpload", "s3:GetObject",
}  # fmt: skip
ASKED = re.compile(r"(?:ask for|must allow) ((?:\w+:\w+(?: and )?)+)(?: on (arn:[^\s;,]+))?")
NOTED = re.compile(r"AWS denies (\w+:\w+)")
MOST_TRIES = 30


def denied(texts):
    """Return which actions are asked for, on what: by errors, which tell the way round, and by notes."""
    found = set()
    for text in texts:
        for actions, arn in ASKED.findall(text):
            found |= {(action, arn or "*") for action in actions.split(" and ")}
            assert "%chalice doctor --policy" in text, text
        found |= {(action, "*") for action in NOTED.findall(text)}
    return found


def granted(policy, lines):
    statements = []
    for statement in policy["Statement"]:
        actions = [action for action in statement["Action"] if (action, statement["Sid"]) in lines]
        statements += [{**statement, "Action": actions}] if actions else []
    return {**policy, "Statement": statements}


def lines_for(policy, action, arn):
    """Return the lines of a policy that allow an action on something."""
    for one, statement in lines_of(policy):
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if one.lower() == action.lower() and (arn == "*" or any(fnmatchcase(arn, each) for each in resources)):
            yield one, statement["Sid"]


def as_at_first(root, place):
    """Take back what no delete takes back, and an earlier test may have left."""
    queues, s3 = root.client("sqs"), root.client("s3")
    for ending in QUEUES.values():
        url = queues.get_queue_url(QueueName=place.name + ending)["QueueUrl"]
        queues.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    s3.put_bucket_notification_configuration(Bucket=place.name, NotificationConfiguration={})
    with or_missing():
        bucket = upload_bucket(root.account, root.region)
        for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=one["Key"])
        s3.delete_bucket(Bucket=bucket)


@pytest.mark.slow
@pytest.mark.skipif(not WHOLE, reason="make test-all takes away each line")
@pytest.mark.timeout(900)
def test_each_line_of_the_policy_is_needed_and_its_lack_is_told(deployer, root, shop, policy):
    """Somebody who may do nothing is given one line after the other, as the errors ask for them."""
    lines = set()
    as_at_first(root, shop.place)
    aws = deployer(granted(policy, lines))
    for name, step in commands(aws, root, shop).items():
        for _ in range(MOST_TRIES):
            texts = []
            try:
                texts = step() or ()
            except NbChaliceError as error:
                texts = [str(error)]
                assert denied(texts), texts
            more = {line for action, arn in denied(texts) for line in lines_for(policy, action, arn)} - lines
            if not more:
                break
            lines |= more
            deployer(granted(policy, lines))
        assert not denied(texts), f"{name} is still refused: {texts}"
    every = {(action, statement["Sid"]) for action, statement in lines_of(policy)}
    unused = {
        line for line in every - lines if not line[1].startswith(WHY) and line[0] not in NOT_DENIED | NOT_ASKED_HERE
    }
    assert not unused, "\n".join(map(str, sorted(unused)))


def without(policy, action, sid):
    """Return a policy without one line."""
    return granted(policy, {(one, each["Sid"]) for one, each in lines_of(policy)} - {(action, sid)})


def test_who_may_not_list_queues_deploys_and_is_told_what_was_not_looked_for(deployer, shop, policy, tmp_path):
    (sid,) = {each["Sid"] for one, each in lines_of(policy) if one == "sqs:ListQueues"}
    aws = deployer(without(policy, "sqs:ListQueues", sid))

    def notes(handlers):
        project = Project(shop.made.name, "dev", tmp_path / "nb.ipynb", (), handlers)
        planned = engine.plan(project.app, shop.packages(project.app), aws)
        return [settle(project, aws, end_own=True)[0], beside(project, aws), *explained(planned, project, aws)]

    text = "whether handlers are live in a kernel was not looked for: AWS denies sqs:ListQueues"
    assert notes(shop.made.handlers) == [[text], [text], text]
    assert notes(tuple(one for one in shop.made.handlers if not one.triggers)) == [[], []]


def explained(planned, project, aws):
    return explain_paused(planned, project, aws).notes[len(planned.notes) :]


def statement_of(policy, action, about, place):
    """Return which statement allows an action on something."""
    for one, statement in lines_of(policy):
        if one == action and about.replace("PLACE", place.name) in json.dumps(statement["Resource"]):
            return statement["Sid"]
    raise AssertionError(f"no line for {action} on {about}")


SAMPLE = {
    "first": [
        ("lambda:GetFunction", "function:"), ("lambda:CreateFunction", "function:"), ("iam:PassRole", "-event"),
        ("sqs:GetQueueAttributes", ":PLACE"), ("scheduler:CreateSchedule", "schedule/"),
        ("s3:PutBucketNotification", "PLACE"), ("sns:Subscribe", "PLACE"),
    ],
    "second": [
        ("kinesis:DescribeStreamSummary", "PLACE"), ("dynamodb:DescribeTable", "PLACE"), ("events:PutRule", "PLACE"),
        ("lambda:CreateFunctionUrlConfig", "function:"), ("lambda:PublishLayerVersion", "layer:"),
        ("s3:GetLifecycleConfiguration", "nbchalice-"), ("s3:PutObject", "nbchalice-"),
        ("lambda:PutFunctionEventInvokeConfig", "function:"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("shop", "action", "about"), [(shop, *line) for shop in SAMPLE for line in SAMPLE[shop]], indirect=["shop"]
)
def test_without_a_line_the_error_names_action_resource_and_the_way_round(deployer, root, shop, action, about):
    policy = least(shop, root)
    aws = deployer(without(policy, action, statement_of(policy, action, about, shop.place)))
    try:
        with pytest.raises(NbChaliceError) as refused:
            engine.deploy(shop.made, shop.packages(shop.made), aws)
        assert {one for one, _ in denied([str(refused.value)])} == {action}
        assert f"ask for {action} on arn:" in str(refused.value)
    finally:
        engine.delete(shop.made, root)
