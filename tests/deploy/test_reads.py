"""What a deploy asks AWS before it changes anything: each question once, and many of one kind as a list."""

from collections import Counter
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from nbchalice.aws.target import connect
from nbchalice.deploy import listed, reads
from nbchalice.deploy.reads import Reads
from nbchalice.resources.base import is_missing
from nbchalice.resources.event_source_mapping import read_mappings

from ..roles import TRUST
from .harness import app, deploy, handler, plan, s3, schedule, sns, sqs
from .injection import disturbed_connection
from .test_companies import DENIED
from .test_passing import Refusing


def many(name, count=20):
    return app(name, *(handler(f"h{number}", ("lambda_function", {})) for number in range(count)))


def asked(connection, name):
    before = len(connection.calls)
    assert len([change for change in plan(many(name), connection).changes if change.resource.kind == "role"]) == 20
    return Counter(operation for _, operation in connection.calls[before:])


def test_where_few_roles_stand_those_of_many_handlers_are_listed(connection, name):
    found = asked(connection, name)
    assert (found["GetRole"], found["ListRoles"]) == (8, 2)


class Endless:
    """A connection on which the list of all roles goes on after its first page, as AWS says where there are many."""

    def __init__(self, local_aws):
        self.aws = disturbed_connection(local_aws, connect("local"), self, 1)

    def before_send(self, client, request, event_name):
        if not event_name.endswith(".ListRoles") or "MaxItems" not in str(request.body):
            return None
        answer = client._endpoint.http_session.send(request)
        answer._content = answer.content.replace(
            b"<IsTruncated>false</IsTruncated>", b"<IsTruncated>true</IsTruncated><Marker>x</Marker>"
        )
        return answer


def test_where_the_list_goes_on_each_is_asked_for(name, local_aws):
    assert asked(Endless(local_aws).aws, name)["GetRole"] == 20


def test_who_may_not_list_roles_asks_for_each(name, local_aws):
    denying = Refusing(local_aws, {"ListRoles": DENIED}, times=1_000_000)
    assert asked(denying.aws, name)["GetRole"] == 20


THINGS = {
    "iam": (
        "get_role",
        {"RoleName": "{}"},
        "create_role",
        {"RoleName": "{}", "AssumeRolePolicyDocument": TRUST.replace("{", "{{").replace("}", "}}")},
    ),
    "lambda": ("get_function", {"FunctionName": "{}"}, None, {}),
    "s3": ("head_bucket", {"Bucket": "{}"}, "create_bucket", {"Bucket": "{}"}),
    "sns": ("get_topic_attributes", {"TopicArn": "arn:aws:sns:us-east-1:{account}:{}"}, "create_topic", {"Name": "{}"}),
    "sqs": ("get_queue_url", {"QueueName": "{}"}, "create_queue", {"QueueName": "{}"}),
    "events": ("describe_rule", {"Name": "{}"}, "put_rule", {"Name": "{}", "ScheduleExpression": "rate(1 day)"}),
}


def filled(arguments, name, aws):
    return {key: value.format(name, account=aws.account) for key, value in arguments.items()}


@pytest.mark.parametrize("service", THINGS)
def test_what_is_asked_for_by_a_list_is_answered_as_by_itself(connection, name, service):
    ask, arguments, make, with_what = THINGS[service]
    if make:
        getattr(connection.client(service), make)(**filled(with_what, name, connection))
    else:
        deploy(app(name.removesuffix("-dev-h"), handler("h", ("lambda_function", {}))), connection)
        name = f"{name.removesuffix('-dev-h')}-dev-h"
    asking, by_itself = Reads(connection).client(service), connection.client(service)
    before = len(connection.calls)
    for number in range(20):
        with pytest.raises(ClientError) as missing:
            getattr(asking, ask)(**filled(arguments, f"{name}-{number}", connection))
        assert is_missing(missing.value)
    assert len(connection.calls) - before <= 9  # the list, and a few by themselves
    standing = getattr(asking, ask)(**filled(arguments, name, connection))
    alone = getattr(by_itself, ask)(**filled(arguments, name, connection))
    assert {**standing, "ResponseMetadata": None} == {**alone, "ResponseMetadata": None}


