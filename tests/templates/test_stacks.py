"""Templates of apps with every source: they pass the linter, make what a deploy makes, handle events, and vanish."""

import json

import pytest
from samtranslator.translator.transform import transform

from nbchalice.resources.stored_bundle import bundle_folder
from nbchalice.resources.upload_bucket import upload_bucket
from nbchalice.templates.cloudformation import template_of
from nbchalice.templates.sam import for_sam

from ..deploy.harness import app, handler, package, s3, sqs, unique
from ..doctor.conftest import root, shops  # noqa: F401
from ..waiting import wait_until
from .linting import linted
from .stacks import NOT_RUN, PREFIX, Comparison, Handling, delete_stack, everything, ids_of, paired, put_stack, uploaded

pytestmark = pytest.mark.local_aws


class Stack(Handling):
    """A stack of an app."""

    def __init__(self, aws, shop):
        self.aws, self.shop, self.app = aws, shop, shop.made
        self.before = everything(aws, shop.place)
        self.packages = shop.packages(self.app)()
        self.template = template_of(self.app, self.packages)
        self.parameters = uploaded(aws, self.template, unique("code"))
        put_stack(aws, self.app.name, self.template.body, self.parameters)
        self.ids = ids_of(aws, self.app.name)
        self.made, self.left_out = paired(self.app, self.packages, self.template, aws)

    def compared(self):
        """In what each resource is not as a deploy makes it, by its name in the template."""
        folder = f"{upload_bucket(self.aws.account, self.aws.region)}/{bundle_folder(self.app.name, self.app.stage)}"
        stored = (folder, f"{self.parameters['CodeBucket']}/{PREFIX}")
        both = Comparison(self.aws, self.template.body, self.parameters, self.ids, self.made, stored)
        return {name: both.unlike(name) for name in self.made}


@pytest.fixture(scope="module", params=["first", "second"])
def stack(request, root, shops):  # noqa: F811
    return Stack(root, shops[request.param])


def test_the_linter_has_nothing_to_say(stack, tmp_path):
    for body in (stack.template.body, for_sam(stack.template.body)):
        assert linted(body, tmp_path) == []


def test_each_resource_is_as_a_deploy_makes_it(stack, capsys):
    rows = stack.compared()
    with capsys.disabled():
        print(f"\nresources of the stack {stack.app.name}, beside what a deploy makes:")
        for name, reasons in rows.items():
            print(f"  {stack.made[name].kind:22} {name:34} {'; '.join(reasons) or 'equal'}")
    assert {name: reasons for name, reasons in rows.items() if reasons} == {}
    assert stack.left_out <= {"event invoke config", "bundle", "upload bucket"}


def test_an_event_of_each_source_is_handled(stack):
    waiting = [one for one in stack.app.handlers if one.name not in NOT_RUN]
    for one in waiting:
        stack.send(one)
    wait_until(lambda: not [one.name for one in waiting if not stack.handled(one)])


def test_sams_own_translator_makes_the_same_of_it(stack, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    body = for_sam(stack.template.body)
    code = {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": "x"}
    for one in body["Resources"].values():
        given = one["Properties"]
        if one["Type"] == "AWS::Serverless::Function" and "CodeUri" in given:
            assert given["CodeUri"].startswith("./code/")
            given["CodeUri"] = "s3://bucket/key"
    made = transform(body, {}, None)["Resources"]
    for name, one in stack.template.body["Resources"].items():
        wanted, given = dict(one["Properties"]), dict(made[name]["Properties"])
        given["Tags"] = [tag for tag in given.get("Tags", []) if tag["Key"] != "lambda:createdBy"]
        assert made[name]["Type"] == one["Type"] and made[name].get("DependsOn", []) == one.get("DependsOn", [])
        if one["Type"] in {"AWS::Lambda::Function", "AWS::Lambda::LayerVersion"}:
            wanted, given = ({**each, "Code": code, "Content": code} for each in (wanted, given))
        assert {"Tags": [], **wanted} == {"Tags": [], **given}, name


def test_nothing_is_left_when_the_stack_has_gone(stack):
    delete_stack(stack.aws, stack.app.name)
    assert everything(stack.aws, stack.shop.place) == stack.before


def entries(aws, bucket):
    standing = aws.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    return sorted(
        one["LambdaFunctionArn"].rpartition(":")[2] for one in standing.get("LambdaFunctionConfigurations", [])
    )


def test_an_update_changes_only_our_own_entries_of_a_bucket(root):  # noqa: F811
    name, bucket, other = unique("shop"), unique("files"), unique("foreign")
    root.client("s3").create_bucket(Bucket=bucket)
    foreign = app(other, handler("theirs", s3(bucket, prefix="theirs/")))
    put_stack_of(root, foreign)
    first = app(name, handler("one", s3(bucket, prefix="a/")), handler("two", s3(bucket, prefix="b/")))
    parameters = put_stack_of(root, first)
    assert (
        entries(root, bucket) == [f"{other}-dev-theirs", f"{name}-dev-one", f"{name}-dev-two"]
        or len(entries(root, bucket)) == 3
    )
    second = app(name, handler("one", s3(bucket, prefix="c/")))
    template = template_of(second, {"one": package("2")})
    for file, content in template.files.items():
        root.client("s3").put_object(Bucket=parameters["CodeBucket"], Key=parameters["CodePrefix"] + file, Body=content)
    put_stack(root, name, template.body, parameters, "update")
    assert sorted(entries(root, bucket)) == sorted([f"{other}-dev-theirs", f"{name}-dev-one"])
    delete_stack(root, name)
    assert entries(root, bucket) == [f"{other}-dev-theirs"]
    delete_stack(root, other)
    assert entries(root, bucket) == []


def put_stack_of(aws, made):
    template = template_of(made, {one.name: package() for one in made.handlers})
    parameters = uploaded(aws, template, unique("code"))
    put_stack(aws, made.name, template.body, parameters)
    return parameters


def test_a_queue_that_has_other_dead_letters_keeps_them_and_the_stack_says_so(root):  # noqa: F811
    name = unique("shop")
    client = root.client("sqs")
    theirs = {"deadLetterTargetArn": f"arn:aws:sqs:{root.region}:{root.account}:{name}-theirs", "maxReceiveCount": "3"}
    for ending in ("-theirs", "-ours"):
        client.create_queue(QueueName=name + ending)
    url = client.create_queue(
        QueueName=name, Attributes={"RedrivePolicy": json.dumps(theirs), "VisibilityTimeout": "60"}
    )
    made = app(name, handler("price", sqs(name), dlq=f"{name}-ours"))
    with pytest.raises(AssertionError, match=f"it has another dead-letter queue already, .*{name}-theirs"):
        put_stack_of(root, made)
    attributes = client.get_queue_attributes(QueueUrl=url["QueueUrl"], AttributeNames=["RedrivePolicy"])["Attributes"]
    assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].endswith("-theirs")
