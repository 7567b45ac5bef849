"""What README and docs say of speed and size was measured: it stands in docs/benchmarks.json, or is a limit that is known."""

import json
import re
from pathlib import Path

import pytest

import benchmarks.__main__ as program
from benchmarks import NAMES, page, results
from benchmarks.rows import Row, failed, measured, number

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "decisions").glob("*.md"))]
PAGES.remove(page.PAGE)
GENERATED = re.compile(r"<!-- begin ([\w-]+) -->.*?<!-- end \1 -->", re.DOTALL)
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
UNIT = r"(?:ms|µs|s|(?:milli|micro)?seconds?|[KMG]i?B(?:/s)?|times|%)"
QUANTITY = re.compile(rf"(?<![\w.,-])\d[\d,]*(?:\.\d+)?(?: (?:to|and) \d[\d,.]*)? ?{UNIT}(?!\w)")
# Limits of AWS, and what nbchalice allows, by the words in which they are told, with the line of the code that says so;
# None for what only AWS's pages say, or what is downloaded. None of them was measured.
LIMITS = {
    "(Lambda's|Lambda allows|over|over the) 250 MB": ("packaging/sizes.py", "UNZIPPED_LIMIT = 250 * MB"),
    "([Zz]ips?|[Cc]ode|beside what Lambda allows, and what is largest\\.) [Oo]ver 50 MB": (
        "resources/upload_bucket.py",
        "DIRECT_LIMIT = 50 * 1024 * 1024",
    ),
    "over Lambda's 10 s it is an error": ("deploy/check.py", "LONGEST_START = 10"),
    "A start over 10 seconds is started again": ("deploy/check.py", "LONGEST_START = 10"),
    "Up to 10 MB of bundles travel": ("packaging/handler.py", "BUNDLES_IN_ZIP = 10 * MB"),
    "more than the 10,240 MB that may have": ("deploy/check.py", "MOST_MB = 10_240"),
    "a function policy over 20 KB": ("deploy/check.py", "LONGEST_FUNCTION_POLICY = 20_480"),
    "Events of over 1 MB": ("runtime/recording.py", "MOST_BYTES = 1 << 20"),
    "of up to 256 KB, which only": ("events/history.py", "MOST_BYTES = 256 * 1024"),
    "events of a handler, 256 KB each": ("events/history.py", "MOST_BYTES = 256 * 1024"),
    "functions of up to 3,008 MB": ("deploy/quotas.py", "MB_OF_NEW_ACCOUNT = 3008"),
    "message of SQS up to 1 MB": ("sources/payloads.py", "MOST_OF_QUEUE = 1 * MB"),
    "notification of SNS up to 256 KB": ("sources/payloads.py", "USUAL_OF_TOPIC, MOST_OF_TOPIC = 256 * 1024, 1 * MB"),
    "record of Kinesis up to 1 MB": ("sources/payloads.py", "USUAL_OF_STREAM, MOST_OF_STREAM = 1 * MB, 10 * MB"),
    "topic or stream says, up to 1 and 10 MB": ("sources/payloads.py", "USUAL_OF_STREAM, MOST_OF_STREAM = 1 * MB, 10"),
    "event of EventBridge below 1 MB": ("sources/payloads.py", "MOST_OF_BUS = 1 * MB - 1"),
    "item of DynamoDB up to 400 KB": ("sources/payloads.py", "MOST_OF_TABLE = 400 * 1024"),
    "an invocation up to 6 MB": ("sources/payloads.py", "MOST_INVOKED, MOST_INVOKED_LATER = 6 * MB, 1 * MB"),
    "asynchronous one up to 1 MB": ("sources/payloads.py", "MOST_INVOKED, MOST_INVOKED_LATER = 6 * MB, 1 * MB"),
    "events and answers over 6 MB": ("aws/local/server/bodies.py", "LARGEST_EVENT = 6 * MB"),
    "asynchronous ones over 1 MB": ("aws/local/server/bodies.py", "LARGEST_ASYNCHRONOUS_EVENT = 1 * MB"),
    "other requests over 16 MB": ("aws/local/server/bodies.py", "LARGEST = 16 * MB"),
    "objects over 5 GB": ("aws/local/server/bodies.py", "LARGEST_OBJECT = 5 * 1024 * MB"),
    "(up to 90 s until|growing pauses, 90 s)": ("aws/passing.py", "PATIENCE = 90.0"),
    "just (made, |given )120 s": ("deploy/execute.py", "UNTIL_KNOWN = 120.0"),
    "or 20 s where it was there before": ("deploy/execute.py", "UNTIL_KNOWN_STANDING = 20.0"),
    "0.1 to 0.4 s after a change": (
        "aws/local/server/service.py",
        "SAVE_SHARE, LEAST_PAUSE, MOST_PAUSE = 20, 0.1, 0.3",
    ),
    "is at most 0.7 s old and unsaved": ("aws/local/server/unsaved.py", "MOST_SECONDS = 0.7"),
    "defaults .60 seconds, 128 MB,": ("handlers/settings.py", 'Option("memory", "memory of the function", int, 128,'),
    "Chalice's defaults .60 seconds": ("handlers/settings.py", 'Option("timeout", "seconds a run may take", int, 60,'),
    "60 s, also for a queue that hides": (
        "handlers/settings.py",
        'Option("timeout", "seconds a run may take", int, 60,',
    ),
    "60 s, or the queue's visibility timeout": (
        "handlers/settings.py",
        'Option("timeout", "seconds a run may take", int, 60,',
    ),
    "10 s of processor time are all it gets": ("notebook/capture/rerun.py", "CPU_SECONDS = 10"),
    "a guess of 75 MB/s from S3": ("packaging/archive.py", "_FETCHED_A_SECOND = 75 * MB"),
    "storage over 512 MB are not counted": None,
    "(makes an environment of its own with ,|environments that the local AWS runs in,) about 100 MB": None,
}


