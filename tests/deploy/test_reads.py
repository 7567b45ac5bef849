"""What a deploy asks AWS before it changes anything: each question once, and many of one kind as a list."""

from collections import Counter

import pytest
from botocore.exceptions import ClientError

from nbchalice.aws.target import connect
from nbchalice.deploy import reads
from nbchalice.deploy.reads import Reads

from .harness import app, handler, plan
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
    assert (found["GetRole"], found["ListRoles"]) == (reads.SINGLE_ROLES, 2)


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


def test_a_role_that_stands_is_found_whichever_way_it_is_asked_for(connection, name, monkeypatch):
    monkeypatch.setattr(reads, "SINGLE_ROLES", 0)
    connection.client("iam").create_role(RoleName=name, Path="/other/", AssumeRolePolicyDocument="{}")
    client = Reads(connection).client("iam")
    assert client.get_role(RoleName=name)["Role"]["Path"] == "/other/"
    for _ in range(2):
        with pytest.raises(ClientError) as missing:
            client.get_role(RoleName=f"{name}-not")
        assert missing.value.response["Error"]["Code"] == "NoSuchEntity"
