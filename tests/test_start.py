"""What a start costs: nothing is imported, or made anew, that is not needed."""

import subprocess
import sys

import pytest

from nbchalice.files import kept
from nbchalice.notebook.analysis import builtin_names, ipython_syntax
from nbchalice.packaging import shipped


def imported(code):
    """Run code in a process of its own; return the packages that it imported."""
    ask = f"import sys\n{code}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_extension_is_loaded_without_boto3():
    shell = "from IPython.core.interactiveshell import InteractiveShell as S; S.instance()"
    assert not imported(f"{shell}.run_line_magic('load_ext', 'nbchalice')") & {"boto3", "botocore", "nbclient"}


@pytest.mark.parametrize(
    "cell",
    ["%load_ext nbchalice\n%chalice app shop", "%%on_sqs_message orders\ndef f(e):\n    print('%s!' % e, 5 % 2)"],
)
def test_usual_cells_are_read_without_ipython(cell):
    found = imported(f"from nbchalice.notebook.analysis.magic import read_body; read_body({cell!r})")
    assert "IPython" not in found


@pytest.mark.parametrize(
    "cell",
    [
        "%chalice app shop",
        "%load_ext nbchalice  \n\n%chalice deploy --target aws\n%env A=b",
        "%%time\n%alias_magic t time",
        "x = '%s' % 1\ny = 5 % 2",
        "a = b ? \nc",
        "files = !ls\nx =\\\n %pwd",
        "print(1)  # really?\n,f a b",
        "f?\n%f?",
        "%pip install 'a[b]'\n)\n%x",
        "if x:\n    %cd ..\n    ?print",
        "text = '''\n%not a magic\n'''",
    ],
)
def test_what_is_read_without_ipython_is_what_ipython_reads(cell, monkeypatch):
    read = ipython_syntax.specials(cell.split("\n"))
    monkeypatch.setattr(ipython_syntax, "_SIGN", ipython_syntax.re.compile(""))
    monkeypatch.setattr(ipython_syntax, "_PLAIN", ipython_syntax.re.compile("(?!)"))
    assert read == ipython_syntax.specials(cell.split("\n"))


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("NBCHALICE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def never():
    raise AssertionError("it was made again")


def test_what_was_made_of_the_same_question_is_not_made_again(cache):
    assert kept("runtime", ["a", "b"], lambda: b"one") == b"one" == kept("runtime", ["a", "b"], never)
    assert kept("runtime", ["a", "c"], lambda: b"two") == b"two" == kept("runtime", ["a", "c"], never)
    assert kept("runtime", ["ab"], lambda: b"") == b"" == kept("runtime", ["ab"], never)


def test_what_is_damaged_or_cannot_be_kept_is_made_anew(cache):
    kept("runtime", ["a"], lambda: b"one")
    (file,) = (cache / "runtime").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    for damage in (file.read_bytes()[:-1], b"", b"x" * 40):
        file.write_bytes(damage)
        assert kept("runtime", ["a"], lambda: b"one") == b"one"
    file.unlink()
    file.parent.rmdir()
    file.parent.write_text("a file where the folder should be")
    assert kept("runtime", ["a"], lambda: b"one") == b"one"


def test_the_oldest_answers_go(cache):
    for number in range(70):
        kept("runtime", [str(number)], lambda: b"x")
    assert len(list((cache / "runtime").iterdir())) == 64


def test_a_second_process_finds_the_runtime_its_imports_and_the_builtins(cache, monkeypatch):
    source = "from nbchalice import Chalice\napp = Chalice(app_name='shop')\n"

    def forget():
        for one in (shipped._graph, shipped.runtime_archive, builtin_names.lambda_builtins):
            one.cache_clear()

    def made():
        names = builtin_names.lambda_builtins()
        return shipped.runtime_archive(shipped.needed_modules([source]), True), names

    forget()
    first = made()
    for place, name in (
        (shipped, "lean_source"),
        (shipped, "own_pyc"),
        (shipped, "_needed_by"),
        (builtin_names, "_ask"),
    ):
        monkeypatch.setattr(place, name, lambda *_: never())
    forget()
    assert made() == first
    forget()


def test_where_there_is_the_standard_library_only_it_is_made_each_time():
    code = "import sys\nsys.modules['platformdirs'] = None\nfrom nbchalice.files import kept\nassert kept('a', ['b'], lambda: b'c') == b'c'"
    imported(f"import os\nos.environ.pop('NBCHALICE_CACHE', None)\n{code}\ndel sys.modules['platformdirs']")


def test_the_shells_command_looks_for_no_garbage_in_what_it_leaves():
    code = """
import atexit, gc, sys
atexit.register(lambda: print(gc.get_freeze_count() > 1000, gc.get_threshold()[0]))
sys.argv = ["nbchalice", "--version"]
from nbchalice.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True 200000"
