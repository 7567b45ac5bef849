"""What AWS would reject is told before the first write, with the fix; all of it at once."""

import json
import re

import pytest

from nbchalice.deploy import engine
from nbchalice.errors import InvalidInputError, NbChaliceError, ProblemsError

from .harness import app, deploy, handler, s3, schedule, sns, sqs

ROLE = "arn:aws:iam::000000000000:role/x"
LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:x:1"
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def policy(**changes):
    statement = {**ALLOW, **changes}
    return json.dumps({"Statement": [{key: value for key, value in statement.items() if value is not None}]})


# What is wrong -> settings of a handler, and what the error says.
SETTINGS = {
    "timeout 0": ({"timeout": 0}, "--timeout is 1 to 1800, not 0"),
    "timeout 1801": ({"timeout": 1801}, "--timeout is 1 to 1800, not 1801"),
    "timeout as text": ({"timeout": "60"}, "--timeout wants a whole number, not '60'"),
    "timeout true": ({"timeout": True}, "--timeout wants a whole number, not True"),
    "memory 127": ({"memory": 127}, "--memory is 128 to 10240, not 127"),
    "memory 10241": ({"memory": 10_241}, "--memory is 128 to 10240, not 10241"),
    "architecture": ({"arch": "arm"}, "--arch is one of x86_64, arm64, not 'arm'"),
    "python": ({"python": "2.7"}, "--python is one of .*, not '2.7'"),
    "reserved concurrency": ({"reserved_concurrency": -1}, "--reserved-concurrency is 0 to"),
    "retention": ({"log_retention": 2}, "--log-retention is one of .*, not 2"),
    "reserved variable": ({"env": {"AWS_REGION": "x"}}, "--env AWS_REGION is reserved"),
    "variable name": ({"env": {"1A": "x"}}, "--env '1A' is not a variable name"),
    "variable of one letter": ({"env": {"A": "x"}}, "--env 'A' is not a variable name"),
    "variable with hyphen": ({"env": {"A-B": "x"}}, "--env 'A-B' is not a variable name"),
    "variables over 4 KB": ({"env": {"AB": "x" * 4096}}, "--env is 4098 bytes in all; Lambda takes 4096"),
    "variable no text": ({"env": {"A": 1}}, "--env A wants a text, not 1"),
    "tag of AWS": ({"tag": {"aws:x": "y"}}, "--tag aws:x begins with"),
    "tag of ours": ({"tag": {"nbchalice:app": "y"}}, "--tag nbchalice:app begins with"),
    "tag name": ({"tag": {"a#b": "y"}}, "--tag 'a#b' is not a tag name"),
    "tag value": ({"tag": {"a": "x" * 257}}, "--tag a has no valid value"),
    "too many tags": ({"tag": {f"t{n}": "x" for n in range(47)}}, "--tag is given 47 times"),
    "role": ({"role": "admin"}, "--role 'admin' is not the ARN of a role"),
    "role and allow": ({"role": ROLE, "allow": [("s3:GetObject", "*")]}, "--allow is for the role that nbchalice makes"),
    "allow without service": ({"allow": [("GetObject", "*")]}, "--allow 'GetObject' is not an action"),
    "allow without ARN": ({"allow": [("s3:GetObject", "bucket")]}, "--allow s3:GetObject: 'bucket' is not an ARN"),
    "layer without version": ({"layer": [LAYER[:-2]]}, "--layer .* is not the ARN of a layer version"),
    "layer twice": ({"layer": [LAYER, LAYER[:-1] + "2"]}, "--layer names x twice"),
    "six layers": ({"layer": [f"{LAYER[:-3]}{n}:1" for n in range(6)]}, "--layer is given 6 times; Lambda takes 5"),
    "layer elsewhere": ({"layer": [LAYER.replace("us-east-1", "eu-west-1")]}, "is in eu-west-1, the function in us-east-1"),
    "subnet alone": ({"subnet": ["subnet-1"]}, "a VPC wants both --subnet and --security-group"),
    "storage": ({"ephemeral_storage": 100}, "--ephemeral-storage is 512 to 10240, not 100"),
    "no event recorded": ({"record": 0}, "--record is 1 to 500, not 0"),
    "field without name": ({"record": 5, "redact": ["customer."]}, "--redact 'customer.' is not a field: names with dots"),
    "redact alone": ({"redact": ["email"]}, "--redact is for --record, which is not given"),
    "unknown setting": ({"tiemout": 5}, "there is no option 'tiemout'; did you mean timeout"),
    "handler name": ({"name": "a b"}, "'a b' is not a valid name: up to 64 letters, digits, - and _"),
    "long name": ({"name": "x" * 60}, "letters; Lambda takes 64"),
}  # fmt: skip

