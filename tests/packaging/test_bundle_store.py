"""What lies beside a notebook may come from anybody: it is not loaded unasked, and leads nowhere else."""

import contextlib
import json
import os
import pickle
import stat
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from nbchalice.cli import code_of
from nbchalice.errors import NbChaliceError
from nbchalice.notebook_file import read_project
from nbchalice.packaging.bundle_marks import _key
from nbchalice.packaging.bundle_store import bundle_folder, load_bundles, save_bundle, trust_bundle
from nbchalice.packaging.bundles import make_bundle
from nbchalice.packaging.errors import BundleRefusedError

from ..notebooks import write

CELLS = ("data = {'a': 1}", "%chalice bundle data", "%%lambda_function\ndef price(event, context):\n    return data")


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "work" / "shop.ipynb"
    path.parent.mkdir()
    return write(path, CELLS)


def index_of(notebook):
    return json.loads((bundle_folder(notebook) / "index.json").read_text())


def write_index(notebook, index):
    folder = bundle_folder(notebook)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.json").write_text(index if isinstance(index, str) else json.dumps(index))


class Touches:
    """Makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def from_elsewhere(notebook, content, format="pickle"):
    """Put a bundle there as a notebook's folder from somewhere else brings it along."""
    bundle = make_bundle("data", {"a": 1}, "pickle" if format == "joblib" else format)
    save_bundle(notebook, bundle)
    entry = index_of(notebook)["data"]
    (bundle_folder(notebook) / entry["file"]).unlink()
    entry |= {"sha256": sha256(content).hexdigest(), "size": len(content), "format": format}
    entry["file"] = f"data-{entry['sha256'][:12]}.{format}"
    (bundle_folder(notebook) / entry["file"]).write_bytes(content)
    write_index(notebook, {"data": entry})


@pytest.mark.parametrize("format", ["pickle", "joblib"])
@pytest.mark.parametrize("mark", ["of another bundle", "none", "no text", "of another user"])
def test_a_pickle_that_was_not_made_here_is_not_loaded(mark, format, notebook, tmp_path, capfd, monkeypatch):
    from_elsewhere(notebook, pickle.dumps(Touches(tmp_path / "touched")), format)
    entry = index_of(notebook)["data"]
    change = {"none": None, "no text": 5, "of another user": "0" * 64, "of another bundle": entry["mark"]}
    write_index(notebook, {"data": {**entry, "mark": change[mark]}})
    project = read_project(notebook)
    (handler,) = project.handlers
    for use in (project.package, project.verify, lambda one: project.function(one)({}, None)):
        with pytest.raises(BundleRefusedError, match="was not made here") as caught:
            use(handler)
        assert "%chalice bundle data" in caught.value.hint
    assert code_of(["package", str(notebook), "--out", str(tmp_path / "out")]) != 0
    assert f"a {format} that was not made here" in capfd.readouterr().err
    assert not (tmp_path / "touched").exists() and not (tmp_path / "out").exists()


def test_it_is_accepted_by_name_as_it_is_now(notebook, tmp_path, capfd):
    from_elsewhere(notebook, pickle.dumps({"a": 2}))
    assert load_bundles(notebook)["data"].foreign
    assert code_of(["bundle", str(notebook), "data", "--trust"]) == 0
    (handler,) = read_project(notebook).handlers
    assert read_project(notebook).function(handler)({}, None) == {"a": 2}
    read_project(notebook).verify(handler)
    before = index_of(notebook)["data"]["mark"]
    from_elsewhere(notebook, pickle.dumps({"a": 3}))
    write_index(notebook, {"data": {**index_of(notebook)["data"], "mark": before}})
    assert load_bundles(notebook)["data"].foreign
    capfd.readouterr()
    assert code_of(["bundle", str(notebook), "other", "--trust"]) == 2
    assert "there is no bundle 'other'" in capfd.readouterr().err


def test_what_was_made_here_is_loaded_wherever_it_is_moved(notebook, tmp_path):
    save_bundle(notebook, make_bundle("data", {"a": 1}, "pickle"))
    notebook.parent.rename(tmp_path / "moved")
    bundle = load_bundles(tmp_path / "moved" / "shop.ipynb")["data"]
    assert not bundle.foreign and bundle.load() == {"a": 1}


def test_plain_data_needs_no_mark(notebook):
    from_elsewhere(notebook, b'{"a": 5}', "json")
    write_index(notebook, {"data": {key: value for key, value in index_of(notebook)["data"].items() if key != "mark"}})
    assert load_bundles(notebook)["data"].load() == {"a": 5}


def test_the_key_is_the_users_own(notebook):
    import platformdirs

    save_bundle(notebook, make_bundle("data", {"a": 1}))
    path = Path(platformdirs.user_data_path("nbchalice", appauthor=False)) / "bundles.key"
    assert path.read_bytes() == _key() and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _key().hex() not in (bundle_folder(notebook) / "index.json").read_text()


SHA = "0123456789abcdef" * 4
SOUND = {"format": "json", "sha256": SHA, "size": 3, "imports": [], "notebook_names": []}
GOOD = {**SOUND, "file": f"data-{SHA[:12]}.json"}


