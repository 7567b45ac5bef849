"""Apps, packages, foreign resources and snapshots for the tests of the deploy engine."""

import base64
import contextlib
import hashlib
import io
import json
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nbchalice.deploy import engine
from nbchalice.deploy.desired import App
from nbchalice.deploy.package import Package
from nbchalice.handlers import Handler
from nbchalice.runtime.app import Trigger

from ..roles import make_role

STAGE = "dev"
REGION, ACCOUNT = "us-east-1", "000000000000"
CODE = "def lambda_handler(event, context):\n    return {code!r}\n"


def unique(prefix="app"):
    return f"{prefix}{uuid.uuid4().hex[:8]}"


def zipped(code):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("lambda_function.py"), code)
    return buffer.getvalue()


def package(code="1", layer=None, python="3.11"):
    content = zipped(code if "\n" in code else CODE.format(code=code))
    return Package(content, base64.b64encode(hashlib.sha256(content).digest()).decode(), python, layer)


def handler(name, *triggers, **settings):
    return Handler(name, name, tuple(Trigger(source, options) for source, options in triggers), settings)


def app(name, *handlers, folder=Path(), stage=STAGE):
    return App(name, stage, tuple(handlers), folder)


def packages(made, code="1"):
    codes = code if isinstance(code, dict) else {}
    return lambda: {h.name: package(codes.get(h.name, code if isinstance(code, str) else "1")) for h in made.handlers}


def deploy(made, aws, code="1", **options):
    return engine.deploy(made, packages(made, code), aws, **options)


def plan(made, aws, code="1", **options):
    return engine.plan(made, packages(made, code), aws, **options)


def kinds(changes):
    return sorted((change.action, change.resource.kind) for change in changes)


def reasons(changes):
    return "\n".join(str(change) for change in changes)


def arn(service, resource):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def schedule(expression="rate(5 minutes)", **options):
    return "schedule", {"expression": expression, **options}


def s3(bucket, **options):
    return "on_s3_event", {"bucket": bucket, **options}


def sns(topic, **options):
    return "on_sns_message", {"topic": topic, **options}


def sqs(queue, **options):
    return "on_sqs_message", {"queue": queue, **options}


def without_bucket(aws, bucket):
    """Remove a bucket with what other tests left in it."""
    client = aws.client("s3")
    with contextlib.suppress(client.exceptions.NoSuchBucket):
        for one in client.list_objects_v2(Bucket=bucket).get("Contents", []):
            client.delete_object(Bucket=bucket, Key=one["Key"])
        client.delete_bucket(Bucket=bucket)


