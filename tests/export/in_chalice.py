"""What Chalice is and does, as JSON: run with its own interpreter, in an empty folder."""

import ast
import inspect
import json
import logging
import os
import pathlib
import subprocess
import sys
import zipfile

import chalice
import chalice.app
import chalice.cli
import chalice.config
import chalice.constants
import chalice.test
from chalice.app import Blueprint, Chalice
from chalice.deploy import validate

FOLDER = pathlib.Path.cwd()
SQS = {"Records": [{"body": "1", "receiptHandle": "r", "messageId": "m", "eventSource": "aws:sqs"}]}
SNS = {"Records": [{"Sns": {"Message": "m", "MessageAttributes": {}}}]}
S3 = {"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}
STREAM = {"Keys": {}, "SequenceNumber": "1", "SizeBytes": 1, "StreamViewType": "KEYS_ONLY"}
CHANGE = {"dynamodb": STREAM, "awsRegion": "r", "eventID": "1", "eventName": "INSERT", "eventSourceARN": "a"}


def raised(call):
    """Return the name of the error that a call raises, or nothing."""
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return ""


def public(module):
    """Return the names of the classes and functions that a module defines."""
    found = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    own = {name: value for name, value in found.items() if getattr(value, "__module__", "") == module.__name__}
    return sorted(name for name, value in own.items() if inspect.isclass(value) or inspect.isfunction(value))


def attributes(name):
    """Return the attributes that the source of an event's class sets, and its methods."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(getattr(chalice.app, name)))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return sorted(one for one in found if not one.startswith("_"))


def keys():
    """Return the keys that Chalice looks up in its configuration."""
    found = {"version", "stages", "lambda_functions"}
    for node in ast.walk(ast.parse(inspect.getsource(chalice.config))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"_chain_lookup", "_chain_merge"}:
            found.add(node.args[0].value)
    return sorted(found)


def parameters():
    """Return the parameters of each decorator."""
    names = ("schedule", "lambda_function", *(name for name in dir(Chalice) if name.startswith("on_")))
    return {name: list(inspect.signature(getattr(Chalice("x"), name)).parameters) for name in names}


def passed_on(event, get_response):
    """Middleware that does nothing but count."""
    passed_on.times += 1
    return get_response(event)


def of_an_app():
    """Return what apps and handlers do."""
    app, passed_on.times = Chalice("shop", env={}), 0
    extra = Blueprint("app")
    app.register_blueprint(extra)
    extra.on_sns_message("late")(lambda event: None)
    app.register_middleware(passed_on, "sqs")
    app.register_middleware(passed_on, "sqs")

    @app.on_sqs_message("orders")
    def price(event):
        return [record.body for record in event]

    answer = price(SQS, None)
    env = {}
    Chalice("other", env=env)
    told = app.log.handlers[0].formatter._fmt
    twice = Chalice("twice", env={})
    twice.lambda_function(name="one")(lambda event, context: 1)
    twice.lambda_function(name="one")(lambda event, context: 2)
    return {
        "answer": answer, "middleware ran": passed_on.times, "late": [one.name for one in app.event_sources],
        "context": hasattr(app, "lambda_context"), "request": hasattr(app, "current_request"),
        "level": app.log.level, "format": told, "execution env": env["AWS_EXECUTION_ENV"],
        "stacked": raised(lambda: app.on_sqs_message("a")(app.on_sns_message("b")(lambda event: 1))),
        "two arguments": raised(lambda: app.on_sqs_message("q", name="two")(lambda event, context: 1)(SQS, None)),
        "one argument": raised(lambda: app.lambda_function(name="three")(lambda event: 1)({}, None)),
        "event object": raised(lambda: price(chalice.app.SQSEvent(SQS, None))),
        "no queue": raised(lambda: app.on_sqs_message(name="four")(lambda event: 1)),
        "queue and arn": raised(
            lambda: app.on_sqs_message("q", queue_arn="arn:aws:sqs:r:1:q", name="five")(lambda event: 1)
        ),
        "schedule": raised(lambda: app.schedule("every week", name="six")(lambda event: 1)),
        "middleware": raised(lambda: app.register_middleware(print, "sqss")),
        "without parentheses": raised(lambda: app.lambda_function(lambda event, context: 1)),
        "same name": [len(twice.pure_lambda_functions), raised(lambda: validate.validate_unique_function_names(
            chalice.config.Config(user_provided_params={"chalice_app": twice})))],
    }  # fmt: skip


def of_events():
    """Return how events behave that lack something."""
    test = {"Event": "s3:TestEvent", "Bucket": "b"}
    return {
        "subject": raised(lambda: chalice.app.SNSEvent(SNS, None)),
        "test event": raised(lambda: chalice.app.S3Event(test, None)),
        "own input": raised(lambda: chalice.app.CloudWatchEvent({"mine": 1}, None)),
        "time": raised(lambda: chalice.app.DynamoDBRecord(CHANGE, None)),
        "iterated": raised(lambda: list(chalice.app.S3Event(S3, None))),
        "length": raised(lambda: len(chalice.app.SQSEvent(SQS, None))),
    }


def of_the_client():
    """Return what the test client does."""
    app = Chalice("shop", env={})
    app.lambda_function(name="give")(lambda event, context: (1, 2))
    with chalice.test.Client(app) as client:
        return {
            "payload": type(client.lambda_.invoke("give").payload).__name__,
            "unknown": raised(lambda: client.lambda_.invoke("nobody")),
            "generators": {
                name: list(inspect.signature(getattr(client.events, name)).parameters)
                for name in dir(client.events) if name.startswith("generate")
            },
            "http": raised(lambda: client.http),
        }  # fmt: skip


def of_configuration():
    """Return how keys are looked up."""
    disk = {"lambda_tiemout": 5, "lambda_functions": {"f": {"lambda_timeout": 7}}, "iam_policy_file": "p.json",
            "environment_variables": {"DB_PASSWORD": "hunter2secret"},
            "stages": {"dev": {"lambda_functions": {"f": {"lambda_architecture": "arm64"}}}}}  # fmt: skip
    config = chalice.config.Config("dev", "f", config_from_disk=disk)
    return {
        "timeout": config.lambda_timeout, "architecture": config.lambda_architecture,
        "variables": config.environment_variables,
    }  # fmt: skip


APP = """
from chalice import Chalice
import os
app = Chalice("shop")

@app.on_sqs_message("orders")
def price(event):
    return {"batchItemFailures": []}

@app.lambda_function()
def plain(event, context):
    import boto3
    return boto3.client("s3").list_buckets()
"""


def of_a_package():
    """Return the template that is made of two handlers, and what is made of a bucket's."""
    command = [str(pathlib.Path(sys.executable).with_name("chalice")), "package", "out"]
    env = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}

    def package(name, text, config):
        folder = FOLDER / name
        (folder / ".chalice").mkdir(parents=True)
        (folder / ".chalice" / "config.json").write_text(json.dumps({"version": "2.0", "app_name": "shop", **config}))
        (folder / "app.py").write_text(text)
        (folder / "other.py").write_text("")
        (folder / "requirements.txt").write_text("")
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        return folder, done

    folder, done = package("two", APP, {"iam_policy_file": "not-there.json"})
    assert done.returncode == 0, done.stdout + done.stderr
    files = zipfile.ZipFile(folder / "out" / "deployment.zip").namelist()
    bucket = "from chalice import Chalice\napp = Chalice('b')\n@app.on_s3_event('b')\ndef f(event): pass\n"
    _, refused = package("bucket", bucket, {})
    return {
        "template": json.loads((folder / "out" / "sam.json").read_text()),
        "other.py": "other.py" in files, "bucket": refused.stderr.strip().splitlines()[-1],
    }  # fmt: skip


def commands(group=chalice.cli.cli):
    """Return the names of the commands."""
    return sorted(group.commands)


EVENTS = [name for name in public(chalice.app) if name.endswith(("Event", "Record")) and not name.startswith("Base")]
logging.disable(logging.CRITICAL)
print(
    json.dumps({
        "version": chalice.__version__, "chalice": sorted(n for n in vars(chalice) if n[0].isupper()),
        "names": public(chalice.app), "test": public(chalice.test), "keys": keys(), "parameters": parameters(),
        "app": sorted(name for name in dir(Chalice("x", env={})) if not name.startswith("_")),
        "events": {name: attributes(name) for name in EVENTS}, "commands": commands(),
        "of an app": of_an_app(), "of events": of_events(), "of the client": of_the_client(),
        "of configuration": of_configuration(), "of a package": of_a_package(),
        "defaults": [chalice.constants.DEFAULT_LAMBDA_TIMEOUT, chalice.constants.DEFAULT_LAMBDA_MEMORY_SIZE],
    })
)  # fmt: skip
