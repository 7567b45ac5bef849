"""What a role must be allowed for a call: its actions, each with the resources that AWS asks about.

MiniStack tells both for most calls. Here stands what AWS does in ways of its own (Service Authorization Reference):
operations that bear another permission's name, calls that need several, resources that are found by what the request
only points at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core import iam_actions
from ministack.services import kinesis, kms

from .api_calls import ApiCall
from .deployer_needs import of_iam, of_lambda, of_scheduler, tagging
from .forms import fields_of
from .need import Need

# Operations whose permission is another one's.
RENAMED = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}
PARTIQL = {"SELECT": "Select", "INSERT": "Insert", "UPDATE": "Update", "DELETE": "Delete"}
TABLE_IN_PARTIQL = re.compile(r'(?:FROM|INTO|UPDATE)\s+"?([\w.-]+)"?(?:\."?([\w.-]+)"?)?', re.IGNORECASE)


def needs(call: ApiCall) -> Iterator[Need]:
    """Yield what a call needs; nothing where the action is not known."""
    if call.action is None:
        return
    action = RENAMED.get(call.action, call.action)
    if several := SEVERAL.get(call.service):
        yield from several(call, action)
    elif call.service in RESOURCES:
        yield Need(action, RESOURCES[call.service](call))
    else:
        yield Need(action, (call.resource,), certain=False)


def of_s3(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of S3 needs; a copy reads its source, tags and ACLs have permissions of their own."""
    bucket, _, key = call.path.lstrip("/").partition("/")
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else call.resource  # with all slashes of the key
    resource = resource if bucket else "arn:aws:s3:::*"
    if call.headers.get("content-type", "").startswith("multipart/form-data"):
        resource += f"/{fields_of(call.headers['content-type'], call.body).get('key', '')}"
    yield Need(action, (resource,))
    checks = iam_actions.s3_additional_checks(call.method, call.path, call.headers, call.body, call.params)
    for more, arn in checks:
        yield Need(more, (arn,))
    if action == "s3:CreateBucket" and b"<Tag>" in call.body:
        yield Need("s3:TagResource", (resource,))
    if action == "s3:PutObject" and "x-amz-tagging" in call.headers:
        yield Need("s3:PutObjectTagging", (resource,))
    if action == "s3:PutObject" and "x-amz-acl" in call.headers:
        yield Need("s3:PutObjectAcl", (resource,))


