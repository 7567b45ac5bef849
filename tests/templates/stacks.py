"""Stacks on the local AWS, what stands of their resources, and all that stands of the kinds that they make."""

import json
import re
from dataclasses import replace

from nbchalice.deploy.desired import desired
from nbchalice.events.invoke import invoke
from nbchalice.events.send import send
from nbchalice.resources.destination import Destination
from nbchalice.resources.function import Function
from nbchalice.resources.function_url import UrlPermission
from nbchalice.resources.permission import Permission, principal_of, read_policy, source_account_of, source_arn_of
from nbchalice.resources.role import POLICY_NAME, Role
from nbchalice.resources.schedule import SchedulerRole, SchedulerSchedule
from nbchalice.templates.places import Anywhere, anywhere

from ..doctor.use import GIVEN
from ..log_groups import read_lines, streams_of
from ..waiting import wait_until

PREFIX = "shop/"
# Their code is nothing that runs: an archive that is none, zips of nothing.
NOT_RUN = {"layered", "scored"}
# What an event is made of where any would not reach the handler.
SENT = {**GIVEN, "announce": {"attribute": {"kind": "b"}}}


class Handling:
    """An app that stands, with its ``aws``: events for its handlers."""

    def send(self, one):
        """Send what the handler's triggers are for, their own way."""
        ref = self.app.ref(self.aws, one.name)
        for source, options in one.sources():
            if source.name == "lambda_function":
                invoke(self.aws, ref, {})
            else:
                send(self.aws, source, options, ref, wait=0, **SENT.get(one.name, {}))

    def handled(self, one):
        """Whether its function has run; its log may be shared with others."""
        client, name = self.aws.client("logs"), self.app.ref(self.aws, one.name).name
        if group := one.setting("log_group"):
            return any(name in stream for stream in streams_of(client, group))
        return any(line.startswith("REPORT") for line in read_lines(client, name))


def paired(app, packages, template, aws):
    """What a deploy would make, by its name in the template, and the kinds that the template leaves out."""
    keys = desired(anywhere(app), packages, Anywhere())
    # As on AWS: on the local AWS a deploy makes queues and the like besides.
    wanted = desired(app, packages, Anywhere(aws.region, aws.account, aws.partition))
    pairs = [(template.names.get(key), one) for key, one in zip(keys, wanted.values(), strict=True)]
    return {name: one for name, one in pairs if name}, {one.kind for name, one in pairs if not name}


def uploaded(aws, template, bucket):
    """Put a template's files where a person would, and return the parameters that say where."""
    aws.client("s3").create_bucket(Bucket=bucket)
    for name, content in template.files.items():
        aws.client("s3").put_object(Bucket=bucket, Key=f"{PREFIX}{name}", Body=content)
    return {"CodeBucket": bucket, "CodePrefix": PREFIX}


