"""A handler whose libraries are together over Lambda's 250 MB, from a notebook and from the command line."""

import json

import nbformat
import pytest

from nbchalice.cli import code_of

pytestmark = [pytest.mark.slow, pytest.mark.local_aws, pytest.mark.timeout(900)]
CELLS = [
    "%load_ext nbchalice",
    "%chalice app overlimit",
    """%%lambda_function --memory 2048 --timeout 300 --requirements requirements.txt
def draw(event):
    import io
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import pandas as pd
    import pyarrow as pa
    from sklearn.linear_model import LinearRegression
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 4.0, 6.0]})
    model = LinearRegression().fit(frame[["a"]], frame.b)
    picture = io.BytesIO()
    plt.figure().gca().plot(frame.a, frame.b)
    plt.savefig(picture, format="png")
    return [round(float(model.coef_[0]), 6), pa.Table.from_pandas(frame).num_rows, picture.getvalue()[1:4].decode()]
""",
    "%chalice deploy",
    "%chalice invoke draw --event event.json",
]
ANSWER = [2.0, 3, "PNG"]


def test_it_answers_from_the_notebook_and_from_the_command_line(local_aws, tmp_path, capsys):
    from nbclient import NotebookClient

    (tmp_path / "event.json").write_text("{}")
    (tmp_path / "requirements.txt").write_text("pandas\npyarrow\nscikit-learn\nmatplotlib\n")
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    deployed, invoked = (
        "".join(one.data["text/plain"] for one in cell.outputs if "data" in one) for cell in cells[-2:]
    )
    assert "of dependencies are over Lambda's 250 MB: each cold start unpacks them from S3" in deployed
    assert f"returned {ANSWER}" in invoked

    path = tmp_path / "overlimit.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS[:-2]]), path)
    assert code_of(["deploy", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sizes"]["draw"]["dependencies"] > 100 * 2**20
    assert code_of(["invoke", str(path), "draw", "--event", str(tmp_path / "event.json")]) == 0
    assert f"returned {ANSWER}" in capsys.readouterr().out
    assert code_of(["delete", str(path), "--yes"]) == 0
