"""Memory of the kernel after 1,000 registrations, and after as many readings of a log as an hour of following makes.

Nobody waits an hour: the viewer gets what an hour's readings bring, one after the other, from a real log.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.rows import Row, local_connection, measured, scratch

RUNS, REGISTRATIONS, EVENTS = 2, 1000, 3600
MAGIC = "%%on_sqs_message orders --batch-size 10\n"
HEAD = """
import gc, json, psutil, sys, time
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config
config = Config()
config.HistoryManager.hist_file = ":memory:"
shell = InteractiveShell.instance(config=config)
def memory():
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20
def run(text):
    with capture_output():
        shell.run_cell(text, store_history=True).raise_error()
head, count = sys.argv[1], int(sys.argv[2])
run("%load_ext nbchalice")
"""
REGISTER = (
    HEAD
    + r"""
run("%chalice app bench")
def cell(edit):
    return f"{head}def price(event):\n    for record in event:\n        app.log.info('{edit} %s', record.body)\n"
for edit in range(50):
    run(cell(edit))
before = memory()
for edit in range(count):
    run(cell(edit))
print(json.dumps([memory() - before]))
"""
)
FOLLOW = (
    HEAD
    + r"""
from nbchalice.aws.target import connect
from nbchalice.logs.tail import Tail
from nbchalice.ui.widgets.viewer import Viewer
logs = connect("local").client("logs")
where = {"logGroupName": "/aws/lambda/bench-follow", "logStreamName": "2030/01/01/[$LATEST]a"}
logs.create_log_group(logGroupName=where["logGroupName"])
logs.create_log_stream(**where)
tail, viewer = Tail(connect("local"), "bench-follow", "10m"), Viewer("bench", "log")
def event(number):
    request, now = f"00000000-0000-4000-8000-{number:012}", int(time.time() * 1000)
    lines = [
        f"START RequestId: {request} Version: $LATEST",
        f"[INFO]\t2030-01-01T00:00:00.000Z\t{request}\tgot {number}",
        f"END RequestId: {request}",
        f"REPORT RequestId: {request}\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 40 MB",
    ]
    logs.put_log_events(**where, logEvents=[{"timestamp": now, "message": line} for line in lines])
    seen = tail.poll()
    for invocation in seen:
        viewer.feed(invocation)
    return len(seen)
for number in range(100):
    event(number)
before, begun = memory(), time.process_time()
seen = sum(event(number) for number in range(100, 100 + count))
assert seen >= count, seen
print(json.dumps([memory() - before, (time.process_time() - begun) / count * 1000]))
"""
)


def rows() -> Iterator[Row]:
    """Yield what memory grew by."""
    name, what = "the kernel", f"{REGISTRATIONS:,} times a cell with a handler run: more memory"
    taken = [[told(REGISTER, head, REGISTRATIONS)[0] for head in (MAGIC, "")] for _ in range(RUNS)]
    yield measured(name, what, [one[0] for one in taken], "MB")
    yield measured(name, f"{what}, without the magic", [one[1] for one in taken], "MB", "what IPython keeps")
    with scratch():
        local_connection()
        grown, each = told(FOLLOW, "", EVENTS)
    note = "an event a second, each written to the log and read at once; no hour was waited for"
    yield Row(name, f"{EVENTS:,} events followed, an hour's: more memory", grown, "MB", note=note)
    yield Row(name, "an event written and followed, of the processor", each, "ms")


def told(code: str, head: str, count: int) -> list[float]:
    """Run code in a process of its own; return what it printed last."""
    done = subprocess.run([sys.executable, "-c", code, head, str(count)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return list(json.loads(done.stdout.splitlines()[-1]))
