"""Roles of functions that tests make by hand."""

import contextlib
import json

ANYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
BY_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
BY_SCHEDULER = {**BY_LAMBDA, "Principal": {"Service": "scheduler.amazonaws.com"}}
BY_BOTH = {**BY_LAMBDA, "Principal": {"Service": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]}}
PERSON = "arn:aws:iam::000000000000:root"
BY_LAMBDA_OR_PERSON = {**BY_LAMBDA, "Principal": {**BY_LAMBDA["Principal"], "AWS": PERSON}}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [BY_LAMBDA]})
NOTHING = [{"Effect": "Allow", "Action": "none:None", "Resource": "*"}]


def make_role(iam, name, statements=ANYTHING, trust=BY_LAMBDA_OR_PERSON):
    """Make a role that may do what the statements say, also where it stands; return its ARN."""
    trusted = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusted)
    document = {"Version": "2012-10-17", "Statement": statements}
    iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=json.dumps(document))
    return f"arn:aws:iam::000000000000:role/{name}"


def let_in(aws, function, service):
    """Let a service invoke a function, by its name or ARN."""
    aws("lambda").add_permission(
        FunctionName=function, StatementId=service, Action="lambda:InvokeFunction", Principal=f"{service}.amazonaws.com"
    )
