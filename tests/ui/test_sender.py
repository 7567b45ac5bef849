"""The sender's form without a browser: its widgets are clicked from here."""

import json
import threading

import pytest
from IPython.display import display
from IPython.utils.capture import capture_output

from nbchalice.errors import InvalidInputError

pytestmark = pytest.mark.timeout(180)
QUEUE = """%%on_sqs_message {queue} --batch-size 10
def price(event):
    for record in event:
        app.log.info("%s costs %.2f", record.body, float(record.body) * 1.2)
"""


@pytest.fixture
def deployed(run, local_aws, monkeypatch):
    run("%chalice app sender")
    run(QUEUE.format(queue="sender-orders"))
    run("%chalice deploy")
    return run


@pytest.fixture
def sender(deployed):
    from nbchalice.ui.widgets.sender import Sender

    return Sender(deployed.notebook.pinned(), "price")


def send(sender, **values):
    for name, value in values.items():
        sender.event.form.inputs[name].write(value)
    sender.send_button.click()
    sender.wait(60)


def test_without_a_front_end_a_send_is_immediate(deployed):
    deployed("RATE = 1")
    result = deployed("%chalice send price")
    assert result.status == "failed"  # the sample is not a number


def test_with_one_it_is_a_form_that_is_readable_without(deployed, monkeypatch):
    request = {"content": {"allow_stdin": True}}
    monkeypatch.setattr(deployed.shell, "get_parent", lambda: request, raising=False)
    made = deployed("%chalice send price")
    with capture_output() as shown:
        display(made)
    widget, kept = (output.data for output in shown.outputs)
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] and widget["text/plain"] == ""
    bundle = made._repr_mimebundle_()
    assert bundle["text/plain"] == kept["text/plain"] and bundle["text/html"] in kept["text/html"]
    assert "%chalice send price --help" in bundle["text/plain"] and "queue sender-orders" in bundle["text/html"]
    assert deployed("%chalice send price --message 10").status == "done"


def test_a_click_is_followed_to_the_log_line(sender):
    send(sender, message="10")
    assert "done in" in sender._status.value
    assert "10 costs 12.00" in sender._result.value
    assert sender.results[-1].status == "done"


def test_a_failure_shows_cell_line_and_source(sender):
    send(sender, message="<img src=x onerror=alert(1)>")
    assert "failed in" in sender._status.value
    assert "line 4, in price" in sender._result.value and "float(record.body)" in sender._result.value
    assert "<img" not in sender._result.value and "<img" not in sender._status.value


def test_a_click_while_busy_is_ignored(sender, monkeypatch):
    from nbchalice.events.delivery import Way

    begun, go_on, calls = threading.Event(), threading.Event(), []
    deliver = Way.deliver

    def slow(self, *arguments):
        calls.append(arguments)
        begun.set()
        assert go_on.wait(60)
        return deliver(self, *arguments)

    monkeypatch.setattr(Way, "deliver", slow)
    sender.event.form.inputs["message"].write("10")
    sender.send_button.click()
    assert begun.wait(60)
    assert sender.send_button.description == "Sending…" and not sender.send_button.disabled
    sender.send_button.click()
    go_on.set()
    sender.wait(60)
    assert len(calls) == 1 and sender.send_button.description == "Send"


def test_invoked_directly(sender):
    sender._way.value = True
    send(sender, message="5")
    assert "invoked directly" in sender._status.value and "5 costs 6.00" in sender._result.value


def test_many_at_once_and_the_same_twice(sender):
    sender._count.value = 12
    send(sender, message="1")
    assert "12 of 12: 12 done" in sender._status.value
    sender._twice.click()
    sender.wait(60)
    assert "2 of 2: 2 done" in sender._status.value


def test_events_are_saved_beside_the_notebook_and_come_back(sender, tmp_path, deployed):
    sender.event.form.inputs["message"].write('{"a": 1}')
    sender.event.form.inputs["attribute"].write({"kind": "test"})
    sender.event.save_name.value = "first order"
    sender.save()
    sender.wait(60)
    path = tmp_path / ".nbchalice" / "events" / "price" / "first order.json"
    assert json.loads(path.read_text()) == {"message": '{"a": 1}', "attribute": {"kind": "test"}}
    sender.event.pick.value = ("template", "text")
    assert sender.event.form.read() == {"message": "hello from nbchalice"}
    sender.event.pick.value = ("saved", "first order")
    assert sender.event.form.read() == {"message": '{"a": 1}', "attribute": {"kind": "test"}}
    path.write_text('{"message": "30"}')
    result = deployed('%chalice send price --saved "first order"')
    assert "30 costs 36.00" in str(result)


