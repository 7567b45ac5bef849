"""People whose companies have rules deploy an app with every source, send to it, read its log, and delete it.

Who calls is decided by the local AWS's evaluator at each call, by the policy that the person has.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from nbchalice.aws.errors import explain
from nbchalice.deploy import engine
from nbchalice.deploy.package import Package
from nbchalice.errors import NbChaliceError
from nbchalice.events.send import send
from nbchalice.handlers import Handler
from nbchalice.logs.tail import recent
from nbchalice.packaging.artifact import build
from nbchalice.resources.base import or_missing
from nbchalice.resources.upload_bucket import UploadBucket
from nbchalice.sources import SOURCES

from ..deploy.harness import app, comparable, snapshot, unique
from ..events.conftest import PYTHON, Slice
from ..roles import make_role
from .use import GIVEN, live

HEAD = "from nbchalice import Chalice\napp = Chalice(app_name='shop')\n"

SERVICES = ("dynamodb", "events", "kinesis", "lambda", "logs", "s3", "scheduler", "sns", "sqs")
WORK = {"Effect": "Allow", "Action": [*(f"{service}:*" for service in SERVICES), "iam:PassRole"], "Resource": "*"}
BOTH = {"Service": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]}
TRUST = {"Effect": "Allow", "Principal": BOTH, "Action": "sts:AssumeRole"}


def texts(place):
    """A decorator for each source, by the name of its handler."""
    stream = f'"{place.table_stream}", starting_position="TRIM_HORIZON"'
    return {
        "tick": 'schedule("cron(0 9 ? * * *)", timezone="Europe/Vienna")',
        "hourly": 'schedule("rate(1 hour)")',
        "ingest": f'on_s3_event("{place.name}", prefix="in/")',
        "objects": f'on_s3_event("{place.name}", prefix="big/", via="eventbridge")',
        "announce": f'on_sns_message("{place.name}")',
        "price": f'on_sqs_message("{place.name}")',
        "orders": f'on_cw_event({{"source": ["{place.name}"]}}, bus="{place.name}")',
        "clicks": f'on_kinesis_record("{place.name}", starting_position="TRIM_HORIZON")',
        "changes": f"on_dynamodb_record({stream})",
        "web": 'lambda_function(url="iam")',
    }


class Company:
    """An app with every source, its code, and what it is attached to."""

    def __init__(self, place, **settings):
        self.place, self.name, self.code, handlers = place, unique("company"), {}, []
        for one, text in texts(place).items():
            self.code[one] = f"{HEAD}@app.{text}\ndef {one}(event):\n    print(event)\n"
            namespace = {}
            exec(self.code[one].replace(")", ", configure_logs=False)", 1), namespace)
            handlers.append(Handler(one, one, tuple(namespace[one].triggers), settings))
        self.edited = self.app = app(self.name, *handlers)
        assert {source.name for one in handlers for source, _ in one.sources()} == set(SOURCES)

    def packages(self):
        made = {name: build(Slice(code, name), name, python=PYTHON) for name, code in self.code.items()}
        return {name: Package(one.zip, one.code_sha256, PYTHON) for name, one in made.items()}


def use(aws, company):
    """Deploy, look at it, send each handler an event that it handles, and read its log."""
    made = company.app
    engine.deploy(made, company.packages, aws)
    assert engine.plan(made, company.packages, aws).changes == ()

    def handled(one):
        ref = made.ref(aws, one.name)
        ((source, options),) = one.sources()
        sent = send(aws, source, options, ref, wait=60, **GIVEN.get(one.name, {}))
        return one.name, sent.status, bool(recent(aws, ref.name, since="10m"))

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(handled, made.handlers)) == [(one.name, "done", True) for one in made.handlers]


@pytest.fixture
def company(root, shops):
    """``company(settings)``: an app, of which nothing may be left at the end."""
    made, queues = [], root.client("sqs")

    def make(**settings):
        made.append(Company(shops["second"].place, **settings))
        return made[-1]

    yield make
    for one in made:
        left = comparable(snapshot(root, one.name))
        engine.delete(one.app, root)
        assert left == "{}"
        assert not queues.list_queues(QueueNamePrefix=one.name).get("QueueUrls")


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": [WORK, *statements]}


def test_who_may_neither_make_nor_list_roles_gives_one(deployer, root, company):
    role = make_role(root.client("iam"), unique("lent"), trust=TRUST)
    aws, made = deployer(policy()), company(role=role)
    use(aws, made)
    engine.delete(made.app, aws)


def roles_with(boundary):
    """What of IAM somebody may do who may make roles with a boundary only."""
    bounded = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    making = ("CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy")
    rest = ("DeleteRole", "DeleteRolePolicy", "GetRole", "GetRolePolicy", "ListRoles", "TagRole")
    return [
        {"Effect": "Allow", "Action": [f"iam:{name}" for name in making], "Resource": "*", "Condition": bounded},
        {"Effect": "Allow", "Action": [f"iam:{name}" for name in rest], "Resource": "*"},
    ]


def test_of_whom_a_boundary_is_demanded_names_it(deployer, company, shops):
    boundary = shops["second"].place.boundary
    aws, made = deployer(policy(*roles_with(boundary))), company(permissions_boundary=boundary)
    use(aws, made)
    engine.delete(made.app, aws)


def refused(aws, company):
    """Deploy what is refused, delete what was made until then, and return the error."""
    with pytest.raises(NbChaliceError) as stopped:
        engine.deploy(company.app, company.packages, aws)
    engine.delete(company.app, aws)
    return stopped.value


def test_without_the_boundary_that_is_demanded_the_denial_says_which_option_helps(deployer, company, shops):
    error = refused(deployer(policy(*roles_with(shops["second"].place.boundary))), company())
    assert str(error).count("is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::") == 1
    assert error.hint.count("ask for iam:CreateRole on arn:aws:iam::") == 1
    assert (
        "where it wants a boundary on roles, give --permissions-boundary ARN, or a role that stands: --role ARN"
        in error.hint
    )


MADE = (
    "events:PutRule", "iam:CreateRole", "lambda:CreateEventSourceMapping", "lambda:CreateFunction", "logs:CreateLogGroup",
    "s3:CreateBucket", "sqs:CreateQueue",
)  # fmt: skip
TAGGED = {
    "Effect": "Deny", "Action": list(MADE), "Resource": "*", "Condition": {"Null": {"aws:RequestTag/CostCenter": "true"}},
}  # fmt: skip
IAM = {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}


def test_of_whom_tags_are_demanded_gives_them(deployer, root, company):
    """Live mode makes a queue, which takes tags, too."""
    aws, made = deployer(policy(IAM, TAGGED)), company(tag={"CostCenter": "42"})
    use(aws, made)
    for name in ("hourly", "price"):
        live(aws, root, made, name)
    root.client("events").disable_rule(Name=f"{made.name}-dev-hourly-event")
    (change,) = engine.deploy(made.app, made.packages, aws).plan.changes
    assert "DISABLED -> ENABLED" in change.reason  # what stands is changed by the call that makes it
    engine.delete(made.app, aws)


def test_without_the_tags_that_are_demanded_the_denial_says_which_option_helps(deployer, company):
    error = refused(deployer(policy(IAM, TAGGED)), company())
    assert "with an explicit deny in an identity-based policy" in str(error)
    assert "where it wants tags, give --tag KEY=VALUE" in error.hint


@pytest.fixture
def bucket(root):
    """The account's bucket for large files, of a region where nobody made it."""
    one = UploadBucket(root.account, "eu-west-3")
    yield one
    with or_missing():
        root.client("s3").delete_bucket(Bucket=one.name)


def test_the_bucket_for_large_files_is_made_with_the_tags_of_the_app_that_needs_it(deployer, root, bucket):
    aws, client = deployer(policy(TAGGED)), root.client("s3")
    with pytest.raises(client.exceptions.ClientError, match="not authorized to perform: s3:CreateBucket") as denied:
        bucket.write(aws, None)
    assert "give --tag KEY=VALUE" in explain(denied.value, "create upload bucket").hint
    first, second = (replace(bucket, labels=labels) for labels in ((("CostCenter", "42"),), (("Team", "shop"),)))
    first.merge(second).write(aws, None)
    tags = client.get_bucket_tagging(Bucket=bucket.name)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"CostCenter": "42", "Team": "shop"}
    assert second.differences(second.read(root)) == []  # it is of all apps
    allowed = [action for grant in second.grants for action in grant.actions]
    assert "s3:TagResource" in allowed and "s3:TagResource" not in str(bucket.grants)
