"""Runs the notebooks of `notebooks/` in real kernels, and reads what they show."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
MESSAGE = rf"message (?:{UUID}|[0-9A-F]{{16}})"
"""S3 calls an event by the id of the request that it came of."""
HANDLED = rf"{MESSAGE}: done.*\nok in [0-9.]+ m?s .*request {UUID}\n"


# A cold start with pandas may take longer than a person waits, on a machine that does other things besides.
SENDS, PATIENT = re.compile(r"^(%chalice send (?!.*--wait).*)$", re.MULTILINE), r"\1 --wait 240"


class Run:
    """A notebook after its run; ``run["%chalice send price"]`` is the text of the outputs of the first such cell."""

    def __init__(self, path):
        self.notebook = nbformat.read(path, as_version=4)
        for cell in self.notebook.cells:
            cell.source = SENDS.sub(PATIENT, cell.source)
        resources = {"metadata": {"path": str(path.parent)}}
        client = NotebookClient(self.notebook, timeout=240, store_widget_state=False, resources=resources)
        client.execute()

    def __getitem__(self, begin):
        return self.all(begin)[0]

    def all(self, begin):
        """Return the text of the outputs of each cell that begins so."""
        found = [outputs_of(cell) for cell in self.notebook.cells if cell.source.startswith(begin)]
        assert found, f"no cell begins with {begin}"
        return found

    @property
    def pictures(self):
        """The PNGs, in base64."""
        data = [output.get("data", {}) for cell in self.notebook.cells for output in cell.get("outputs", [])]
        return [one["image/png"] for one in data if "image/png" in one]


def outputs_of(cell):
    outputs = cell.get("outputs", [])
    return "\n".join(o.text if o.output_type == "stream" else o.get("data", {}).get("text/plain", "") for o in outputs)


@pytest.fixture(scope="module")
def run(local_aws, tmp_path_factory):
    """``run("sqs")``: runs a notebook, in a folder of its own, and returns the outputs."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns(".nbchalice"), dirs_exist_ok=True)
    before = set(folder.rglob("*"))

    def execute(name):
        made = Run(folder / f"{name}.ipynb")
        new = [path for path in folder.rglob("*") if path.is_file() and path not in before]
        files = [str(left.relative_to(folder)) for left in new if "__pycache__" not in left.parts]
        # The events that were sent are kept, for %chalice events, and bundles for nbchalice deploy in a shell.
        ours = (".nbchalice/history/", ".nbchalice/bundles/")
        left = [name for name in files if not any(kept in name for kept in ours)]
        assert left == [], "a file was left behind"
        return made

    return execute


def twice(run, name):
    """Run a notebook two times: what the first run leaves in queues and buckets must not disturb the second."""
    first = run(name)
    again = run(name)
    for text in (*first.all("%chalice delete"), *again.all("%chalice delete")):
        assert "deleted" in text
        assert "nothing changed" not in text
    return first, again
