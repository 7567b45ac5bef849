import pytest

from nbchalice.notebook.cells import Cell
from nbchalice.packaging.errors import RequirementsFileError
from nbchalice.packaging.requirements import read_requirements, requested_requirements


def texts(sources, folder=None):
    cells = [Cell(str(n), f"cell {n}", source, n) for n, source in enumerate(sources, 1)]
    return [request.text for request in requested_requirements(cells, folder)]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%pip install humanize", ["humanize"]),
        ("!pip install -q 'pandas[parquet]>=2' numpy==2.1.0", ["pandas[parquet]>=2", "numpy==2.1.0"]),
        ("x = 1\n  !pip3 install six  # for old code\ny = 2", ["six"]),
        ("!python3.12 -m pip install six", ["six"]),
        ("!{sys.executable} -m pip install --upgrade six", ["six"]),
        ("%uv pip install six", ["six"]),
        ("!uv pip install --system six", ["six"]),
        ("%pip install -i https://host/simple six -c limits.txt idna --index-url=https://h", ["six", "idna"]),
        ("%pip install \\\n   six \\\n   idna", ["six", "idna"]),
        ("!pip install six && pip install idna", ["six"]),
        ("!pip install six; echo done", ["six"]),
        ("%pip install ./here ../there.whl git+https://h/r.git https://h/x.zip -e ./pkg .", []),
        ("%pip install 'x @ https://h/x-1-py3-none-any.whl'", []),
        ("%%bash\npip install six\necho", ["six"]),
        ("%%sh\n  pip install six", ["six"]),
        ("pip install six", ["six"]),
        ('text = """\npip install six\n!pip install six\n"""', []),
        ("def f():\n    pip install six", []),
        ("%pip -q install six", ["six"]),
        ("!pip -q --no-color install -Uq six", ["six"]),
        ("!sudo pip install six", ["six"]),
        ("!PIP_NO_CACHE_DIR=1 pip install six", ["six"]),
        ("!!pip install six", ["six"]),
        ("%sx pip install six", ["six"]),
        ("out = !pip install six", ["six"]),
        ("%%capture\n!pip install six 2>&1 > /dev/null", ["six"]),
        ("!uv add six", ["six"]),
        (
            "%conda install -y -c conda-forge -n base pandas=2.2 numpy>=2 six=1.16.0=py_0 pip",
            ["pandas==2.2.*", "numpy>=2", "six==1.16.0.*", "pip"],
        ),
        ("!mamba install six", ["six"]),
        (
            "!pip install 'pandas >= 2, < 3' \"tomli; python_version<'3.11'\" six===1.16.0",
            ["pandas >= 2, < 3", "tomli; python_version<'3.11'", "six===1.16.0"],
        ),
        ("%pip install 'six (>=1)' six=1.16 six==latest six!=1.*", ["six (>=1)", "six!=1.*"]),
        ("# %pip install six", []),
        ("%pip uninstall six", []),
        ("%pip install 'six", []),
        ("%pip install", []),
        ("%pip list", []),
        ("%pip install six six", ["six"]),
    ],
)
def test_lines_that_install(cell, expected):
    assert texts([cell]) == expected


def test_all_cells_count_in_order_and_files_are_followed(tmp_path):
    (tmp_path / "req.txt").write_text("idna==3.7\n")
    cells = [
        "%pip install six",
        "1 + 1",
        "%pip install -r req.txt -rreq.txt --requirement=req.txt -r absent.txt humanize",
    ]
    assert list(dict.fromkeys(texts(cells, tmp_path))) == ["six", "idna==3.7", "humanize"]
    assert texts(cells) == ["six", "humanize"]


def test_a_wish_knows_its_line():
    source = "x = 1\n%pip install \\\n  six\n%pip install idna"
    found = requested_requirements([Cell("a", "cell 3", source, 0)])
    assert [str(request.location) for request in found] == [
        "cell 3, line 2: %pip install \\",
        "cell 3, line 4: %pip install idna",
    ]


def test_a_requirements_file(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/more.txt").write_text("requests[socks] >= 2 ; python_version > '3'\n-r last.txt")
    (tmp_path / "sub/last.txt").write_text("x @ https://h/x.whl#sha256=1\n")
    path = tmp_path / "requirements.txt"
    path.write_text(
        "\ufeff# comment\nsix==1.16.0 \\\n    --hash=sha256:abc \\\n    --hash=sha256:def\n\nidna  # why\n-r sub/more.txt\nsix==1.16.0\n",
        encoding="utf-8",
    )
    assert read_requirements(path) == [
        "six==1.16.0",
        "idna",
        "requests[socks] >= 2 ; python_version > '3'",
        "x @ https://h/x.whl#sha256=1",
    ]


@pytest.mark.parametrize("line", ["-e ./pkg", "--index-url https://h", "./pkg", "git+https://h/r", "-c limits.txt"])
def test_lines_that_cannot_be_used_are_named(line, tmp_path):
    path = tmp_path / "req.txt"
    path.write_text(f"six\n\n{line}\n")
    with pytest.raises(RequirementsFileError) as caught:
        read_requirements(path)
    assert caught.value.message == f"req.txt, line 3 cannot be used: {line}" and "UV_INDEX" in caught.value.hint


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(RequirementsFileError, match="No such file"):
        read_requirements(tmp_path / "absent.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RequirementsFileError, match="not UTF-8"):
        read_requirements(tmp_path / "binary.txt")
    (tmp_path / "loop.txt").write_text("-r loop.txt\n")
    with pytest.raises(RequirementsFileError, match="includes itself") as caught:
        read_requirements(tmp_path / "loop.txt")
    assert caught.value.hint