@pytest.mark.parametrize("name", ["../up", "", "a/b", ".hidden", "x" * 100])
def test_a_name_that_is_no_file_name_is_told(sender, name, tmp_path):
    sender.event.save_name.value = name
    sender.save()
    sender.wait(60)
    assert "cannot name an event" in sender._status.value
    assert not list(tmp_path.rglob("*.json"))


def test_what_was_sent_can_be_sent_again(sender):
    send(sender, message="10")
    label = next(text for text, choice in sender.event.pick.options if choice[0] == "sent")
    sender.event.form.inputs["message"].write("")
    sender.event.pick.value = next(choice for text, choice in sender.event.pick.options if text == label)
    assert sender.event.form.read() == {"message": "10"}


def test_json_is_checked_and_laid_out(sender):
    body = sender.event.form.inputs["message"]
    body.write('{"a":1}')
    assert "valid JSON" in body.note.value
    body.format()
    assert body.read() == '{\n  "a": 1\n}'
    body.write('{"a":')
    assert "not JSON: Expecting value (line 1, column 6); it is sent as text" in body.note.value
    body.write("item,net")
    assert "not JSON; it is sent as text" in body.note.value


@pytest.mark.parametrize(
    ("delay", "told"), [("soon", "Delay (s) wants a whole number"), ("901", "Delay (s) is 0 to 900, not 901")]
)
def test_errors_stay_in_the_panel(sender, delay, told):
    sender.event.form.inputs["delay"].write(delay)
    send(sender)
    assert told in sender._status.value
    assert not sender.results


def test_what_a_form_has_is_an_option_of_the_command():
    from nbchalice.sources import SOURCES
    from nbchalice.sources.base import RESERVED_FIELDS
    from nbchalice.ui.commands import COMMANDS, click_command, parse

    for source in SOURCES.values():
        values = {"number": "1", "pairs": "a=b", "file": __file__}
        words = [text for field in source.fields for text in (field.flag, values.get(field.kind, "1"))]
        given = parse(COMMANDS["send"], ["price", *words])
        assert all(given[field.name] for field in source.fields), given
    own = {param.name for param in click_command(COMMANDS["send"], cli=True).params}
    assert own - {field.name for source in SOURCES.values() for field in source.fields} == RESERVED_FIELDS
    with pytest.raises(InvalidInputError, match="901 is not in the range"):
        parse(COMMANDS["send"], ["price", "--delay", "901"])


def test_typing_asks_nothing_of_aws(sender, monkeypatch):
    own = {"nbchalice-changes", "nbchalice-consumers"}
    for thread in [thread for thread in threading.enumerate() if thread.name in own]:
        thread.join(60)

    def refuse(*_, **__):
        raise AssertionError("AWS was asked")

    monkeypatch.setattr("nbchalice.aws.target.connect", refuse)
    sender.event.form.inputs["message"].write("1")
    sender.event.pick.value = ("template", "text")
    assert "AWS" not in sender.event._preview.value


def test_what_aws_refuses_stays_in_the_panel_and_the_next_click_works(sender, monkeypatch):
    from nbchalice.errors import AWSError
    from nbchalice.events.delivery import Way

    def refuse(*_):
        raise AWSError("the credentials have expired", "log in again")

    with monkeypatch.context() as patch:
        patch.setattr(Way, "deliver", refuse)
        send(sender, message="10")
    assert "the credentials have expired" in sender._status.value and "log in again" in sender._status.value
    assert 'role="alert"' in sender._status.value and sender.send_button.description == "Send"
    send(sender, message="10")
    assert "done in" in sender._status.value


def test_on_real_aws_the_first_click_only_asks(sender):
    sender._confirmed = False
    send(sender, message="10")
    assert "press Send again" in sender._status.value and not sender.results
    send(sender, message="10")
    assert sender.results[-1].status == "done"


BOTH = """@app.on_sqs_message(queue="sender-both")
@app.on_sns_message(topic="sender-news")
def both(event):
    app.log.info("%s", type(event).__name__)
"""


@pytest.fixture
def two_sources(run, local_aws):
    from nbchalice.ui.widgets.sender import Sender

    run("%chalice app sendboth")
    run(BOTH)
    run("%chalice deploy")
    return run, Sender(run.notebook.pinned(), "both")


