"""Settings of the function on the local AWS: set, unchanged, and cleared again."""

import json

import pytest

from ..roles import make_role


def function_of(one):
    return one.aws.client("lambda").get_function(FunctionName=one.ref.name)


def statements_of(one):
    return one.aws.client("iam").get_role_policy(RoleName=one.ref.name, PolicyName="nbchalice")["PolicyDocument"][
        "Statement"
    ]


EVERYTHING = (
    "@app.schedule('rate(1 hour)', timeout=30, memory=256, env={'AB': 'b'}, tag={'team': 'x'}, reserved_concurrency=3,"
    " ephemeral_storage=1024, log_retention=7, json_logs=True, tracing=True, allow={'s3:GetObject': 'arn:aws:s3:::b/*'},"
    " subnet=['subnet-1'], security_group=['sg-1'])"
)


def test_every_setting_is_set_and_cleared(deployed):
    one = deployed(EVERYTHING)
    function = function_of(one)
    now = function["Configuration"]
    assert (now["Timeout"], now["MemorySize"], now["Environment"]["Variables"]) == (30, 256, {"AB": "b"})
    assert (now["EphemeralStorage"], now["TracingConfig"]["Mode"], now["LoggingConfig"]["LogFormat"]) == (
        {"Size": 1024},
        "Active",
        "JSON",
    )
    assert (now["VpcConfig"]["SubnetIds"], now["VpcConfig"]["SecurityGroupIds"]) == (["subnet-1"], ["sg-1"])
    assert function["Concurrency"]["ReservedConcurrentExecutions"] == 3 and function["Tags"]["team"] == "x"
    actions = [
        action
        for s in statements_of(one)
        for action in (s["Action"] if isinstance(s["Action"], list) else [s["Action"]])
    ]
    assert {"s3:GetObject", "xray:PutTraceSegments", "ec2:CreateNetworkInterface"} <= set(actions)
    assert one.changes() == []
    one.change("@app.schedule('rate(1 hour)')").deploy()
    function = function_of(one)
    now = function["Configuration"]
    assert (now["Timeout"], now["MemorySize"], (now.get("Environment") or {}).get("Variables", {})) == (60, 128, {})
    assert (now["EphemeralStorage"], now["TracingConfig"]["Mode"], now["LoggingConfig"]["LogFormat"]) == (
        {"Size": 512},
        "PassThrough",
        "Text",
    )
    assert not now["VpcConfig"].get("SubnetIds") and "Concurrency" not in function and "team" not in function["Tags"]
    assert len(statements_of(one)) == 1
    assert one.changes() == []


def test_dead_letters_and_reports_of_asynchronous_events(deployed, name):
    one = deployed(
        f"@app.schedule('rate(1 hour)', dlq='{name}-dead', on_failure='{name}-failed')", "raise ValueError('no')"
    )
    client, sqs = one.aws.client("lambda"), one.aws.client("sqs")
    arns = {end: f"arn:aws:sqs:{one.aws.region}:{one.aws.account}:{name}-{end}" for end in ("dead", "failed")}
    assert function_of(one)["Configuration"]["DeadLetterConfig"] == {"TargetArn": arns["dead"]}
    config = client.get_function_event_invoke_config(FunctionName=one.ref.name)
    assert config["DestinationConfig"]["OnFailure"] == {"Destination": arns["failed"]}
    allowed = {s["Resource"] for s in statements_of(one) if s["Action"] == "sqs:SendMessage"}
    assert allowed == set(arns.values())
    assert one.changes() == []
    assert one.send().status == "failed"
    url = sqs.get_queue_url(QueueName=f"{name}-failed")["QueueUrl"]
    found = []
    while not found:
        found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
    report = json.loads(found[0]["Body"])["requestContext"]
    assert (report["condition"], report["functionArn"].split(":")[6]) == ("RetriesExhausted", one.ref.name)
    client.put_function_event_invoke_config(
        FunctionName=one.ref.name,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": arns["failed"]}},
    )
    one.change("@app.schedule('rate(1 hour)')").deploy()
    config = client.get_function_event_invoke_config(FunctionName=one.ref.name)
    assert config["MaximumRetryAttempts"] == 1 and not (config.get("DestinationConfig") or {}).get("OnFailure")
    assert not (function_of(one)["Configuration"].get("DeadLetterConfig") or {}).get("TargetArn")
    assert one.changes() == []


def test_a_role_of_ones_own_is_used_and_not_touched(deployed, connection, name):
    arn = make_role(connection.client("iam"), name)
    one = deployed(f"@app.schedule('rate(1 hour)', role='{arn}')")
    assert function_of(one)["Configuration"]["Role"] == arn
    with pytest.raises(connection.client("iam").exceptions.NoSuchEntityException):
        connection.client("iam").get_role(RoleName=one.ref.name)
    one.delete()
    assert connection.client("iam").get_role(RoleName=name)["Role"]["Arn"] == arn


def test_queues_for_failed_events_must_exist_on_real_aws(real):
    from nbchalice.resources.destination import preflight

    arns = [f"arn:aws:sqs:{real.region}:{real.account}:nowhere", f"arn:aws:sns:{real.region}:{real.account}:nowhere"]
    queue, topic = preflight(real, arns).problems
    assert queue.message == f"queue nowhere for failed events does not exist in {real.region}"
    assert topic.hint == f"aws sns create-topic --name nowhere --region {real.region}"
