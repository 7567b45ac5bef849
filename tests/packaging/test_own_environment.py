"""Commands on a file work where what the notebook asks for is not installed beside nbchalice."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from nbchalice.errors import PackagingError
from nbchalice.notebook.cells import read_notebook
from nbchalice.packaging.own_environment import environment_for, wanted_by

HANDLER = "%%schedule rate(5 minutes)\ndef tick(event):\n    return cowsay.get_output_string('cow', 'moo')"
IMPORTS = "import cowsay"
PIP = "%pip install 'cowsay<6.2'"


def write(folder, *cells):
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in ("%load_ext nbchalice\n%chalice app cows", *cells)])
    nbformat.write(notebook, folder / "cows.ipynb")
    return folder / "cows.ipynb"


def nbchalice(*words):
    return subprocess.run([sys.executable, "-m", "nbchalice", *words], capture_output=True, text=True, check=False)


def wanted(notebook, files=(), **options):
    return wanted_by(read_notebook(notebook), notebook.parent, files, **options)


def test_the_package_of_these_tests_is_not_installed():
    assert importlib.util.find_spec("cowsay") is None


@pytest.mark.local_aws
@pytest.mark.parametrize(
    ("cells", "files", "place"),
    [
        ((PIP, IMPORTS), {}, "%pip lines"),
        ((IMPORTS,), {"requirements.txt": "nbchalice>=99  # it is here\n-r more.txt", "more.txt": "cowsay"}, "requirements.txt"),
        ((IMPORTS,), {"pyproject.toml": '[project]\nname = "mine"\nversion = "1"\ndependencies = ["cowsay"]'}, "pyproject.toml"),
    ],
    ids=["a %pip line", "requirements.txt", "pyproject.toml"],
)  # fmt: skip
def test_a_notebook_is_proven_with_what_it_asks_for(tmp_path, local_aws, cells, files, place):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    notebook = write(tmp_path, *cells, HANDLER)
    done = nbchalice("plan", str(notebook), "--json")
    assert done.returncode == 0, done.stderr
    note = f"cowsay is not installed beside nbchalice; going on in an environment made of {place}"
    assert note in done.stderr and json.loads(done.stdout)["ok"]
    assert "layer" in done.stdout


@pytest.mark.local_aws
def test_the_file_that_a_handler_names_counts_and_so_does_execution(tmp_path, local_aws):
    (tmp_path / "ours.txt").write_text("cowsay==6.1")
    notebook = write(tmp_path, IMPORTS, HANDLER.replace("minutes)", "minutes) --requirements ours.txt"))
    done = nbchalice("package", str(notebook), "--out", str(tmp_path / "build"))
    assert done.returncode == 0 and "made of ours.txt" in done.stderr, done.stderr
    notebook = write(tmp_path, PIP, IMPORTS, HANDLER)
    done = nbchalice("package", str(notebook), "--execute", "--out", str(tmp_path / "executed"))
    assert done.returncode == 0 and "an environment made of %pip lines" in done.stderr, done.stderr


@pytest.mark.local_aws
def test_live_mode_in_a_shell_handles_events_there(tmp_path, empty_local_aws):
    queue = "%%on_sqs_message cows-herd\ndef moo(event):\n    for one in event:\n        print(cowsay.cow(one.body))"
    notebook = write(tmp_path, PIP, IMPORTS, queue)
    deployed = nbchalice("deploy", str(notebook))
    assert deployed.returncode == 0 and deployed.stderr.count("deploying cows (dev)") == 1, deployed.stderr
    command = [sys.executable, "-m", "nbchalice", "live", str(notebook), "moo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as live:
        try:
            told = next(line for line in live.stderr if "moo is live" in line)
            assert "Ctrl-C ends it, and the trigger is back" in told
            sent = nbchalice("send", str(notebook), "moo", "--message", "hay")
            first = live.stdout.readline()
            assert first.startswith("ok in"), (first, sent.stdout)
        finally:
            live.send_signal(signal.SIGINT)
        assert live.wait() == 0
    assert nbchalice("delete", str(notebook), "--yes").returncode == 0


def test_what_cannot_be_installed_is_told_with_its_reason_and_only_where_it_is_needed(tmp_path, local_aws):
    (tmp_path / "requirements.txt").write_text("cowsay==0.0.77")
    notebook = write(tmp_path, IMPORTS, HANDLER)
    done = nbchalice("package", str(notebook), "--json")
    (error,) = json.loads(done.stdout)["errors"]
    assert error["code"] == "environment-failed" and done.returncode == 2
    assert error["message"].startswith(
        "cowsay is not installed beside nbchalice, and no environment can be made from requirements.txt"
    )
    assert "no version of cowsay==0.0.77" in error["message"]
    done = nbchalice("delete", str(notebook), "--yes")
    assert done.returncode == 0 and "environment" not in done.stderr, done.stderr


def test_another_version_than_is_asked_for_is_taken_from_an_environment(tmp_path):
    notebook = write(tmp_path, "%pip install 'humanfriendly<99' 'click<8.1.0'", "import click")
    assert wanted(notebook).lacking[0].startswith("click 8.")


def test_what_is_met_here_or_imported_by_nothing_or_optional_needs_none(tmp_path):
    assert wanted(write(tmp_path, IMPORTS, HANDLER)) is None  # nobody asks for it: an error tells how
    assert wanted(write(tmp_path, "%pip install click cowsay", "import click")) is None
    optional = "try:\n    import cowsay\nexcept ImportError:\n    cowsay = None"
    assert wanted(write(tmp_path, "%pip install cowsay", optional)) is None
    (tmp_path / "cowsay.py").write_text("import click")
    assert wanted(write(tmp_path, PIP, IMPORTS, HANDLER)) is None


@pytest.mark.parametrize(
    "odd", ["def broken(:", "await something()", "return 1", "!ls", "from __future__ import annotations"]
)
def test_a_cell_that_is_no_plain_python_hides_no_other(tmp_path, odd):
    assert wanted(write(tmp_path, PIP, odd, IMPORTS)).lacking == ("cowsay is not installed beside nbchalice",)


def test_a_local_module_asks_as_well(tmp_path):
    (tmp_path / "helper.py").write_text("import cowsay")
    assert wanted(write(tmp_path, PIP, "import helper")).lacking == ("cowsay is not installed beside nbchalice",)


def test_a_kernel_is_part_of_it_where_none_is_here_and_the_notebook_is_executed(tmp_path, monkeypatch):
    notebook = write(tmp_path, "RATE = 1")
    assert wanted(notebook, kernel=True) is None
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "nbchalice.packaging.own_environment.find_spec", lambda name: None if name == "ipykernel" else real(name)
    )
    assert wanted(notebook) is None
    assert wanted(notebook, kernel=True).requirements == ("ipykernel",)


def test_it_is_made_once_has_what_is_here_and_goes_when_nothing_used_it_for_a_month(tmp_path, monkeypatch):
    monkeypatch.setenv("NBCHALICE_CACHE", str(tmp_path / "cache"))
    notebook = write(tmp_path, PIP, IMPORTS)
    python = environment_for(wanted(notebook))
    code = "import cowsay, click, nbchalice; print(cowsay.__file__, nbchalice.__file__)"
    done = subprocess.run([python, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    places = done.stdout.split()
    assert Path(places[0]).is_relative_to(python.parents[1]) and not Path(places[1]).is_relative_to(python.parents[1])
    made = python.stat().st_ino
    assert environment_for(wanted(notebook)).stat().st_ino == made
    os.utime(python.parents[1] / ".complete", (0, 0))
    environment_for(wanted(write(tmp_path, "%pip install cowsay==6.0", IMPORTS)))
    assert not python.exists()


def test_a_folder_that_cannot_be_written_is_told_with_the_way_out(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("NBCHALICE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(
        Exception, match=r"cannot be written: .*\n.*set NBCHALICE_CACHE to a folder that can be written"
    ):
        environment_for(wanted(write(tmp_path, PIP, IMPORTS)))


def test_what_nbchalice_needs_itself_is_named_where_it_is_in_the_way(tmp_path):
    notebook = write(tmp_path, "%pip install boto3==1.34.0 cowsay", IMPORTS, HANDLER)
    with pytest.raises(PackagingError, match=r"boto3==1\.34\.0.*\(nbchalice itself needs boto3>=1\.35\.23\)"):
        environment_for(wanted(notebook))


def test_a_pyproject_without_dependencies_is_told_to_count_for_nothing(tmp_path, capsys):
    (tmp_path / "pyproject.toml").write_text('[tool.poetry.dependencies]\ncowsay = "^6"')
    assert wanted(write(tmp_path, IMPORTS, HANDLER)) is None
    assert "pyproject.toml has no dependencies in [project], and counts for nothing" in capsys.readouterr().err
