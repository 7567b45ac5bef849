"""What a template says, without any AWS: what is filled in where it is deployed, what it leaves to others, what is refused."""

import json
import re

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.resources.base import OfTheUser, Resource
from nbchalice.resources.queue import VisibilityTimeout
from nbchalice.resources.recorded_events import RecordedEvents
from nbchalice.templates import attach
from nbchalice.templates.cloudformation import template_of
from nbchalice.templates.described import described
from nbchalice.templates.places import ACCOUNT, APP, PARTITION, REGION, STAGE, filled, referred
from nbchalice.templates.sam import for_sam

from ..deploy.harness import app, handler, package, s3, schedule, sns, sqs
from .linting import linted

# Lambda: "AWS::Lambda::Function Code", ZipFile.
LONGEST_INLINE = 4096
# Made on the local AWS alone, and removed alone.
NEVER_WANTED = {VisibilityTimeout, RecordedEvents}


def made(*handlers, name="shop", **options):
    return template_of(app(name, *handlers, **options), {one.name: package() for one in handlers})


def subclasses(cls):
    return {cls}.union(*(subclasses(one) for one in cls.__subclasses__()))


def test_every_resource_is_described_or_known_to_need_none():
    known = {one for one in subclasses(Resource) if one.__module__.startswith("nbchalice")} - NEVER_WANTED - {Resource}
    unknown = [one for one in known if described.dispatch(one) is described.dispatch(object)]
    assert not unknown and OfTheUser in known


def test_texts_that_hold_account_or_stage_are_filled_in_where_they_are_deployed():
    arn = f"arn:{PARTITION}:sqs:{REGION}:{ACCOUNT}:{APP}-{STAGE}-x"
    assert filled(arn, {}) == {
        "Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AppName}-${Stage}-x"
    }
    assert filled([ACCOUNT, "plain", 3, None, True], {}) == [{"Ref": "AWS::AccountId"}, "plain", 3, None, True]
    assert filled({"a": "the name"}, {"the name": {"Ref": "Own"}}) == {"a": {"Ref": "Own"}}


def test_what_looks_like_a_variable_stays_what_it_was():
    assert filled("${HOME}", {}) == "${HOME}"
    assert filled(f"${{HOME}} {ACCOUNT}", {}) == {"Fn::Sub": "${!HOME} ${AWS::AccountId}"}
    env = {"PATTERN": "${x}-${AWS::Region}"}
    function = made(handler("price", sqs("orders"), env=env)).body["Resources"]["PriceFunction"]["Properties"]
    assert function["Environment"] == {"Variables": env}


def test_a_text_of_the_users_that_equals_a_name_of_ours_in_an_environment_is_the_same_text():
    template = made(handler("price", sqs("orders"), env={"NAME": "shop-dev-price"}))
    function = template.body["Resources"]["PriceFunction"]["Properties"]
    assert function["Environment"]["Variables"]["NAME"] == "shop-dev-price"


def test_names_are_those_of_the_handlers_and_two_of_one_name_differ():
    twice = made(handler("on_order", sqs("a"), sqs("b")), handler("onOrder", sns("c")), handler("ON_order", sns("d")))
    names = list(twice.body["Resources"])
    assert len(names) == len(set(names)) and "OnOrderFunction" in names
    assert len([one for one in names if re.fullmatch("OnOrderFunction([0-9a-f]{8})?", one)]) == 2
    assert "ONOrderFunction" in names
    assert all(re.fullmatch("[A-Za-z0-9]+", one) for one in names)
    once = made(handler("on_order", sqs("a")))
    assert {one for one in once.body["Resources"] if "Mapping" in one} < set(names)  # a second trigger renames none


def test_parameters_are_those_that_the_template_uses(tmp_path):
    body = made(handler("tick", schedule("rate(1 hour)"))).body
    assert list(body["Parameters"]) == ["AppName", "Stage", "CodeBucket", "CodePrefix"]
    assert body["Parameters"]["Stage"]["Default"] == "dev"
    sam = for_sam(body)
    assert list(sam["Parameters"]) == ["AppName", "Stage"]
    assert set(referred(body["Resources"])) >= set(body["Parameters"])
    assert linted(body, tmp_path) == linted(sam, tmp_path) == []


