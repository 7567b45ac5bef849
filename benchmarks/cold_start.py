"""What a cold start costs in Python: importing the deployed module, beside a bare function, Chalice and Powertools.

Each import is measured in a new process that has loaded what AWS's runtime (awslambdaric) loads itself, all by turns
in one run. As on Lambda, what a package does not bring as byte code is compiled anew; in the second table all have it.
"""

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import uv

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


def ours(folder: Path, python: str) -> None:
    """Unpack nbchalice's zip of the handler; for another Python it has no byte code."""
    from nbchalice.packaging.artifact import build
    from nbchalice.runtime.cells import Segment

    segments = [Segment("cell 1", "a", 1, NBCHALICE.count("\n"), 1)]
    piece = SimpleNamespace(module=NBCHALICE, segments=segments, function="price", notebook="shop.ipynb")
    content = build(piece, "price", python=python).zip
    zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
    print(f"  zip of nbchalice for Python {python}: {len(content) / 1024:.1f} KB")


def packed(folder: Path) -> dict[str, Path]:
    """Write the packages as they are deployed, and return their folders; what cannot be installed is left out."""
    folders = {}
    for name, code in CODE.items():
        target = folder / name
        target.mkdir()
        (target / "lambda_function.py").write_text(code)
        try:
            for package in PACKAGES.get(name, []):
                command = [uv.find_uv_bin(), "pip", "install", "-q", "--target", target, "-p", sys.executable, package]
                subprocess.run(command, check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            print(f"  {name}: not measured ({error.stderr.strip().splitlines()[-1]})")
            continue
        folders[name] = target
    for name, python in (("nbchalice", PYTHON), ("nbchalice, source", "3.10")):
        ours(folder / name, python)
        folders[name] = folder / name
    return folders


def measured(folders: dict[str, Path], runs: int) -> dict[str, list[list[float]]]:
    """Measure all by turns."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    results: dict[str, list[list[float]]] = {name: [] for name in folders}
    for _ in range(runs):
        for name, folder in folders.items():
            command = [sys.executable, "-c", MEASURE, folder]
            done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True)
            results[name].append(json.loads(done.stdout.splitlines()[-1]))
    return results


def main(runs: int = 25) -> None:
    with tempfile.TemporaryDirectory() as folder:
        folders = packed(Path(folder))
        for title in ("as deployed", "with byte code of all"):
            print(f"  {title}, {runs} runs by turns: milliseconds of the processor, best and median; modules loaded")
            for name, results in measured(folders, runs).items():
                processor, wall, modules = zip(*results, strict=True)
                best, median = min(processor) * 1000, statistics.median(processor) * 1000
                print(
                    f"    {name:18} {best:6.1f} {median:6.1f}   (clock: best {min(wall) * 1000:.1f})   {modules[0]:.0f}"
                )
            subprocess.run([sys.executable, "-m", "compileall", "-q", folder], check=False, capture_output=True)


if __name__ == "__main__":
    main()
