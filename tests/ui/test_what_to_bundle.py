"""What the fix of an error says to bundle can be bundled, and counts where it is bundled."""

import re

import pytest

HANDLER = "%%lambda_function\ndef work(event, context):\n    return [NAME]"
READS = 'from pathlib import Path\nTEXT = Path("report.txt").read_text()\n'


@pytest.fixture(autouse=True)
def file(tmp_path, bare):
    (tmp_path / "report.txt").write_text("total: {{ total }}")


def loads(run):
    return "load_bundle" in run("%chalice show work").text and run("%chalice package").paths


def test_a_bundle_that_was_taken_too_late_is_told_and_another_one_works(run):
    run(READS + "loud = TEXT.upper()")
    run(HANDLER.replace("NAME", "loud"))
    card = run("%chalice bundle TEXT")
    assert "cell 3, line 3; there the statements that made it count, not the bundle" in str(card)
    assert card.to_dict()["used_before"] == ["cell 3, line 3"]
    error = run.error("%chalice package")
    assert "%chalice bundle TEXT (cell 5) counts only for what runs after it" in error.message
    assert "%chalice bundle loud," in error.hint
    assert "used before" not in str(run("%chalice bundle loud"))
    assert loads(run)


@pytest.mark.parametrize("between", ["", "length = len(TEXT)\n"])
def test_what_is_made_of_the_value_must_be_made_after_it(run, between):
    made = "loads = [lambda: TEXT, (lambda text: lambda: text)(TEXT)]"
    run(READS + between + made)
    run(HANDLER.replace("NAME", "len(loads)"))
    run("%chalice bundle TEXT")
    error = run.error("%chalice package")
    assert (
        f"on the line below cell 3, line 2, before cell 3, line {3 + bool(between)} uses it, and run the cells"
        in error.hint
    )
    run(READS + "%chalice bundle TEXT\n" + between + made)
    assert loads(run)


def test_a_part_is_given_a_name_where_what_is_made_of_it_cannot_be_bundled(run):
    made = 'loads = [lambda text: text, {1: Path("report.txt").read_text()}]'
    run(f"from pathlib import Path\n{made}")
    run(HANDLER.replace("NAME", "len(loads)"))
    hint = run.error("%chalice package").hint
    assert "loads cannot be bundled" in hint
    (part,) = re.findall(r"write TEXT = (.*\)) and, on the line below, %chalice bundle TEXT", hint)
    run(f"TEXT = {part}\n%chalice bundle TEXT")
    run(made.replace(part.replace("'", '"'), "TEXT"))
    assert loads(run)


@pytest.mark.slow
def test_templates_of_a_folder_are_loaded_from_a_text(run):
    pytest.importorskip("jinja2")
    run('import jinja2\nenv = jinja2.Environment(loader=jinja2.FileSystemLoader("."))')
    run('template = env.get_template("report.txt")')
    run(HANDLER.replace("NAME", "template.render(total=1)"))
    hint = run.error("%chalice package").hint
    assert "TEXT = Path(FILE).read_text()" in hint and "jinja2.DictLoader({NAME: TEXT})" in hint
    run(READS + "%chalice bundle TEXT")
    run('env = jinja2.Environment(loader=jinja2.DictLoader({"report.txt": TEXT}))')
    run('template = env.get_template("report.txt")')
    assert loads(run)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        ("import time\nstarted = (time.time(), lambda: 1)", "changing-value"),
        ("import random\nstarted = [random.random(), (n for n in [1])]", "changing-value"),
        ("import os\nstarted = [os.getpid(), lambda: 1]", "machine-value"),
        ("import sys\nstarted = [len(sys.modules), (n for n in [1])]", "diverged"),
    ],
)
def test_no_bundle_is_named_for_a_value_that_cannot_be_one(run, made, code):
    run(made)
    run(HANDLER.replace("NAME", "len(started)"))
    error = run.error("%chalice package")
    assert error.code == code
    assert "%chalice bundle" not in error.hint
    assert "mark the statement '# nbchalice: include'" in error.hint and ", or or" not in error.hint
    assert "cannot be bundled" in str(run.error("%chalice bundle started"))


@pytest.mark.parametrize(
    ("made", "code"),
    [
        ("import time\nfirst, second = time.time(), time.time_ns()", "changing-value"),
        ("import os\nfirst = second = os.getpid()", "machine-value"),
    ],
)
def test_all_names_of_a_statement_are_to_be_bundled(run, made, code):
    run(made)
    run(HANDLER.replace("NAME", "first + second"))
    error = run.error("%chalice package")
    assert error.code == code
    names = re.findall(r"%chalice bundle (\w+)", error.hint)
    assert sorted(names) == ["first", "second"]
    for name in names:
        run(f"%chalice bundle {name}")
    assert loads(run)