@pytest.mark.parametrize(
    "index",
    [
        *(
            {"data": {**SOUND, "file": file}}
            for file in ("data.json", "", ".", 5, "index.json", "data-0123456789ab.json/", None)
        ),
        {"data": SOUND},
        {"data": {**GOOD, "sha256": None}},
        {"data": {**GOOD, "format": ["json"]}},
        {"data": {**GOOD, "size": "3"}},
        {"data": {**GOOD, "imports": "os"}},
        {"data": {**GOOD, "notebook_names": [1]}},
        {"data": {**GOOD, "made_by": {}}},
        {"data": {"file": "x"}},
        {"data": "x"},
        {"data": ["x"]},
        {"data": None},
        ["data"],
        "data",
        "null",
        "{",
        "[" * 100_000,
        "",
        '"' + "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_an_index_that_was_not_written_here_changes_nothing(index, notebook, tmp_path, capfd):
    write_index(notebook, index)
    before = sorted(tmp_path.rglob("*"))
    for use in (
        load_bundles,
        lambda path: save_bundle(path, make_bundle("data", {"a": 1})),
        lambda p: trust_bundle(p, "data"),
    ):
        with pytest.raises(BundleRefusedError, match=r"index.json cannot be read") as caught:
            use(notebook)
        assert caught.value.hint == "remove the file, and bundle again: %chalice bundle NAME"
    assert code_of(["package", str(notebook), "--out", str(tmp_path / "out")]) != 0
    assert "index.json cannot be read" in capfd.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before
    (bundle_folder(notebook) / "index.json").unlink()
    save_bundle(notebook, make_bundle("data", {"a": 1}))
    assert load_bundles(notebook)["data"].load() == {"a": 1}


SECRET = "what only this machine knows"
UP = "../../../.."
# What an entry of the index says, and by which name, to lead from the folder to a file above the notebook's.
WAYS_OUT = {
    "up": ("data", {"file": f"{UP}/victim.json"}),
    "down and up": ("data", {"file": f"below/../{UP}/victim.json"}),
    "absolute": ("data", {"file": "ROOT/victim.json"}),
    "a name that leads up": (f"{UP}/victim", {"file": f"{UP}/victim-HASH.json"}),
    "an absolute name": ("ROOT/victim", {"file": "ROOT/victim-HASH.json"}),
    "a format that leads up": (
        "data",
        {"file": f"data-HASH.d/../{UP}/victim.json", "format": f"d/../{UP}/victim.json"},
    ),
}


@pytest.mark.parametrize("hash", ["right", "wrong"])
@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_file_outside_is_neither_removed_nor_loaded_nor_packed(way, hash, notebook, tmp_path):
    content = json.dumps(SECRET).encode()
    sha = sha256(content).hexdigest() if hash == "right" else SHA
    victims = [tmp_path / "victim.json", tmp_path / f"victim-{sha[:12]}.json"]
    for victim in victims:
        victim.write_bytes(content)
    name, said = WAYS_OUT[way]
    entry = {**SOUND, "sha256": sha, "size": len(content) if hash == "right" else 3, **said}
    text = json.dumps({name: entry}).replace("ROOT", str(tmp_path)).replace("HASH", sha[:12])
    for folder in ("below", f"data-{sha[:12]}.d"):
        (bundle_folder(notebook) / folder).mkdir(parents=True)
    write_index(notebook, text)
    ((name, entry),) = json.loads(text).items()
    assert (bundle_folder(notebook) / entry["file"]).resolve() in victims

    with contextlib.suppress(NbChaliceError):
        assert not [bundle for bundle in load_bundles(notebook).values() if content == bundle.read()]
    with contextlib.suppress(NbChaliceError):
        project = read_project(notebook)
        assert project.function(project.handlers[0])({}, None) != SECRET
    code_of(["package", str(notebook), "--out", str(tmp_path / "out")])
    packed = [zipfile.ZipFile(path) for path in (tmp_path / "out").rglob("*.zip")]
    assert not [name for zipped in packed for name in zipped.namelist() if SECRET.encode() in zipped.read(name)]
    for saved in ({"a": 1}, {"a": 2}):
        for one in {"data", name}:
            with contextlib.suppress(NbChaliceError):
                save_bundle(notebook, replace(make_bundle("data", saved), name=one))
    assert [victim.read_bytes() for victim in victims] == [content, content]


@pytest.mark.parametrize("what", ["the file", "the index", "the folder", "the notebook's folder of bundles", "a fifo"])
def test_a_link_leads_nowhere(what, notebook, tmp_path):
    saved = save_bundle(notebook, make_bundle("data", {"a": 1}))
    folder, outside = bundle_folder(notebook), tmp_path / "outside"
    outside.mkdir()
    path = {
        "the file": saved.content,
        "the index": folder / "index.json",
        "the folder": folder,
        "the notebook's folder of bundles": notebook.parent / ".nbchalice",
        "a fifo": saved.content,
    }[what]
    path.rename(outside / path.name)
    if what == "a fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(outside / path.name)
    before = {one: one.read_bytes() for one in outside.rglob("*") if one.is_file()}
    with pytest.raises(NbChaliceError):
        load_bundles(notebook)
    try:
        save_bundle(notebook, make_bundle("data", {"a": 2}))
    except BundleRefusedError:
        pass
    else:
        assert load_bundles(notebook)["data"].load() == {"a": 2}
    assert {one: one.read_bytes() for one in outside.rglob("*") if one.is_file()} == before


def test_only_the_bundle_that_was_replaced_is_removed(notebook):
    save_bundle(notebook, make_bundle("data", {"a": 1}))
    save_bundle(notebook, make_bundle("other", {"a": 1}))
    (bundle_folder(notebook) / "mine.txt").write_text("kept")
    save_bundle(notebook, make_bundle("data", {"a": 2}))
    names = sorted(path.name.partition("-")[0] for path in bundle_folder(notebook).iterdir())
    assert names == ["data", "index.json", "mine.txt", "other"]