# What is wrong -> content of the policy file, and what the error says.
POLICIES = {
    "missing": (None, "--policy .* cannot be used: No such file"),
    "no JSON": ("{", "--policy .* cannot be used"),
    "no statements": ("{}", "--policy .* cannot be used: it has no 'Statement'"),
    "a list": ("[]", "--policy .* cannot be used"),
    "no effect": (policy(Effect=None), "statement 1 has no Effect"),
    "wrong effect": (policy(Effect="allow"), "statement 1 has no Effect"),
    "no action": (policy(Action=None), "statement 1 wants either Action or NotAction"),
    "both actions": (policy(NotAction="s3:*"), "statement 1 wants either Action or NotAction"),
    "no resource": (policy(Resource=None), "statement 1 wants either Resource or NotResource"),
    "principal": (policy(Principal="*"), "statement 1 has Principal, which a role's policy cannot have"),
    "typing error": (policy(Resources="*"), "statement 1 has Resources, which"),
    "statement is text": ('{"Statement": ["x"]}', "statement 1 is not an object"),
    "too long": (policy(Resource=[f"arn:aws:s3:::{'x' * 60}{n}" for n in range(200)]), "IAM takes 10240"),
}

TRIGGERS = {
    "rate": (schedule("rate(1 minutes)"), "rate"),
    "cron": (schedule("cron(0 9 * * * *)"), r"\?"),
    "bucket name": (s3("My_Bucket"), "'My_Bucket' is not a bucket name"),
    "S3 event": (s3("bucket", events=["s3:Created"]), "'s3:Created' is not an S3 event type"),
    "FIFO topic": (sns("news.fifo"), "FIFO topic"),
    "filter policy": (sns("news", filter_policy={"a": "b"}), "must be an object or an array; write"),
    "queue name": (sqs("a queue"), "'a queue' is not a queue name"),
    "batch without window": (sqs("orders", batch_size=11), "--maximum-batching-window-in-seconds of at least 1"),
    "batch of a FIFO queue": (sqs("orders.fifo", batch_size=11), "1 to 10 for a FIFO queue"),
    "rate of many minute": (schedule("rate(5 minute)"), "minutes"),
    "cron with five fields": (schedule("cron(0 9 * * ?)"), "fields"),
    "cron at 25 o'clock": (schedule("cron(0 25 * * ? *)"), "25"),
    "no expression": (schedule("every day"), "every day"),
    "time zone": (schedule("cron(0 9 * * ? *)", timezone="Mars/Base"), "'Mars/Base' is not a time zone"),
    "time zone of a rate": (schedule(timezone="Europe/Vienna"), "a rate has no time of day"),
    "long description": (schedule(description="x" * 513), "--description is up to 512 characters"),
    "window of a day and more": (schedule(flexible_window=1441), "--flexible-window is 1 to 1440, not 1441"),
    "bucket by ARN": (s3("arn:aws:s3:::bucket"), "is not a bucket name"),
    "no S3 events": (s3("bucket", events=[]), "--events"),
    "topic with spaces": (sns("my news"), "'my news' is not a topic name"),
    "topic by a wrong ARN": (sns("arn:aws:sqs:us-east-1:000000000000:x"), "is not the ARN of a topic"),
    "empty filter policy": (sns("news", filter_policy={}), "filter-policy"),
    "unknown filter rule": (sns("news", filter_policy={"a": [{"begins": "x"}]}), "Unrecognized match type begins; SNS has"),
    "filter scope": (sns("news", filter_policy={"a": ["b"]}, filter_scope="Body"), "--filter-scope is one of"),
    "queue by a wrong ARN": (sqs("arn:aws:sns:us-east-1:000000000000:x"), "is not the ARN of a queue"),
    "queue by a wrong URL": (sqs("https://example.com/orders"), "is not the URL of a queue"),
    "batch of 10,001": (sqs("orders", batch_size=10_001), "--batch-size is 1 to 10000, not 10001"),
    "window of a FIFO queue": (sqs("orders.fifo", maximum_batching_window_in_seconds=1), "a FIFO queue has no batching window"),
    "long window": (sqs("orders", maximum_batching_window_in_seconds=301), "is 0 to 300, not 301"),
    "filter pattern": (sqs("orders", filter={"body": "x"}), "must be an object or an array; write"),
    "event pattern": (("on_cw_event", {"event_pattern": {}}), "PATTERN"),
    "field of an event": (("on_cw_event", {"event_pattern": {"sorce": ["x"]}}), "did you mean source"),
    "starting position": (("on_kinesis_record", {"stream": "s", "starting_position": "NOW"}), "--starting-position is one of"),
    "table's stream": (("on_dynamodb_record", {"stream_arn": "orders"}), "'orders' is not the ARN of a table's stream"),
    "concurrency": (sqs("orders", maximum_concurrency=1), "--maximum-concurrency is 2 to 1000, not 1"),
}  # fmt: skip


