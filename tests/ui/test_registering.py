"""However a cell registers its handler, the deployed module registers it, too, or the deploy is refused."""

import json
import subprocess
import sys
import zipfile

import pytest

from nbchalice.errors import CaptureError

pytestmark = pytest.mark.slow

CALL = """
import json, sys
sys.path.insert(0, sys.argv[1])
import lambda_function
print(json.dumps(lambda_function.lambda_handler({"n": 20}, None)))
"""
APP = "from nbchalice import Chalice\napp = Chalice(app_name='shop')\nRATE = 2"
WORK = "def work(event):\n    return event['n'] * RATE + 2"


def shipped(folder, out, handler):
    """Return what the packaged handler answers in a clean process."""
    root = folder / f"{handler}-root"
    with zipfile.ZipFile(out / f"{handler}.zip") as file:
        file.extractall(root)
    command = [sys.executable, "-I", "-c", CALL, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # before it stands what the handler logs


WAYS = {
    "under %%time": ([f"%%time\n%%lambda_function\n{WORK}"], "work"),
    "under %%capture": ([f"%%capture cap\n%%lambda_function\nSIZE = 1\n{WORK}"], "work"),
    "under two magics": ([f"%%capture cap\n\n%%time\n# a comment\n\n%%lambda_function --name job\n{WORK}"], "job"),
    "under %%prun": ([f"%%prun -q\n%%lambda_function\n{WORK}"], "work"),
    "call": ([f"{WORK}\nw1 = app.lambda_function(name='w1')(work)"], "w1"),
    "call as a statement": ([f"{WORK}\napp.lambda_function()(work)"], "work"),
    "call in another cell": ([WORK, "w1 = app.lambda_function(name='w1')(work)"], "w1"),
    "call on a lambda": (["h = app.lambda_function(name='h')(lambda event, context: event['n'] * RATE + 2)"], "h"),
    "kept decorator": ([f"deco = app.lambda_function(name='d')\n{WORK}\nd = deco(work)"], "d"),
    "kept decorator in another cell": (["deco = app.lambda_function(name='d')", f"@deco\n{WORK}"], "d"),
    "decorator of a function": ([f"def job(name):\n    return app.lambda_function(name=name)\n@job('j')\n{WORK}"], "j"),
    "if": ([f"if RATE:\n    @app.lambda_function()\n    {WORK.replace(chr(10), chr(10) + '    ')}"], "work"),
    "try": (
        [f"try:\n    @app.lambda_function()\n    {WORK.replace(chr(10), chr(10) + '    ')}\nexcept OSError:\n    pass"],
        "work",
    ),
    "with": (
        [
            "import contextlib\nwith contextlib.suppress(OSError):\n    @app.lambda_function()\n"
            f"    {WORK.replace(chr(10), chr(10) + '    ')}"
        ],
        "work",
    ),
    "for": (
        [
            "for name in ('one', 'two'):\n    @app.lambda_function(name=name)\n"
            f"    {WORK.replace(chr(10), chr(10) + '    ')}"
        ],
        "two",
    ),
    "class": (
        [f"class Jobs:\n    @app.lambda_function()\n    {WORK.replace(chr(10), chr(10) + '    ')}"],
        "work",
    ),
    "function": (
        [
            "def register(app):\n    @app.lambda_function()\n"
            f"    {WORK.replace(chr(10), chr(10) + '    ')}\n    return work",
            "register(app)",
        ],
        "work",
    ),
    "function in the same cell": (
        [
            "def register(target):\n    @target.lambda_function(name='inner')\n"
            f"    {WORK.replace(chr(10), chr(10) + '    ')}\nregister(app)"
        ],
        "inner",
    ),
    "loop over functions": (
        [f"{WORK}\ndef other(event):\n    return 1\nfor f in (work, other):\n    app.lambda_function()(f)"],
        "work",
    ),
    "functools.wraps": (
        [
            "import functools\ndef logged(f):\n    @functools.wraps(f)\n    def inner(event):\n"
            f"        return f(event)\n    return inner\n@app.lambda_function()\n@logged\n{WORK}"
        ],
        "work",
    ),
}


# No text of a file tells this; a kernel knows.
ONLY_RUN = {
    "exec": ([f"{WORK}\nexec('app.lambda_function()(work)')"], "work"),
    "a name that is computed": ([f"{WORK}\ngetattr(app, 'lambda_' + 'function')()(work)"], "work"),
}


@pytest.mark.parametrize("way", [*WAYS, *ONLY_RUN])
def test_what_the_kernel_registered_is_shipped(run, tmp_path, way):
    cells, handler = {**WAYS, **ONLY_RUN}[way]
    run(APP)
    for cell in cells:
        run(cell)
    assert handler in run.notebook.registry
    run("%chalice package --out out")
    assert shipped(tmp_path, tmp_path / "out", handler) == 42


@pytest.mark.parametrize(
    "cell",
    [
        f"{WORK}\nif __name__ == '__main__':\n    app.lambda_function()(work)",
        f"%%timeit -n1 -r1\n%%lambda_function\n{WORK}",
    ],
)
def test_what_would_not_be_registered_on_lambda_is_refused_with_its_cell(run, local_aws, cell):
    run(APP)
    run(cell)
    assert "work" in run.notebook.registry
    error = run.error("%chalice deploy")
    assert isinstance(error, CaptureError)
    assert "cell 4" in str(error) and "work" in str(error)
    assert str(run.error("%chalice package")) == str(error)


def test_an_error_below_two_magics_names_its_line(run):
    error = run.error("%%time\n%%on_sqs_message orders\n\n1 / 0\ndef price(event):\n    pass")
    import traceback

    assert traceback.extract_tb(error.__traceback__)[-1].lineno == 4


def test_invoke_here_calls_what_was_registered_not_the_plain_function(run):
    run(APP)
    run(
        "def work(event):\n    return sum(bool(record.body) for record in event)\nw = app.on_sqs_message(queue='q', name='w')(work)"
    )
    done = run("%chalice invoke w --sample")
    assert done.ok and done.result == 1
