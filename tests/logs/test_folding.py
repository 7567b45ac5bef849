"""Frames of libraries are folded, those of the notebook and of its own modules are not."""

import json

import pytest

from nbchalice.logs.buffer import head_of
from nbchalice.logs.folding import library_of
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.records import InvocationError
from nbchalice.logs.tracebacks import frames_of, from_exception

TRACE = """\
  File "/var/task/nbchalice.zip/nbchalice/runtime/batch.py", line 9, in call
    return function(record)
  File "/var/task/nbchalice.zip/nbchalice/runtime/queues.py", line 7, in each
  File "shop.ipynb#cell 4", line 3, in price
    total(record)
  File "/var/task/helpers.py", line 2, in total
    return json.loads(text)
  File "/var/lang/lib/python3.13/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
  File "/opt/python/pandas/io/json.py", line 5, in decode
    raise error
  File "/var/lang/lib/python3.13/json/decoder.py", line 355, in raw_decode
    raise JSONDecodeError("Expecting value", s, err.value) from None
"""


def failed(trace=TRACE):
    error = InvocationError("ValueError", "bad", frames_of(trace.splitlines()))
    return Invocation("r", "f", "error", error=error)


@pytest.mark.parametrize(
    ("file", "library"),
    [
        ("/opt/python/pandas/core/frame.py", "pandas"),
        ("/opt/python/lib/python3.12/site-packages/boto3/session.py", "boto3"),
        ("/opt/python/six.py", "six"),
        ("/var/lang/lib/python3.13/json/decoder.py", "json"),
        ("/var/runtime/awslambdaric/bootstrap.py", "awslambdaric"),
        ("/usr/lib/python3/dist-packages/yaml/loader.py", "yaml"),
        ("/home/ann/.venv/lib/python3.11/site-packages/attr/_make.py", "attr"),
        ("/var/task/nbchalice.zip/nbchalice/runtime/batch.py", "nbchalice"),
        ("<frozen importlib._bootstrap>", "importlib"),
        ("shop.ipynb#cell 4", None),
        ("/var/task/helpers.py", None),
        ("/var/task/shop/prices.py", None),
        ("/home/ann/work/helpers.py", None),
        ("<string>", None),
        ("", None),
    ],
)
def test_what_belongs_to_a_library(file, library):
    assert library_of(file) == library


def test_several_frames_of_libraries_are_one_line():
    assert str(failed()).splitlines()[1:] == [
        "  ValueError: bad",
        "    2 frames of nbchalice, the last: /var/task/nbchalice.zip/nbchalice/runtime/queues.py, line 7, in each",
        "    cell 4, line 3, in price",
        "      total(record)",
        "    /var/task/helpers.py, line 2, in total",
        "      return json.loads(text)",
        "    3 frames of json and pandas, the last: /var/lang/lib/python3.13/json/decoder.py, line 355, in raw_decode",
    ]


def test_they_unfold_in_a_notebook_and_in_the_viewer():
    html = failed()._repr_mimebundle_()["text/html"]
    assert html.count("<details>") == 2 and "line 5, in decode" in html.rsplit("<details>", 1)[1]
    head = head_of("r", failed())
    assert list(head["folded"]) == ["1", "6"] and list(head["cells"]) == ["2"]
    assert head["folded"]["6"][-1].strip().startswith("raise JSONDecodeError")


def test_the_error_itself_keeps_all_frames():
    assert len(failed().error.frames) == 7 and len(failed().to_dict()["error"]["frames"]) == 7


def test_a_single_frame_of_a_library_stays_open():
    assert "/opt/python/pandas/x.py, line 1, in f" in str(failed('  File "/opt/python/pandas/x.py", line 1, in f'))


def test_frames_of_this_process_are_folded_too():
    try:
        json.loads("{")
    except ValueError as error:
        shown = str(Invocation("r", "f", "error", error=from_exception(error)))
    lines = shown.splitlines()
    assert __file__ in lines[2] and lines[4].startswith("    3 frames of json, the last: ")
