"""What a notebook asks to install and no code that travels imports is named: it stays, and may be a driver."""

import pytest

from nbchalice.cli import code_of

from ..notebooks import write

HANDLER = "%%lambda_function\ndef work(event):\n    return 1"
INSIDE = "%%lambda_function\ndef work(event):\n    import tabulate\n    return tabulate.__name__"
PIP = "%pip install -q pandas tabulate ipywidgets boto3"


@pytest.mark.local_aws
@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ((PIP, "import pandas", HANDLER), "tabulate (cell 2, line 1) does not travel"),
        ((PIP, "x = 1", HANDLER), "pandas (cell 2, line 1) and tabulate (cell 2, line 1) do not travel"),
        ((PIP, "import pandas", f"import tabulate\n{HANDLER}".replace("%%lambda_function\n", "@app.lambda_function()\n")), "tabulate (cell 2, line 1) does not travel"),
        ((PIP, "import pandas, tabulate", HANDLER), ""),
        ((PIP, "import pandas", INSIDE), ""),
        (("%pip install numpy pandas", "import pandas", HANDLER), ""),
        (("%pip install beautifulsoup4", "import bs4", HANDLER), ""),
        ((PIP, HANDLER.replace("function", "function --requirements ours.txt", 1)), ""),
    ],
    ids=["one", "two", "imported in vain", "for a plot", "in the handler", "required", "not installed", "a list of its own"],
)  # fmt: skip
def test_what_stays_is_named_with_its_line(tmp_path, local_aws, capsys, cells, told):
    (tmp_path / "ours.txt").write_text("iniconfig")
    notebook = write(tmp_path / "n.ipynb", ["%chalice app unused", *cells])
    assert code_of(["plan", str(notebook)]) == 0
    out = capsys.readouterr().out
    assert (f"note: {told}" in out) if told else ("not travel" not in out)
    assert not told or "import it within a handler" in out or "import them within a handler" in out


@pytest.mark.local_aws
@pytest.mark.parametrize("is_chalices", [True, False])
def test_of_a_project_of_chalice_the_list_of_requirements_counts_too(tmp_path, local_aws, capsys, is_chalices):
    (tmp_path / "requirements.txt").write_text("tabulate\n")
    if is_chalices:
        (tmp_path / ".chalice").mkdir()
    notebook = write(tmp_path / "n.ipynb", ["%chalice app unused", HANDLER])
    assert code_of(["plan", str(notebook)]) == 0
    assert ("note: tabulate (requirements.txt) does not travel" in capsys.readouterr().out) is is_chalices
