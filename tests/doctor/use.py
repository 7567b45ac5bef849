"""All that a deployer does with an app."""

import json
from dataclasses import replace

from nbchalice.deploy import engine
from nbchalice.events.deadletter import dead_letters_of
from nbchalice.events.invoke import invoke
from nbchalice.events.leases import leases
from nbchalice.events.live import Live
from nbchalice.events.send import send
from nbchalice.events.triggers import routes
from nbchalice.events.why import why
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.tail import recent

from ..waiting import wait_until
from .shop import ACCOUNT


def drifted(root, shop):
    """Change by hand what a deploy puts right, and attach what a delete must take off."""
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    for role in shop.roles:
        root.client("iam").update_assume_role_policy(RoleName=f"{shop.made.name}-dev-{role}", PolicyDocument=document)
    target = {"Id": "other", "Arn": f"arn:aws:sqs:{root.region}:{ACCOUNT}:{shop.place.name}"}
    for rule, bus in shop.rules:
        name = f"{shop.made.name}-dev-{rule}"
        root.client("events").put_targets(Rule=name, EventBusName=bus, Targets=[target])


def attached(root, shop):
    name, managed = f"{shop.made.name}-dev-{shop.roles[0]}", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    root.client("iam").attach_role_policy(RoleName=name, PolicyArn=managed)


# What the names of queues end with to which people send, of handlers that are attached to one.
QUEUES = {"price": "", "sealed": "-sealed"}


def live(aws, root, shop, name):
    """Handle an event here, as the person whose queue it is sends one."""
    made = shop.edited
    one = next(handler for handler in made.handlers if handler.name == name)
    (route,) = routes(one, made.ref(aws, name))
    handled, trouble = [], []
    going = Live(aws, route, lambda event: Invocation("1", name, "ok"), handled.append, trouble.append)
    going.start()
    (lease,) = leases(aws, made.name, "dev")
    url = (
        root.client("sqs").get_queue_url(QueueName=shop.place.name + QUEUES[name])["QueueUrl"]
        if name in QUEUES
        else lease.url
    )
    root.client("sqs").send_message(QueueUrl=url, MessageBody='{"source": "aws.events"}')
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def empty():
        counts = root.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return [one for one in trouble if one] or set(counts.values()) == {"0"}

    wait_until(empty)
    going.stop()
    for error in trouble:
        if error:
            raise error


# What an event is made of where any would not reach the handler.
GIVEN = {"ingest": {"key": "in/a.csv"}, "objects": {"key": "big/a"}}


def sent(aws, made):
    for one in made.handlers:
        ref = made.ref(aws, one.name)
        for source, options in one.sources():
            if source.name.startswith("on_"):
                send(aws, source, options, ref, wait=0, **GIVEN.get(one.name, {}))


def letters(aws, root, shop, name):
    made = shop.edited
    one = next(handler for handler in made.handlers if handler.name == name)
    url = root.client("sqs").get_queue_url(QueueName=shop.place.dead)["QueueUrl"]
    root.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    queue = dead_letters_of(aws, one, made.ref(aws, name))
    queue.peek(1)
    queue.redrive()


def logs(aws, made):
    for one in made.handlers:
        recent(aws, made.ref(aws, one.name).name, since="10m")


def whys(aws, made):
    for one in made.handlers:
        if one.setting("role"):  # of somebody else's role nobody is shown the policies
            continue
        ref = made.ref(aws, one.name)
        told = why(aws, one, ref, routes(one, ref), None)
        yield from (*told.seen, *(text for trigger in told.triggers for text in trigger.seen))


def commands(aws, root, shop):
    """Return all that a deployer does, by name; each may be done again, and returns what it tells."""
    made, edited = shop.made, shop.edited
    half = replace(edited, handlers=(edited.handlers[0], *made.handlers[1:]))
    fewer = replace(edited, handlers=edited.handlers[1:])

    def deploy(one, code="1", **options):
        return engine.deploy(one, shop.packages(one, code), aws, **options).plan.notes

    return {
        "find live handlers": lambda: leases(aws, made.name, "dev") and (),
        "plan": lambda: engine.plan(made, shop.packages(made), aws).notes,
        "deploy": lambda: deploy(made),
        "drift": lambda: drifted(root, shop),
        "deploy what was edited": lambda: deploy(edited),
        "deploy half of it back": lambda: deploy(half),
        "deploy other code": lambda: deploy(edited, "2"),
        "status": lambda: engine.status(edited, shop.packages(edited, "2"), aws).notes,
        "send": lambda: sent(aws, edited),
        "invoke": lambda: invoke(aws, edited.ref(aws, shop.again), {}) and (),
        "logs": lambda: logs(aws, edited),
        "why": lambda: whys(aws, edited),
        "rollback": lambda: engine.rollback(edited, shop.again, aws) and (),
        **{f"live: {name}": lambda name=name: live(aws, root, shop, name) for name in shop.live},
        **{f"dead letters: {name}": lambda name=name: letters(aws, root, shop, name) for name in shop.letters},
        "prune": lambda: deploy(fewer, "2", prune=True),
        "attach": lambda: attached(root, shop),
        "delete": lambda: engine.delete(edited, aws).plan.notes,
    }
