"""What runs a function past its trigger asks first whose it is, as a deploy does."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from nbchalice.aws.target import Connection, connect
from nbchalice.deploy import engine
from nbchalice.errors import InvalidInputError
from nbchalice.project import Project
from nbchalice.ui.commands.events import invoke, send
from nbchalice.ui.commands.operations import dlq
from nbchalice.ui.widgets.sender import Sender

from .harness import app, deploy, handler, sqs, unique

ANN, BOB = "arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:user/bob"


@dataclass
class Shell:
    """Where a command runs: a shell with a notebook's file."""

    notebook: Project
    aws: Connection
    interactive: bool = False

    def project(self):
        return self.notebook

    def connect(self):
        return self.aws


@pytest.fixture(scope="module")
def called_by(local_aws):
    """``called_by(arn)``: real AWS as far as a command can tell, with who calls."""
    plain = connect("local")
    return lambda arn: Connection(replace(plain.target, name="aws", user=arn), plain._new_client)


@pytest.fixture(scope="module")
def shop(called_by):
    """An app that Bob deployed, with its queue and one for what failed."""
    name = unique("whose")
    queues = called_by(BOB).client("sqs")
    queues.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})
    queues.create_queue(QueueName=f"{name}-dead")
    made = replace(app(name, handler("price", sqs(name), dlq=f"{name}-dead")), notebook="bobs.ipynb")
    deploy(made, called_by(BOB))
    yield made
    engine.delete(made, called_by(BOB))


def letter(aws, name):
    url = aws.client("sqs").get_queue_url(QueueName=f"{name}-dead")["QueueUrl"]
    aws.client("sqs").send_message(QueueUrl=url, MessageBody="{}")


WAYS = {
    "send --direct": lambda ui: send(ui, "price", None, None, None, 1, False, True, False, 5.0),
    "send --direct --twice": lambda ui: send(ui, "price", None, None, None, 1, True, True, False, 5.0),
    "invoke": lambda ui: invoke(ui, "price", None, False, None, False),
    "dlq --redrive": lambda ui: dlq(ui, "price", 1, None, True),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_refused_for_what_somebody_else_deployed_and_goes_for_ones_own(called_by, shop, way):
    files = {who: Project(shop.name, "dev", Path(f"{who}.ipynb"), (), shop.handlers) for who in ("anns", "bobs")}
    ann, bob = (Shell(files[who], called_by(arn)) for who, arn in (("anns", ANN), ("bobs", BOB)))
    if "redrive" in way:
        letter(bob.aws, shop.name)
    calls = len(ann.aws.writes)
    with pytest.raises(InvalidInputError, match="price is somebody else's, deployed by user bob from bobs.ipynb") as no:
        WAYS[way](ann)
    assert (no.value.code, len(ann.aws.writes)) == ("someone-elses", calls)
    assert "%chalice deploy --take-over makes it yours" in no.value.hint
    WAYS[way](bob)


def test_an_app_without_a_name_of_its_own_is_refused_as_by_a_deploy(called_by, shop):
    unnamed = replace(Project(shop.name, "dev", Path("Untitled.ipynb"), (), shop.handlers), is_named=False)
    with pytest.raises(InvalidInputError, match="has no name of its own"):
        WAYS["invoke"](Shell(unnamed, called_by(BOB)))


def test_what_goes_through_the_queue_is_for_whoever_takes_it(called_by, shop):
    """As on AWS: who may send to a queue is not asked who reads it."""
    notebook = Project(shop.name, "dev", Path("anns.ipynb"), (), shop.handlers)
    assert send(Shell(notebook, called_by(ANN)), "price", None, None, None, 1, False, False, False, 0.0).message_id


def test_the_form_past_the_queue_is_refused_as_the_command_is(called_by, shop):
    told = {}
    for who, arn in (("anns", ANN), ("bobs", BOB)):
        ui = Shell(Project(shop.name, "dev", Path(f"{who}.ipynb"), (), shop.handlers), called_by(arn))
        form = Sender(ui, "price")
        form._way.value = True
        writes = len(ui.aws.writes)
        for _ in range(2):  # on real AWS the first click only asks
            form.send_button.click()
            form.wait(60)
        told[who] = form._status.value + form._result.value
        assert (len(ui.aws.writes) == writes) == (who == "anns")
    assert "price is somebody else&#x27;s, deployed by user bob from bobs.ipynb" in told["anns"]
    assert "somebody else" not in told["bobs"]
