"""What a handler's role may need: suggested from its code and from AWS's refusals, never applied."""

import pytest

from nbchalice import operations
from nbchalice.aws.refusals import allow_for
from nbchalice.deploy.suggest import network_note, note, policy, suggested
from nbchalice.errors import InvalidInputError
from nbchalice.handlers import Handler, parse_cell_magic
from nbchalice.resources.base import FunctionRef

REF = FunctionRef("shop", "dev", "price", "eu-west-1", "123456789012")
HEAD = "import boto3\n"
CALLS = {
    "s3 = boto3.client('s3')\ndef f(e):\n    s3.put_object(Bucket='b', Key='k', Body=b'')": [
        "s3:PutObject=arn:aws:s3:::b/*"
    ],
    "B = 'b'\ns3 = boto3.client('s3')\ndef f(e):\n    s3.upload_file('x', B, 'k')\n    s3.list_objects_v2(Bucket=B)": [
        "s3:ListBucket=arn:aws:s3:::b",
        "s3:PutObject=arn:aws:s3:::b/*",
    ],
    "def f(e, b):\n    c = boto3.client('s3')\n    c.download_file('in', 'k', 'x')\n    c.upload_fileobj(e, b, 'k')": [
        "s3:GetObject=arn:aws:s3:::in/*",
        "s3:PutObject=arn:aws:s3:::<bucket>/*",
    ],
    "def f(e):\n    boto3.client('s3').get_paginator('list_objects_v2').paginate(Bucket='b')": [
        "s3:ListBucket=arn:aws:s3:::b"
    ],
    "def f(e):\n    boto3.client('s3').list_buckets()": ["s3:ListAllMyBuckets=*"],
    "t = boto3.resource('dynamodb').Table('orders')\ndef f(e):\n    t.put_item(Item={})": [
        "dynamodb:PutItem=arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
    ],
    "d = boto3.resource('dynamodb')\nt = d.Table('orders')\ndef f(e):\n    with t.batch_writer() as b:\n        b.put_item(Item={})": [
        "dynamodb:BatchWriteItem=arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
    ],
    "s = boto3.Session()\ndef f(e):\n    q = s.client('sqs')\n    q.send_message_batch(QueueUrl='https://sqs.eu-west-1.amazonaws.com/123456789012/q')": [
        "sqs:SendMessage=arn:aws:sqs:eu-west-1:123456789012:q"
    ],
    "c = boto3.client('sqs')\ndef f(e):\n    u = c.get_queue_url(QueueName='q')['QueueUrl']\n    c.purge_queue(QueueUrl=u)": [
        "sqs:GetQueueUrl=arn:aws:sqs:eu-west-1:123456789012:q",
        "sqs:PurgeQueue=arn:aws:sqs:eu-west-1:123456789012:q",
    ],
    "def f(e):\n    boto3.client('sns').publish(TopicArn='arn:aws:sns:us-east-1:123456789012:t', Message='')": [
        "sns:Publish=arn:aws:sns:us-east-1:123456789012:t"
    ],
    "def f(e):\n    boto3.client('lambda').invoke(FunctionName=e)": [
        "lambda:InvokeFunction=arn:aws:lambda:eu-west-1:123456789012:function:<function>"
    ],
    "def f(e):\n    boto3.client('cloudwatch').put_metric_data()": ["cloudwatch:PutMetricData=*"],
    "def f(e):\n    boto3.client('iot-data').publish(topic='t', payload=b'{}')": ["iot:Publish=*"],
    "def f(e):\n    boto3.client('resourcegroupstaggingapi').get_resources()": ["tag:GetResources=*"],
    "def f(e):\n    boto3.client('stepfunctions').start_execution(stateMachineArn='m')": [
        "states:StartExecution=arn:aws:states:eu-west-1:123456789012:stateMachine:m"
    ],
    "def f(e):\n    boto3.client('sts').get_caller_identity()": [],
    "def f(e):\n    boto3.resource('s3').Bucket('b').Object('k').get()": ["s3:GetObject=arn:aws:s3:::b/*"],
    "def f(e):\n    boto3.client('sqs').list_queues()": ["sqs:ListQueues=*"],
    "def f(e):\n    boto3.client('sqs').get_queue_url(QueueName='q')": [
        "sqs:GetQueueUrl=arn:aws:sqs:eu-west-1:123456789012:q"
    ],
    "def f(e):\n    boto3.client('lambda').invoke(FunctionName='g', Qualifier='prod')": [
        "lambda:InvokeFunction=arn:aws:lambda:eu-west-1:123456789012:function:g:prod"
    ],
    "def f(e):\n    boto3.client('dynamodb').execute_statement(Statement='insert into t value {}')": [
        "dynamodb:PartiQLInsert=arn:aws:dynamodb:eu-west-1:123456789012:table/<table>"
    ],
    "def f(client):\n    client.put_object(Bucket='b')": [],
    "def f(e):\n    store().put_object(Bucket='b')\ndef store():\n    return boto3.client('s3')": [
        "s3:PutObject=arn:aws:s3:::b/*"
    ],
    "_DB = None\ndef get_db():\n    global _DB\n    if _DB is None:\n        _DB = boto3.resource('dynamodb').Table('orders')\n"
    "    return _DB\ndef f(e):\n    get_db().put_item(Item={})": [
        "dynamodb:PutItem=arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
    ],
    "import functools\n@functools.cache\ndef db():\n    return boto3.resource('dynamodb')\ndef table(name):\n    return db().Table(name)\n"
    "def f(e):\n    t = table('orders')\n    t.get_item(Key={})": [
        "dynamodb:GetItem=arn:aws:dynamodb:eu-west-1:123456789012:table/<table>"
    ],
    "class Store:\n    def __init__(self):\n        self.s3 = boto3.client('s3')\n    def save(self):\n"
    "        self.s3.put_object(Bucket='b')\ndef f(e):\n    Store().save()": ["s3:PutObject=arn:aws:s3:::b/*"],
    "def other():\n    return 1\ndef f(e):\n    other().put_object(Bucket='b')": [],
    "def f(e):\n    boto3.client('nosuch').do_it()": [],
}