class Foreign:
    """A queue, topic and bucket of the user's, with other people's subscriptions and notifications on them."""

    def __init__(self, aws, name):
        self.aws = aws
        self.queue = self.topic = self.bucket = name
        self.function = f"{name}-foreign"
        sqs_, sns_, s3_ = aws.client("sqs"), aws.client("sns"), aws.client("s3")
        sqs_.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "120"})
        sqs_.create_queue(QueueName=f"{name}-other")
        topic = sns_.create_topic(Name=name)["TopicArn"]
        s3_.create_bucket(Bucket=name)
        role = make_role(aws.client("iam"), self.function)
        aws.client("lambda").create_function(
            FunctionName=self.function,
            Runtime="python3.11",
            Role=role,
            Handler="lambda_function.lambda_handler",
            Code={"ZipFile": zipped("def lambda_handler(event, context): pass\n")},
        )
        foreign = arn("lambda", f"function:{self.function}")
        self._permit(topic)
        self._permit(f"arn:aws:s3:::{name}")
        sns_.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", f"{name}-other"))
        sns_.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=foreign, Attributes={"FilterPolicy": '{"a": ["b"]}'})
        aws.client("lambda").create_event_source_mapping(
            EventSourceArn=arn("sqs", name), FunctionName=self.function, BatchSize=3
        )
        s3_.put_bucket_notification_configuration(
            Bucket=name,
            NotificationConfiguration={
                "TopicConfigurations": [
                    {"Id": "t", "TopicArn": topic, "Events": ["s3:ObjectRemoved:*"], "Filter": _prefix("t/")}
                ],
                "QueueConfigurations": [
                    {"Id": "q", "QueueArn": arn("sqs", f"{name}-other"), "Events": ["s3:ObjectCreated:Put"],
                     "Filter": _prefix("q/")}
                ],
                "LambdaFunctionConfigurations": [
                    {"Id": "l", "LambdaFunctionArn": foreign, "Events": ["s3:ObjectCreated:*"], "Filter": _prefix("l/")}
                ],
                "EventBridgeConfiguration": {},
            },
        )  # fmt: skip

    def _permit(self, source):
        self.aws.client("lambda").add_permission(
            FunctionName=self.function,
            StatementId=hashlib.sha256(source.encode()).hexdigest()[:10],
            Action="lambda:InvokeFunction",
            Principal=f"{source.split(':')[2]}.amazonaws.com",
            SourceArn=source,
        )

    def snapshot(self):
        """Everything that hangs on queue, topic and bucket, ours included."""
        return {
            "subscriptions": _subscriptions(self.aws, arn("sns", self.topic)),
            "mappings": _mappings(self.aws, EventSourceArn=arn("sqs", self.queue)),
            "notification": _bare(self.aws.client("s3").get_bucket_notification_configuration(Bucket=self.bucket)),
            "queue": self.aws.client("sqs").get_queue_attributes(
                QueueUrl=self.aws.client("sqs").get_queue_url(QueueName=self.queue)["QueueUrl"],
                AttributeNames=["VisibilityTimeout", "RedrivePolicy", "Policy"],
            ).get("Attributes"),
            "function": _function(self.aws, self.function),
        }  # fmt: skip


def _prefix(value):
    return {"Key": {"FilterRules": [{"Name": "prefix", "Value": value}]}}


def four(name, place):
    """An app with the four sources on somebody's queue, topic and bucket."""
    return app(
        name,
        handler("tick", schedule()),
        handler("ingest", s3(place.bucket, prefix="in/")),
        handler("announce", sns(place.topic)),
        handler("price", sqs(place.queue, batch_size=5)),
    )


def _bare(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _pages(client, operation, key, **arguments):
    return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page[key]]


VOLATILE = {"LastModified", "RevisionId", "CodeSize", "UUID", "EventSourceMappingArn", "State", "StateReason"} | {
    "StateReasonCode", "LastUpdateStatus", "LastProcessingResult", "StateTransitionReason", "FunctionArn", "Version",
    "LastUpdateStatusReason", "LastUpdateStatusReasonCode",
}  # fmt: skip


def _stable(item):
    found = {key: value for key, value in item.items() if key not in VOLATILE}
    if "Layers" in found:
        found["Layers"] = [layer["Arn"].rsplit(":", 1)[0] for layer in found["Layers"]]
    return found


def _mappings(aws, **where):
    found = _pages(aws.client("lambda"), "list_event_source_mappings", "EventSourceMappings", **where)
    return sorted(
        ({**_stable(m), "FunctionArn": m["FunctionArn"]} for m in found), key=lambda m: json.dumps(m, default=str)
    )


