"""How long `%load_ext nbchalice` takes, and what a cell magic adds to running a cell."""

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.rows import Row, measured

RUNS = 7
LOAD = """
import json, sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("None")
started = time.perf_counter()
shell.run_line_magic("load_ext", "nbchalice")
load = time.perf_counter() - started
heavy = [name for name in ("boto3", "botocore", "ipywidgets", "anywidget") if name in sys.modules]
body = "def price(event):\\n    for record in event:\\n        app.log.info(record.body)\\n"
def run(text):
    started = time.perf_counter()
    assert shell.run_cell(text, store_history=True).success
    return time.perf_counter() - started
shell.run_cell("%chalice app shop", store_history=True)
first = run("%%on_sqs_message orders --batch-size 10\\n" + body)
magic = [run("%%on_sqs_message orders --batch-size 10\\n" + body) for _ in range(50)]
plain = [run(body) for _ in range(50)]
print(json.dumps([load, first, sorted(magic)[25] - sorted(plain)[25], heavy]))
"""


def rows() -> Iterator[Row]:
    """Yield what each takes by the clock."""
    results = []
    for _ in range(RUNS):
        done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
        results.append([*json.loads(done.stdout.splitlines()[-1])])
    loads, firsts, adds, heavy = zip(*results, strict=True)
    note = f"of boto3, ipywidgets and the like it imports {', '.join(heavy[0]) or 'none'}"
    for what, found, told in (
        ("`%load_ext nbchalice`", loads, note),
        ("the first cell with a magic", firsts, ""),
        ("what a magic adds to each cell", adds, "beside the same cell without one"),
    ):
        yield measured("in a kernel", what, [seconds * 1000 for seconds in found], "ms", told)
