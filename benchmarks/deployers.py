"""Who deploys the same handlers: nbchalice in a notebook and in a shell, Chalice, and SAM CLI."""

from __future__ import annotations

import json
import os
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from benchmarks.tools import environment_of, timed, tool, version

SOURCES = {
    "tick": ("schedule", "rate(5 minutes)", "@app.schedule(Rate(5, unit=Rate.MINUTES))"),
    "ingest": ("on_s3_event", "{place} --prefix in/", '@app.on_s3_event("{place}", prefix="in/")'),
    "announce": ("on_sns_message", "{place}", '@app.on_sns_message("{place}")'),
    "price": ("on_sqs_message", "{place}", '@app.on_sqs_message("{place}")'),
}
SAM_TEMPLATE = """AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
"""
SAM_FUNCTION = """  {name}:
    Type: AWS::Serverless::Function
    Properties: {{Handler: main.handler, Runtime: python3.{minor}, CodeUri: {name}/, Events: {{E: {event}}}}}
"""
SAM_EVENTS = {
    "tick": "{Type: Schedule, Properties: {Schedule: rate(5 minutes)}}",
    "announce": "{{Type: SNS, Properties: {{Topic: arn:aws:sns:us-east-1:{account}:{place}}}}}",
    "price": "{{Type: SQS, Properties: {{Queue: arn:aws:sqs:us-east-1:{account}:{place}}}}}",
}


