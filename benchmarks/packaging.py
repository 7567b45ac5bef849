"""A handler with pandas: how long until it is packaged and deployed, beside Chalice; and what an edit uploads.

nbchalice and Chalice get virtual environments of their own in a temporary folder, with the same pandas. uv's and pip's
own caches are used as they are, those of nbchalice and Chalice begin empty.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.deploy import environment_of, timed, tool

ROOT = Path(__file__).parent.parent
PANDAS = "pandas==2.2.3"
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

    def sizes(self) -> str:
        return ", ".join(f"{path.name} {path.stat().st_size:,} B" for path in sorted((self._folder / "out").iterdir()))


def ours(programs: Path, folder: Path, environment: dict[str, str]) -> dict[str, float]:
    """Print and return our seconds for each target; returned are those of the first, which is Chalice's own."""
    found: dict[str, float] = {}
    for python, arch in TARGETS:
        one = Ours(programs, folder / arch, python, arch, environment)
        one.write("sum")
        seconds = {"package": one.run("package", "--out", "out"), "package again": one.run("package", "--out", "out")}
        print(f"Python {python}, {arch}: {one.sizes()}")
        seconds["deploy"] = one.run("deploy")
        one.write("total")
        seconds["deploy one edit"] = one.run("deploy")
        one.run("delete", "--yes")
        for what, taken in seconds.items():
            print(f"  nbchalice  {what:16} {taken:7.2f} s")
        found = found or seconds
    return found


def chalice(programs: Path, folder: Path, environment: dict[str, str]) -> dict[str, float]:
    """Return Chalice's seconds for the same handler; it knows x86_64 only."""
    project = folder / "project"
    (project / ".chalice").mkdir(parents=True)
    config = {"version": "2.0", "app_name": "benchpandas", "stages": {"dev": {"api_gateway_stage": "api"}}}
    (project / ".chalice" / "config.json").write_text(json.dumps(config))
    (project / "requirements.txt").write_text(f"{PANDAS}\n")
    (project / "app.py").write_text(CHALICE_APP.format(text="sum"))
    command = str(programs / "chalice")
    environment = {**environment, "PATH": f"{programs}:{environment['PATH']}"}
    found = {"package": timed([command, "package", str(folder / "out")], project, environment)}
    found["package again"] = timed([command, "package", str(folder / "out")], project, environment)
    found["deploy"] = timed([command, "deploy"], project, environment)
    (project / "app.py").write_text(CHALICE_APP.format(text="total"))
    found["deploy one edit"] = timed([command, "deploy"], project, environment)
    timed([command, "delete"], project, environment)
    return found


def warm(programs: Path, modules: str) -> Path:
    """Let Python compile what was just installed, which takes longer than all the rest."""
    subprocess.run([str(programs / "python"), "-c", f"import {modules}"], check=True, capture_output=True)
    return programs


def measure(server: Any, folder: Path) -> None:
    """Print both."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VIRTUAL_ENV", "PYTHON"))}
    environment = {**kept, **environment_of(server, folder)}
    for variable, name in (("UV_CACHE_DIR", "uv"), ("PIP_CACHE_DIR", "pip")):
        environment[variable] = os.environ.get(variable, str(Path.home() / ".cache" / name))
    own = ours(warm(tool(folder / "ours", str(ROOT), PANDAS), "pandas, nbchalice.cli"), folder / "work", environment)
    try:
        programs = tool(folder / "theirs", "chalice", "setuptools<81", "pip", PANDAS)
        theirs = chalice(warm(programs, "pandas, chalice.cli"), folder, environment)
    except (subprocess.SubprocessError, RuntimeError, OSError) as error:
        print(f"  Chalice: not measured ({error})")
        return
    for what, seconds in theirs.items():
        print(f"  Chalice    {what:16} {seconds:7.2f} s   {seconds / own[what]:6.1f} times ours")


def main() -> None:
    from nbchalice.aws.local.client import server
    from nbchalice.aws.target import connect

    with tempfile.TemporaryDirectory() as home:
        os.environ["NBCHALICE_LOCAL_HOME"] = f"{home}/local"
        os.environ["NBCHALICE_LOCAL_CACHE"] = f"{home}/cache"
        local = server.ensure_running()
        try:
            connect("local").client("sns").create_topic(Name="bench-pandas")
            (Path(home) / "tools" / "work").mkdir(parents=True)
            measure(local, Path(home) / "tools")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
