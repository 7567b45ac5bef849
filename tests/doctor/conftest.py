"""Somebody who may do what a policy allows and nothing else, and an app for which that is asked."""

import json
from contextlib import suppress

import boto3
import pytest
from botocore.config import Config

from nbchalice.aws.target import Connection, Target, connect
from nbchalice.deploy import engine
from nbchalice.doctor.policy import policy_of
from nbchalice.errors import NbChaliceError

from ..aws_configuration import configured
from ..deploy.harness import unique
from ..roles import NOTHING, make_role
from .shop import ACCOUNT, first, places, second, small_limit

__all__ = ["configured"]


@pytest.fixture(scope="module")
def shops(local_aws):
    """Both apps, by name; what they are attached to stands."""
    undo = small_limit()
    place = places(connect("local"))
    yield {"first": first(place), "second": second(place)}
    undo()


@pytest.fixture(scope="module")
def root(shops):
    """Who may do everything."""
    aws = connect("local")
    yield aws
    for shop in shops.values():
        with suppress(NbChaliceError):
            engine.delete(shop.made, aws)


@pytest.fixture(scope="module")
def deployer(local_aws, root):
    """``deployer(policy)``: a connection of somebody who is allowed that, and nothing else."""
    name = unique("deployer")
    make_role(root.client("iam"), name, NOTHING)
    answer = root.client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}", RoleSessionName="ann@x.org")
    given = answer["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, max_pool_connections=64)

    def new_client(service, region, patience=None):
        return boto3.client(service, config=config, **{**local_aws.client_kwargs(), **keys})

    user = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/ann@x.org"
    made = Connection(Target("aws", root.region, root.account, user=user), new_client)

    def allowed(policy):
        document = {**policy, "Statement": [*policy["Statement"], *NOTHING]}
        root.client("iam").put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=json.dumps(document))
        return made

    return allowed


def least(shop, aws):
    """The policy for an app."""
    return policy_of(shop.made, shop.packages(shop.made)(), aws)


@pytest.fixture(scope="module")
def policy(root, shops):
    return least(shops["first"], root)
