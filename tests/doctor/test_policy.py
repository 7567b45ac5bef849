"""The policy that the doctor prints: with it every command works, and without any one line of it the right error comes."""

import json
import re
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest

from nbchalice.deploy import engine
from nbchalice.doctor.policy import WHY, lines_of
from nbchalice.errors import NbChaliceError
from nbchalice.events.deadletter import dead_letters_of
from nbchalice.events.invoke import invoke
from nbchalice.events.leases import leases
from nbchalice.events.live import Live
from nbchalice.events.send import send
from nbchalice.events.triggers import routes
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.tail import recent

from ..deploy.harness import deploy, packages
from ..waiting import wait_until
from .shop import ACCOUNT, DLQ, NAME, PLACE, shop


def drifted(root):
    """Change by hand what a deploy puts right, and attach what a delete must take off."""
    iam, role = root.client("iam"), f"{NAME}-dev-price"
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
    iam.update_assume_role_policy(RoleName=f"{NAME}-dev-tick-event", PolicyDocument=document)
    target = {"Id": "other", "Arn": f"arn:aws:sqs:{root.region}:{ACCOUNT}:{PLACE}"}
    root.client("events").put_targets(Rule=f"{NAME}-dev-hourly-event", Targets=[target])


def attached(root):
    iam, role = root.client("iam"), f"{NAME}-dev-price"
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")


def live(aws, root, made, name):
    """Handle an event here, as the person whose queue it is sends one."""
    one = next(handler for handler in made.handlers if handler.name == name)
    (route,) = routes(one, made.ref(aws, name))
    handled, trouble = [], []
    going = Live(aws, route, lambda event: Invocation("1", name, "ok"), handled.append, trouble.append)
    going.start()
    (lease,) = leases(aws, NAME, "dev")
    url = root.client("sqs").get_queue_url(QueueName=PLACE)["QueueUrl"] if name == "price" else lease.url
    root.client("sqs").send_message(QueueUrl=url, MessageBody='{"source": "aws.events"}')
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def empty():
        counts = root.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return [one for one in trouble if one] or set(counts.values()) == {"0"}

    wait_until(empty)
    going.stop()
    for error in trouble:
        if error:
            raise error


def sent(aws, made):
    for one in made.handlers:
        ref = made.ref(aws, one.name)
        for source, options in one.sources():
            if source.name.startswith("on_"):
                key = {"key": "in/a.csv"} if source.name == "on_s3_event" else {}
                send(aws, source, options, ref, wait=0, **key)


def letters(aws, root, made, name):
    one = next(handler for handler in made.handlers if handler.name == name)
    url = root.client("sqs").get_queue_url(QueueName=DLQ)["QueueUrl"]
    root.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    queue = dead_letters_of(aws, one, made.ref(aws, name))
    queue.peek(1)
    queue.redrive()


def commands(aws, root):
    """Return all that a deployer does, by name; each may be done again, and returns what it tells."""
    made, edited = shop(), shop(edited=True)
    fewer = replace(edited, handlers=edited.handlers[1:])
    return {
        "find live handlers": lambda: leases(aws, NAME, "dev") and (),
        "plan": lambda: engine.plan(made, packages(made), aws).notes,
        "deploy": lambda: deploy(made, aws).plan.notes,
        "drift": lambda: drifted(root),
        "deploy what was edited": lambda: deploy(edited, aws).plan.notes,
        "deploy half of it back": lambda: (
            deploy(replace(edited, handlers=(edited.handlers[0], *made.handlers[1:])), aws).plan.notes
        ),
        "deploy other code": lambda: deploy(edited, aws, code="2").plan.notes,
        "status": lambda: engine.status(edited, packages(edited, "2"), aws).notes,
        "send": lambda: sent(aws, edited),
        "invoke": lambda: invoke(aws, edited.ref(aws, "ready"), {}) and (),
        "logs": lambda: recent(aws, edited.ref(aws, "ready").name, since="10m") and (),
        "rollback": lambda: engine.rollback(edited, "price", aws) and (),
        "live with a rule": lambda: live(aws, root, edited, "hourly"),
        "live with a queue": lambda: live(aws, root, edited, "price"),
        "dead letters of events": lambda: letters(aws, root, edited, "ready"),
        "dead letters of a queue": lambda: letters(aws, root, edited, "price"),
        "prune": lambda: deploy(fewer, aws, code="2", prune=True).plan.notes,
        "attach": lambda: attached(root),
        "delete": lambda: engine.delete(edited, aws).plan.notes,
    }


USUAL = ("find live handlers", "plan", "deploy", "send", "invoke", "logs", "delete")


def test_with_exactly_that_policy_the_usual_commands_work(deployer, root, policy):
    steps = commands(deployer(policy), root)
    told = [text for name in USUAL for text in steps[name]() or ()]
    assert [text for text in told if "denies" in text] == []


@pytest.mark.slow
def test_with_exactly_that_policy_every_command_works(deployer, root, policy):
    told = [text for step in commands(deployer(policy), root).values() for text in step() or ()]
    assert [text for text in told if "denies" in text] == []


# Lambda leaves the tags out where they may not be read: tests/deploy/test_owners.py.
NOT_DENIED = {"lambda:ListTags"}
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


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_line_of_the_policy_is_needed_and_its_lack_is_told(deployer, root, policy):
    """Somebody who may do nothing is given one line after the other, as the errors ask for them."""
    lines = set()
    url = root.client("sqs").get_queue_url(QueueName=PLACE)["QueueUrl"]
    root.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    aws = deployer(granted(policy, lines))
    for name, step in commands(aws, root).items():
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
    unused = {line for line in every - lines if not line[1].startswith(WHY) and line[0] not in NOT_DENIED}
    assert not unused, "\n".join(map(str, sorted(unused)))


def without(policy, action, sid):
    """Return a policy without one line."""
    return granted(policy, {(one, each["Sid"]) for one, each in lines_of(policy)} - {(action, sid)})


SAMPLE = [
    ("lambda:GetFunction", "Function"),
    ("lambda:CreateFunction", "Function"),
    ("iam:PassRole", "Role3"),
    ("sqs:GetQueueAttributes", "SQS"),
]


@pytest.mark.parametrize(("action", "sid"), SAMPLE)
def test_without_a_line_the_error_names_action_resource_and_the_way_round(deployer, root, policy, action, sid):
    aws, made = deployer(without(policy, action, sid)), shop()
    with pytest.raises(NbChaliceError) as refused:
        deploy(made, aws)
    assert {one for one, _ in denied([str(refused.value)])} == {action}
    assert f"ask for {action} on arn:" in str(refused.value)
    engine.delete(made, root)
