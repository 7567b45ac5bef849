"""`local`: the embedded local AWS, by hand."""

from __future__ import annotations

import shlex

from nbchalice.aws.local.client import server
from nbchalice.aws.target import Connection, connect
from nbchalice.errors import InvalidInputError
from nbchalice.typed import JSON
from nbchalice.ui.render.cards import Card, TextCard


def run(action: str, kind: str | None, name: str | None) -> Card:
    """Do what `%chalice local ACTION` asks for."""
    if action == "create":
        return create(kind, name)
    if kind is not None:
        raise InvalidInputError(f"local {action} takes no further words", "only create takes a kind and a name")
    return {"start": start, "status": status, "stop": stop, "reset": reset, "env": env}[action]()


def describe(running: server.LocalAWS) -> JSON:
    """Return what may be told of a running server; not its key."""
    return {
        "endpoint": running.endpoint,
        "pid": running.pid,
        "state_dir": running.state_dir,
        "version": running.version,
    }


def start() -> Card:
    """Start the local AWS, or find it running."""
    return _running(server.ensure_running())


def status() -> Card:
    """Tell whether the local AWS runs."""
    running = server.status()
    if running is None:
        text = "\n".join(["not running; it starts when it is needed", *server.read_notes()])
        return TextCard("local AWS", text, {"endpoint": None, "pid": None})
    return _running(running)


def _running(running: server.LocalAWS) -> Card:
    """Tell of a running server, and of what it could not load or save."""
    weaker = server.not_enforced()
    notes = [note for note in server.read_notes() if note not in weaker]
    problems = [*notes, *(f"not saved: {problem}" for problem in server.not_saved())]
    lines = [f"running at {running.endpoint}, state in {running.state_dir}", *problems, *weaker]
    server.read_notes(news=True)  # told now
    more = {"problems": problems, "not_enforced": weaker}
    told = describe(running) | {name: what for name, what in more.items() if what}
    return TextCard("local AWS", "\n".join(lines), told)


def stop() -> Card:
    """Stop the local AWS; its state stays."""
    stopped = server.stop()
    return TextCard("local AWS", "stopped; its state is kept" if stopped else "was not running", {"stopped": stopped})


def reset() -> Card:
    """Forget all that is in the local AWS."""
    server.reset()
    return TextCard("local AWS", "emptied: no functions, queues, topics, buckets or logs are left", {"reset": True})


def env() -> Card:
    """Print the lines with which other tools use the local AWS."""
    variables = server.ensure_running().env()
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return TextCard("local AWS", "\n".join(lines), variables)


def create(kind: str | None, name: str | None) -> Card:
    """Create a queue, topic or bucket in the local AWS."""
    if not kind or not name:
        raise InvalidInputError("local create wants a kind and a name", "local create queue|topic|bucket NAME")
    aws = connect("local")
    identifier = _create(aws, kind, name)
    return TextCard("local AWS", f"created {kind} {name}: {identifier}", {"kind": kind, "name": name, "id": identifier})


def _create(aws: Connection, kind: str, name: str) -> str:
    if kind == "queue":
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        return str(aws.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
    if kind == "topic":
        attributes = {"FifoTopic": "true"} if name.endswith(".fifo") else {}
        return str(aws.client("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"])
    aws.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}"
