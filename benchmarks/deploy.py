"""How long a deploy takes at the local endpoint, beside Chalice and SAM CLI, each in an environment of its own.

Each tool deploys handlers (schedule, S3, SNS, SQS), then the same again, then with one of them edited; by turns, with
no time and with 50 ms added to each call of AWS.
"""

from __future__ import annotations

import itertools
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.deployers import SAM, Chalice, Deployer, Notebook, SAMCode, Shell
from benchmarks.rows import Row, failed, local_connection, measured, scratch
from benchmarks.tools import sam_server_cache

FAULTS = Path(__file__).parents[1] / "tests" / "local_aws" / "faults.py"
LATENCIES_MS = (0, 50)
OPERATIONS = ("first deploy", "one handler edited", "nothing changed")
AIM = 20
ROUNDS = {4: 3, 64: 1}
RUNS = itertools.count(1)
Times = dict[str, list[float]]


def rows() -> Iterator[Row]:
    """Yield each tool's seconds, and how many times sooner nbchalice is."""
    from nbchalice.aws.local.client import server

    with tempfile.TemporaryDirectory() as made, scratch(**variables(Path(made))) as folder:
        tools = list[Deployer]()
        for number, kind in enumerate((Notebook, Shell, Chalice, SAM, SAMCode)):
            try:
                tools.append(ready(kind, folder / str(number)))
            except (subprocess.SubprocessError, RuntimeError, OSError) as error:
                yield failed(kind.label, "installed", error)
        try:
            for handlers, rounds in ROUNDS.items():
                for latency in LATENCIES_MS:
                    server.control("PUT", "faults", {"latency_ms": latency})
                    yield from by_turns(tools, handlers, rounds, f"{handlers} handlers, {latency} ms a call")
        finally:
            for tool in tools:
                tool.close()


def variables(folder: Path) -> dict[str, str]:
    """Return what leads to a local AWS that can be slowed down and understands SAM's templates."""
    return {"NBCHALICE_LOCAL_EXTENSIONS": str(FAULTS), "NBCHALICE_LOCAL_CACHE": str(sam_server_cache(folder))}


def by_turns(tools: list[Deployer], handlers: int, rounds: int, what: str) -> Iterator[Row]:
    """Let each tool deploy in each round; yield the rows."""
    taken: dict[str, Times] = {tool.name: {} for tool in tools}
    for number in range(rounds):
        for tool in tools:
            if handlers <= tool.most and number < tool.rounds:
                yield from once(tool, handlers, next(RUNS), taken[tool.name], what)
    yield from told(tools, taken, handlers, what)


def ready(kind: type[Deployer], folder: Path) -> Deployer:
    """Install a tool, make the queues, topics and buckets of its apps, and let it deploy once."""
    from nbchalice.aws.local.client import server

    tool = kind(server.ensure_running(), folder)
    tool.prepare()
    make_places(tool)
    if isinstance(tool, Notebook):
        tool.begin(4, 0)
        tool.deploy()
        tool.delete()
    return tool


def make_places(tool: Deployer) -> None:
    """Make what the triggers are on."""
    aws = local_connection()
    for group in range(tool.most // 4):
        name = tool.place(group)
        aws.client("sns").create_topic(Name=name)
        aws.client("s3").create_bucket(Bucket=name)
        aws.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "360"})


def once(tool: Deployer, handlers: int, run: int, taken: Times, what: str) -> Iterator[Row]:
    """Let a tool deploy, deploy again, and deploy an edit; yield a row where it fails."""
    try:
        tool.begin(handlers, run)
        for operation in ("first deploy", "nothing changed", "one handler edited"):
            if operation == "one handler edited":
                tool.edit(run + 1)
            taken.setdefault(operation, []).append(tool.deploy())
        tool.delete()
    except (subprocess.SubprocessError, RuntimeError, OSError) as error:
        yield failed(tool.name, what, error)


def told(tools: list[Deployer], taken: dict[str, Times], handlers: int, what: str) -> Iterator[Row]:
    """Yield the rows of some runs, and how many times sooner `%chalice deploy` is."""
    for operation in OPERATIONS:
        title, ours = f"{operation}, {what}", taken[tools[0].name].get(operation)
        # The first deploy of who changes code only is that of `sam sync` itself.
        those = [tool for tool in tools if not (operation == "first deploy" and isinstance(tool, SAMCode))]
        for tool in those:
            if found := taken[tool.name].get(operation):
                yield measured(tool.name, title, found, "s", note(tool))
            elif handlers > tool.most:
                yield Row(tool.name, title, None, "", runs=0, note=tool.why_not)
        for tool in those[1:]:
            if ours and (found := taken[tool.name].get(operation)):
                yield sooner(tool, title, ours, found)


def note(tool: Deployer) -> str:
    """Return what has to be known of a tool's numbers."""
    return "without S3's handlers" if isinstance(tool, SAM) else ""


def sooner(tool: Deployer, title: str, ours: list[float], theirs: list[float]) -> Row:
    """Return how many times sooner `%chalice deploy` was than another tool, run by run."""
    ratios = [other / own for own, other in zip(ours, theirs, strict=False)]
    row = measured(tool.name, f"{title}: times sooner is `%chalice deploy`", ratios, "times")
    if not (isinstance(tool, SAMCode) and title.startswith("one handler edited")):
        return row
    assert row.value is not None
    return replace(row, note=f"aim: {AIM} times: {'hit' if row.value >= AIM else 'missed'}")