def test_settings_that_only_a_real_account_has_are_in_it(tmp_path):
    signing = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
    one = handler(
        "price", sqs("orders"), code_signing=signing, runtime_management="FunctionUpdate", log_group="team",
        subnet=["subnet-0123456789abcdef0"], security_group=["sg-0123456789abcdef0"], tracing=True,
        role_path="/team/", permissions_boundary="arn:aws:iam::123456789012:policy/bound", tag={"team": "a"},
    )  # fmt: skip
    body = made(one).body
    function, role = (body["Resources"][f"Price{what}"]["Properties"] for what in ("Function", "Role"))
    assert function["CodeSigningConfigArn"] == signing
    assert function["RuntimeManagementConfig"] == {"UpdateRuntimeOn": "FunctionUpdate"}
    assert function["LoggingConfig"]["LogGroup"] == "team" and "PriceLogGroup" not in body["Resources"]
    assert function["VpcConfig"]["SubnetIds"] == ["subnet-0123456789abcdef0"]
    assert function["Tags"] == role["Tags"] == [{"Key": "team", "Value": "a"}]
    assert (role["Path"], role["PermissionsBoundary"]) == ("/team/", "arn:aws:iam::123456789012:policy/bound")
    assert "RoleName" not in role
    assert linted(body, tmp_path) == linted(for_sam(body), tmp_path) == []


def test_values_of_the_environment_and_the_queues_timeout_are_told():
    template = made(handler("price", sqs("orders"), env={"RATE": "2", "CURRENCY": "EUR"}))
    told = "\n".join(template.notes)
    assert "holds the values of CURRENCY and RATE as they are" in told
    assert "price: the visibility timeout of the queue must not be below the function's timeout" in told
    assert made(handler("tick", schedule("rate(1 hour)"))).notes == ()


def test_what_no_template_makes_is_refused_before_anything_is_written():
    with pytest.raises(
        NbChaliceError, match="--record keeps events in the bucket of nbchalice, which no template makes"
    ):
        made(handler("price", sqs("orders"), record=10))
    with pytest.raises(NbChaliceError, match="501|[0-9]{3} resources; CloudFormation takes 500"):
        made(*(handler(f"h{number}", sns("news")) for number in range(101)))


def test_an_app_that_a_deploy_refuses_has_no_template():
    with pytest.raises(NbChaliceError, match="app name 'my shop'"):
        made(handler("price", sqs("orders")), name="my shop")


def test_the_code_that_attaches_fits_into_a_template():
    body = made(handler("ingest", s3("files", prefix="in/"))).body
    text = body["Resources"]["AttachFunction"]["Properties"]["Code"]["ZipFile"]
    assert len(text) <= LONGEST_INLINE and "def lambda_handler" in text and "nbchalice" not in text
    assert compile(text, "index.py", "exec") and attach.lambda_handler.__module__ == "nbchalice.templates.attach"


def test_what_attaches_has_the_tags_of_the_handlers(tmp_path):
    one, two = (
        handler("ingest", s3("files", prefix="in/"), tag={"team": "a"}),
        handler("tick", schedule("rate(1 hour)"), tag={"cost": "42"}),
    )
    body = made(one, two).body
    for name in ("AttachFunction", "AttachRole", "AttachLogGroup"):
        assert {tag["Key"]: tag["Value"] for tag in body["Resources"][name]["Properties"]["Tags"]} == {
            "team": "a",
            "cost": "42",
        }
    assert linted(body, tmp_path) == linted(for_sam(body), tmp_path) == []


def test_a_template_without_buckets_and_redrive_policies_attaches_nothing():
    assert not any(name.startswith("Attach") for name in made(handler("price", sqs("orders"))).body["Resources"])
    assert "AttachFunction" in made(handler("price", sqs("orders"), dlq="dead")).body["Resources"]


def test_a_template_is_the_same_each_time():
    handlers = [handler("price", sqs("orders")), handler("ingest", s3("files", prefix="in/"))]
    assert json.dumps(made(*handlers).body) == json.dumps(made(*handlers).body)