def put_stack(aws, name, body, parameters, put="create"):
    """Create or update a stack, and wait for it."""
    client = aws.client("cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    change = {"create": client.create_stack, "update": client.update_stack}[put]
    change(StackName=name, TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_IAM"], Parameters=given)
    status = settled(client, name)
    reasons = [
        (one["LogicalResourceId"], one.get("ResourceStatusReason"))
        for one in client.describe_stack_events(StackName=name)["StackEvents"]
        if "FAILED" in one["ResourceStatus"]
    ]
    assert status == f"{put.upper()}_COMPLETE", (status, reasons)


def settled(client, name):
    def status():
        now = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        return "" if now.endswith("IN_PROGRESS") else now

    return wait_until(status)


def ids_of(aws, name):
    """What each resource of a stack is called on AWS, by its name in the template."""
    listed = aws.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}


def delete_stack(aws, name):
    """Delete a stack, and wait until it has gone."""
    client = aws.client("cloudformation")
    stack = client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    client.delete_stack(StackName=name)
    assert settled(client, stack) == "DELETE_COMPLETE"


# What MiniStack does not take from a template when it makes a function or a role; of these the template is looked at.
NOT_TAKEN = {
    "DeadLetterConfig": "DeadLetterConfig",
    "KMSKeyArn": "KmsKeyArn",
    "VpcConfig": "VpcConfig",
    "reserved concurrency": "ReservedConcurrentExecutions",
    "boundary": "PermissionsBoundary",
}


class Comparison:
    """What a stack made, beside what a deploy would make of the same app.

    Parameters
    ----------
    aws : Connection
        The local AWS.
    body, parameters : dict
        The template, and what it was given.
    ids : dict
        What each resource is called on AWS.
    made : dict
        What a deploy would make, by the name in the template.
    stored : tuple
        Where a deploy looks for bundles, and where they are for the stack.
    not_taken : dict
        What was not taken from the template: what boto3 calls it, and the template.
    """

    def __init__(self, aws, body, parameters, ids, made, stored, not_taken=NOT_TAKEN):
        self.not_taken = not_taken
        self.aws, self.body, self.ids, self.made, self.stored = aws, body, ids, made, stored
        self.known = {
            **{name: one.get("Default") for name, one in body["Parameters"].items()}, **parameters,
            "AWS::Partition": "aws", "AWS::Region": aws.region, "AWS::AccountId": aws.account,
        }  # fmt: skip
        self.roles = {
            one.arn: aws.client("iam").get_role(RoleName=ids[name])["Role"]["Arn"]
            for name, one in made.items()
            if isinstance(one, Role | SchedulerRole)
        }

    def unlike(self, name):
        """In what a resource is not as a deploy would make it; tags, which say whose it is, do not count."""
        resource = self.made[name]
        if isinstance(resource, Role | SchedulerRole):
            return self._role_unlike(name, resource)
        if isinstance(resource, Permission):
            wanted = (resource.principal, resource.source_arn, resource.source_account)
            standing = {
                (principal_of(one), source_arn_of(one), source_account_of(one)) for one in self._policy(resource)
            }
            return [] if wanted in standing else [f"{wanted} is not among {standing}"]
        if isinstance(resource, UrlPermission):
            return [] if any(not resource.differences(one) for one in self._policy(resource)) else ["it is missing"]
        if isinstance(resource, Destination):
            return self._destination_unlike(resource)
        if isinstance(resource, Function):
            return self._function_unlike(name, resource)
        current = resource.read(self.aws)
        if current is None:
            return ["it is missing"]
        if isinstance(resource, SchedulerSchedule):
            by_stack = {arn: own for own, arn in self.roles.items()}
            current["Target"]["RoleArn"] = by_stack[current["Target"]["RoleArn"]]
        return [reason for reason in resource.differences(current) if not reason.startswith("tags ")]

    def _policy(self, resource):
        return read_policy(self.aws, resource.function.name)

    def _moved(self, value):
        """A value with bundles where the stack has them."""
        return json.loads(json.dumps(value).replace(*self.stored))

    def _destination_unlike(self, resource):
        name = resource.function.name
        current = self.aws.client("lambda").get_function_event_invoke_config(FunctionName=name, Qualifier="$LATEST")
        return resource.differences(current)

    def _function_unlike(self, name, resource):
        role = self.roles.get(resource.role_arn, resource.role_arn)
        wanted = replace(resource, role_arn=role, config=self._moved(dict(resource.config)))
        reasons = wanted.differences(resource.read(self.aws))
        given = self.resolved(self.body["Resources"][name]["Properties"])
        settings = {**wanted.config, "reserved concurrency": resource.reserved_concurrency}
        untaken = {key for key, other in self.not_taken.items() if given.get(other) == settings.get(key)}
        standing = {one for one in untaken if any(reason.startswith(f"{one}:") for reason in reasons)}
        return [
            one
            for one in reasons
            if one.partition(":")[0] not in standing and not one.startswith(("tags ", "no version was"))
        ]

    def _role_unlike(self, name, resource):
        client = self.aws.client("iam")
        role = client.get_role(RoleName=self.ids[name])["Role"]
        inline = client.get_role_policy(RoleName=self.ids[name], PolicyName=POLICY_NAME)["PolicyDocument"]
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
        if "boundary" in self.not_taken:
            boundary = self.resolved(self.body["Resources"][name]["Properties"]).get("PermissionsBoundary", "")
        pairs = {
            "trust": (role["AssumeRolePolicyDocument"], resource.trust()),
            "boundary": (boundary, resource.function.boundary),
            "policy": (inline, self._moved(resource.policy())),
        }
        return [f"{what}: {now} -> {wanted}" for what, (now, wanted) in pairs.items() if now != wanted]

    def resolved(self, value):
        """A value of the template, as CloudFormation would fill it in; what refers to resources stays."""
        if isinstance(value, dict):
            if set(value) == {"Ref"} and value["Ref"] in self.known:
                return self.known[value["Ref"]]
            if set(value) == {"Fn::Sub"}:
                return re.sub(r"\$\{([^!}]+)\}", lambda match: self.known[match[1]], value["Fn::Sub"]).replace(
                    "${!", "${"
                )
            return {name: self.resolved(inner) for name, inner in value.items()}
        return [self.resolved(inner) for inner in value] if isinstance(value, list) else value


def everything(aws, place):
    """All functions, roles and the like that stand, and what hangs on somebody's things."""
    lambda_, sns = aws.client("lambda"), aws.client("sns")
    topic = f"arn:aws:sns:{aws.region}:{aws.account}:{place.name}"
    buses = ["default", place.name]
    return {
        "functions": {one["FunctionName"] for one in _all(lambda_, "list_functions", "Functions")},
        "layers": {one["LayerName"] for one in _all(lambda_, "list_layers", "Layers")},
        "mappings": {one["UUID"] for one in _all(lambda_, "list_event_source_mappings", "EventSourceMappings")},
        "roles": {one["RoleName"] for one in _all(aws.client("iam"), "list_roles", "Roles")},
        "log groups": {one["logGroupName"] for one in _all(aws.client("logs"), "describe_log_groups", "logGroups")},
        "rules": {rule["Name"] for bus in buses for rule in aws.client("events").list_rules(EventBusName=bus)["Rules"]},
        "schedules": {one["Name"] for one in _all(aws.client("scheduler"), "list_schedules", "Schedules")},
        "subscriptions": {
            one["SubscriptionArn"] for one in _all(sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
        },
        "notifications": aws.client("s3")
        .get_bucket_notification_configuration(Bucket=place.name)
        .get("LambdaFunctionConfigurations", []),
    }


def _all(client, operation, key, **where):
    return [one for page in client.get_paginator(operation).paginate(**where) for one in page[key]]