def plain(text):
    """The magic's --batch-size and the decorator's batch_size read the same."""
    return text.replace("--", "").replace("_", "-")


@pytest.fixture
def refused(connection):
    """Deploy and expect one error, before any write."""

    def check(made, expected):
        writes = len(connection.writes)
        with pytest.raises(InvalidInputError) as caught:
            deploy(made, connection)
        assert re.search(plain(expected), plain(str(caught.value))), str(caught.value)
        assert not isinstance(caught.value, ProblemsError), str(caught.value)
        assert len(connection.writes) == writes
        assert "Traceback" not in str(caught.value)

    return check


@pytest.mark.parametrize("what", SETTINGS)
def test_settings(refused, name, what):
    settings, expected = SETTINGS[what]
    own = dict(settings)
    refused(app(name, handler(own.pop("name", "price"), **own)), expected)


@pytest.mark.parametrize("what", POLICIES)
def test_policy_files(refused, name, what, tmp_path):
    content, expected = POLICIES[what]
    if content is not None:
        (tmp_path / "p.json").write_text(content)
    refused(app(name, handler("price", policy="p.json"), folder=tmp_path), expected)


@pytest.mark.parametrize("what", TRIGGERS)
def test_triggers(refused, name, what):
    trigger, expected = TRIGGERS[what]
    refused(app(name, handler("price", trigger)), expected)


@pytest.mark.parametrize(
    ("app_name", "stage", "expected"),
    [
        ("my app", "dev", "app name 'my app' may have letters"),
        ("", "dev", "app name '' may have letters"),
        ("größe", "dev", "app name 'größe' may have"),
        ("app", "dev/1", "stage name 'dev/1' may have letters"),
    ],
)
def test_names_of_app_and_stage(refused, app_name, stage, expected):
    refused(app(app_name, handler("price"), stage=stage), expected)


def test_one_bucket_entry_for_two_handlers(refused, name):
    made = app(name, handler("a", s3("bucket", prefix="in/")), handler("b", s3("bucket", prefix="in/x/")))
    refused(made, "handlers a and b: .* overlaps")


def test_two_handlers_of_one_name(refused, name):
    refused(app(name, handler("a"), handler("a")), "2 handlers are named a")


def test_all_problems_are_told_at_once(connection, name):
    writes = len(connection.writes)
    made = app(name, handler("a", sqs("a queue"), timeout=0, memory=1), handler("b", schedule("rate(0 days)")))
    with pytest.raises(ProblemsError) as caught:
        deploy(made, connection)
    text = str(caught.value)
    assert text.startswith("4 problems found; nothing was changed")
    for part in ("timeout", "memory", "queue name", "rate"):
        assert part in text
    assert len(connection.writes) == writes


def test_only_allowed_accounts(connection, name, tmp_path):
    from nbchalice.aws.target import Connection, Target

    (tmp_path / ".chalice").mkdir()
    config = tmp_path / ".chalice" / "config.json"
    config.write_text(json.dumps({"allowed_accounts": ["111122223333"]}))
    real = Connection(Target("aws", "us-east-1", "444455556666"), lambda *_: pytest.fail("AWS was called"))
    made = app(name, handler("price"), folder=tmp_path)
    operations = (
        lambda: deploy(made, real), lambda: engine.delete(made, real), lambda: engine.rollback(made, "price", real)
    )  # fmt: skip
    for operation in operations:
        with pytest.raises(NbChaliceError, match="of account 444455556666, .* allows 111122223333"):
            operation()
    deploy(made, connection)  # the local AWS is always allowed
    config.write_text(json.dumps({"allowed_accounts": "444455556666"}))
    with pytest.raises(NbChaliceError, match="allowed_accounts"):
        deploy(made, real)


def test_a_policy_of_a_function_over_20_kb_is_refused_before_anything_is_changed(connection, name):
    """Lambda takes 20,480 bytes of it, about 50 topics; the local AWS takes any number."""
    topics = [sns(f"{name}-{number:03}" + "t" * 100) for number in range(60)]
    with pytest.raises(InvalidInputError, match=r"its 60 triggers make the function's policy \d+ bytes") as refused:
        deploy(app(name, handler("announce", *topics)), connection)
    assert "second handler" in refused.value.hint
