"""A handler with pandas: how long until it is packaged and deployed, beside Chalice; and what an edit uploads.

nbchalice and Chalice get virtual environments of their own in a temporary folder, with the same pandas. uv's and pip's
own caches are used as they are, those of nbchalice and Chalice begin empty.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, failed, local_connection, scratch
from benchmarks.tools import environment_of, timed, tool, version

ROOT = Path(__file__).parent.parent
PANDAS = "pandas==2.2.3"
STEPS = ("packaged, nothing built before", "packaged again", "deployed what was packaged", "deployed one edit")
TARGETS = (("3.12", "x86_64"), ("3.13", "arm64"))
HANDLER = """%%on_sns_message bench-pandas --timeout 30 --python {python} --arch {arch}
def summarize(event):
    app.log.info("{text} %s", pd.DataFrame({{"a": [1, 2]}}).a.sum())
"""
CHALICE_APP = """import pandas as pd
from chalice import Chalice

app = Chalice(app_name="benchpandas")


@app.on_sns_message(topic="bench-pandas")
def summarize(event):
    app.log.info("{text} %s", pd.DataFrame({{"a": [1, 2]}}).a.sum())
"""


class Ours:
    """nbchalice's command line on a notebook, with a cache that begins empty."""

    def __init__(self, programs: Path, folder: Path, python: str, arch: str, environment: dict[str, str]) -> None:
        folder.mkdir()
        self._command, self._folder = str(programs / "nbchalice"), folder
        self._python, self._arch = python, arch
        # Where the Pythons of this computer are found, in which the local AWS runs the functions.
        home = {"HOME": os.environ["HOME"]}
        self._environment = {**environment, **home, "NBCHALICE_CACHE": str(folder / "cache")}

    def write(self, text: str) -> None:
        import nbformat
        from nbformat.v4 import new_code_cell, new_notebook

        handler = HANDLER.format(python=self._python, arch=self._arch, text=text)
        cells = [f"%pip install {PANDAS}", "import pandas as pd", handler]
        notebook = new_notebook(cells=[new_code_cell(cell, id=f"c{n}") for n, cell in enumerate(cells)])
        nbformat.write(notebook, self._folder / f"benchpandas-{self._arch.replace('_', '-')}.ipynb")

    def run(self, *words: str) -> float:
        (notebook,) = self._folder.glob("*.ipynb")
        return timed([self._command, words[0], str(notebook), *words[1:]], self._folder, self._environment)

    def sizes(self) -> Iterator[tuple[str, int]]:
        for path in sorted((self._folder / "out").glob("*.zip")):
            yield "zip of the layer" if path.name.startswith("layer-") else "zip of the handler", path.stat().st_size


def ours(programs: Path, folder: Path, environment: dict[str, str]) -> Iterator[Row]:
    """Yield our seconds for each target."""
    for python, arch in TARGETS:
        one, name = Ours(programs, folder / arch, python, arch, environment), f"nbchalice, Python {python}, {arch}"
        one.write("sum")
        yield Row(name, STEPS[0], one.run("package", "--out", "out"), "s")
        yield Row(name, STEPS[1], one.run("package", "--out", "out"), "s")
        for what, size in one.sizes():
            yield Row(name, what, size / 2**20, "MB") if size > 2**20 else Row(name, what, size / 2**10, "KB")
        yield Row(name, STEPS[2], one.run("deploy"), "s")
        one.write("total")
        yield Row(name, STEPS[3], one.run("deploy"), "s")
        one.run("delete", "--yes")


def chalice(programs: Path, folder: Path, environment: dict[str, str]) -> Iterator[Row]:
    """Yield Chalice's seconds for the same handler; it knows x86_64 only."""
    project = folder / "project"
    (project / ".chalice").mkdir(parents=True)
    config = {"version": "2.0", "app_name": "benchpandas", "stages": {"dev": {"api_gateway_stage": "api"}}}
    (project / ".chalice" / "config.json").write_text(json.dumps(config))
    (project / "requirements.txt").write_text(f"{PANDAS}\n")
    (project / "app.py").write_text(CHALICE_APP.format(text="sum"))
    command = str(programs / "chalice")
    environment = {**environment, "PATH": f"{programs}:{environment['PATH']}"}
    name = f"Chalice {version(programs, 'chalice')}, x86_64"
    package = [command, "package", str(folder / "out")]
    yield Row(name, STEPS[0], timed(package, project, environment), "s")
    yield Row(name, STEPS[1], timed(package, project, environment), "s")
    yield Row(name, STEPS[2], timed([command, "deploy"], project, environment), "s")
    (project / "app.py").write_text(CHALICE_APP.format(text="total"))
    yield Row(name, STEPS[3], timed([command, "deploy"], project, environment), "s")
    timed([command, "delete"], project, environment)


def warm(programs: Path, modules: str) -> Path:
    """Let Python compile what was just installed, which takes longer than all the rest."""
    subprocess.run([str(programs / "python"), "-c", f"import {modules}"], check=True, capture_output=True)
    return programs


def rows() -> Iterator[Row]:
    """Yield both."""
    from nbchalice.aws.local.client import server

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VIRTUAL_ENV", "PYTHON"))}
    with scratch() as folder:
        local_connection().client("sns").create_topic(Name="bench-pandas")
        environment = {**kept, **environment_of(server.ensure_running(), folder)}
        environment["NBCHALICE_LOCAL_HOME"] = os.environ["NBCHALICE_LOCAL_HOME"]
        for variable, name in (("UV_CACHE_DIR", "uv"), ("PIP_CACHE_DIR", "pip")):
            environment[variable] = os.environ.get(variable, str(Path.home() / ".cache" / name))
        (folder / "work").mkdir()
        programs = warm(tool(folder / "ours", str(ROOT), PANDAS), "pandas, nbchalice.cli")
        yield from ours(programs, folder / "work", environment)
        try:
            programs = warm(tool(folder / "theirs", "chalice", "setuptools<81", "pip", PANDAS), "pandas, chalice.cli")
            yield from chalice(programs, folder, environment)
        except (subprocess.SubprocessError, RuntimeError, OSError) as error:
            yield failed("Chalice", "packaged", error)
