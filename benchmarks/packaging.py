"""A handler with pandas: how long until its package is built, beside Chalice; and what an edit uploads."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PANDAS = "pandas==2.2.3"
HANDLER = """%%on_s3_event pandas-bucket --python {python} --arch {arch}
def summarize(event):
    app.log.info("{text} %s", pd.DataFrame({{"a": [1, 2]}}).a.sum())
"""
CHALICE_APP = """import pandas as pd
from chalice import Chalice

app = Chalice(app_name="pandas-app")


@app.on_s3_event(bucket="pandas-bucket")
def summarize(event):
    app.log.info("%s", pd.DataFrame({"a": [1, 2]}).a.sum())
"""


def notebook(folder: Path, python: str, arch: str, text: str) -> Path:
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [f"%pip install {PANDAS}", "import pandas as pd", HANDLER.format(python=python, arch=arch, text=text)]
    path = folder / "pandas.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), path)
    return path


def package(path: Path, out: Path, cache: Path) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "nbchalice", "package", str(path), "--out", str(out), "--json"]
    environment = {**os.environ, "NBCHALICE_CACHE": str(cache)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    sizes = ", ".join(f"{Path(f).name} {Path(f).stat().st_size:,} B" for f in json.loads(done.stdout)["files"])
    seconds = time.perf_counter() - started
    print(f"    {seconds:.2f} s: {sizes}")
    return seconds


def chalice(folder: Path) -> float | None:
    """Time `chalice package` for the same handler, or None where Chalice cannot be installed."""
    from uv import find_uv_bin

    uv = find_uv_bin()
    try:
        subprocess.run([uv, "venv", "-q", folder / "venv"], check=True, capture_output=True)
        python = folder / "venv" / "bin" / "python"
        install = [uv, "pip", "install", "-q", "-p", python, "chalice", "setuptools", "pip", PANDAS]
        subprocess.run(install, check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        print(f"  Chalice could not be installed: {error.stderr.decode()[-200:]}")
        return None
    project = folder / "project"
    (project / ".chalice").mkdir(parents=True)
    (project / ".chalice" / "config.json").write_text('{"version": "2.0", "app_name": "pandas-app"}')
    (project / "app.py").write_text(CHALICE_APP.replace("on_s3_event(bucket=", "on_sns_message(topic="))
    (project / "requirements.txt").write_text(f"{PANDAS}\n")
    started = time.perf_counter()
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    command = [folder / "venv" / "bin" / "chalice", "package", folder / "out"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  Chalice failed: {done.stderr[-300:]}")
        return None
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number, (python, arch) in enumerate((("3.12", "x86_64"), ("3.13", "arm64"))):
            cache = folder / f"cache-{number}"
            print(f"  {PANDAS} for Python {python} on {arch}: nothing cached, then the same again, then one edit")
            first = package(notebook(folder, python, arch, "sum"), folder / "out", cache)
            package(notebook(folder, python, arch, "sum"), folder / "out", cache)
            edit = package(notebook(folder, python, arch, "total"), folder / "out", cache)
        took = chalice(folder)
        if took is not None:
            print(f"  chalice package: {took:.2f} s, {took / first:.1f} x our first build, {took / edit:.1f} x an edit")


if __name__ == "__main__":
    main()
