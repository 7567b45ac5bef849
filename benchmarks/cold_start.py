"""What a cold start costs in Python: importing the deployed module, beside a bare function, Chalice and Powertools.

Each import is measured in a new process that has loaded what AWS's runtime (awslambdaric) loads itself, all by turns
in one run. As on Lambda, what a package does not bring as byte code is compiled anew; in the second table all have it.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from types import SimpleNamespace

import uv

from benchmarks.rows import Row, failed, measured, number

RUNS = 25
PYTHON = f"3.{sys.version_info[1]}"
BARE = """
import logging

def lambda_handler(event, context):
    for record in event["Records"]:
        logging.info("%s", record["body"])
"""
CHALICE = """
from chalice import Chalice

app = Chalice(app_name="shop")

@app.on_sqs_message(queue="orders")
def lambda_handler(event):
    for record in event:
        app.log.info("%s", record.body)
"""
POWERTOOLS = """
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes import SQSEvent, event_source

logger = Logger(service="shop")

@event_source(data_class=SQSEvent)
def lambda_handler(event, context):
    for record in event.records:
        logger.info(record.body)
"""
NBCHALICE = CHALICE.replace("from chalice", "from nbchalice").replace("lambda_handler", "price")
CODE = {"bare": BARE, "Chalice": CHALICE, "Powertools": POWERTOOLS}
PACKAGES = {"Chalice": ["chalice"], "Powertools": ["aws-lambda-powertools"]}
MEASURE = """
import json, sys, time
from awslambdaric import bootstrap, lambda_config, lambda_runtime_client
sys.path.insert(0, sys.argv[1])
before, wall, processor = len(sys.modules), time.perf_counter(), time.process_time()
import lambda_function
print(json.dumps([time.process_time() - processor, time.perf_counter() - wall, len(sys.modules) - before]))
"""


def ours(folder: Path, python: str, text: str) -> int:
    """Unpack nbchalice's zip of the handler, and return its size; for another Python it has no byte code."""
    from nbchalice.packaging.artifact import build
    from nbchalice.runtime.cells import Segment

    segments = [Segment("cell 1", "a", 1, text.count("\n"), 1)]
    piece = SimpleNamespace(module=text, segments=segments, function="price", notebook="shop.ipynb")
    content = build(piece, "price", python=python).zip
    zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
    return len(content)


def install(folder: Path, packages: list[str]) -> None:
    """Put packages beside a handler, as they are deployed."""
    command = [uv.find_uv_bin(), "pip", "install", "-q", "--target", folder, "-p", sys.executable, *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])


def packed(folder: Path, codes: dict[str, str]) -> Iterator[tuple[str, Path | Row]]:
    """Write the packages as they are deployed; yield each with its folder, or with why it could not be had."""
    for name, code in codes.items():
        target = folder / name
        target.mkdir()
        (target / "lambda_function.py").write_text(code)
        try:
            if name in PACKAGES:
                install(target, PACKAGES[name])
                (found,) = distributions(name=PACKAGES[name][0], path=[str(target)])
                yield f"{name} {found.version}", target
            else:
                yield name, target
        except RuntimeError as error:
            yield name, failed(name, "imported", error)


def imports(folders: dict[str, Path], runs: int) -> dict[str, list[list[float]]]:
    """Measure all by turns."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    results: dict[str, list[list[float]]] = {name: [] for name in folders}
    for _ in range(runs):
        for name, folder in folders.items():
            command = [sys.executable, "-c", MEASURE, folder]
            done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True)
            results[name].append(json.loads(done.stdout.splitlines()[-1]))
    return results


def rows() -> Iterator[Row]:
    """Yield the size of our zip, and what an import costs, as deployed and with byte code of all."""
    with tempfile.TemporaryDirectory() as folder:
        folders = dict[str, Path]()
        for name, found in packed(Path(folder), CODE):
            if isinstance(found, Row):
                yield found
            else:
                folders[name] = found
        for name, python in (("nbchalice", PYTHON), ("nbchalice for another Python", "3.10")):
            folders[name] = Path(folder) / name
            yield Row(
                name, "zip of a handler that logs each message", ours(folders[name], python, NBCHALICE) / 1024, "KB"
            )
        for title in ("as deployed", "with byte code of all"):
            for name, results in imports(folders, RUNS).items():
                processor, wall, modules = zip(*results, strict=True)
                note = f"{modules[0]:.0f} modules; by the clock {number(min(wall) * 1000)} ms at best"
                yield measured(
                    name, f"imported {title}, of the processor", [one * 1000 for one in processor], "ms", note
                )
            subprocess.run([sys.executable, "-m", "compileall", "-q", folder], check=False, capture_output=True)
