"""Invocations as text and HTML."""

import re
from html.parser import HTMLParser

import pytest

from nbchalice.logs.invocation import Invocation
from nbchalice.logs.records import Frame, InvocationError, LogRecord
from nbchalice.logs.show import FAILED_COLOR
from nbchalice.logs.tracebacks import logged

EVIL = "<img src=x onerror=alert(1)>\"'&\x1b[31m\u202e"


def invocation(**more):
    records = (LogRecord(1, "INFO", EVIL, EVIL), LogRecord(2, "", "two\nlines", "r"))
    library = Frame(None, 3, EVIL, EVIL, f"/opt/python/{EVIL}")
    error = InvocationError(EVIL, EVIL, (Frame(EVIL, 3, EVIL, EVIL, EVIL), library, library), EVIL)
    plain = {
        "status": "error",
        "attempt": 2,
        "duration_ms": 4.25,
        "memory_mb": 128,
        "max_memory_mb": 38,
        "init_ms": 120.4,
    }
    return Invocation(
        EVIL, EVIL, **{**plain, "records": records, "error": error, "ids": (EVIL,), "result": EVIL, **more}
    )


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, {name for name, _ in attributes}))


def test_foreign_text_stays_text():
    bundle = invocation()._repr_mimebundle_()
    tags = Tags(bundle["text/html"]).found
    assert {tag for tag, _ in tags} <= {"div", "pre", "span", "b", "details", "summary"}
    marks = {"data-cell", "data-line", "data-function", "data-source"}
    assert {name for _, names in tags for name in names} <= {"style", "class", *marks}
    for text in bundle.values():
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", text)
    assert "\\x1b[31m" in bundle["text/plain"]


def test_the_text_tells_all_in_few_lines():
    error = InvocationError(
        "ValueError",
        "bad",
        (Frame("cell 4", 3, "price", "float(x)", "shop.ipynb#cell 4"), Frame(None, 9, "f", None, "/lib/x.py")),
    )
    text = str(
        Invocation(
            "r", "f", "error", 2, 4.25, 5, 128, 38, 120.4, started=86_401_250, error=error,
            records=(LogRecord(86_401_375, "INFO", "a\nb", "r"),),
        )
    )  # fmt: skip
    assert text.splitlines() == [
        "error in 4.2 ms · 1970-01-02 00:00:01 UTC · attempt 2 · cold start 120 ms · 38 of 128 MB · request r",
        "  00:00:01.375 INFO    a",
        "                       b",
        "  ValueError: bad",
        "    cell 4, line 3, in price",
        "      float(x)",
        "    /lib/x.py, line 9, in f",
    ]


def test_the_cell_of_a_frame_is_marked_and_plain_text_where_no_page_makes_a_link_of_it():
    frames = (Frame("cell 4", 3, "price", 'd["a"]', "shop.ipynb#cell 4"), Frame(None, 9, "f", None, "/lib/x.py"))
    html = Invocation("r", "f", "error", error=InvocationError("E", "m", frames))._repr_mimebundle_()["text/html"]
    mark = 'data-cell="cell 4" data-line="3" data-function="price" data-source="d[&quot;a&quot;]"'
    assert f'  <span class="nbchalice-cell" {mark}>cell 4</span>, line 3, in price\n' in html
    assert html.count("nbchalice-cell") == 1 and "href" not in html and "role" not in html


@pytest.mark.parametrize(("status", "words"), [("running", "running · request r"), ("timeout", "timeout · request r")])
def test_what_is_not_known_is_left_out(status, words):
    assert str(Invocation("r", "f", status)) == words


def test_only_the_last_records_are_shown_with_the_number_hidden():
    many = tuple(LogRecord(n, "INFO", f"record {n}", "r") for n in range(500))
    bundle = Invocation("r", "f", "ok", records=many, records_cut=7)._repr_mimebundle_()
    for text in bundle.values():
        assert "307 earlier records not shown" in text and "record 299" not in text and "record 300" in text


def test_of_a_batch_the_failed_records_are_named():
    found = Invocation("r", "f", "partial", ids=("a", "b", "c"), failed_ids=("a", "c"), ids_cut=1)
    for text in found._repr_mimebundle_().values():
        assert "2 of 4 failed" in text and "failed: a, c" in text
    many = Invocation("r", "f", "partial", failed_ids=tuple(f"id{n}" for n in range(12)))
    assert "12 of the batch failed" in str(many) and "id9 and 2 more" in str(many) and "id10" not in str(many)


@pytest.mark.parametrize(
    ("ids", "failed", "cut", "word"),
    [
        (("a",), ("a",), 0, "failed"),
        (("a", "b"), ("b", "a"), 0, "failed"),
        (("a", "b"), ("b",), 0, "partial"),
        (("a",), ("a",), 3, "partial"),
        ((), ("a",), 0, "partial"),
    ],
)
def test_a_batch_of_which_all_failed_is_failed(ids, failed, cut, word):
    found = Invocation("r", "f", "partial", ids=ids, failed_ids=failed, ids_cut=cut)
    assert str(found).startswith(f"{word} · ")
    shown = found._repr_mimebundle_()["text/html"]
    assert (FAILED_COLOR in shown) == (word == "failed") and f"{word} · " in shown


def test_a_logged_traceback_that_is_the_error_is_shown_once():
    trace = 'Traceback (most recent call last):\n  File "shop.ipynb#cell 4", line 3, in price\n    float(x)\nValueError: bad'
    record = LogRecord(1, "ERROR", f"bad order\n{trace}", "r")
    other = LogRecord(1, "ERROR", trace.replace("bad", "other"), "r")
    found = Invocation("r", "f", "partial", records=(other, record), failed_ids=("a",), error=logged(record.message))
    for text in found._repr_mimebundle_().values():
        assert text.count("ValueError: bad") == 1 and "bad order" in text and text.count("ValueError: other") == 1
        assert text.count("float(x)") == (2 if "<" not in text else 3)  # in HTML as a mark, too


def test_levels():
    got = invocation(
        records=(LogRecord(1, "DEBUG", "d", "r"), LogRecord(1, "WARNING", "w", "r"), LogRecord(1, "", "p", "r"))
    )
    assert [r.message for r in got.at_level("warn").records] == ["w"]
    assert [r.message for r in got.at_level("info").records] == ["w", "p"]
    assert got.level == 40


@pytest.mark.parametrize(
    ("kind", "told"),
    [("SQSEvent", True), ("CloudWatchEvent", True), ("S3Record", True), ("Decimal", False), ("set", False)],
)
def test_an_event_that_somebody_wants_as_json_is_told_how(kind, told):
    error = InvocationError("TypeError", f"Object of type {kind} is not JSON serializable")
    for shown in (str(failed := Invocation("r", "f", "error", error=error)), failed._repr_mimebundle_()["text/html"]):
        assert ("fix: write json.dumps(event.to_dict())" in shown) == told


@pytest.mark.parametrize(
    ("kind", "message", "module"),
    [
        ("ModuleNotFoundError", "No module named 'humanize'", "humanize"),
        ("Runtime.ImportModuleError", "Unable to import module 'lambda_function': No module named 'a.b'", "a.b"),
        ("ValueError", "No module named 'humanize'", ""),
    ],
)
def test_a_module_that_lacks_on_lambda_is_told_with_what_brings_it(kind, message, module):
    shown = str(Invocation("r", "f", "error", error=InvocationError(kind, message)))
    assert (f"fix: write import {module} within the handler" in shown) == bool(module)