def test_of_several_sources_one_is_chosen_in_the_form(two_sources, tmp_path):
    run, sender = two_sources
    assert [text for text, _ in sender.event.source.options] == ["SNS sender-news", "SQS sender-both"]
    assert "subject" in sender.event.form.inputs
    send(sender, message="1")
    assert "SNSEvent" in sender._result.value
    sender.event.source.value = "SQS sender-both"
    assert "delay" in sender.event.form.inputs and sender._way.options[0][0] == "through SQS"
    send(sender, message="2")
    assert "SQSEvent" in sender._result.value
    sender.event.save_name.value = "order"
    sender.save()
    sender.wait(60)
    sender.event.source.value = "SNS sender-news"
    sender.event.pick.value = ("saved", "order")
    assert sender.event.source.value == "SQS sender-both" and sender.event.form.read() == {"message": "2"}
    assert sender.event.pick.value == ("saved", "order")
    (sent,) = [choice for text, choice in sender.event.pick.options if text.startswith("sent") and text.endswith(" 1")]
    sender.event.pick.value = sent
    assert sender.event.source.value == "SNS sender-news" and sender.event.form.read()["message"] == "1"
    assert "SQSEvent" in str(run("%chalice send both --saved order"))


def test_a_late_answer_about_another_source_is_not_shown(two_sources, monkeypatch):
    _, sender = two_sources
    form = sender.event
    monkeypatch.setattr(
        "nbchalice.ui.widgets.event_form.competing_consumers", lambda *_: "shop-dev-other reads it, too"
    )
    other = next(route for route in form._routes(form._ui.project()) if route.label != form.source.value)
    form._look_for_consumers(other)
    assert "shop-dev-other" not in form._preview.value
    form._look_for_consumers(form.route(form._ui.project()))
    assert "shop-dev-other" in form._preview.value


def test_of_several_sources_one_is_chosen_in_words(two_sources):
    run, _ = two_sources
    assert "both has several sources" in str(run.error("%chalice send both --message 1"))
    assert "SNSEvent" in str(run("%chalice send both --message 1 --source sns"))
    assert "SNSEvent" in str(run("%chalice send both --subject hello"))
    assert "SQSEvent" in str(run("%chalice send both --message 1 --source sender-both"))
    assert "--source" in str(run.error("%chalice invoke both"))
    assert "SQSEvent" in str(run("%chalice invoke both --source sqs"))


def test_attributes_have_a_type(sender, deployed):
    inputs = sender.event.form.inputs
    inputs["attribute"].write({"kind": "sale", "price:Number": "150", "photo:Binary.png": "aGk="})
    assert inputs["attribute"].read() == {"kind": "sale", "price:Number": "150", "photo:Binary.png": "aGk="}
    chosen = [[box.value for box in pair] for pair in inputs["attribute"]._pairs]
    assert chosen[:2] == [["kind", "sale", "String"], ["price", "150", "Number"]]
    inputs["attribute"]._pairs[0][2].value = "Binary"
    assert inputs["attribute"].read()["kind:Binary"] == "sale"
    inputs["attribute"]._pairs[0][1].value = "no bytes"
    send(sender, message="10")
    assert "attribute kind is Binary, and" in sender._status.value + sender._result.value
    assert deployed("%chalice send price --message 10 --attribute price:Number=150").status == "done"
    error = deployed.error("%chalice send price --attribute price:Number=x")
    assert error.message == "attribute price is a Number, and 'x' is none"


def test_an_empty_message_is_refused_and_not_replaced(sender, deployed):
    send(sender, message="")
    assert "the message is empty, which SQS does not take" in sender._status.value + sender._result.value
    assert "the message is empty" in str(deployed.error("%chalice send price --message ''"))


def test_what_the_filter_drops_is_said_before_and_after(run, local_aws):
    from nbchalice.ui.widgets.sender import Sender

    run("%chalice app senddrop")
    run('%%on_sqs_message senddrop-orders --filter \'{"body": {"n": [1]}}\'\ndef price(event):\n    pass')
    run("%chalice deploy")
    sender = Sender(run.notebook.pinned(), "price")
    assert "✗ the filter drops it" in sender.event._preview.value
    send(sender, message='{"n": 2}')
    assert "dropped" in sender._status.value and "the filter drops it" in sender._result.value
    result = run("%chalice send price --message 5 --wait 0.1")
    assert "dropped" in str(result) and "deletes the message unhandled" in str(result)
    run("%%on_sqs_message senddrop-orders\ndef price(event):\n    pass")
    sender.event.form.inputs["message"].write('{"n": 3}')
    assert sender.event._preview.value.count("✗") == 0


def test_everything_of_the_form_goes_in_words(deployed, tmp_path):
    many = deployed("%chalice send price --message 1 --times 12 --save one")
    assert many.ok and "12 of 12: 12 done" in str(many) and len(many.to_dict()) == 12
    assert (tmp_path / ".nbchalice/events/price/one.json").exists()
    assert "2 of 2: 2 done" in str(deployed("%chalice send price --saved one --twice"))
    assert "both runs logged the same" in str(deployed("%chalice send price --message 4 --twice"))
    direct = deployed("%chalice send price --message 5 --direct")
    assert direct.ok and "5 costs 6.00" in str(direct)
    failed = deployed("%chalice send price --message x --times 2")
    assert not failed.ok and "2 of 2: 2 failed" in str(failed) and "line 4, in price" in str(failed)
    assert "price gets every event" in str(deployed("%chalice send price --preview"))
    assert "'in words'" in str(deployed.error("%chalice send price --message 1 --source 'in words'"))


