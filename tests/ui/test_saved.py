"""Notebooks that a program runs, and what is left of them when no kernel is there."""

import nbformat
import pytest

pytestmark = pytest.mark.timeout(300)
WIDGET = "application/vnd.jupyter.widget-view+json"
CELLS = [
    "%load_ext nbchalice",
    "%chalice app saved",
    "%%on_sqs_message saved-orders\ndef price(event):\n    for record in event:\n        app.log.info('<i>%s</i> costs nothing', record.body)",
    "%chalice deploy",
    "%chalice send price",
    "%chalice status",
    "%chalice metrics price",
    "%chalice logs price --follow",
    "%chalice live price",
    "%chalice live price --stop",
    "%chalice delete --yes",
]


def test_a_program_runs_all_commands_and_makes_no_widget(local_aws, tmp_path):
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    bundles = [output.data for output in outputs if "data" in output]
    assert all("text/plain" in bundle and WIDGET not in bundle for bundle in bundles)
    assert "costs nothing" in notebook.cells[4].outputs[0].data["text/plain"]
    assert "price is live" in notebook.cells[8].outputs[0].data["text/plain"]
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert "&lt;i&gt;" in page and "<i>{" not in page