def prose(text):
    """Return what a person wrote: no code, no block that a script writes."""
    return " ".join(CODE.sub(" ", GENERATED.sub(" ", text)).split())


def unknown(text):
    """Return the quantities in prose that are no known limit, with the words around them."""
    text = prose(text)
    limits = [found.span() for words in LIMITS for found in re.finditer(words, text)]
    return [
        text[max(0, found.start() - 60) : found.end() + 20]
        for found in QUANTITY.finditer(text)
        if not any(start <= found.start() and found.end() <= end for start, end in limits)
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_number_of_speed_or_size_is_written_by_hand(path):
    told = "let it stand in docs/benchmarks.json and be generated, link docs/benchmarks.md, or add a limit to LIMITS"
    assert not unknown(path.read_text()), told


def test_a_number_that_is_written_by_hand_is_found():
    assert unknown("An edit takes\n0.3 s.") and unknown("It is 20 times sooner, and has 2 to 3 MB.")
    assert unknown("Lambda allows 251 MB") and unknown("a deploy takes 250 MB of memory")
    assert not unknown("```text\nok in 0.6 ms\n```\n`--since 10 s`, and Lambda allows\n250 MB.")
    assert not unknown("<!-- begin speed -->\n| 0.3 s |\n<!-- end speed -->")


@pytest.mark.parametrize("words", LIMITS)
def test_a_limit_is_the_codes_own_and_is_told_somewhere(words):
    where = LIMITS[words]
    if where is not None:
        assert any(
            line.strip().startswith(where[1]) for line in (ROOT / "nbchalice" / where[0]).read_text().splitlines()
        )
    assert any(re.search(words, prose(path.read_text())) for path in PAGES)


def test_table_plot_and_readme_say_what_the_json_says():
    for path, text in page.texts(results.read()).items():
        assert path.read_text() == text, f"{path.name}: run .venv/bin/python -m benchmarks --render"


def test_the_json_has_a_row_of_each_benchmark_and_none_that_failed():
    found = results.read()
    assert list(NAMES) == [name for name in NAMES if results.rows_of(found, name)]
    assert set(found) == set(NAMES)
    assert not [row for name in found for row in results.rows_of(found, name) if row.failed]
    assert all({"processor", "cores", "memory", "system"} == found[name]["machine"].keys() for name in found)


def test_each_benchmark_is_there_and_says_what_it_measures():
    for name in NAMES:
        assert (ROOT / "benchmarks" / f"{name}.py").is_file() and NAMES[name]
    with_rows = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if "\ndef rows()" in path.read_text()}
    assert with_rows == set(NAMES)


