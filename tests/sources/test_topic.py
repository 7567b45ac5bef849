"""Topics on the local AWS: filter and redrive policies, several handlers, other regions, what is sent."""

import json

import pytest

from nbchalice.resources.base import FunctionRef
from nbchalice.sources import SOURCES
from nbchalice.sources.sns import subject_problem

REF = FunctionRef("shop", "dev", "price", "us-east-1", "123456789012")
SNS = SOURCES["on_sns_message"]


def subscriptions(one, topic):
    arn = topic if topic.startswith("arn:") else f"arn:aws:sns:{one.aws.region}:{one.aws.account}:{topic}"
    client = one.aws.client("sns", arn.split(":")[3])
    found = client.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    return [client.get_subscription_attributes(SubscriptionArn=s["SubscriptionArn"])["Attributes"] for s in found]


def test_a_filter_lets_through_what_matches_and_is_cleared_again(deployed, name):
    one = deployed(f"@app.on_sns_message('{name}', filter_policy={{'kind': ['order']}})", "print(event.message)")
    assert [json.loads(s["FilterPolicy"]) for s in subscriptions(one, name)] == [{"kind": ["order"]}]
    assert one.send(message="yes", attribute={"kind": "order"}).ok
    assert one.changes() == []
    one.change(
        f"@app.on_sns_message('{name}', filter_policy={{'a': {{'b': [1]}}}}, filter_scope='MessageBody')",
        "print(event.message)",
    ).deploy()
    assert subscriptions(one, name)[0]["FilterPolicyScope"] == "MessageBody"
    assert one.send(message='{"a": {"b": 1}}').ok
    one.change(f"@app.on_sns_message('{name}')", "print(event.message)").deploy()
    assert json.loads(subscriptions(one, name)[0].get("FilterPolicy") or "{}") == {}
    assert one.changes() == []


def test_a_redrive_policy_by_name(deployed, name):
    one = deployed(f"@app.on_sns_message('{name}', redrive_dlq='{name}-dead')")
    policy = json.loads(subscriptions(one, name)[0]["RedrivePolicy"])
    assert policy == {"deadLetterTargetArn": f"arn:aws:sqs:{one.aws.region}:{one.aws.account}:{name}-dead"}
    assert one.aws.client("sqs").get_queue_url(QueueName=f"{name}-dead")["QueueUrl"]
    assert one.handler.notes() == [f"the policy of queue {name}-dead must let sns.amazonaws.com send messages"]
    assert one.changes() == []
    one.change(f"@app.on_sns_message('{name}')").deploy()
    assert not json.loads(subscriptions(one, name)[0].get("RedrivePolicy") or "{}")


def test_several_handlers_on_one_topic_all_get_the_message(deployed, name):
    one = deployed(f"@app.on_sns_message('{name}')", "print('one', event.message)")
    other = deployed(f"@app.on_sns_message('{name}')", "print('other', event.message)")
    assert len(subscriptions(one, name)) == 2
    assert one.send(message="m").ok and other.send(message="m").ok
    other.delete()
    assert [s["Endpoint"] for s in subscriptions(one, name)] == [one.ref.arn]


def test_a_topic_of_another_region(deployed, connection, name):
    arn = connection.client("sns", "eu-central-1").create_topic(Name=name)["TopicArn"]
    one = deployed(f"@app.on_sns_message('{arn}')")
    assert [s["Endpoint"] for s in subscriptions(one, arn)] == [one.ref.arn]
    assert one.changes() == []
    one.delete()
    assert subscriptions(one, arn) == []


def test_the_redrive_queue_is_beside_the_topic():
    options = {"topic": "arn:aws:sns:eu-west-1:111122223333:news", "redrive_dlq": "dead"}
    _, subscription = SNS.resources(options, REF)
    assert subscription.redrive_dlq == "arn:aws:sqs:eu-west-1:111122223333:dead"


def test_what_aws_would_say_of_a_topic_is_told_before(real):
    ref = FunctionRef("shop", "dev", "price", real.region, real.account)
    topic, queue = SNS.preflight(real, {"topic": "no-such-topic", "redrive_dlq": "no-such-queue"}, ref).problems
    assert (topic.message, topic.hint) == (
        f"topic no-such-topic does not exist in {real.region}",
        f"aws sns create-topic --name no-such-topic --region {real.region}",
    )
    assert queue.message == f"queue no-such-queue of --redrive-dlq does not exist in {real.region}"


SUBJECTS = {
    "hello": None,
    "x" * 100: None,
    "x" * 101: "has 101 characters; SNS takes up to 100",
    "a\nb": "must be one line",
    "grüße": None,
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subjects(subject):
    found = subject_problem(subject)
    assert found is None if SUBJECTS[subject] is None else SUBJECTS[subject] in found


def test_a_wrong_subject_sends_nothing(deployed, no_writes, name):
    one = deployed(f"@app.on_sns_message('{name}')")
    with no_writes(), pytest.raises(Exception, match="has 101 characters"):
        one.send(message="m", subject="x" * 101)


def test_attached_finds_the_topics_that_may_invoke():
    statement = {
        "Sid": "nbchalice-x",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:eu-west-1:1:t"}},
    }
    assert [r.key for r in SNS.attached(REF, [statement], [])] == [
        "subscription arn:aws:sns:eu-west-1:1:t shop-dev-price"
    ]
