"""How long a deploy takes at the local endpoint, beside Chalice and SAM CLI where they can be installed.

Chalice and SAM CLI get virtual environments of their own in a temporary folder. Each tool deploys four handlers
(schedule, S3, SNS, SQS), then the same again, then with one handler edited.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

FAULTS = Path(__file__).parents[1] / "tests" / "local_aws" / "faults.py"
LATENCIES_MS = (0, 50)
RUNS = 3
SECONDS = 600
SOURCES = ("tick", "ingest", "announce", "price")

CHALICE_APP = """
from chalice import Chalice, Rate

app = Chalice(app_name="benchchalice")

@app.schedule(Rate(5, unit=Rate.MINUTES))
def tick(event):
    return 1

@app.on_s3_event("bench-chalice", prefix="in/")
def ingest(event):
    return 1

@app.on_sns_message("bench-chalice")
def announce(event):
    return 1

@app.on_sqs_message("bench-chalice")
def price(event):
    return 1
"""

SAM_TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
{functions}
"""
SAM_FUNCTION = """
  {name}:
    Type: AWS::Serverless::Function
    Properties: {{Handler: main.handler, Runtime: python3.{minor}, CodeUri: {name}/, Events: {{E: {event}}}}}
"""
SAM_EVENTS = {
    "tick": "{Type: Schedule, Properties: {Schedule: rate(5 minutes)}}",
    "announce": "{{Type: SNS, Properties: {{Topic: arn:aws:sns:us-east-1:{account}:bench-chalice}}}}",
    "price": "{{Type: SQS, Properties: {{Queue: arn:aws:sqs:us-east-1:{account}:bench-chalice}}}}",
}


def package(code: str) -> Any:
    """Return a handler's package."""
    from nbchalice.deploy.package import Package

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("lambda_function.py"), f"def lambda_handler(event, context): return {code}\n")
    content = buffer.getvalue()
    return Package(content, base64.b64encode(hashlib.sha256(content).digest()).decode(), "3.11")


def make_app(name: str, handlers: int) -> Any:
    """Return an app with as many handlers, a quarter of each source."""
    from nbchalice.deploy.desired import App
    from nbchalice.handlers import Handler
    from nbchalice.runtime.app import Trigger

    made = []
    for number in range(handlers // 4):
        place = f"{name}-{number}"
        for kind, source, options in (
            ("tick", "schedule", {"expression": "rate(5 minutes)"}),
            ("ingest", "on_s3_event", {"bucket": place, "prefix": "in/"}),
            ("announce", "on_sns_message", {"topic": place}),
            ("price", "on_sqs_message", {"queue": place}),
        ):
            made.append(Handler(f"{kind}{number}", kind, (Trigger(source, options),), {}))
    return App(name, "dev", tuple(made), Path())


def ours(aws: Any, handlers: int, latency: int) -> dict[str, tuple[float, int]]:
    """Return seconds and calls of each operation, the median of several runs."""
    from nbchalice.deploy import engine

    seen: dict[str, list[tuple[float, int]]] = {}
    for run in range(RUNS):
        app = make_app(f"bench{handlers}x{latency}x{run}", handlers)
        codes = {handler.name: "1" for handler in app.handlers}

        def deploy(app: Any = app, codes: dict[str, str] = codes) -> int:
            return engine.deploy(app, lambda: {name: package(code) for name, code in codes.items()}, aws).api_calls

        for what, operation, code in (
            ("first deploy", deploy, "1"),
            ("nothing changed", deploy, "1"),
            ("one handler edited", deploy, "2"),
            ("delete", lambda app=app: engine.delete(app, aws).api_calls, "2"),
        ):
            codes["price0"] = code
            started = time.perf_counter()
            calls = operation()
            seen.setdefault(what, []).append((time.perf_counter() - started, calls))
    return {what: (statistics.median(s for s, _ in found), found[0][1]) for what, found in seen.items()}


def tool(folder: Path, *packages: str) -> Path:
    """Install a tool into an environment of its own; return its folder of programs."""
    import uv

    keep = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    commands = (
        ["venv", "--no-project", "--seed", "--python", sys.executable, str(folder)],
        ["pip", "install", "--python", str(folder / "bin" / "python"), *packages],
    )
    for command in commands:
        subprocess.run(
            [uv.find_uv_bin(), *command, "--quiet"], env=keep, check=True, capture_output=True, timeout=SECONDS
        )
    return folder / "bin"


def timed(command: list[str], cwd: Path, environment: dict[str, str]) -> float:
    """Return how long a command takes; raise with its last lines when it fails."""
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=SECONDS, input="y\n" * 9, check=False
    )
    if done.returncode:
        raise RuntimeError(" ".join((done.stderr or done.stdout).split())[-300:])
    return time.perf_counter() - started