def test_a_row_shows_two_digits_and_all_before_the_point():
    assert [number(value) for value in (0, 0.0213, 2.53, 72.4, 593.4, 2818.2)] == [
        "0",
        "0.021",
        "2.5",
        "72",
        "593",
        "2,818",
    ]
    row = measured("nbchalice", "edit", [0.3, 0.21, 0.2], "s")
    assert (row.shown(), row.range(), row.runs) == ("0.21 s", "0.2 to 0.3", 3)
    assert Row("a", "b", 1.0, "s").range() == "" and not row.failed
    assert failed("SAM CLI", "edit", "no\n network").note == "failed: no network" and failed("a", "b", "").failed


class Benchmark:
    """Stands for a module of the folder."""

    def __init__(self, rows):
        self.rows = rows


@pytest.fixture
def apart(monkeypatch, tmp_path):
    """Let benchmarks write into a folder of the test's own; return their JSON."""
    path = tmp_path / "benchmarks.json"
    readme = tmp_path / "README.md"
    readme.write_text("<!-- begin speed -->\n<!-- end speed -->\n")
    monkeypatch.setattr(results, "PATH", path)
    for name, home in (("PAGE", tmp_path / "page.md"), ("PLOT", tmp_path / "plot.svg"), ("README", readme)):
        monkeypatch.setattr(page, name, home)
    modules = {}
    monkeypatch.setattr(program, "load", modules.__getitem__)
    return path, modules


def test_one_benchmark_puts_its_rows_in_the_place_of_its_own_only(apart, tmp_path):
    path, modules = apart
    title = "one handler edited, 4 handlers, 0 ms a call"
    modules["deploy"] = Benchmark(lambda: iter([Row("Chalice 1.34.0, `chalice deploy`", title, 41.0, "s")]))
    modules["send"] = Benchmark(lambda: iter([Row("in the kernel", "from click to log line", 72.0, "ms")]))
    assert [program.main([name]) for name in modules] == [0, 0]
    modules["send"] = Benchmark(lambda: iter([Row("in the kernel", "from click to log line", 60.0, "ms")]))
    assert program.main(["send"]) == 0
    found = json.loads(path.read_text())
    assert [row["value"] for name in found for row in found[name]["rows"]] == [41.0, 60.0]
    assert found["deploy"]["versions"]["Chalice"] == "1.34.0"
    told = (tmp_path / "page.md").read_text()
    assert "60 ms" in told and "72 ms" not in told and "Chalice 1.34.0" in told
    assert (
        "| Chalice 1.34.0, `chalice deploy` | not measured | 41 s | not measured |"
        in (tmp_path / "README.md").read_text()
    )
    assert "41 s" in (tmp_path / "plot.svg").read_text()


def test_what_fails_is_a_row_and_the_exit_code(apart, capsys):
    path, modules = apart

    def rows():
        yield Row("in the kernel", "from click to log line", 72.0, "ms")
        raise RuntimeError("no browser")

    modules["send"] = Benchmark(rows)
    assert program.main(["send"]) == 1
    assert [one["note"] for one in json.loads(path.read_text())["send"]["rows"]] == [
        "",
        "failed: RuntimeError: no browser",
    ]
    assert "no browser" in capsys.readouterr().err
    assert program.main(["sned"]) == 2
    assert "there is no benchmark sned" in capsys.readouterr().err
