"""What people get wrong: each gives one clear error that names what is wrong and the fix, before anything is changed."""

import json

import pytest

from nbchalice import operations
from nbchalice.config import read_config
from nbchalice.errors import InvalidInputError
from nbchalice.handlers import Handler, clashes, parse_cell_magic, tidy_settings
from nbchalice.runtime.app import Chalice

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:orders"
LINES = {
    # The line itself
    "on_sqs_message": "QUEUE is missing: give the name, ARN or URL of a queue",
    "on_s3_event": "BUCKET is missing: give the name of a bucket",
    "on_sns_message": "TOPIC is missing: give the name or ARN of a topic",
    "schedule": "EXPRESSION is missing: rate(5 minutes), cron(0 9 ? * MON-FRI *) or at(2030-01-31T09:00:00)",
    "on_cw_event": 'PATTERN is missing: an event pattern, for example \'{"source": ["aws.ec2"]}\'',
    "on_kinesis_record": "STREAM is missing: give the name of a stream",
    "on_dynamodb_record": "STREAM_ARN is missing; aws dynamodb describe-table",
    "on_sqs_message 'orders": "no closing quotation",
    "on_sqs_message ''": "QUEUE is empty; give the name, ARN or URL of an existing queue",
    "on_sqs_message orders --batch-sise 3": "has no option --batch-sise",
    "on_sqs_message orders --prefix a": "has no option --prefix, which S3 has",
    "on_sns_message news --per-record": "has no option --per-record, which SQS",
    "on_sqs_message orders --batch-size": "--batch-size wants a value",
    "on_sqs_message orders --batch-size ten": "--batch-size wants a whole number, not 'ten'",
    "on_sqs_message orders --report-failures=yes": "--report-failures takes no value",
    'on_sns_message news --filter-policy {"a": [x]}': "begins like JSON and is none",
    "on_sns_message news --filter-policy {a:[1]}": "--filter-policy wants JSON in single quotes",
    "lambda_function orders": "what is 'orders'?",
    "on_sqs_message orders --name 'two words'": "--name 'two words' is not a valid name: up to 64 letters, digits, - and _",
    # SQS
    "on_sqs_message two words": "'two words' is not a queue name",
    "on_sqs_message arn:aws:sns:us-east-1:123456789012:orders": "is not the ARN of a queue: arn:aws:sqs:REGION:ACCOUNT:NAME",
    "on_sqs_message https://example.com/orders": "is not the URL of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME",
    "on_sqs_message orders --queue-arn " + QUEUE_ARN: "give one queue, not two",
    "on_sqs_message orders --batch-size 0": "--batch-size is 1 to 10000, not 0",
    "on_sqs_message orders --batch-size 11": "--batch-size over 10 needs --maximum-batching-window-in-seconds of at least 1",
    "on_sqs_message orders.fifo --batch-size 11": "--batch-size is 1 to 10 for a FIFO queue, not 11",
    "on_sqs_message orders.fifo --maximum-batching-window-in-seconds 5": "a FIFO queue has no batching window",
    "on_sqs_message orders --maximum-batching-window-in-seconds 301": "--maximum-batching-window-in-seconds is 0 to 300, not 301",
    "on_sqs_message orders --maximum-concurrency 1": "--maximum-concurrency is 2 to 1000, not 1",
    "on_sqs_message orders --max-receive-count 3": "--max-receive-count needs --dlq QUEUE",
    "on_sqs_message orders --dlq dead --max-receive-count 0": "--max-receive-count is 1 to 1000, not 0",
    "on_sqs_message orders --dlq orders": "--dlq is the queue itself; give another queue",
    "on_sqs_message orders --dlq dead.fifo": "the dead-letter queue of a standard queue is a standard queue too",
    "on_sqs_message orders.fifo --dlq dead": "the dead-letter queue of a FIFO queue is a FIFO queue too",
    "on_sqs_message orders --dlq arn:aws:sns:us-east-1:123456789012:t": "--dlq of a queue's handler is a queue: give its name or ARN",
    "on_sqs_message orders --retries 0": "--retries is for asynchronous events, not those of a queue or stream",
    "on_sqs_message orders --max-age 60": "--max-age is for asynchronous events, not those of a queue or stream",
    "on_sqs_message orders --on-failure fails": "--on-failure is for asynchronous events; the events of a queue or stream take --dlq",
    "on_sqs_message orders --filter '[]5'": "is not valid JSON",
    'on_sqs_message orders --filter \'{"kind": ["a"]}\'': 'a record has no field \'kind\'; for one of its body write {"body": {"kind": [...]}}',
    'on_sqs_message orders --filter \'{"body": {"kind": "a"}}\'': '--filter, body.kind: "kind" must be an object or an array; write ["a"]',
    "on_sqs_message orders --filter '{}'": "--filter: Empty objects are not allowed",
    "on_sqs_message orders --filter '[{}, {}, {}, {}, {}, {}]'": "--filter has 6 patterns; Lambda takes up to 5",
    'on_sqs_message orders --filter \'{"body": {"n": [{"bigger": 1}]}}\'': "--filter, body.n: Unrecognized match type bigger; Lambda has anything-but",
    'on_sqs_message orders --filter \'{"body": {"n": [{"numeric": [">"]}]}}\'': "--filter, body.n: Value of > must be numeric; write for example",
    "on_kinesis_record clicks --filter '{\"n\": [1]}'": 'a record has no field \'n\'; for one of its data write {"data": {"n": [...]}}',
    'on_kinesis_record clicks --filter \'{"data": {"n": 1}}\'': '--filter, data.n: "n" must be an object or an array; write [1]',
    # SNS
    "on_sns_message news.fifo": "subscribe a FIFO queue to it and use on_sqs_message with that queue",
    "on_sns_message 'my news'": "'my news' is not a topic name: up to 256 letters, digits, - and _",
    "on_sns_message arn:aws:sqs:us-east-1:123456789012:news": "is not the ARN of a topic: arn:aws:sns:REGION:ACCOUNT:NAME",
    "on_sns_message news --filter-scope Body": "--filter-scope is one of MessageAttributes, MessageBody, not 'Body'",
    "on_sns_message news --filter-scope MessageBody": "--filter-scope needs --filter-policy",
    'on_sns_message news --filter-policy \'{"a": {"b": [1]}}\'': "--filter-policy, a: Filter policy scope MessageAttributes does not support nested filter policy; the scope MessageBody does",
    "on_sns_message news --filter-policy '{\"a\": []}'": "--filter-policy, a: Empty arrays are not allowed",
    'on_sns_message news --filter-policy \'{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}\'': "--filter-policy: Filter policy can not have more than 5 keys; it has 6",
    'on_sns_message news --filter-policy \'{"a": ['
    + ",".join(map(str, range(151)))
    + "]}'": "--filter-policy: Filter policy is too complex; it has 151 combinations of values, of 150",
    "on_sns_message news --redrive-dlq dead.fifo": "--redrive-dlq must be a standard queue",
    "on_sns_message news --redrive-dlq 'a b'": "--redrive-dlq: 'a b' is not a queue name",
    f"on_sns_message arn:aws:sns:eu-west-1:123456789012:news --redrive-dlq {QUEUE_ARN}": "--redrive-dlq must be in the region and account of the topic",
    # S3
    "on_s3_event s3://shop/in": "is not a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens (give the name, not an ARN or URL)",
    "on_s3_event Shop": "'Shop' is not a bucket name",
    "on_s3_event shop --events ObjectCreated": "'ObjectCreated' is not an S3 event type; did you mean s3:ObjectCreated:",
    "on_s3_event shop --events s3:ObjectCreated:Puts": "did you mean s3:ObjectCreated:Put?",
    "on_s3_event shop --prefix " + "a" * 1025: "--prefix is longer than 1024 bytes, as no key can be",
    # Schedule
    "schedule hourly": "'hourly' is not a schedule; write rate(5 minutes)",
    "schedule rate(1 minutes)": "rate: with 1 the unit must be minute, hour or day, not 'minutes'",
    "schedule rate(5 minute)": "rate: with 5 the unit must be minutes, hours or days, not 'minute'",
    "schedule rate(0 hours)": "rate: the value must be a whole number of 1 or more, not '0'",
    "schedule rate(30 seconds)": "rate: with 30 the unit must be minutes, hours or days",
    "schedule cron(0 9 * * *)": "cron: there must be six fields",
    "schedule cron(0 9 * * * *)": "?",
    "schedule cron(60 9 ? * MON *)": "minutes",
    "schedule at(tomorrow)": "is not a moment of the form yyyy-mm-ddThh:mm:ss",
    "schedule cron(0 9 ? * MON *) --timezone Vienna": "--timezone 'Vienna' is not a time zone; write it as Europe/Vienna or UTC",
    "schedule rate(1 hour) --timezone Europe/Vienna": "--timezone is for cron(...) and at(...): a rate has no time of day",
    "schedule rate(1 hour) --flexible-window 0": "--flexible-window is 1 to 1440, not 0",
    "schedule rate(1 hour) --input {}x": "--input wants JSON in single quotes",
    "schedule rate(1 hour) --description " + "d" * 513: "--description is up to 512 characters",
    # EventBridge, Kinesis, DynamoDB
    "on_cw_event shop": "PATTERN wants JSON in single quotes",
    'on_cw_event \'{"sources": ["shop"]}\'': "an event has no field 'sources'; did you mean source?",
    'on_cw_event \'{"source": "shop"}\'': 'PATTERN, source: "source" must be an object or an array; write ["shop"]',
    "on_cw_event '[1]'": "PATTERN: Filter is not an object; write",
    "on_kinesis_record arn:aws:kinesis:us-east-1:123456789012:stream/clicks": "is not a stream name: up to 128 letters, digits, _, . and - (give the name, not an ARN)",
    "on_kinesis_record clicks --starting-position NOW": "--starting-position is one of LATEST, TRIM_HORIZON, AT_TIMESTAMP, not 'NOW'",
    "on_dynamodb_record orders": "aws dynamodb describe-table --table-name orders --query Table.LatestStreamArn prints it",
    # Settings of the function
    "schedule rate(1 hour) --timeout 1801": "--timeout is 1 to 1800, not 1801",
    "schedule rate(1 hour) --memory 64": "--memory is 128 to 10240, not 64",
    "schedule rate(1 hour) --ephemeral-storage 256": "--ephemeral-storage is 512 to 10240, not 256",
    "schedule rate(1 hour) --reserved-concurrency -1": "--reserved-concurrency is 0 to 1000, not -1",
    "schedule rate(1 hour) --arch arm": "--arch is one of x86_64, arm64, not 'arm'",
    "schedule rate(1 hour) --python 3.8": "--python is one of 3.11, 3.12, 3.13, 3.14, 3.15, not '3.8'",
    "schedule rate(1 hour) --log-retention 2": "--log-retention is one of 1, 3, 5, 7",
    "schedule rate(1 hour) --env RATE": "--env wants NAME=VALUE, not 'RATE'",
    "schedule rate(1 hour) --env AWS_REGION=x": "--env AWS_REGION is reserved by Lambda; choose another name",
    "schedule rate(1 hour) --env 1A=x": "--env '1A' is not a variable name: a letter, then one or more letters, digits and _",
    "schedule rate(1 hour) --env A=x": "--env 'A' is not a variable name: a letter, then one or more letters, digits and _",
    "schedule rate(1 hour) --env AB=" + "x" * 4096: "--env is 4098 bytes in all; Lambda takes 4096",
    "schedule rate(1 hour) --tag aws:x=1": "--tag aws:x begins with aws: or nbchalice:, which are reserved",
    "schedule rate(1 hour) --tag 'a;b=1'": "--tag 'a;b' is not a tag name",
    "schedule rate(1 hour) --role admin": "--role 'admin' is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME",
    "schedule rate(1 hour) --role arn:aws:iam::123456789012:role/r --allow s3:Get*=*": "--allow is for the role that nbchalice makes; leave out --role",
    "schedule rate(1 hour) --role-path team": "--role-path 'team' is not a path: it begins and ends with /",
    "schedule rate(1 hour) --permissions-boundary limit": "--permissions-boundary 'limit' is not the ARN of a policy",
    "schedule rate(1 hour) --role arn:aws:iam::123456789012:role/r --role-path /team/": "--role-path is for the role that nbchalice makes; leave out --role",
    "schedule rate(1 hour) --allow s3:PutObject": "--allow wants ACTION=ARN, for example s3:PutObject=arn:aws:s3:::my-bucket/*, not 's3:PutObject'",
    "schedule rate(1 hour) --allow PutObject=*": "--allow 'PutObject' is not an action: SERVICE:ACTION, for example s3:PutObject",
    "schedule rate(1 hour) --allow s3:PutObject=shop": "--allow s3:PutObject: 'shop' is not an ARN, for example arn:aws:s3:::my-bucket/*, nor *",
    "schedule rate(1 hour) --layer numpy": "--layer 'numpy' is not the ARN of a layer version: arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION",
    "schedule rate(1 hour) --subnet subnet-1": "a VPC wants both --subnet and --security-group",
    "schedule rate(1 hour) --subnet net-1 --security-group sg-1": "--subnet 'net-1' is not a subnet: subnet-...",
    "schedule rate(1 hour) --dlq dead.fifo": "--dlq of asynchronous events must be a standard queue, not a FIFO one",
    "schedule rate(1 hour) --dlq 'a b'": "--dlq: 'a b' is not a queue name",
    "schedule rate(1 hour) --on-failure 'a b'": "--on-failure 'a b' is neither a queue's name nor the ARN of",
    "schedule rate(1 hour) --on-failure fails.fifo": "--on-failure must be a standard queue or topic, not a FIFO one",
    # Further triggers
    "schedule rate(1 hour) --also 'on_sqs orders'": "--also 'on_sqs' is not a trigger; did you mean on_sqs_message?",
    "schedule rate(1 hour) --also 'on_sqs_message orders --timeout 3'": "has --timeout, which is for the function",
    "schedule rate(1 hour) --also 'on_sqs_message orders --batch-size 0'": "--also on_sqs_message: --batch-size is 1 to 10000, not 0",
    "on_sqs_message orders --also 'on_sqs_message orders'": "queue orders triggers the function twice; keep one of the triggers",
    "on_sns_message news --also 'on_sns_message news'": "topic news triggers the function twice; keep one, and put both filters into it",
    "on_s3_event shop --prefix a --also 'on_s3_event shop --prefix ab'": "of bucket shop overlaps with s3:ObjectCreated:* prefix 'ab'",
}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:60])
def test_a_wrong_magic_line(line):
    magic, _, rest = line.partition(" ")
    with pytest.raises(InvalidInputError) as caught:
        parse_cell_magic(magic, rest)
    assert LINES[line] in caught.value.message
    assert caught.value.message.startswith(f"%%{magic}")
    # What says what is right needs no list of all options beside it.
    unclear = "has no option" in caught.value.message or caught.value.message.endswith("value")
    assert unclear or "--help" not in str(caught.value)
    assert "\n" not in caught.value.message and "Traceback" not in caught.value.message


