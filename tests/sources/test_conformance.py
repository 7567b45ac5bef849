"""The check that anyone can run over an event source: nbchalice's own pass, and each fault is told in a sentence."""

import dataclasses

import pytest

from nbchalice.resources.grants import Grant
from nbchalice.resources.queue import Queue
from nbchalice.sources import SOURCES
from nbchalice.sources.base import Field, Sent, Source
from nbchalice.sources.invoking import send_event
from nbchalice.sources.options import Option
from nbchalice.sources.s3 import S3
from nbchalice.sources.schedule import Schedule
from nbchalice.sources.sns import SNS
from nbchalice.sources.sqs import SQS, queue_of
from nbchalice.testing import check_source
from nbchalice.testing.example import Example


@pytest.mark.parametrize("name", list(SOURCES))
def test_nbchalices_own_sources_pass(name):
    check_source(SOURCES[name])


def changed(cls, **members):
    """Return a source with a fault."""
    return type(cls.__name__, (cls,), {"__doc__": cls.__doc__, **members})()


def with_option(*options):
    return changed(SQS, options=(*SQS.options, *options))


def with_field(*fields):
    return changed(SQS, fields=(*SQS.fields, *fields))


def mapping_after(*keys):
    def resources(self, options, function):
        return [dataclasses.replace(one, after=keys) for one in SQS.resources(self, options, function)]

    return changed(SQS, resources=resources)


def sends(answer):
    return changed(SQS, send=lambda self, aws, options, function, **values: answer(aws, queue_of(options, aws), values))


class Merging(Queue):
    def merge(self, other):
        return None


def with_merging(self, options, function):
    return [*SQS.resources(self, options, function), Merging(queue_of(options, function))]


def send_message(aws, queue, **more):
    return aws.client("sqs").send_message(QueueUrl=queue.url(aws), **more)


def asks_for_more(self, options, function, **values):
    return {**SQS.sample(self, options, function), "priority": values.get("priority")}


def sample_of_s3(self, options, function, **values):
    return S3().sample({"bucket": "uploads"}, function)


