"""The role of functions that benchmarks make by hand: it may do all, and Lambda may assume it."""

from __future__ import annotations

import contextlib
import json
from typing import Any


def make_role(iam: Any) -> str:
    """Make the role where it is missing; return its ARN.

    Parameters
    ----------
    iam : boto3 client
        Of the local AWS.
    """
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="bench", AssumeRolePolicyDocument=policy(trusted))
    allowed = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    iam.put_role_policy(RoleName="bench", PolicyName="all", PolicyDocument=allowed)
    return "arn:aws:iam::000000000000:role/bench"


def policy(statement: dict[str, object]) -> str:
    """Return a policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
