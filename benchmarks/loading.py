"""How long `%load_ext nbchalice` takes, and what a cell magic adds to running a cell."""

import json
import statistics
import subprocess
import sys

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


def main(runs: int = 7) -> None:
    results = []
    for _ in range(runs):
        done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
        results.append(json.loads(done.stdout.splitlines()[-1]))
    loads, firsts, adds, heavy = zip(*results, strict=True)
    print(f"%load_ext nbchalice: median {statistics.median(loads) * 1000:.1f} ms, best {min(loads) * 1000:.1f} ms")
    print(f"  heavy packages imported by it: {', '.join(heavy[0]) or 'none'}")
    print(f"first cell magic of a kernel: median {statistics.median(firsts) * 1000:.1f} ms")
    print(f"a cell magic adds: median {statistics.median(adds) * 1000:.2f} ms to running the cell")


if __name__ == "__main__":
    main()