def _subscriptions(aws, topic):
    client = aws.client("sns")
    found = []
    for one in _pages(client, "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic):
        attributes = client.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"]
        found.append({key: value for key, value in attributes.items() if key != "SubscriptionArn"})
    return sorted(found, key=json.dumps)


def _function(aws, name):
    client = aws.client("lambda")
    found = client.get_function(FunctionName=name)
    try:
        policy = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
    except client.exceptions.ResourceNotFoundException:
        policy = []
    try:
        destination = _stable(_bare(client.get_function_event_invoke_config(FunctionName=name)))
    except client.exceptions.ResourceNotFoundException:
        destination = None
    return {
        "configuration": _stable(found["Configuration"]),
        "tags": found.get("Tags"),
        "concurrency": found.get("Concurrency"),
        "policy": sorted(policy, key=lambda statement: statement["Sid"]),
        "mappings": _mappings(aws, FunctionName=name),
        "versions": [
            _stable(v)
            for v in _pages(client, "list_versions_by_function", "Versions", FunctionName=name)
            if v["Version"] != "$LATEST"
        ],
        "destination": destination,
    }


def _role(aws, role):
    client, name = aws.client("iam"), role["RoleName"]
    inline = client.list_role_policies(RoleName=name)["PolicyNames"]
    return {
        "path": role["Path"],
        "trust": role["AssumeRolePolicyDocument"],
        "tags": sorted(client.list_role_tags(RoleName=name)["Tags"], key=json.dumps),
        "inline": {p: client.get_role_policy(RoleName=name, PolicyName=p)["PolicyDocument"] for p in inline},
        "attached": client.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
    }


def _group(aws, group):
    tags = aws.client("logs").list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]
    return {"retention": group.get("retentionInDays"), "tags": tags}


def _rule(aws, rule):
    client = aws.client("events")
    return {
        **{key: rule.get(key) for key in ("ScheduleExpression", "EventPattern", "State", "Description")},
        "targets": client.list_targets_by_rule(Rule=rule["Name"])["Targets"],
        "tags": sorted(client.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"], key=json.dumps),
    }


def _schedule(aws, name):
    found = _bare(aws.client("scheduler").get_schedule(Name=name))
    return {key: value for key, value in found.items() if key not in {"CreationDate", "LastModificationDate"}}


def snapshot(aws, app_name, *places):
    """Everything on AWS that bears an app's name, without what differs from run to run, and the places it uses."""
    prefix = f"{app_name}-{STAGE}-"
    lambda_, iam, logs, events = (aws.client(name) for name in ("lambda", "iam", "logs", "events"))
    functions = [f["FunctionName"] for f in _pages(lambda_, "list_functions", "Functions")]
    roles = {r["RoleName"]: r for r in _pages(iam, "list_roles", "Roles")}
    groups = {
        g["logGroupName"]: g
        for g in _pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=f"/aws/lambda/{prefix}")
    }
    rules = {r["Name"]: r for r in _pages(events, "list_rules", "Rules", NamePrefix=prefix)}
    schedules = _pages(aws.client("scheduler"), "list_schedules", "Schedules", NamePrefix=prefix)
    layers = [n["LayerName"] for n in _pages(lambda_, "list_layers", "Layers")]
    calls = {
        **{("function", n): lambda n=n: _function(aws, n) for n in functions if n.startswith(prefix)},
        **{("role", n): lambda r=r: _role(aws, r) for n, r in roles.items() if n.startswith(prefix)},
        **{("log group", n): lambda g=g: _group(aws, g) for n, g in groups.items()},
        **{("rule", n): lambda r=r: _rule(aws, r) for n, r in rules.items()},
        **{("schedule", s["Name"]): lambda s=s: _schedule(aws, s["Name"]) for s in schedules},
        **{
            ("layer", n): lambda n=n: len(lambda_.list_layer_versions(LayerName=n)["LayerVersions"])
            for n in layers
            if n.startswith(prefix)
        },
        **{("place", place.bucket): place.snapshot for place in places},
    }
    with ThreadPoolExecutor(4) as pool:
        futures = {key: pool.submit(call) for key, call in calls.items()}
        return {" ".join(key): future.result() for key, future in futures.items()}


def comparable(found):
    """A snapshot as text; what is empty and what was never set are the same."""
    return json.dumps(_tidy(found), indent=1, sort_keys=True, default=str)


def _tidy(value):
    if isinstance(value, list):
        return [_tidy(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    found = {key: _tidy(inner) for key, inner in value.items()}
    if found.get("FilterPolicy") in (None, "{}"):
        found.pop("FilterPolicyScope", None)
    # An empty EventBridgeConfiguration is what switches it on.
    return {k: v for k, v in found.items() if v not in ({}, [], None, "", "{}") or k == "EventBridgeConfiguration"}
