"""Chalice's documented event sources: only the import changes, and each has its form as a cell magic."""

import json

import pytest

IMPORT = "from nbchalice import Chalice, Cron, Rate\nimport nbchalice as chalice\n"
SCHEDULE = "app = chalice.Chalice(app_name='{app}')\n"
APP = "app = Chalice(app_name='{app}')\napp.debug = True\n"

# name, cells, handler, options of send, what the log holds
DECORATED = {
    "schedule-text": (
        [IMPORT, SCHEDULE, "@app.schedule('rate(1 hour)')\ndef every_hour(event):\n    print(event.to_dict()['detail-type'])"],
        "every_hour", "", "Scheduled Event",
    ),
    "schedule-rate": (
        [IMPORT, SCHEDULE, "@app.schedule(Rate(1, unit=Rate.HOURS))\ndef every_hour(event):\n    print(event.source)"],
        "every_hour", "", "aws.events",
    ),
    "schedule-twice": (
        [
            IMPORT, SCHEDULE,
            "@app.schedule(Rate(1, unit=Rate.HOURS))\ndef every_hour(event):\n    print('one')\n\n"
            "@app.schedule(Rate(2, unit=Rate.HOURS))\ndef every_two_hours(event):\n    print('two')",
        ],
        "every_two_hours", "", "two",
    ),
    "s3": (
        [
            IMPORT + APP,
            "@app.on_s3_event(bucket='{app}-bucket', events=['s3:ObjectCreated:*'])\n"
            "def handle_s3_event(event):\n"
            "    app.log.debug('Received event for bucket: %s, key: %s',\n                  event.bucket, event.key)",
        ],
        "handle_s3_event", "--key 'a b+c.txt'", "key: a b+c.txt",
    ),
    "sns": (
        [
            IMPORT + APP,
            "@app.on_sns_message(topic='{app}-topic')\n"
            "def handle_sns_message(event):\n"
            "    app.log.debug('Received message with subject: %s, message: %s',\n"
            "                  event.subject, event.message)",
        ],
        "handle_sns_message", "--subject TestSubject1 --message TestMessage1",
        "Received message with subject: TestSubject1, message: TestMessage1",
    ),
    "sqs": (
        [
            IMPORT + APP,
            "@app.on_sqs_message(queue='{app}-queue', batch_size=1)\n"
            "def handle_sqs_message(event):\n"
            "    for record in event:\n"
            "        app.log.debug('Received message with contents: %s', record.body)",
        ],
        "handle_sqs_message", "--message hello", "Received message with contents: hello",
    ),
    "sqs-as-printed": (
        [
            IMPORT + APP,
            "@app.on_sqs_message(queue='{app}-queue', batch_size=1)\n"
            "def handle_sqs_message(event):\n"
            "    for record in event:\n"
            "        app.log.debug('Received message with contents: ', record.body)",
        ],
        "handle_sqs_message", "--message hello", "hello",
    ),
}  # fmt: skip
MAGIC = {
    "schedule-text": (["%chalice app {app}", "%%schedule rate(1 hour)\ndef every_hour(event):\n    print(event.source)"], "every_hour", "", "aws.events"),
    "schedule-twice": (
        [
            "%chalice app {app}",
            "%%schedule rate(1 hour)\ndef every_hour(event):\n    print('one')",
            "%%schedule rate(2 hours)\ndef every_two_hours(event):\n    print('two')",
        ],
        "every_two_hours", "", "two",
    ),
    "s3": (
        ["%chalice app {app}", "app.debug = True", "%%on_s3_event {app}-bucket\ndef handle_s3_event(event):\n    app.log.debug('Received event for bucket: %s, key: %s', event.bucket, event.key)"],
        "handle_s3_event", "--key k.txt", "key: k.txt",
    ),
    "sns": (
        ["%chalice app {app}", "app.debug = True", "%%on_sns_message {app}-topic\ndef handle_sns_message(event):\n    app.log.debug('subject: %s, message: %s', event.subject, event.message)"],
        "handle_sns_message", "--subject S --message M", "subject: S, message: M",
    ),
    "sqs": (
        ["%chalice app {app}", "app.debug = True", "%%on_sqs_message {app}-queue --batch-size 1\ndef handle_sqs_message(event):\n    for record in event:\n        app.log.debug('contents: %s', record.body)"],
        "handle_sqs_message", "--message hello", "contents: hello",
    ),
}  # fmt: skip
EXAMPLES = [
    (f"{form}-{name}", *example)
    for form, group in (("decorated", DECORATED), ("magic", MAGIC))
    for name, example in group.items()
]


@pytest.mark.parametrize(("name", "cells", "handler", "options", "logged"), EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_an_example_of_chalice_runs_in_the_notebook(bare, local_aws, name, cells, handler, options, logged):
    bare("%load_ext nbchalice")
    for cell in cells:
        bare(cell.replace("{app}", name))
    bare("%chalice deploy")
    try:
        sent = bare(f"%chalice send {handler} {options} --wait 60")
        assert sent.ok, str(sent)
        assert logged in "\n".join(record.message for record in sent.invocation.records)
        again = bare("%chalice deploy")
        assert again.changes == ()
    finally:
        bare("%chalice delete --yes")


def test_lambda_timeout_of_the_config_file_counts(bare, local_aws, tmp_path):
    section = {"lambda_functions": {"handle_sqs_message": {"lambda_timeout": 30}}}
    config = {"stages": {"dev": section}, "version": "2.0", "app_name": "chalice-sqs-demo"}
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(config))
    bare("%load_ext nbchalice")
    bare("%chalice local create queue timeout-queue")
    bare("%chalice app timeouts")
    bare("%%on_sqs_message timeout-queue\ndef handle_sqs_message(event):\n    pass")
    assert bare("%chalice plan").plan.notes == ()
    (handler,) = bare.notebook.project().handlers
    assert handler.setting("timeout") == 30


def test_a_timeout_over_the_visibility_timeout_is_refused_before_anything_is_made(bare, local_aws):
    bare("%load_ext nbchalice")
    bare("%chalice local create queue slow-queue")
    bare("%chalice app slow")
    bare("%%on_sqs_message slow-queue --timeout 60\ndef handle(event):\n    pass")
    error = bare.error("%chalice deploy")
    assert "queue slow-queue shows a message again after 30 s" in error.message
    assert "--fix-visibility-timeout" in error.hint