FAULTS = {
    "a class": (SQS, "not an instance"),
    "a name of nobody's": (changed(SQS, name="on_mail"), "no installed package has it"),
    "no title": (changed(SQS, title=""), "title"),
    "no docstring": (changed(SQS, __doc__=None), "docstring"),
    "no example": (changed(SQS, examples=()), "no examples"),
    "an example that cannot be read": (changed(SQS, examples=("orders --colour red",)), "--colour"),
    "an example that is refused": (changed(SQS, examples=("a/b",)), "problems are"),
    "not triggered": (changed(SQS, triggered=False), "triggered is False"),
    "an option without help": (with_option(Option("colour", "")), "--colour has no help"),
    "an option twice": (with_option(Option("batch_size", "again")), "two options 'batch_size'"),
    "an option of the function": (with_option(Option("timeout", "seconds", int)), "one of the function's settings"),
    "a default that is refused": (with_option(Option("n", "number", int, 0, minimum=1, maximum=9)), "its own default"),
    "half a range": (with_option(Option("n", "number", int, 1, minimum=1)), "one end of a range"),
    "an option without a decorator": (with_option(Option("colour", "of it")), "records no colour"),
    "another default": (
        changed(SQS, options=(Option("batch_size", "most", int, 5), *SQS.options[1:])),
        "--batch-size has default 5, and the decorator 1",
    ),
    "nothing is wrong": (changed(SQS, problems=lambda self, options: []), "takes a value of any type"),
    "nothing is missing": (changed(SQS, check=lambda self, options: []), "nothing given is not a problem"),
    "no field": (changed(SQS, fields=()), "one at least"),
    "a field of no kind": (with_field(Field("colour", "Colour", "palette")), "of kind 'palette'"),
    "a field of the command": (with_field(Field("times", "Times")), "an option --times of its own"),
    "a field of another kind": (with_field(Field("file", "File")), "of kind file with another source"),
    "a field that is not sent": (with_field(Field("colour", "Colour")), "field colour makes no difference"),
    "a field that is not shown": (changed(SQS, examples=("orders",)), "field dedup_id is shown by the form of no"),
    "a value without a field": (changed(SQS, sample=asks_for_more), "sample asks for 'priority'"),
    "a value of events that they have not": (
        changed(SQS, event_values=lambda self, options: {"queue": "others"}),
        "event_values says 'others' of queue",
    ),
    "two lines": (changed(SQS, describe=lambda self, options: "a\nb"), "describe"),
    "notes that are a text": (changed(SQS, notes=lambda self, options, settings: "slow"), "notes"),
    "a method that fails": (changed(SQS, subject=lambda self, options: options["none"]), "subject of 'orders' raised"),
    "two triggers, one thing": (changed(SQS, clash=lambda self, *_, **__: None), "neither its clash refuses them nor"),
    "a merge into nothing": (
        changed(SQS, resources=with_merging),
        "merge of Merging is to return a resource with the same key",
    ),
    "sent past the service": (
        sends(lambda aws, queue, values: send_event(aws, Example(SQS(), "orders").function, values)),
        "passes_by is False",
    ),
    "sent by another permission": (
        changed(SNS, grants=lambda self, *_: [Grant(("sqs:Publish",), ("*",))]),
        "send calls sns:Publish, and grants does not name it",
    ),
    "past the service, in words": (changed(SQS, passes_by=lambda self, *_: "yes"), "passes_by is to return True"),
    "half local": (changed(SQS, on_local_aws="no"), "on_local_aws is to be True or False"),
    "another key": (mapping_after("queu orders"), "needs 'queu orders'"),
    "not found again": (
        changed(SQS, attached=lambda self, function, policy, mappings: []),
        "does not find event source mapping",
    ),
    "not found by the permission": (changed(SNS, attached=lambda self, *_: []), "nothing again by the permission"),
    "found where nothing is": (
        changed(SNS, attached=lambda self, function, *_: SNS.resources(self, {"topic": "t"}, function)),
        "that nothing may invoke",
    ),
    "a sample that is not JSON": (changed(SQS, sample=lambda self, *_, **__: {"at": (1, 2)}), "what JSON makes of it"),
    "a sample of another source": (changed(SQS, sample=sample_of_s3), "takes the sample event for on_s3_event"),
    "a sample without an id": (
        changed(SQS, sample=lambda self, *_, **__: {"Records": [{"eventSource": "aws:sqs", "body": "x"}]}),
        "has no id",
    ),
    "no template": (changed(SQS, templates=lambda self, *_: {}), 'one called "sample"'),
    "a template of no field": (changed(SQS, templates=lambda self, *_: {"sample": {"colour": "red"}}), "has colour"),
    "an event sent as another's field": (
        changed(SQS, values_of=lambda self, record: {"body": record["body"]}),
        "values_of gives {'body': ",
    ),
    "an event sent as another": (
        changed(SQS, values_of=lambda self, record: {"message": f"{record['body']}!"}),
        "a sample of what values_of gives has other values",
    ),
    "never settled": (
        changed(S3, settled=lambda self, options, values: {**values, "key": f"{values.get('key')}x"}),
        "changes what is settled",
    ),
    "a verdict in words": (changed(SQS, verdict=lambda self, *_: "passes"), "verdict is to return a Note"),
    "a next run in words": (changed(Schedule, upcoming=lambda self, *_: ["soon"]), "upcoming is to return Notes"),
    "a redirect in words": (changed(SQS, redirect=lambda self, *_: "away"), "redirect is to return a Redirect"),
    "a redirect that nobody is told of": (changed(SQS, live_for=""), "live_for does not say"),
    "a redirect of what does not stand": (
        changed(SQS, resources=lambda self, options, function: [Queue(queue_of(options, function))]),
        "which is none of its resources",
    ),
    "a look that changes something": (
        changed(SQS, preflight=lambda self, aws, *_: aws.client("sqs").create_queue(QueueName="x")),
        "preflight is to ask only, and calls CreateQueue",
    ),
    "a look that AWS refuses": (
        changed(SQS, dead_letters=lambda self, aws, *_: aws.client("sqs").get_queue_url(Name="x")),
        "dead_letters calls what AWS refuses",
    ),
    "a look without an answer": (changed(SQS, preflight=lambda self, *_: None), "preflight returns a NoneType"),
    "functions as a text": (
        changed(SQS, competing_functions=lambda self, *_: "x"),
        "competing_functions returns a str",
    ),
    "a share by name": (changed(SQS, shared=lambda self, *_: "orders"), "shared is to return an ARN"),
    "causes by name": (changed(SQS, causes=lambda self, *_: ["sqs:SendMessage"]), "causes is to return Causes"),
    "consumers as a list": (
        changed(SQS, competing_consumers=lambda self, *_: []),
        "competing_consumers returns a list",
    ),
    "send fails": (sends(lambda aws, queue, values: 1 / 0), "ZeroDivisionError"),
    "send calls what AWS refuses": (sends(lambda aws, queue, values: send_message(aws, queue)), "MessageBody"),
    "send calls nothing": (sends(lambda aws, queue, values: Sent("1", ("1",))), "calls nothing"),
    "send returns an id": (
        sends(lambda aws, queue, values: send_message(aws, queue, MessageBody="x")["MessageId"]),
        "return a Sent",
    ),
    "sent without ids": (
        sends(lambda aws, queue, values: Sent(send_message(aws, queue, MessageBody="x")["MessageId"], ())),
        "by which the invocation is known",
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_told_in_a_sentence(what):
    source, told = FAULTS[what]
    with pytest.raises(AssertionError) as caught:
        check_source(source)
    text = str(caught.value)
    assert told in text and "\n" not in text
    assert text.startswith(f"{source.name}: ")


def test_every_method_of_a_source_is_checked():
    asked = set()

    class Watched(SQS):
        __doc__ = SQS.__doc__

        def __getattribute__(self, name):
            asked.add(name)
            return super().__getattribute__(name)

    check_source(Watched())
    methods = {name for name, thing in vars(Source).items() if callable(thing) and not name.startswith("_")}
    assert methods - asked == set()


def test_a_file_that_says_other_than_the_kernel_is_told(monkeypatch):
    monkeypatch.setattr("nbchalice.notebook.analysis.handler_function.trigger_options", lambda source, options: options)
    with pytest.raises(AssertionError, match="the file of a notebook says of its magic"):
        check_source(SOURCES["on_sqs_message"])
