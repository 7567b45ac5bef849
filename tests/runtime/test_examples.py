"""Chalice's documented examples of event sources, with only the import changed."""

import logging

import pytest

EXAMPLES = {
    "schedule_text": (
        """
@app.schedule('rate(1 hour)')
def every_hour(event):
    print(event.to_dict())
""",
        "every_hour",
        "schedule",
        "Scheduled Event",
    ),
    "schedule_rate": (
        """
@app.schedule(Rate(1, unit=Rate.HOURS))
def every_hour(event):
    print(event.to_dict())
@app.schedule(Rate(2, unit=Rate.HOURS))
def every_two_hours(event):
    print(event.to_dict())
""",
        "every_two_hours",
        "schedule",
        "Scheduled Event",
    ),
    "schedule_cron": (
        """
@app.schedule(Cron(0, 18, '?', '*', 'MON-FRI', '*'))
def every_evening(event):
    print(event.detail_type)
""",
        "every_evening",
        "schedule",
        "Scheduled Event",
    ),
    "s3": (
        """
app.debug = True
@app.on_s3_event(bucket='mybucket-name', events=['s3:ObjectCreated:*'])
def handle_s3_event(event):
    app.log.debug("Received event for bucket: %s, key: %s",
                  event.bucket, event.key)
""",
        "handle_s3_event",
        "s3_two",
        "demo - DEBUG - Received event for bucket: shop-photos, key: a.jpg",
    ),
    "sns": (
        """
app.debug = True
@app.on_sns_message(topic='my-demo-topic')
def handle_sns_message(event):
    app.log.debug("Received message with subject: %s, message: %s",
                  event.subject, event.message)
""",
        "handle_sns_message",
        "sns_no_subject",
        "demo - DEBUG - Received message with subject: None, message: hello",
    ),
    "sqs": (
        """
app.debug = True
@app.on_sqs_message(queue='my-queue', batch_size=1)
def handle_sqs_message(event):
    for record in event:
        app.log.debug("Received message with contents: ", record.body)
""",
        "handle_sqs_message",
        "sqs",
        "demo - DEBUG - Received message with contents:  ('3',)",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_chalices_example_runs(name, event, capsys):
    text, handler, fixture, expected = EXAMPLES[name]
    namespace = {}
    header = "import nbchalice as chalice\nfrom nbchalice import Chalice, Rate, Cron\napp = chalice.Chalice(app_name='demo')\n"
    try:
        exec(header + text, namespace)
        assert namespace[handler](event(fixture), None) is None
        captured = capsys.readouterr()
        assert expected in captured.out
        assert captured.err == ""
    finally:
        log = logging.getLogger("demo")
        log.handlers.clear()
        log.propagate = True