def test_on_aws_only_roles_are_listed(connection, name):
    asking = Reads(connection)
    asking.local = False
    for number in range(5):
        with pytest.raises(ClientError):
            asking.client("lambda").get_function(FunctionName=f"{name}-{number}")
    assert not [call for call in connection.calls if call[1] == "ListFunctions"]


def test_who_may_not_list_what_stands_asks_for_each(name, local_aws):
    denied = {one.operation.title().replace("_", ""): DENIED for one in listed.LISTINGS}
    denying = Refusing(local_aws, denied, times=1_000_000)
    before = len(denying.aws.calls)
    plan(many(name, 6), denying.aws)
    assert Counter(call[1] for call in denying.aws.calls[before:])["GetFunction"] == 6


def test_the_mappings_of_many_functions_come_out_of_one_list(connection, name):
    handlers = [handler(f"h{n}", sqs(f"{name}-{n}")) for n in range(12)]
    several = app(name, *handlers)
    before = len(connection.calls)
    deploy(several, connection)
    asked = Counter(call[1] for call in connection.calls[before:])
    assert asked["ListEventSourceMappings"] == 2  # before, and when all is made
    before = len(connection.calls)
    assert not plan(several, connection).changes
    asked = Counter(call[1] for call in connection.calls[before:])
    assert asked["ListEventSourceMappings"] == reads.FEW_MAPPINGS + 1
    assert [m["EventSourceArn"].rsplit(":", 1)[1] for m in read_mappings(Reads(connection), f"{name}-dev-h3")] == [
        f"{name}-3"
    ]


def test_a_list_of_mappings_that_goes_on_is_left_for_single_questions(connection, name, monkeypatch):
    several = app(name, *(handler(f"h{n}", sqs(f"{name}-{n}")) for n in range(3)))
    deploy(several, connection)
    client = connection.client("lambda")
    stock = client.list_event_source_mappings
    monkeypatch.setattr(client, "list_event_source_mappings", lambda **given: stock(**given or {"MaxItems": 1}))
    known = Reads(connection, known=True)
    assert all(len(read_mappings(known, f"{name}-dev-h{number}")) == 1 for number in range(3))


def test_who_may_see_the_mappings_of_single_functions_only_asks_for_each(connection, name, monkeypatch):
    made = app(name, handler("h", sqs(name)))
    deploy(made, connection)
    client = connection.client("lambda")
    stock = client.list_event_source_mappings

    def limited(**given):
        if not given:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "ListEventSourceMappings")
        return stock(**given)

    monkeypatch.setattr(client, "list_event_source_mappings", limited)
    assert len(read_mappings(Reads(connection, known=True), f"{name}-dev-h")) == 1


def test_a_first_deploy_makes_few_calls_for_each_handler(connection, name):
    """Where AWS is near, the price of a call is all that counts."""

    def calls(count):
        triggers = []
        for place in (f"{name}x{count}x{number}" for number in range(count // 4)):
            triggers += [schedule(), s3(place), sns(place), sqs(place)]
        one = app(f"{name}x{count}", *(handler(f"h{number}", trigger) for number, trigger in enumerate(triggers)))
        return deploy(one, connection).api_calls

    assert (calls(40) - calls(24)) / 16 <= 9


def test_a_role_that_stands_is_found_whichever_way_it_is_asked_for(connection, name, monkeypatch):
    monkeypatch.setattr(listed, "LISTINGS", [replace(one, few=0) for one in listed.LISTINGS])
    connection.client("iam").create_role(RoleName=name, Path="/other/", AssumeRolePolicyDocument=TRUST)
    client = Reads(connection).client("iam")
    assert client.get_role(RoleName=name)["Role"]["Path"] == "/other/"
    for _ in range(2):
        with pytest.raises(ClientError) as missing:
            client.get_role(RoleName=f"{name}-not")
        assert missing.value.response["Error"]["Code"] == "NoSuchEntity"
