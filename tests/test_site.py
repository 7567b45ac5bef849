"""The documentation site: it is built without a warning, has every page and notebook, and no dead link within."""

import shutil
import subprocess
import sys

import pytest

from .test_docs import ROOT


def build(source, out, configuration):
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "-c",
        str(configuration),
        "-b",
        "html",
        str(source),
        str(out),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    done = build(ROOT, out, ROOT / "docs")
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.slow
def test_every_page_and_notebook_is_in_it_and_can_be_searched(site):
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb"), ROOT / "README.md"]
    assert len(pages) > 15
    for page in pages:
        assert (site / page.relative_to(ROOT)).with_suffix(".html").is_file(), page
    assert (site / "searchindex.js").is_file()


@pytest.mark.slow
def test_pictures_follow_the_theme_and_options_keep_their_hyphens(site):
    panels = (site / "docs" / "panels.html").read_text()
    assert panels.count('class="only-light"') == panels.count('class="only-dark"') > 15
    assert "with --via eventbridge" in (site / "docs" / "reference.html").read_text()


@pytest.mark.slow
def test_a_dead_link_stops_the_build(tmp_path):
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "conf.py", tmp_path / "docs")
    shutil.copytree(ROOT / "docs" / "static", tmp_path / "docs" / "static")
    index = tmp_path / "docs" / "index.md"
    index.write_text("# One\n\n[there](#one)\n")
    assert build(tmp_path, tmp_path / "out", tmp_path / "docs").returncode == 0
    index.write_text("# One\n\n[nowhere](nowhere.md) [not there](#two)\n")
    done = build(tmp_path, tmp_path / "out", tmp_path / "docs")
    assert done.returncode != 0 and "nowhere.md" in done.stderr
