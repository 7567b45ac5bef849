"""What the notebooks show where nothing runs: on GitHub, and as a page of nbconvert."""

import re
from html.parser import HTMLParser

import nbformat
import pytest

from .notebook_runs import FOLDER, outputs_of
from .test_everyday_notebooks import NAMES as EVERYDAY
from .test_notebooks import NAMES

PATHS = sorted(FOLDER.rglob("*.ipynb"))
MACHINE = re.compile(r"/(?:home|root|tmp|Users|private|work)/|127\.0\.0\.1:\d")
SHOWN = {"text/plain", "text/html", "image/png"}
WITHOUT_SCRIPTS = ("model not found", "Error displaying widget", "widget-view", "Loading widget")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_saved_notebooks_read_the_same_everywhere(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert [cell.id for cell in notebook.cells] == [f"{path.stem}-{n:02d}" for n in range(len(notebook.cells))]
    assert "widgets" not in notebook.metadata
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "saved as executed"
    for cell in code:
        assert not MACHINE.search(outputs_of(cell)), cell.id
        for output in cell.outputs:
            assert output.output_type != "error"
            assert set(output.get("data", {})) <= SHOWN


def test_every_notebook_is_tested():
    assert sorted(path.stem for path in PATHS) == sorted([*NAMES, *EVERYDAY])


class Page(HTMLParser):
    """What a reader sees of each output of a page of nbconvert: its words, and how many pictures."""

    EMPTY = {"img", "br", "hr", "input", "meta", "link", "col", "wbr"}

    def __init__(self, text):
        super().__init__()
        self.outputs, self.pictures = [], []
        self._open, self._hidden, self._output = [], 0, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "img" and self._output is not None and not self._hidden:
            self.pictures[-1] += 1
        if tag in self.EMPTY:
            return
        hides = tag in ("style", "script") or "display:none" in (attributes.get("style") or "").replace(" ", "")
        begins = "jp-OutputArea-output" in (attributes.get("class") or "").split()
        self._open.append((tag, hides, begins))
        self._hidden += hides
        if begins:
            self._output = len(self._open)
            self.outputs.append([])
            self.pictures.append(0)

    def handle_endtag(self, tag):
        while self._open and tag not in self.EMPTY:
            last, hides, begins = self._open.pop()
            self._hidden -= hides
            if begins:
                self._output = None
            if last == tag:
                return

    def handle_data(self, data):
        if self._output is not None and not self._hidden:
            self.outputs[-1].append(data)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_page_of_nbconvert_shows_every_result_without_scripts(path):
    from nbconvert import HTMLExporter

    notebook = nbformat.read(path, as_version=4)
    text, _ = HTMLExporter(embed_images=True).from_notebook_node(notebook)
    body = re.sub(r"<script\b.*?</script>", "", text.partition("<body")[2], flags=re.DOTALL)
    assert not [words for words in WITHOUT_SCRIPTS if words in body]
    page = Page(body)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(page.outputs) == len(outputs)
    for output, words, pictures in zip(outputs, page.outputs, page.pictures, strict=True):
        assert pictures or "".join(words).strip(), output
        assert not pictures or "image/png" in output.data or "<img" in output.data["text/html"]


# GitHub takes styles away, and with them the space between two words.
GLUED = re.compile(r"\w</(?:b|span|code|a)><(?:b|span|code|a)\b[^>]*>\w")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_words_stand_apart_without_styles(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            glued = GLUED.findall(output.get("data", {}).get("text/html", ""))
            assert glued == [], (cell.id, glued)
