"""Archives are unpacked within their folder, whatever links they hold."""

import io
import os
import stat
import zipfile

import pytest

from nbchalice.aws.local.server.functions import unpack

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")


def packed(*entries):
    """Return a zip of (name, content, mode); the content of a link is where it leads to."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for name, content, mode in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            bundle.writestr(entry, content)
    return buffer.getvalue()


def link(name, target):
    return (name, target, stat.S_IFLNK | 0o777)


def file(name, content="new", mode=stat.S_IFREG | 0o777):
    return (name, content, mode)


def folder(name):
    return (name, "", stat.S_IFDIR | 0o777)


@pytest.fixture
def outside(tmp_path):
    """A folder with a private file, beside the one that is unpacked into."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("old")
    (tmp_path / "outside" / "file").chmod(0o600)
    return tmp_path / "outside"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def tree(root):
    return {
        str(path.relative_to(root)): str(path.readlink())
        if path.is_symlink()
        else (oct(path.stat().st_mode), path.read_text() if path.is_file() else names(path))
        for path in [root, *root.rglob("*")]
    }


@pytest.mark.parametrize(
    "entries",
    [
        [link("l", "OUT"), file("l/file")],
        [link("l", "../outside"), file("l/file"), file("l/other")],
        [link("l", "OUT"), folder("l/made/"), file("l/made/file")],
        [link("l", "OUT/file"), file("l")],
        [link("l", "OUT/file"), file("l/file")],
        [link("l", "OUT/later"), file("l")],
        [link("l", "OUT/later"), file("l/file")],
        [link("l", "../outside/later"), folder("l/")],
        [link("one", "two"), link("two", "../outside"), file("one/file")],
        [link("two", "OUT"), link("one", "two"), file("one/file"), link("one/file", "x")],
        [folder("d/"), link("d/up", ".."), link("up", "d/up/.."), file("up/outside/file")],
        [link("l", "d/../../outside"), file("l/file")],
        [link("l", "d/e/../../../outside"), folder("d/e/"), file("l/file")],
        [folder("d/"), link("d/l", "../../outside"), file("d/l/file")],
        [folder("d/"), link("d/e", "."), link("l", "d/e/e/e/../../outside"), file("l/file")],
        [link("l", "."), link("l/m", "l/../../outside"), file("l/m/file")],
        [link("l", "OUT"), file("./l//file"), file("l/../l/file"), file("/l/file")],
        [link("l", "/"), file("l" + "ABS" + "/file")],
        [link("l", "OUT"), link("l/x", "y"), link("l/file", "z")],
        [file("l"), link("l", "OUT"), file("l/file", mode=0o104777)],
        [link("l", "l"), file("l/file")],
        [link("a", "b"), link("b", "a"), file("a/file"), file("b/file")],
        [link("l", "../folder-of-the-same-beginning"), file("l/file")],
        [file("../outside/file"), file("ABS/file"), link("../outside/file", "x"), link("../outside/l", "x")],
    ],
)
def test_nothing_is_written_through_a_link_that_leads_out(entries, outside, tmp_path):
    made = tmp_path / "folder"
    made.mkdir()
    (tmp_path / "folder-of-the-same-beginning").mkdir()
    real = [(n.replace("ABS", str(outside)), c.replace("OUT", str(outside)), m) for n, c, m in entries]
    before = tree(outside)
    unpack(packed(*real, file("app.py", "code")), made)
    assert tree(outside) == before
    assert not names(tmp_path / "folder-of-the-same-beginning")
    assert names(tmp_path) == ["folder", "folder-of-the-same-beginning", "outside"]
    assert (made / "app.py").read_text() == "code"


def test_a_link_of_one_layer_does_not_lead_another_layer_out(outside, tmp_path):
    made = tmp_path / "folder"
    made.mkdir()
    before = tree(outside)
    unpack(packed(link("python", str(outside)), link("lib", "real"), file("real/one")), made)
    unpack(packed(file("python/file"), file("lib/two")), made)
    assert tree(outside) == before
    assert (made / "python" / "file").read_text() == "new"
    assert names(made / "real") == ["one", "two"]


def test_links_and_modes_that_stay_inside_are_kept(tmp_path):
    made = tmp_path / "folder"
    made.mkdir()
    entries = [
        *(link("lib/libx.so", "libx.so.1"), file("lib/libx.so.1", "elf", 0o100755)),
        *(link("current", "versions/2"), file("current/tool"), file("versions/1/tool", "one", 0o100400)),
        *(link("at", "/opt/lib"), link("back", "lib/../app.py"), file("app.py", "first"), file("app.py", "code", 0)),
    ]
    unpack(packed(*entries), made)
    assert str((made / "lib" / "libx.so").readlink()) == "libx.so.1"
    assert (made / "lib" / "libx.so").read_text() == "elf"
    assert os.access(made / "lib" / "libx.so", os.X_OK)
    assert (made / "versions" / "2" / "tool").read_text() == "new"
    assert (made / "versions" / "1" / "tool").stat().st_mode & 0o777 == 0o600
    assert str((made / "at").readlink()) == "/opt/lib"
    assert (made / "back").read_text() == "code"


def test_a_function_with_such_links_runs(functions, outside):
    code = "import os\ndef handler(e, c): return [open('now').read(), os.listdir('l')]\n"
    name = functions.make("def handler(e, c): pass\n")
    archive = packed(
        link("l", str(outside)), file("l/file"), file("v/x", "1"), link("now", "v/x"), file("app.py", code)
    )
    functions.aws("lambda").update_function_code(FunctionName=name, ZipFile=archive)
    functions.ready(name)
    assert functions.invoke(name)[1] == ["1", ["file"]]
    assert (outside / "file").read_text() == "old"
