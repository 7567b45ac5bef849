"""Runs the notebooks from top to bottom and saves them with outputs that mean the same on every machine.

    .venv/bin/python scripts/run_notebooks.py [NOTEBOOK ...]

They run on a local AWS and in a folder of their own. Text, HTML and pictures are kept of each output, as GitHub and
`nbconvert` show them, without the port of the local AWS.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
ENDPOINT = re.compile(r"http://127\.0\.0\.1:\d+")
KEPT = ("text/plain", "text/html", "image/png")
MACHINE = re.compile(r"/(?:home|root|tmp|Users|private|work)/\S*")


def execute(path: Path, folder: Path) -> Any:
    """Return a notebook with the outputs of a run, in a copy of its folder without what earlier runs left."""
    shutil.copytree(path.parent, folder, ignore=shutil.ignore_patterns(".nbchalice", "__pycache__", "*.csv"))
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", store_widget_state=False, resources=resources
    ).execute()
    return notebook


def tidy(notebook: Any, name: str) -> None:
    """Keep of the outputs what people read; an absolute path of this machine is an error."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
        for output in cell.get("outputs", []):
            output.get("metadata", {}).clear()
            if "data" in output:
                kept = {kind: output.data[kind] for kind in KEPT if kind in output.data}
                output.data = {kind: clean(value, name, cell.id) for kind, value in kept.items()}
            elif "text" in output:
                output.text = clean(output.text, name, cell.id)


def clean(text: str, name: str, cell: str) -> str:
    """Return an output as it is to be kept."""
    text = ENDPOINT.sub("http://127.0.0.1:PORT", text)
    if found := MACHINE.search(text):
        raise SystemExit(f"{name}: an output of cell {cell} names a path of this machine: {found[0]}")
    return text


def main() -> None:
    """Run the notebooks that are named, or all."""
    paths = [Path(name) for name in sys.argv[1:]] or sorted(FOLDER.rglob("*.ipynb"))
    with tempfile.TemporaryDirectory(prefix="nbchalice-notebooks-") as home:
        os.environ["NBCHALICE_LOCAL_HOME"] = home
        from nbchalice.aws.local.client import server

        try:
            for number, path in enumerate(paths):
                notebook = execute(path, Path(home, f"run-{number}"))
                tidy(notebook, path.name)
                nbformat.validate(notebook)
                nbformat.write(notebook, path)
                print(path.name)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