def test_near_misses_are_guessed():
    for line, guess in {
        "--batch-sise 3": "--batch-size",
        "--visibility": "--fix-visibility-timeout",
        "--mem 3": "--memory",
    }.items():
        with pytest.raises(InvalidInputError) as caught:
            parse_cell_magic("on_sqs_message", f"orders {line}")
        assert guess in caught.value.hint or "lists the options" in caught.value.hint


def handler_of(make):
    app = Chalice("shop")

    def price(event): ...

    made = make(app)(price)
    return Handler("price", "price", tuple(made.triggers), tidy_settings(made.settings))


DECORATORS = {
    "queue size": (lambda app: app.on_sqs_message("q", batch_size=0), "batch_size is 1 to 10000, not 0"),
    "size as text": (lambda app: app.on_sqs_message("q", batch_size="10"), "batch_size wants a whole number, not '10'"),
    "size as bool": (lambda app: app.on_sqs_message("q", batch_size=True), "batch_size wants a whole number, not True"),
    "flag as text": (
        lambda app: app.on_sqs_message("q", report_failures="yes"),
        "report_failures wants true or false, not 'yes'",
    ),
    "no queue name": (lambda app: app.on_sqs_message("a b"), "'a b' is not a queue name"),
    "no queue ARN": (lambda app: app.on_sqs_message(queue_arn="arn:aws:sqs:x"), "is not the ARN of a queue"),
    "events as text": (
        lambda app: app.on_s3_event("shop", events="s3:ObjectCreated:*"),
        "events wants a list, not 's3:ObjectCreated:*'",
    ),
    "no events": (lambda app: app.on_s3_event("shop", events=[]), "events is empty; leave it out"),
    "unknown event": (
        lambda app: app.on_s3_event("shop", events=["ObjectCreated:*"]),
        "is not an S3 event type; did you mean s3:ObjectCreated:*?",
    ),
    "FIFO topic": (lambda app: app.on_sns_message("news.fifo"), "a Lambda function cannot subscribe to a FIFO topic"),
    "policy as text": (
        lambda app: app.on_sns_message("news", filter_policy="{}"),
        "filter_policy: Filter is not an object; write",
    ),
    "pattern": (
        lambda app: app.on_cw_event({"source": "shop"}),
        'source: "source" must be an object or an array; write ["shop"]',
    ),
    "stream": (lambda app: app.on_kinesis_record("a/b"), "'a/b' is not a stream name"),
    "table's ARN": (
        lambda app: app.on_dynamodb_record("arn:aws:dynamodb:us-east-1:123456789012:table/orders"),
        "--table-name orders",
    ),
    "zone": (lambda app: app.schedule("cron(0 9 ? * MON *)", timezone="Vienna"), "'Vienna' is not a time zone"),
    "timeout": (lambda app: app.schedule("rate(1 hour)", timeout=1801), "timeout is 1 to 1800, not 1801"),
    "number as value": (lambda app: app.schedule("rate(1 hour)", env={"RATE": 1.2}), "env RATE wants a text, not 1.2"),
    "env as list": (
        lambda app: app.schedule("rate(1 hour)", env=["RATE"]),
        "env wants names with values, not ['RATE']",
    ),
    "tag as number": (lambda app: app.schedule("rate(1 hour)", tag={"team": 7}), "tag team wants a text, not 7"),
    "allow as text": (
        lambda app: app.schedule("rate(1 hour)", allow=["s3:GetObject"]),
        "allow s3:GetObject: '' is not an ARN",
    ),
    "layer as text": (lambda app: app.schedule("rate(1 hour)", layer="numpy"), "layer wants a list, not 'numpy'"),
    "memory as text": (
        lambda app: app.schedule("rate(1 hour)", memory="256"),
        "memory wants a whole number, not '256'",
    ),
    "count without queue": (
        lambda app: app.on_sqs_message("q", max_receive_count=3),
        "max_receive_count needs dlq QUEUE",
    ),
    "name": (lambda app: app.schedule("rate(1 hour)", description=5), "description wants a text, not 5"),
}