def of_dynamodb(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of DynamoDB needs: for each table, item of a transaction, or PartiQL statement."""
    transaction = iam_actions.dynamodb_transaction_checks(action, call.body, call.region, call.account)
    tables = iam_actions.dynamodb_resource_arns(call.body, call.region, call.account)
    if transaction:
        for each, arn in transaction:
            yield Need(each, (arn,))
    elif texts := partiql(call.document):
        for text in texts:
            yield partiql_need(text, call)
    elif tables:
        for arn in tables:
            yield Need(action, (arn,))
    else:
        named = call.given("ResourceArn", "StreamArn", "BackupArn", "TableArn")
        yield Need(action, (named or "*",), certain=bool(named) or action.startswith("dynamodb:List"))


def partiql(document: dict[str, Any]) -> list[str]:
    """Return the PartiQL statements of a request."""
    holders = [document, *(document.get("Statements") or []), *(document.get("TransactStatements") or [])]
    return [str(one["Statement"]) for one in holders if isinstance(one, dict) and one.get("Statement")]


def partiql_need(statement: str, call: ApiCall) -> Need:
    """Return the permission for a PartiQL statement, which goes by its first word."""
    words = statement.split(None, 1)
    verb, table = PARTIQL.get(words[0].upper() if words else "", ""), TABLE_IN_PARTIQL.search(statement)
    if not verb or table is None:
        return Need("dynamodb:PartiQLSelect", certain=False)
    index = f"/index/{table[2]}" if table[2] else ""
    return Need(f"dynamodb:PartiQL{verb}", (call.arn("dynamodb", f"table/{table[1]}{index}"),))


def of_secrets(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of Secrets Manager needs; a batch needs each secret, too."""
    if action != "secretsmanager:BatchGetSecretValue":
        yield Need(action, (call.resource,))
        return
    yield Need(action)
    for name in call.listed("SecretIdList"):
        arn = iam_actions.extract_resource_arn(
            call.service, call.method, call.path, call.headers, b'{"SecretId": "%s"}' % name.encode(), {}, call.region,
            call.account,
        )  # fmt: skip
        yield Need("secretsmanager:GetSecretValue", (arn,))
    if call.document.get("Filters"):
        yield Need("secretsmanager:ListSecrets")
        yield Need("secretsmanager:GetSecretValue", certain=False)


def of_parameters(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of SSM needs, for each parameter that it names."""
    names = call.listed("Names") or [name for name in [call.given("Name")] if name]
    for name in names:
        bare = name if name.startswith("arn:") else re.sub(r":[\w.-]+$", "", name)  # without version or label
        yield Need(action, (call.arn("ssm", f"parameter/{bare.lstrip('/')}"),))
    if path := call.given("Path"):
        arn = call.arn("ssm", f"parameter/{path.strip('/')}".rstrip("/"))
        yield Need(action, (arn, f"{arn}/"))
    elif not names:
        yield Need(action, (call.resource,), certain=action.startswith("ssm:Describe"))


def of_kms(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of KMS needs: it is the key that counts, also where an alias names it."""
    if action == "kms:ReEncrypt":
        yield Need("kms:ReEncryptFrom", (key_arn(call.given("SourceKeyId"), call),))
        yield Need("kms:ReEncryptTo", (key_arn(call.given("DestinationKeyId"), call),))
        return
    yield Need(action, (key_arn(call.given("KeyId", "TargetKeyId"), call),))


def key_arn(name: str, call: ApiCall) -> str:
    """Return the ARN of the key that an ID, an ARN or an alias names."""
    record = kms._resolve_key(name) if name else None
    return str(record["Arn"]) if record else call.resource


def of_events(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of EventBridge needs: each bus that events are put on, or the rule."""
    buses = iam_actions.eventbridge_resource_arns(call.body, call.region, call.account)
    rule = call.given("Rule")
    named = call.given("ResourceARN") or call.resource.replace(":rule/default/", ":rule/")
    named = call.arn("events", f"rule/{rule}") if rule else named
    for arn in buses or [named]:
        yield Need(action, (arn,))
        yield from tagging(call, action, arn)


def of_email(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of SES needs: the sender's address or domain, and for a raw message an action of its own."""
    sender = call.given("FromEmailAddress", "Source")
    address = sender.rpartition("<")[2].rstrip(">").strip()
    if action == "ses:SendEmail" and "Raw" in (call.document.get("Content") or {}):
        action = "ses:SendRawEmail"
    named = (call.given("FromEmailAddressIdentityArn", "SourceArn"),) if not address else ()
    senders = (f"identity/{address}", f"identity/{address.rpartition('@')[2]}") if address else ()
    resources = (*named, *(call.arn("ses", name) for name in senders))
    if any(resources):
        yield Need(action, resources)
    else:
        yield Need(action, (call.resource,), certain=False)


def of_logs(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of CloudWatch Logs needs, for each log group; a policy names the group or what is in it."""
    groups = [call.given("logGroupName", "logGroupIdentifier"), *call.listed("logGroupNames")]
    groups = [group for group in [*groups, *call.listed("logGroupIdentifiers")] if group]
    for group in groups:
        arn = call.arn("logs", group if group.startswith("arn:") else f"log-group:{group}").removesuffix(":*")
        yield Need(action, (arn, f"{arn}:log-stream:{call.given('logStreamName')}"))
        yield from tagging(call, action, arn)
    if not groups:
        yield Need(action, (call.resource,), certain=False)


def of_stream(call: ApiCall) -> tuple[str, ...]:
    """Return the stream, or its consumer; records are read by an iterator that knows the stream."""
    iterator = kinesis._shard_iterators.get(call.given("ShardIterator"))
    if iterator:
        return (call.arn("kinesis", f"stream/{iterator['stream']}"),)
    return (call.given("ConsumerARN") or call.resource,)


def of_topic(call: ApiCall) -> tuple[str, ...]:
    """Return the topic, also of a subscription."""
    subscription = call.given("SubscriptionArn")
    return (subscription.rpartition(":")[0] if subscription else call.given("ResourceArn") or call.resource,)


def of_queue(call: ApiCall) -> tuple[str, ...]:
    """Return the queue."""
    return (call.given("SourceArn") or call.resource,)


def as_named(call: ApiCall) -> tuple[str, ...]:
    """Return the resource as MiniStack finds it."""
    return (call.resource,)


SEVERAL: dict[str, Callable[[ApiCall, str], Iterator[Need]]] = {
    "s3": of_s3,
    "dynamodb": of_dynamodb,
    "dynamodbstreams": of_dynamodb,
    "secretsmanager": of_secrets,
    "ssm": of_parameters,
    "kms": of_kms,
    "events": of_events,
    "ses": of_email,
    "logs": of_logs,
    "lambda": of_lambda,
    "iam": of_iam,
    "scheduler": of_scheduler,
}
RESOURCES: dict[str, Callable[[ApiCall], tuple[str, ...]]] = {
    "sqs": of_queue,
    "sns": of_topic,
    "kinesis": of_stream,
    "monitoring": as_named,
    "sts": as_named,
    "states": as_named,
    "firehose": as_named,
}
