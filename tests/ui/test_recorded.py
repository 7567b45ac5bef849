"""`--record N`: a deployed handler keeps its last events in the account's bucket, for `events` and `replay`."""

import json
import uuid

import pytest

from nbchalice.resources.upload_bucket import upload_bucket

from ..waiting import wait_until

pytestmark = pytest.mark.local_aws

CELL = """%%on_sqs_message {name} {options}
def price(event):
    for record in event:
        app.log.info("costs %s", json.loads(record.body)["price"])
"""


@pytest.fixture
def name(run):
    """A name of this test's own, for the app and the queue."""
    own = f"k{uuid.uuid4().hex[:8]}"
    run(f"%chalice app {own}")
    run("import json")
    return own


def deploy(run, name, options):
    run(CELL.format(name=name, options=options))
    return run("%chalice deploy")


def client(run, service):
    return run.notebook.connect().client(service)


def put(run, name, *contents):
    """Send messages as somebody else would, one after the other; return their ids."""
    sqs, ids = client(run, "sqs"), []
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    for content in contents:
        ids.append(sqs.send_message(QueueUrl=url, MessageBody=json.dumps(content))["MessageId"])
        wait_until(lambda: sum(one.finished for one in run("%chalice logs price --since 1h").invocations) == len(ids))
    return ids


def kept(run, name):
    aws = run.notebook.connect()
    bucket = upload_bucket(aws.account, aws.region)
    found = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"recorded/{name}/").get("Contents", [])
    return [one["Key"] for one in found]


def order(price, **more):
    return {"price": price, "customer": {"email": "ada@example.com", "city": "Ulm", "password": "x"}, **more}


def test_the_last_events_are_kept_listed_replayed_and_go_with_the_handler(run, name):
    deploy(run, name, "--record 2 --redact customer.email")
    _, second, third = put(run, name, order(1), order(2), {"cost": 3})
    events = run("%chalice events price")
    assert [(one.id, one.origin, one.answer.status) for one in events] == [
        (second, "recorded", "ok"),
        (third, "recorded", "error"),
    ]
    (record,) = events[0].event["Records"]
    customer = {"email": "[redacted]", "city": "Ulm", "password": "[redacted]"}
    assert json.loads(record["body"]) == {"price": 2, "customer": customer} and record["messageId"] == second
    assert events[0].answer.log == ("INFO  costs 2",) and "KeyError" in events[1].answer.error
    told = run("%chalice replay price --all")
    assert [one.changes for one in told.replays] == [(), ()]
    assert len(kept(run, name)) == 2
    assert ("delete", "recorded events") in [
        (one.action, one.resource.kind) for one in run("%chalice delete --yes").changes
    ]
    assert kept(run, name) == []


def test_a_handler_that_records_no_more_leaves_nothing(run, name):
    first = deploy(run, name, "--record 5")
    assert "recorded" not in first.text and not deploy(run, name, "--record 5").changes
    put(run, name, order(1))
    assert len(kept(run, name)) == 1
    assert not run("%chalice plan").changes
    large = json.dumps({"text": "x" * (1 << 20)})
    client(run, "lambda").invoke(FunctionName=f"{name}-dev-price", Payload=large)
    assert [one.missing for one in run("%chalice events price")] == ["", "it was not recorded: it has 1 MB"]
    deploy(run, name, "")
    assert kept(run, name) == []
    variables = client(run, "lambda").get_function_configuration(FunctionName=f"{name}-dev-price").get("Environment")
    assert not (variables or {}).get("Variables")


def test_an_event_that_was_sent_from_here_is_listed_once(run, name):
    run(f"%%on_s3_event {name} --record 5\ndef price(event):\n    app.log.info(event.key)")
    run("%chalice deploy")
    run("%chalice send price --key a.csv")
    client(run, "s3").put_object(Bucket=name, Key="b.csv", Body=b"")
    wait_until(lambda: sum(one.finished for one in run("%chalice logs price --since 1h").invocations) == 2)
    events = run("%chalice events price")
    assert len(kept(run, name)) == 2
    assert [(one.origin, one.answer.log) for one in events] == [
        ("send", ("INFO  a.csv",)),
        ("recorded", ("INFO  b.csv",)),
    ]


def test_what_cannot_be_kept_costs_no_event_and_is_told_once(run, name):
    deploy(run, name, "--record 5")
    functions = client(run, "lambda")
    function = f"{name}-dev-price"
    variables = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    wrong = {**json.loads(variables["NBCHALICE_RECORD"]), "prefix": "recorded/of/others/"}
    changed = {"Variables": {"NBCHALICE_RECORD": json.dumps(wrong)}}
    functions.update_function_configuration(FunctionName=function, Environment=changed)
    put(run, name, order(1), order(2))
    first, second = run("%chalice logs price --since 1h").invocations
    assert first.ok and second.ok and kept(run, name) == []
    told = [one.message for run in (first, second) for one in run.records if "not recorded" in one.message]
    assert len(told) == 1 and "AccessDenied" in told[0] and "handled all the same" in told[0]


def test_recorded_events_are_encrypted_with_the_key_expire_and_only_their_place_may_be_written(run, name):
    key = client(run, "kms").create_key()["KeyMetadata"]["Arn"]
    deploy(run, name, f"--record 5 --kms-key {key}")
    put(run, name, order(1))
    aws = run.notebook.connect()
    bucket, (stored,) = upload_bucket(aws.account, aws.region), kept(run, name)
    head = aws.client("s3").head_object(Bucket=bucket, Key=stored)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
    rules = aws.client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [one["Expiration"]["Days"] for one in rules if one["Filter"]["Prefix"] == "recorded/"] == [7]
    policy = aws.client("iam").get_role_policy(RoleName=f"{name}-dev-price", PolicyName="nbchalice")["PolicyDocument"]
    own, arn = f"recorded/{name}/dev/price/", f"arn:aws:s3:::{bucket}"
    assert [one for one in policy["Statement"] if "s3:" in str(one) or "kms:" in str(one)] == [
        {"Effect": "Allow", "Action": ["s3:DeleteObject", "s3:PutObject"], "Resource": f"{arn}/{own}*"},
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": arn,
            "Condition": {"StringEquals": {"s3:prefix": own}},
        },
        {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": key},
    ]