class Deployer(ABC):
    """A tool on a project of its own.

    Parameters
    ----------
    server : LocalAWS
        Where it deploys.
    folder : Path
        A folder of its own.
    """

    label = ""
    rounds = 3
    most = 64
    why_not = ""

    def __init__(self, server: Any, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.server, self.folder, self.name = server, folder, self.label
        self.handlers, self.run = 4, 0

    def place(self, group: int) -> str:
        """Return the name of the queue, topic and bucket of a group of four handlers."""
        return f"bench-{type(self).__name__.lower()}-{group}"

    def prepare(self) -> None:  # noqa: B027 - most have nothing to install
        """Install what is needed, once."""

    def begin(self, handlers: int, run: int) -> None:
        """Begin a new app with as many handlers."""
        self.handlers, self.run = handlers, run
        self.edit(1)

    @abstractmethod
    def edit(self, answer: int) -> None:
        """Let the first group's queue handler return something else."""

    @abstractmethod
    def deploy(self) -> float:
        """Deploy, and return the seconds."""

    @abstractmethod
    def delete(self) -> None:
        """Remove all."""

    def close(self) -> None:  # noqa: B027 - most stay where they are
        """Leave the folder, which goes away."""


class Notebook(Deployer):
    """`%chalice deploy` in a kernel that has deployed before."""

    label = "nbchalice, `%chalice deploy`"

    def prepare(self) -> None:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        config = Config()
        config.HistoryManager.hist_file = ":memory:"
        InteractiveShell.clear_instance()
        self.shell = InteractiveShell.instance(config=config)
        self._before = Path.cwd()
        os.chdir(self.folder)
        self._run("%load_ext nbchalice")

    def begin(self, handlers: int, run: int) -> None:
        self.handlers, self.run = handlers, run
        self._run(f"%chalice app benchnotebook{run}")
        for cell in cells(handlers, self.place, 1):
            self._run(cell)

    def edit(self, answer: int) -> None:
        self._run(cells(4, self.place, answer)[-1])

    def deploy(self) -> float:
        started = time.perf_counter()
        self._run("%chalice deploy")
        return time.perf_counter() - started

    def delete(self) -> None:
        self._run("%chalice delete --yes")

    def close(self) -> None:
        os.chdir(self._before)

    def _run(self, cell: str) -> None:
        from IPython.utils.capture import capture_output

        with capture_output():
            self.shell.run_cell(cell, store_history=True).raise_error()


class Shell(Deployer):
    """`nbchalice deploy` on a notebook's file."""

    label = "nbchalice, `nbchalice deploy`"

    def edit(self, answer: int) -> None:
        import nbformat
        from nbformat.v4 import new_code_cell, new_notebook

        made = [f"%chalice app benchshell{self.run}", *cells(self.handlers, self.place, 1)]
        made[4] = cells(4, self.place, answer)[-1]
        made = [new_code_cell(cell, id=f"c{number}") for number, cell in enumerate(made)]
        nbformat.write(new_notebook(cells=made), self.folder / "bench.ipynb")

    def deploy(self) -> float:
        return self._run("deploy")

    def delete(self) -> None:
        self._run("delete", "--yes")

    def _run(self, name: str, *words: str) -> float:
        command = [sys.executable, "-m", "nbchalice", name, "bench.ipynb", *words]
        return timed(command, self.folder, dict(os.environ))


class Chalice(Deployer):
    """`chalice deploy`; it waits five seconds before and after it changes a function, changed or not."""

    label = "Chalice"
    rounds = 1
    most = 4
    why_not = "left out: it takes some ten seconds for each handler, at every deploy"

    def prepare(self) -> None:
        self.programs = tool(self.folder / "environment", "chalice", "setuptools<81", "pip")
        self.name = f"Chalice {version(self.programs, 'chalice')}, `chalice deploy`"

    def edit(self, answer: int) -> None:
        (self.folder / ".chalice").mkdir(exist_ok=True)
        (self.folder / "requirements.txt").write_text("")
        config = {"version": "2.0", "app_name": "x", "stages": {"dev": {"api_gateway_stage": "api"}}}
        (self.folder / ".chalice" / "config.json").write_text(json.dumps(config))
        text = f'from chalice import Chalice, Rate\n\napp = Chalice(app_name="benchchalice{self.run}")\n'
        for group in range(self.handlers // 4):
            for name, (_, _, decorator) in SOURCES.items():
                given = answer if (group, name) == (0, "price") else 1
                trigger = decorator.format(place=self.place(group))
                text += f"\n\n{trigger}\ndef {name}{group}(event):\n    return {given}\n"
        (self.folder / "app.py").write_text(text)

    def deploy(self) -> float:
        return self._run("deploy")

    def delete(self) -> None:
        self._run("delete")

    def _run(self, name: str) -> float:
        return timed([str(self.programs / "chalice"), name], self.folder, environment_of(self.server, self.folder))


class SAM(Deployer):
    """`sam sync`; S3's trigger would need a bucket in the template and is left out."""

    label = "SAM CLI"
    flags: tuple[str, ...] = ()
    where: Path | None = None

    def prepare(self) -> None:
        SAM.where = SAM.where or tool(self.folder / "environment", "aws-sam-cli")
        self.programs = SAM.where
        self.name = f"SAM CLI {version(self.programs, 'aws-sam-cli')}, `sam sync{''.join(f' {f}' for f in self.flags)}`"

    def edit(self, answer: int) -> None:
        text = SAM_TEMPLATE
        for group in range(self.handlers // 4):
            for name, event in SAM_EVENTS.items():
                function = self.folder / f"{name}{group}"
                function.mkdir(exist_ok=True)
                given = answer if (group, name) == (0, "price") else 1
                (function / "main.py").write_text(f"def handler(event, context): return {given}\n")
                if name == "tick":
                    trigger = event
                else:
                    trigger = event.format(account=self.server.account, place=self.place(group))
                text += SAM_FUNCTION.format(name=function.name, minor=sys.version_info[1], event=trigger)
        (self.folder / "template.yaml").write_text(text)

    def begin(self, handlers: int, run: int) -> None:
        super().begin(handlers, run)
        self.stack, self.stands = f"{type(self).__name__.lower()}{run}", False

    def deploy(self) -> float:
        words = [str(self.programs / "sam"), "sync", "--stack-name", self.stack, "--no-watch", "--region", "us-east-1"]
        words += ["--capabilities", "CAPABILITY_IAM", "--no-dependency-layer", "--s3-bucket", self.place(0)]
        environment = {
            **environment_of(self.server, self.folder), "PATH": f"{self.programs}:{os.environ['PATH']}",
        }  # fmt: skip
        seconds = timed([*words, *(self.flags if self.stands else ())], self.folder, environment)
        self.stands = True
        return seconds

    def delete(self) -> None:
        from nbchalice.aws.target import connect

        connect("local").client("cloudformation").delete_stack(StackName=self.stack)  # type: ignore[attr-defined]


class SAMCode(SAM):
    """`sam sync --code`, which changes the code of functions and nothing else."""

    flags = ("--code",)


def cells(handlers: int, place: Any, answer: int) -> list[str]:
    """Return the cells of some handlers, a quarter of each source; the last of the first four gives an answer."""
    made = []
    for group in range(handlers // 4):
        for name, (source, line, _) in SOURCES.items():
            given = answer if (group, name) == (0, "price") else 1
            trigger = line.format(place=place(group))
            made.append(f"%%{source} {trigger}\ndef {name}{group}(event):\n    return {given}")
    return made