@pytest.mark.parametrize("case", DECORATORS)
def test_a_wrong_decorator(case):
    make, expected = DECORATORS[case]
    found = handler_of(make).problems()
    assert len(found) == 1
    assert expected in found[0].message and found[0].message.startswith("handler price: ")
    assert "--batch" not in found[0].message and "--timeout" not in found[0].message
    assert found[0].hint


UNKNOWN = {
    "batchsize": "did you mean batch_size?",
    "time_out": "did you mean timeout?",
    "zzz": "there are name, queue",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_setting_of_a_decorator_is_refused_where_it_stands(name):
    with pytest.raises(TypeError) as caught:
        Chalice("shop").on_sqs_message("orders", **{name: 1})
    assert str(caught.value).startswith(f"@app.on_sqs_message has no parameter {name!r}; ")
    assert UNKNOWN[name] in str(caught.value)


CONFIGS = {
    "{": "cannot be read",
    "[]": "is not a JSON object",
    '{"app_name": "my app"}': "app_name 'my app' may have letters, digits, - and _",
    '{"lambda_timeout": "30"}': "lambda_timeout wants a whole number, not '30'",
    '{"lambda_timeout": 1801}': "lambda_timeout is 1 to 1800, not 1801",
    '{"timeout": 30}': "there is no key timeout; Chalice calls it lambda_timeout",
    '{"arch": "arm64"}': "there is no key arch; Chalice calls it lambda_architecture",
    '{"lambda_timout": 30}': "there is no key lambda_timout; did you mean lambda_timeout?",
    '{"stages": []}': "stages wants an object of objects, by name",
    '{"stages": {"dev": 1}}': "stages wants an object of objects, by name",
    '{"stages": {"dev": {"lambda_functions": ["price"]}}}': "stages.dev.lambda_functions wants an object of objects",
    '{"stages": {"dev": {"lambda_functions": {"price": {"lambda_memory_size": 64}}}}}': "stages.dev.lambda_functions.price.lambda_memory_size is 128 to 10240, not 64",
    '{"stages": {"dev": {"environment_variables": {"A": 1}}}}': "stages.dev.environment_variables A wants a text, not 1",
    '{"environment_variables": ["A"]}': "environment_variables wants names with values",
    '{"tags": {"aws:x": "1"}}': "tags aws:x begins with aws: or nbchalice:, which are reserved",
    '{"layers": "arn"}': "layers wants a list, not 'arn'",
    '{"iam_role_arn": "admin"}': "iam_role_arn 'admin' is not the ARN of a role",
    '{"manage_iam_role": "no"}': "manage_iam_role wants true or false, not 'no'",
    '{"manage_iam_role": false}': "manage_iam_role is false, so that iam_role_arn must name a role",
    '{"stages": {"dev": {"manage_iam_role": false}}}': "manage_iam_role is false in stage dev, so that iam_role_arn must name a role",
    '{"log_retention_in_days": 2}': "log_retention_in_days is one of 1, 3, 5, 7",
    '{"xray": "yes"}': "xray wants true or false, not 'yes'",
    '{"subnet_ids": ["net-1"]}': "subnet_ids 'net-1' is not a subnet",
    '{"lambda_architecture": "arm"}': "lambda_architecture is one of x86_64, arm64, not 'arm'",
}


@pytest.mark.parametrize("text", CONFIGS)
def test_a_wrong_configuration_file(text, tmp_path):
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        read_config(tmp_path)
    assert caught.value.message.startswith(".chalice/config.json")
    assert CONFIGS[text] in caught.value.message
    assert str(tmp_path) in caught.value.hint


def test_there_are_at_least_eighty():
    assert len(LINES) + len(DECORATORS) + len(CONFIGS) + len(UNKNOWN) >= 80


def test_two_handlers_that_s3_would_refuse_beside_each_other_are_both_named():
    one = handler_of(lambda app: app.on_s3_event("shop", prefix="in/"))
    other = Handler("other", "other", handler_of(lambda app: app.on_s3_event("shop", suffix=".csv")).triggers)
    found = clashes([one, other])
    assert [problem.message for problem in found] == [
        "handlers price and other: s3:ObjectCreated:* prefix 'in/' of bucket shop overlaps with s3:ObjectCreated:* suffix '.csv'"
    ]
    assert (
        clashes([one, Handler("o", "o", handler_of(lambda app: app.on_s3_event("shop", prefix="out/")).triggers)]) == []
    )
    assert (
        clashes([one, Handler("o", "o", handler_of(lambda app: app.on_s3_event("else", prefix="in/")).triggers)]) == []
    )


def test_a_wrong_notebook_makes_no_write_call(tmp_path, local_aws):
    import nbformat

    from nbchalice.aws.target import connect
    from nbchalice.errors import ProblemsError
    from nbchalice.notebook_file import read_project

    cells = [
        "from nbchalice import Chalice\napp = Chalice(app_name='wrong')",
        "@app.on_sqs_message('a b', batch_size=0)\ndef one(event): ...",
        "@app.on_s3_event('shop', prefix='a')\ndef two(event): ...",
        "@app.on_s3_event('shop')\ndef three(event): ...",
        "@app.schedule('rate(1 hour)', timeout=1801, role='admin')\ndef four(event): ...",
    ]
    path = tmp_path / "wrong.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path.write_text(json.dumps(notebook))
    connection = connect("local")
    with pytest.raises(ProblemsError) as caught:
        operations.deploy(read_project(path), connection)
    assert connection.calls == []
    text = str(caught.value)
    assert "handlers two and three" in text and "batch_size is 1 to 10000" in text and "timeout is 1 to 1800" in text