def environment_of(server: Any, home: Path) -> dict[str, str]:
    """Return variables that lead a tool to the local AWS."""
    return {
        **server.env(), "AWS_REGION": "us-east-1", "HOME": str(home), "PATH": f"{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip


def chalice(server: Any, folder: Path) -> dict[str, float]:
    """Return the seconds of Chalice's operations."""
    programs = tool(folder / "chalice", "chalice", "setuptools<81", "pip")
    project = folder / "chaliceapp"
    (project / ".chalice").mkdir(parents=True)
    (project / "app.py").write_text(CHALICE_APP)
    (project / "requirements.txt").write_text("")
    (project / ".chalice" / "config.json").write_text(
        json.dumps({"version": "2.0", "app_name": "benchchalice", "stages": {"dev": {"api_gateway_stage": "api"}}})
    )
    command = [str(programs / "chalice"), "deploy"]
    environment = environment_of(server, folder)
    found = {"first deploy": timed(command, project, environment)}
    found["nothing changed"] = timed(command, project, environment)
    (project / "app.py").write_text(CHALICE_APP.replace("return 1", "return 2"))
    found["one handler edited"] = timed(command, project, environment)
    timed([str(programs / "chalice"), "delete"], project, environment)
    return found


def sam(server: Any, folder: Path) -> dict[str, float]:
    """Return the seconds of SAM CLI's operations; S3's trigger needs a bucket in the template and is left out."""
    programs = tool(folder / "sam", "aws-sam-cli")
    project = folder / "samapp"
    functions = ""
    for name, event in SAM_EVENTS.items():
        (project / name).mkdir(parents=True)
        (project / name / "main.py").write_text("def handler(event, context): return 1\n")
        text = event if name == "tick" else event.format(account=server.account)
        functions += SAM_FUNCTION.format(name=name, minor=sys.version_info[1], event=text)
    (project / "template.yaml").write_text(SAM_TEMPLATE.format(functions=functions))
    environment = {**environment_of(server, folder), "PATH": f"{programs}:{os.environ['PATH']}"}
    base = [str(programs / "sam"), "sync", "--stack-name", f"bench{time.time_ns()}", "--no-watch"]
    base += ["--region", "us-east-1"]
    base += ["--capabilities", "CAPABILITY_IAM", "--no-dependency-layer", "--s3-bucket", "bench-chalice"]
    found = {"first deploy": timed(base, project, environment)}
    found["nothing changed"] = timed([*base, "--code"], project, environment)
    (project / "price" / "main.py").write_text("def handler(event, context): return 2\n")
    found["one handler edited"] = timed([*base, "--code"], project, environment)
    return found


def add_sam_to_server() -> None:
    """Let CloudFormation of the local AWS understand SAM's templates; in an environment of the benchmark's own."""
    import uv

    from nbchalice.aws.local.client.environment import server_python

    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", str(server_python()), "aws-sam-translator"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    except subprocess.SubprocessError as error:
        print(f"SAM's translator cannot be installed ({error}), so SAM CLI will not be measured")


def beside(name: str, measure: Callable[[Any, Path], dict[str, float]], server: Any, own: dict[str, Any]) -> None:
    """Measure another tool and print it beside ours; say so where it cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = measure(server, Path(folder))
        except (subprocess.SubprocessError, RuntimeError, OSError) as error:
            print(f"{name}: not measured ({error})")
            return
    for what, seconds in found.items():
        print(f"{name:10} {what:20} {seconds:7.2f} s   {seconds / own[what][0]:6.0f} times ours")


def main() -> None:
    """Print the table."""
    from nbchalice.aws.local.client import server
    from nbchalice.aws.target import connect

    with tempfile.TemporaryDirectory() as home:
        os.environ["NBCHALICE_LOCAL_HOME"] = f"{home}/local"
        os.environ["NBCHALICE_LOCAL_CACHE"] = f"{home}/cache"
        os.environ["NBCHALICE_LOCAL_EXTENSIONS"] = str(FAULTS)
        add_sam_to_server()
        local = server.ensure_running()
        try:
            aws = connect("local")
            ours(aws, 4, -1)  # the first use loads the service models
            for latency in LATENCIES_MS:
                server.control("PUT", "faults", {"latency_ms": latency})
                print(f"{latency} ms added to each call")
                own = {handlers: ours(aws, handlers, latency) for handlers in (4, 64)}
                for handlers, found in own.items():
                    for what, (seconds, calls) in found.items():
                        print(f"nbchalice  {what:20} {seconds:7.2f} s   {handlers} handlers, {calls} calls")
                ratio = own[64]["first deploy"][0] / own[4]["first deploy"][0]
                print(f"nbchalice  64 handlers take {ratio:.1f} times as long as 4")
                for client, operation, arguments in (
                    ("sqs", "create_queue", {"QueueName": "bench-chalice"}),
                    ("sns", "create_topic", {"Name": "bench-chalice"}),
                    ("s3", "create_bucket", {"Bucket": "bench-chalice"}),
                ):
                    getattr(aws.client(client), operation)(**arguments)
                queue = aws.client("sqs").get_queue_url(QueueName="bench-chalice")["QueueUrl"]
                aws.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "360"})
                beside("Chalice", chalice, local, own[4])
                beside("SAM CLI", sam, local, own[4])
        finally:
            server.stop()


if __name__ == "__main__":
    main()
