"""What somebody changed by hand is shown by plan and repaired by deploy; what is taken out of the notebook is cleared."""

import json

import pytest

from nbchalice.deploy import engine

from ..roles import BY_LAMBDA
from .harness import (
    app,
    arn,
    comparable,
    deploy,
    four,
    handler,
    packages,
    plan,
    reasons,
    s3,
    schedule,
    snapshot,
    sns,
    sqs,
)

STRANGE = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
NO_TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{**BY_LAMBDA, "Effect": "Deny"}]})


def subscription(aws, place, name):
    found = aws.client("sns").list_subscriptions_by_topic(TopicArn=arn("sns", place.topic))["Subscriptions"]
    return next(one["SubscriptionArn"] for one in found if name in one["Endpoint"])


def mapping(aws, name):
    return aws.client("lambda").list_event_source_mappings(FunctionName=f"{name}-dev-price")["EventSourceMappings"][0]


def without_ours(aws, place, name):
    client = aws.client("s3")
    found = client.get_bucket_notification_configuration(Bucket=place.bucket)
    del found["ResponseMetadata"]
    found["LambdaFunctionConfigurations"] = [
        entry for entry in found["LambdaFunctionConfigurations"] if name not in entry["LambdaFunctionArn"]
    ]
    client.put_bucket_notification_configuration(Bucket=place.bucket, NotificationConfiguration=found)


DRIFTS = {
    "memory": (
        lambda aws, place, fn, name: aws.client("lambda").update_function_configuration(
            FunctionName=fn, MemorySize=512
        ),
        "MemorySize: 512 -> 128",
    ),
    "environment": (
        lambda aws, place, fn, name: aws.client("lambda").update_function_configuration(
            FunctionName=fn, Environment={"Variables": {"AB": "b"}}
        ),
        "Environment",
    ),
    "concurrency": (
        lambda aws, place, fn, name: aws.client("lambda").put_function_concurrency(
            FunctionName=fn, ReservedConcurrentExecutions=3
        ),
        "reserved concurrency: 3 -> none",
    ),
    "tag": (
        lambda aws, place, fn, name: aws.client("lambda").tag_resource(
            Resource=arn("lambda", f"function:{fn}"), Tags={"x": "y"}
        ),
        "tags x",
    ),
    "permission": (
        lambda aws, place, fn, name: aws.client("lambda").remove_permission(
            FunctionName=f"{name}-dev-announce",
            StatementId=json.loads(aws.client("lambda").get_policy(FunctionName=f"{name}-dev-announce")["Policy"])[
                "Statement"
            ][0]["Sid"],
        ),
        "create permission",
    ),
    "role policy": (
        lambda aws, place, fn, name: aws.client("iam").put_role_policy(
            RoleName=fn, PolicyName="nbchalice", PolicyDocument=STRANGE
        ),
        "its policy",
    ),
    "role trust": (
        lambda aws, place, fn, name: aws.client("iam").update_assume_role_policy(RoleName=fn, PolicyDocument=NO_TRUST),
        "its trust policy",
    ),
    "log group": (
        lambda aws, place, fn, name: aws.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{fn}"),
        "create log group",
    ),
    "retention": (
        lambda aws, place, fn, name: aws.client("logs").put_retention_policy(
            logGroupName=f"/aws/lambda/{fn}", retentionInDays=7
        ),
        "retention: 7 -> never",
    ),
    "rule disabled": (
        lambda aws, place, fn, name: aws.client("events").disable_rule(Name=f"{name}-dev-tick-event"),
        "state: DISABLED -> ENABLED",
    ),
    "rule without target": (
        lambda aws, place, fn, name: aws.client("events").remove_targets(Rule=f"{name}-dev-tick-event", Ids=["1"]),
        "its target is not the function",
    ),
    "subscription gone": (
        lambda aws, place, fn, name: aws.client("sns").unsubscribe(SubscriptionArn=subscription(aws, place, name)),
        "create subscription",
    ),
    "subscription filtered": (
        lambda aws, place, fn, name: aws.client("sns").set_subscription_attributes(
            SubscriptionArn=subscription(aws, place, name), AttributeName="FilterPolicy", AttributeValue='{"a": ["b"]}'
        ),
        "FilterPolicy",
    ),
    "mapping": (
        lambda aws, place, fn, name: aws.client("lambda").update_event_source_mapping(
            UUID=mapping(aws, name)["UUID"], BatchSize=9
        ),
        "BatchSize: 9 -> 5",
    ),
    "mapping gone": (
        lambda aws, place, fn, name: aws.client("lambda").delete_event_source_mapping(UUID=mapping(aws, name)["UUID"]),
        "create event source mapping",
    ),
    "notification gone": (
        lambda aws, place, fn, name: without_ours(aws, place, name),
        "update bucket notification",
    ),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_shown_and_repaired(connection, place, name, drift):
    made = four(name, place)
    deploy(made, connection)
    as_deployed = comparable(snapshot(connection, name, place))
    by_hand, expected = DRIFTS[drift]
    by_hand(connection, place, f"{name}-dev-price", name)
    assert expected in reasons(plan(made, connection).changes)
    states = engine.status(made, packages(made), connection).handlers
    assert [h.name for h in states if h.state == "changed" or h.drift] or drift == "notification gone"
    deploy(made, connection)
    assert comparable(snapshot(connection, name, place)) == as_deployed
    assert deploy(made, connection).changes == ()


def test_options_that_are_taken_out_are_really_cleared(connection, place, name):
    full = app(
        name,
        handler("tick", schedule(description="often", input={"a": 1}, enabled=False)),
        handler("ingest", s3(place.bucket, prefix="in/", suffix=".csv", events=["s3:ObjectRemoved:Delete"])),
        handler(
            "announce",
            sns(place.topic, filter_policy={"a": ["b"]}, filter_scope="MessageBody"),
            dlq=f"{place.queue}-other",
        ),
        handler(
            "price",
            sqs(
                place.queue,
                batch_size=20,
                maximum_batching_window_in_seconds=2,
                maximum_concurrency=5,
                report_failures=True,
                filter={"body": {"a": ["b"]}},
            ),
            env={"AB": "1"},
            memory=256,
            timeout=20,
            reserved_concurrency=2,
            log_retention=7,
            allow=[("s3:GetObject", "arn:aws:s3:::x/*")],
        ),
    )
    plain = app(
        name,
        handler("tick", schedule()),
        handler("ingest", s3(place.bucket, prefix="in/")),
        handler("announce", sns(place.topic)),
        handler("price", sqs(place.queue)),
    )
    deploy(plain, connection)
    untouched = snapshot(connection, name, place)
    deploy(full, connection)
    assert deploy(full, connection).changes == ()
    price = snapshot(connection, name, place)[f"function {name}-dev-price"]
    assert price["configuration"]["Environment"] == {"Variables": {"AB": "1"}}
    assert price["concurrency"] == {"ReservedConcurrentExecutions": 2}
    assert price["mappings"][0]["ScalingConfig"] == {"MaximumConcurrency": 5}
    deploy(plain, connection)
    cleared = snapshot(connection, name, place)
    for found in (untouched, cleared):
        for key in (key for key in found if key.startswith("function")):
            del found[key]["versions"]
    assert deploy(plain, connection).changes == ()
    assert comparable(cleared) == comparable(untouched)