@pytest.mark.parametrize("code", CALLS)
def test_calls_in_the_code_become_suggestions(code):
    found = suggested(HEAD + code, REF)
    assert [str(allow) for allow in found] == [f"--allow {expected}" for expected in CALLS[code]]


MODULE = """
import boto3
BUCKET = "reports"
def get_db():
    return boto3.resource("dynamodb").Table("orders")
def save(text):
    boto3.client("s3").put_object(Bucket=BUCKET, Key="a", Body=text)
queue = boto3.client("sqs")
"""


@pytest.mark.parametrize(
    "code",
    [
        "from storage import get_db, save\ndef f(e):\n    get_db().put_item(Item={})\n    save('')",
        "import storage\ndef f(e):\n    storage.get_db().put_item(Item={})\n    storage.save('')",
        "import storage as s\ndef f(e):\n    t = s.get_db()\n    t.put_item(Item={})",
    ],
)
def test_calls_by_way_of_a_local_module_are_seen(code):
    found = [str(allow) for allow in suggested(code, REF, beside={"storage": MODULE})]
    table = "--allow dynamodb:PutItem=arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
    assert found == [table, "--allow s3:PutObject=arn:aws:s3:::reports/*"]
    assert suggested(code, REF) == []


def test_where_nobody_knows_the_arns_of_a_service_what_is_given_counts():
    code = f"{HEAD}def f(e):\n    boto3.client('firehose').put_record(DeliveryStreamName='d', Record={{}})"
    assert [str(allow) for allow in suggested(code, REF)] == ["--allow firehose:PutRecord=*"]
    arn = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/d"
    assert suggested(code, REF, [{"Effect": "Allow", "Action": "firehose:PutRecord", "Resource": arn}]) == []
    other = [{"Effect": "Allow", "Action": "firehose:PutRecordBatch", "Resource": arn}]
    assert len(suggested(code, REF, other)) == 1
    queues = f"{HEAD}def f(e):\n    boto3.client('sqs').list_queues()"
    narrow = [{"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "arn:aws:sqs:eu-west-1:1:q"}]
    assert len(suggested(queues, REF, narrow)) == 1


@pytest.mark.parametrize(
    "code", ["s3.get_object(Bucket=event.bucket)", "s3.download_file(event.bucket, event.key, 'x')"]
)
def test_the_bucket_of_the_trigger_is_known(code):
    code = f"{HEAD}s3 = boto3.client('s3')\ndef f(event):\n    {code}\n"
    assert [*map(str, suggested(code, REF, (), {"bucket": "uploads"}))] == [
        "--allow s3:GetObject=arn:aws:s3:::uploads/*"
    ]
    assert [*map(str, suggested(code, REF))] == ["--allow s3:GetObject=arn:aws:s3:::<bucket>/*"]
    other = code.replace("event.bucket", "settings.bucket")
    assert [*map(str, suggested(other, REF, (), {"bucket": "uploads"}))] == [
        "--allow s3:GetObject=arn:aws:s3:::<bucket>/*"
    ]


def test_what_is_to_be_filled_in_is_refused_as_it_stands():
    with pytest.raises(InvalidInputError, match=r"write the name in the place of <bucket> in arn:aws:s3:::<bucket>/\*"):
        parse_cell_magic("lambda_function", "--allow s3:GetObject=arn:aws:s3:::<bucket>/*")


def test_what_is_allowed_already_is_not_suggested():
    code = (
        HEAD
        + "s3 = boto3.client('s3')\ndef f(e):\n    s3.get_object(Bucket='b')\n    s3.put_object(Bucket='b')\n    s3.put_object(Bucket=e)"
    )
    wide = [{"Effect": "Allow", "Action": ["s3:Put*"], "Resource": "arn:aws:s3:::b/*"}]
    assert [str(allow) for allow in suggested(code, REF, wide)] == ["--allow s3:GetObject=arn:aws:s3:::b/*"]
    assert suggested(code, REF, [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]) == []
    assert len(suggested(code, REF, [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}])) == 3


@pytest.mark.parametrize(
    ("key", "allowed", "told"),
    [
        ("e.key", "b/in/*", False),
        ("e.key", "b/in/*.csv", False),
        ("f'in/{e}'", "b/in/*", False),
        ("'in/sales.csv'", "b/in/sales.csv", False),
        ("f'out/{e}'", "b/in/*", True),
        ("e.key", "other/in/*", True),
    ],
)
def test_keys_that_are_allowed_on_purpose_are_not_widened(key, allowed, told):
    code = f"{HEAD}s3 = boto3.client('s3')\ndef f(e):\n    s3.put_object(Bucket='b', Key={key})"
    narrow = [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{allowed}"}]
    found = [str(allow) for allow in suggested(code, REF, narrow)]
    assert found == (["--allow s3:PutObject=arn:aws:s3:::b/*"] if told else [])


def test_a_key_that_a_loop_binds_too_is_not_known():
    code = (
        f"{HEAD}s3 = boto3.client('s3')\ndef f(e):\n    for key in e:\n        s3.get_object(Bucket='b', Key=key)\n"
        "    key = f'out/{e}'\n    s3.put_object(Bucket='b', Key=key)"
    )
    allowed = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/in/*"}]
    allowed += [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/out/*"}]
    assert suggested(code, REF, allowed) == []


def test_the_suggestion_as_policy_and_as_a_note():
    found = suggested(HEAD + "def f(e):\n    boto3.client('s3').put_object(Bucket='b')", REF)
    assert policy(found)["Statement"] == [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}]
    assert (
        note("price", found) == "price calls AWS; its role needs, if you agree: --allow s3:PutObject=arn:aws:s3:::b/*"
    )


REFUSALS = {
    'An error occurred (AccessDenied) when calling the PutObject operation: User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:PutObject action': "--allow s3:PutObject=arn:aws:s3:::b/*",
    'User: x is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/a key/with blanks.csv" because no ...': "--allow s3:GetObject=arn:aws:s3:::b/*",
    'User: x is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::b" because no ...': "--allow s3:ListBucket=arn:aws:s3:::b",
    "User: x is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:eu-west-1:1:q because no ...": "--allow sqs:SendMessage=arn:aws:sqs:eu-west-1:1:q",
    "User: x is not authorized to perform: SNS:Publish on resource: arn:aws:sns:eu-west-1:1:t because no ...": "--allow sns:Publish=arn:aws:sns:eu-west-1:1:t",
    "An error occurred (403) when calling the HeadObject operation: Forbidden": "--allow s3:GetObject=arn:aws:s3:::<bucket>/*",
    "An error occurred (AccessDeniedException) when calling the PutItem operation: User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:eu-west-1:1:table/t because ...": "--allow dynamodb:PutItem=arn:aws:dynamodb:eu-west-1:1:table/t",
    "An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied": "--allow s3:ListBucket=arn:aws:s3:::<bucket>",
    "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied": "--allow s3:GetObject=arn:aws:s3:::<bucket>/*",
    "User: x is not authorized to perform: ce:GetCostAndUsage": "--allow ce:GetCostAndUsage=*",
    "User: x is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::b with an explicit deny in a service control policy": None,
    "User: x is not authorized to perform: sqs:listqueues because no permissions boundary allows the sqs:listqueues action": None,
    "User: x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:1:key/k because no resource-based policy allows the kms:Decrypt action": None,
    "ValueError: no": None,
}


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_says_what_would_allow_it(text):
    assert allow_for(text) == REFUSALS[text]


def test_the_error_of_an_invocation_shows_what_would_allow_it():
    from nbchalice.logs.records import InvocationError
    from nbchalice.logs.show import error_lines

    error = InvocationError("ClientError", next(iter(REFUSALS)), ())
    assert (
        error_lines(error)[-1]
        == "  fix: the function's role lacks this; add --allow s3:PutObject=arn:aws:s3:::b/* to the handler, and deploy"
    )


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("(NoSuchBucket) when calling the PutObject operation: The specified bucket does not exist", "bucket"),
        (
            "(NoSuchBucket) when calling the ListObjectsV2 operation (reached max retries: 4): The specified bucket does not exist",
            "bucket",
        ),
        (
            "(AWS.SimpleQueueService.NonExistentQueue) when calling the SendMessage operation: The specified queue does not exist.",
            "queue",
        ),
        ("(NotFound) when calling the Publish operation: Topic does not exist", "topic"),
    ],
)
def test_what_does_not_exist_that_a_handler_uses_is_told_with_how_it_is_made(said, kind):
    from nbchalice.logs.records import InvocationError
    from nbchalice.logs.show import error_lines

    error = InvocationError("botocore.errorfactory.NoSuchBucket", f"An error occurred {said}", ())
    assert (
        f"  fix: correct the name of the {kind}, or make it: %chalice local create {kind} NAME, on real AWS aws "
        in error_lines(error)[-1]
    )
    assert not any("fix:" in line for line in error_lines(InvocationError("ValueError", "(NoSuchBucket)", ())))


def test_an_object_that_is_missing_is_not_taken_for_a_permission_that_lacks():
    from nbchalice.logs.records import InvocationError
    from nbchalice.logs.show import error_lines

    said = (
        "An error occurred (AccessDenied) when calling the GetObject operation: User: x is not authorized to perform: "
        's3:ListBucket on resource: "arn:aws:s3:::b" because no identity-based policy allows the s3:ListBucket action'
    )
    (line,) = error_lines(InvocationError("ClientError", said, ()))[-1:]
    assert "fix: the object is missing" in line and "add --allow s3:ListBucket=arn:aws:s3:::b" in line


@pytest.mark.parametrize(
    ("code", "settings", "services"),
    [
        ("boto3.client('sqs').send_message(QueueUrl='q', MessageBody='m')", {}, "sqs"),
        ("boto3.client('s3').list_buckets(); boto3.resource('dynamodb').Table('t').scan()", {}, "dynamodb and s3"),
        ("suggests_store.table().put_item(Item={})", {}, "dynamodb"),
        ("print(1)", {"record": 5}, "s3"),
        ("print(1)", {}, ""),
    ],
)
def test_calls_of_a_handler_in_a_vpc_need_a_way_to_aws(code, settings, services):
    module = f"import boto3\ndef f(event):\n    {code}\n"
    store = {"suggests_store": "import boto3\ndef table():\n    return boto3.resource('dynamodb').Table('t')\n"}
    network = {"subnet": ["subnet-1"], "security_group": ["sg-1"]}
    module = module.replace("import boto3", "import boto3, suggests_store")
    told = network_note(Handler("f", "f", (), {**settings, **network}), module, store)
    assert told == ([f"f runs in a VPC: its calls of {services} need endpoints of that VPC or a NAT gateway, or each of "
                     "them ends in a timeout"] if services else [])  # fmt: skip
    assert network_note(Handler("f", "f", (), settings), module, store) == []


def test_a_plan_shows_the_suggestion_and_a_deploy_applies_nothing(tmp_path, local_aws):
    import nbformat

    from nbchalice.aws.target import connect
    from nbchalice.notebook_file import read_project

    cells = [
        "%chalice app suggests",
        "import boto3\nBUCKET = 'shop'",
        "%%schedule rate(1 hour)\ndef f(event):\n    boto3.client('s3').put_object(Bucket=BUCKET, Key='k', Body=b'')",
        "%%on_s3_event suggests-in\ndef h(event):\n    boto3.client('s3').get_object(Bucket=event.bucket, Key=event.key)",
        "import suggests_store",
        "%%schedule rate(1 hour)\ndef i(event):\n    suggests_store.table().put_item(Item={})",
        "%%schedule rate(1 hour) --allow s3:PutObject=arn:aws:s3:::shop/*\ndef g(event):\n    boto3.client('s3').put_object(Bucket=BUCKET, Key='k', Body=b'')",
    ]
    path = tmp_path / "suggests.ipynb"
    (tmp_path / "suggests_store.py").write_text(
        "import boto3\ndef table():\n    return boto3.resource('dynamodb').Table('t')\n"
    )
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    connection, project = connect("local"), read_project(path)
    expected = (
        "f calls AWS; its role needs, if you agree: --allow s3:PutObject=arn:aws:s3:::shop/*",
        "h calls AWS; its role needs, if you agree: --allow s3:GetObject=arn:aws:s3:::suggests-in/*",
        "i calls AWS; its role needs, if you agree: --allow dynamodb:PutItem="
        "arn:aws:dynamodb:us-east-1:000000000000:table/t",
    )
    assert operations.plan(project, connection).notes == expected
    assert operations.deploy(project, connection).plan.notes == expected
    try:
        policies = {
            name: connection.client("iam").get_role_policy(RoleName=f"suggests-dev-{name}", PolicyName="nbchalice")[
                "PolicyDocument"
            ]
            for name in ("f", "g")
        }
        assert {name: len(policy["Statement"]) for name, policy in policies.items()} == {"f": 1, "g": 2}
    finally:
        operations.delete(project, connection)


def test_what_cannot_tell_more_leaves_what_was_refused_and_what_is_known_already_is_not_told_twice():
    from nbchalice.logs.lacking import Lacking

    refused, told = "--allow s3:GetObject=arn:aws:s3:::b/*", []
    lacking = Lacking()
    assert lacking.beside("f", refused) == []

    def of(function):
        told.append(function)
        if function == "broken":
            raise RuntimeError("the notebook cannot be read now")
        return [
            refused,
            "--allow s3:GetObject=arn:aws:s3:::<bucket>/*",
            "--allow s3:GetObject=arn:aws:s3:::c/*",
            "--allow x:Y=*",
        ]

    with lacking.kept():
        lacking.is_told_by(of)
        assert lacking.beside("f", refused) == ["--allow s3:GetObject=arn:aws:s3:::c/*", "--allow x:Y=*"]
        assert lacking.beside("f", "--allow z:Z=*")[0] == refused
        assert lacking.beside("broken", refused) == [] and told == ["f", "broken"]
    assert lacking.beside("f", refused) == []