def test_a_fifo_queue_drops_the_same_event_and_the_form_says_so(run, local_aws):
    from nbchalice.ui.widgets.sender import Sender

    run("%chalice app sendfifo")
    run(QUEUE.format(queue="sender.fifo"))
    run("%chalice deploy")
    sender = Sender(run.notebook.pinned(), "price")
    assert {"group_id", "dedup_id"} <= set(sender.event.form.inputs)
    sender.event.form.write({"message": "1", "group_id": "g"})
    sender._twice.click()
    sender.wait(60)
    assert "2 of 2: 1 done, 1 dropped" in sender._status.value
    assert "the second is a duplicate" in sender._result.value


def test_another_reader_of_the_queue_is_named(deployed):
    deployed("%chalice app sender")
    deployed(QUEUE.format(queue="sender-orders").replace("def price", "def other"))
    deployed("%chalice deploy")
    try:
        status = deployed("%chalice status")
        warning = "price: sender-dev-other reads queue sender-orders, too: each message goes to one of its readers only"
        assert warning in str(status) and warning in status.to_dict()["notes"]
        from nbchalice.ui.widgets.sender import Sender

        sender = Sender(deployed.notebook.pinned(), "price")
        for thread in [thread for thread in threading.enumerate() if thread.name == "nbchalice-consumers"]:
            thread.join(60)
        assert "sender-dev-other reads queue" in sender.event._preview.value
    finally:
        deployed("%chalice delete --yes")


def test_files_are_uploaded_and_what_cannot_be_is_told(run, local_aws, tmp_path):
    from nbchalice.ui.widgets.sender import Sender

    run("%chalice app sendfile")
    run("%%on_s3_event sendfile-up\ndef up(event):\n    print(event.key, event.size)")
    run("%chalice deploy")
    sender = Sender(run.notebook.pinned(), "up")
    (tmp_path / "table.csv").write_bytes(b"\x00\xff1,2")
    send(sender, file=str(tmp_path / "table.csv"))
    assert "table.csv 5" in sender._result.value, sender._status.value
    send(sender, file=str(tmp_path / "none.csv"))
    assert "none.csv cannot be read: No such file" in sender._status.value
    send(sender, file=str(tmp_path / "table.csv"), message="mine")
    assert "two contents of one object" in sender._status.value
    send(sender, file="", key="x" * 1025)
    assert "the key has 1025 bytes; S3 takes 1024" in sender._status.value


def test_the_retries_of_a_failed_message_are_followed(run, local_aws, aws):
    from nbchalice.ui.widgets.sender import Sender

    aws("sqs").create_queue(QueueName="sender-retries", Attributes={"VisibilityTimeout": "1"})
    run("%chalice app sendretry")
    run(QUEUE.format(queue="sender-retries"))
    run("%chalice deploy")
    sender = Sender(run.notebook.pinned(), "price")
    seen, second = [], threading.Event()

    def look(change):
        seen.append(change["new"])
        if "attempt 2" in change["new"]:
            second.set()

    sender._status.observe(look, names="value")
    send(sender, message="ten")
    assert second.wait(60), seen
    assert "attempt 2" in sender._status.value and sender._result.value.count("line 4, in price") >= 1
    run("%chalice delete --yes")


CHANGED = (
    "price was changed since it was deployed (cell 7, former cell 4), and the older one runs; "
    "%chalice plan tells what a deploy would do"
)


def test_code_that_is_not_what_is_deployed_is_told_with_a_button_that_deploys_it(deployed):
    from nbchalice.ui.widgets.sender import Sender

    sender = Sender(deployed.notebook.pinned(), "price")
    send(sender, message="4")
    assert sender._undeployed.layout.display == "none"
    assert "note" not in str(deployed("%chalice send price --message 5"))
    deployed(QUEUE.format(queue="sender-orders").replace("costs", "is sold at"))
    assert deployed("%chalice send price --message 5").note == CHANGED
    assert f"note: {CHANGED}" in str(deployed("%chalice logs price"))
    assert f"note: {CHANGED}" in str(deployed("%chalice send price --message 5 --twice"))
    send(sender, message="5")
    assert CHANGED in sender._changed.value and sender._undeployed.layout.display is None
    sender.deploy_button.click()
    sender.wait(60)
    assert sender._undeployed.layout.display == "none"
    assert "note" not in str(sent := deployed("%chalice send price --message 5")) and "is sold at" in str(sent)
