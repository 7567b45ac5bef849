"""A handler that may not do what it does fails on the local AWS as on AWS, and following what `send` says makes it work."""

import re

import pytest
from IPython.utils.capture import capture_output

CELL = """%%on_sqs_message allow-orders {options}
def order(event):
    import boto3, io
    for record in event:
        {call}
"""
CALLS = {
    "sqs": "boto3.client('sqs').send_message(QueueUrl='https://sqs.us-east-1.amazonaws.com/000000000000/allow-next', MessageBody='x')",
    "sns": "boto3.client('sns').publish(TopicArn='arn:aws:sns:us-east-1:000000000000:allow-news', Message=record.body)",
    "s3": "boto3.client('s3').upload_fileobj(io.BytesIO(b'x'), 'allow-files', f'orders of {record.body}/1.txt')",
    "dynamodb": "boto3.resource('dynamodb').Table('allow-table').put_item(Item={'id': record.body})",
    "secrets": "boto3.client('secretsmanager').get_secret_value(SecretId='allow-secret')",
    "parameters": "boto3.client('ssm').get_parameter(Name='/allow/parameter')",
}


@pytest.fixture
def resources(aws):
    aws("sqs").create_queue(QueueName="allow-next")
    aws("sns").create_topic(Name="allow-news")
    aws("s3").create_bucket(Bucket="allow-files")
    keys = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    attributes = [{"AttributeName": "id", "AttributeType": "S"}]
    aws("dynamodb").create_table(TableName="allow-table", AttributeDefinitions=attributes, **keys)
    aws("secretsmanager").create_secret(Name="allow-secret", SecretString="x")
    aws("ssm").put_parameter(Name="/allow/parameter", Value="x", Type="String")


def shown(run, line):
    """Run a line; return what stands below the cell, as text."""
    from IPython.display import display

    with capture_output() as captured:
        display(run(line))
    return captured.stdout + "".join(str(output.data.get("text/plain", "")) for output in captured.outputs)


HERE = "us-east-1:000000000000"
ADDED = {
    "sqs": f"--allow sqs:SendMessage=arn:aws:sqs:{HERE}:allow-next",
    "sns": f"--allow sns:Publish=arn:aws:sns:{HERE}:allow-news",
    "s3": "--allow s3:PutObject=arn:aws:s3:::allow-files/*",
    "dynamodb": f"--allow dynamodb:PutItem=arn:aws:dynamodb:{HERE}:table/allow-table",
    "secrets": f"--allow secretsmanager:GetSecretValue=arn:aws:secretsmanager:{HERE}:secret:allow-secret-",
    "parameters": f"--allow ssm:GetParameter=arn:aws:ssm:{HERE}:parameter/allow/parameter",
}


@pytest.mark.parametrize("names", [["sns", "s3"], pytest.param([*CALLS], marks=pytest.mark.slow)], ids=len)
def test_what_send_says_to_add_makes_the_handler_work(run, resources, names):
    call = "\n        ".join(CALLS[name] for name in names)
    run(CELL.format(options="", call=call))
    run("%chalice deploy")
    said = shown(run, "%chalice send order --message 1 --wait 60")
    fix = re.search(r"fix: the function's role lacks this, and more that its code needs; add (.*) to the handler", said)
    assert fix, said
    options = re.findall(r"--allow \S+", fix[1])
    assert len(options) == len(names)
    assert options[0].startswith(ADDED[names[0]]), "what was refused comes first"
    assert all(any(option.startswith(ADDED[name]) for option in options) for name in names), options
    assert fix[0] in shown(run, "%chalice logs order")
    run(CELL.format(options=" ".join(options), call=call))
    said = shown(run, "%chalice send order --message 1 --wait 60")
    assert f"fix: {options[0]} is in the handler: deploy it; where it is deployed" in said
    run("%chalice deploy")
    assert run("%chalice send order --message 1 --wait 60").ok
    run(CELL.format(options=" ".join(options[1:]), call=call))
    run("%chalice deploy")
    said = shown(run, "%chalice send order --message 1 --wait 60")
    assert f"fix: the function's role lacks this; add {options[0]} to the handler, and deploy" in said
    run("%chalice delete --yes")
