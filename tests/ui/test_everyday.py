"""Notebooks as people write them: what a careful person would deploy goes without a mark, and answers as it does here."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nbchalice.errors import CaptureError, NbChaliceError
from nbchalice.notebook_file import read_project
from nbchalice.operations import write_packages

from ..notebooks import write

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[1] / "fixtures" / "everyday"
CALL = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = "us-east-1"
import lambda_function
print(json.dumps(lambda_function.lambda_handler(json.loads(sys.argv[2]), None)))
"""
MOMENT = {"time": "2024-04-30T07:00:00Z", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


def queue(*bodies):
    """Return an event with messages."""
    fields = {"receiptHandle": "r", "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs"}
    arn = "arn:aws:sqs:us-east-1:000000000000:q"
    records = [{**fields, "eventSourceARN": arn, "messageId": f"m{n}", "body": b} for n, b in enumerate(bodies)]
    return {"Records": records}


def upload(key):
    """Return the event of a file that was put into a bucket."""
    place = {"bucket": {"name": "uploads", "arn": "arn:aws:s3:::uploads"}, "object": {"key": key, "size": 3}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": place}]}


ORDER = '{"id": 1, "placed": "2024-05-01", "lines": [{"sku": "ABC123", "price": 2.5}]}'
GOES = {
    "cleaning": {
        "clean_orders": queue('{"customer": " ann", "country": "at", "amount": "x"}'),
        "country_report": MOMENT,
    },
    "csv_roundtrip": {"file_upload": upload("in/EUR.csv"), "as_csv": {"rows": [{"currency": "EUR", "amount": 2}]}},
    "model": {"score_visits": queue('{"visits": 3, "minutes": 10, "is_member": 1}'), "model_card": MOMENT},
    "api_client": {
        "plan_requests": queue("Graz"),
        "hot_days": {"city": "Graz", "days": [{"date": "2024-05-01", "max": 21.5}]},
    },
    "text": {"route": queue("checkout is SLOW"), "similar": {"text": "see SHOP-12!"}},
    "dates": {"remind": MOMENT},
    "parser": {
        "apply_discount": queue('{"total": 120, "member": true}'),
        "check_rule": {"rule": "a or b and c -> 5"},
    },
    "settings": {"make_invoice": queue('{"lines": [["2.345", 1]]}'), "where": {}},
    "magics": {"basket": queue("tea,bread"), "hourly": MOMENT},
    "pydantic": {"take_order": queue(ORDER), "validate": json.loads(ORDER)},
    "dataclasses": {
        "price_basket": queue("tea,milk"),
        "change_status": {"old": "NEW", "new": "PAID", "role": "boss"},
    },
    "asyncio": {"fetch_ids": queue("1", "2"), "shout": {"items": ["a", "b"]}},
    "boto3": {"describe_report": upload("in/a.json"), "store": queue('{"id": 1, "total": 2.5}')},
    "cache": {"squares": queue("4", "50"), "stats": {"n": 10}, "cached": {"keys": ["a", "z"]}},
    "sqlite": {"find": queue("ea"), "price_of": {"sku": "T1"}, "count_products": {}},
    "jinja": {
        "mail": queue('{"name": "ann", "lines": [{"name": "Tea", "price": 350}]}'),
        "subject_of": {"number": 3},
    },
    "state_machine": {"drive": queue("start fail retry finish"), "act": {"x": 3, "actions": ["double", "negate"]}},
    "simulation": {"forecast": MOMENT, "on_duty": {"servers": 1}},
    "geo": {"route_for": queue('["Graz", "Innsbruck"]'), "center_report": MOMENT},
    "mail": {"notify": queue('{"to": "a@example.com", "name": "Ann", "number": 7}'), "ping": {}},
}
"""The handlers that a careful person would deploy, by notebook, each with an event."""

REFUSED = {
    ("csv_roundtrip", "convert"): ("reads-local-file", "rates", "%chalice bundle rates"),
    ("dates", "uptime"): ("changing-value", "datetime.now", "%chalice bundle started"),
}
"""Those that would do something else on Lambda: the error's code, what it names, and a cure."""


def cells_of(notebook, wanted):
    """Return the cells of a notebook without those of other handlers."""
    cells = re.split(r"^# %%\n", (FOLDER / f"{notebook}.txt").read_text("utf-8"), flags=re.MULTILINE)[1:]
    handlers = {*GOES[notebook], *(handler for book, handler in REFUSED if book == notebook)}
    others = [f"def {name}(" for name in handlers - set(wanted)]
    kept = [cell.strip("\n") for cell in cells if not any(other in cell for other in others)]
    return [cell for cell in kept if not cell.startswith("!pip")]


def answers(folder, out, handler, event):
    """Return what the packaged handler answers in a clean process."""
    root = folder / f"{handler}-root"
    with zipfile.ZipFile(out / f"{handler}.zip") as file:
        file.extractall(root)
    command = [sys.executable, "-I", "-c", CALL, str(root), json.dumps(event)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # before it stands what the handler logs


@pytest.mark.parametrize("notebook", GOES)
def test_an_everyday_notebook_goes_without_a_mark_and_answers_as_the_kernel_does(notebook, run, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    for cell in cells_of(notebook, GOES[notebook]):
        run(cell)
    run("%chalice package --out out")
    for handler, event in GOES[notebook].items():
        here = json.loads(json.dumps(run.names[handler](event, None)))
        assert answers(tmp_path, tmp_path / "out", handler, event) == here


@pytest.mark.parametrize("notebook", GOES)
def test_an_everyday_notebook_goes_without_a_mark_from_its_file(notebook, tmp_path):
    cells = ["%load_ext nbchalice", "%chalice app shop", *cells_of(notebook, GOES[notebook])]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    write_packages(project, tmp_path / "out")
    for handler, event in GOES[notebook].items():
        answers(tmp_path, tmp_path / "out", handler, event)


@pytest.mark.parametrize(("notebook", "handler"), REFUSED)
def test_what_an_everyday_notebook_must_not_deploy_names_cell_line_and_a_cure_that_works(
    notebook, handler, run, tmp_path
):
    code, says, cure = REFUSED[notebook, handler]
    cells = cells_of(notebook, [handler])
    with pytest.raises(CaptureError, match=says) as caught:
        write_packages(
            read_project(write(tmp_path / "n.ipynb", ["%load_ext nbchalice", "%chalice app shop", *cells])),
            tmp_path / "out",
        )
    for cell in cells:
        run(cell)
    for error in (caught.value, run.error("%chalice package --out out")):
        assert (error.code, bool(error.location.line), cure in error.hint) == (code, True, True)
    run(f"{cure} --format pickle" if "pickle" in str(run.shell.run_cell(cure).error_in_exec) else cure)
    run("%chalice package --out out")
    event = queue("2")
    here = json.loads(json.dumps(run.names[handler](event, None)))
    assert answers(tmp_path, tmp_path / "out", handler, event) == here


ASKS = {
    "not there": ("import os\nMODE = 'here' if os.path.exists('assets/logo.png') else 'there'", "there", ""),
    "not there, by its path": (
        "from pathlib import Path\nMODE = [Path('a.csv').is_file(), Path('a').is_dir()]",
        [False, False],
        "",
    ),
    "what Lambda has": (
        "import os, tempfile\nMODE = [os.path.isdir(tempfile.gettempdir()), os.path.exists(os.__file__)]",
        [True, True],
        "",
    ),
    "there": (
        "from pathlib import Path\nMODE = 'here' if Path('note.txt').exists() else 'there'",
        None,
        "MODE is 'here'",
    ),
    "there, by its whole path": (
        "import os\nMODE = 'here' if os.access(os.path.join('FOLDER', 'note.txt'), os.R_OK) else 'there'",
        None,
        "MODE is 'here'",
    ),
    "its size": ("import os\nMODE = os.path.getsize('FOLDER/note.txt')", None, "FOLDER/note.txt"),
}


@pytest.mark.parametrize("case", ASKS)
def test_a_run_sees_of_files_those_that_lambda_has(case, run, tmp_path):
    text, answer, says = ASKS[case]
    (tmp_path / "note.txt").write_text("x")
    cell = text.replace("FOLDER", str(tmp_path))
    handler = "%%lambda_function\ndef h(event):\n    return MODE"
    run(cell)
    run(handler)
    if answer is None:
        assert says.replace("FOLDER", str(tmp_path)) in str(run.error("%chalice package --out out"))
        run("%chalice bundle MODE")
        run("%chalice package --out out")
        assert answers(tmp_path, tmp_path / "out", "h", {}) == run.names["MODE"]
        return
    run("%chalice package --out out")
    assert answers(tmp_path, tmp_path / "out", "h", {}) == answer


@pytest.mark.parametrize("case", ["there", "there, by its whole path"])
def test_a_file_of_this_computer_that_the_notebook_asks_for_is_told_without_a_kernel(case, tmp_path):
    (tmp_path / "note.txt").write_text("x")
    cell = ASKS[case][0].replace("FOLDER", str(tmp_path))
    cells = ["%load_ext nbchalice", "%chalice app shop", cell, "%%lambda_function\ndef h(event):\n    return MODE"]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    write_packages(project, tmp_path / "out")
    assert "note.txt, a file of this computer" in "\n".join(project.proven.notes())


LISTS = [
    "from pathlib import Path\nMODE = [found.name for found in Path('.').glob('*.txt')]",
    "from pathlib import Path\nMODE = [found.name for found in Path('.').glob('note.txt')]",
    "import glob\nMODE = sorted(glob.glob('**/*.txt', recursive=True))",
    "from os import scandir\nMODE = [found.name for found in scandir() if found.name == 'note.txt']",
]


@pytest.mark.parametrize("text", LISTS)
def test_what_lies_in_a_folder_of_this_computer_is_an_error_without_a_kernel(text, tmp_path):
    (tmp_path / "note.txt").write_text("x")
    cells = ["%load_ext nbchalice", "%chalice app shop", text, "%%lambda_function\ndef h(event):\n    return MODE"]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    with pytest.raises(NbChaliceError) as caught:
        write_packages(project, tmp_path / "out")
    assert caught.value.location.cell == "cell 3"


def test_trying_a_handler_out_in_the_file_does_not_come_along(tmp_path):
    handler = (
        "%%lambda_function\ndef h(event):\n    COUNTS[event['x']] = COUNTS.get(event['x'], 0) + 1\n    return COUNTS"
    )
    cells = ["%load_ext nbchalice", "%chalice app shop", "COUNTS = {}", handler, "h({'x': 'a'})"]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    write_packages(project, tmp_path / "out")
    assert answers(tmp_path, tmp_path / "out", "h", {"x": "b"}) == {"b": 1}
    assert "COUNTS (h changes it, and the notebook calls it)" in "\n".join(project.proven.notes())


def test_the_order_of_a_set_is_told_and_no_difference(run, tmp_path):
    run("WORDS = 'the quick brown fox jumps over a lazy dog'.split()")
    run("LENGTHS = {word: len(word) for word in set(WORDS)}")
    run("%%lambda_function\ndef h(event):\n    return sorted(LENGTHS.items())")
    notes = "\n".join(run("%chalice package --out out").notes)
    assert "LENGTHS (its order) (another one in each process, as a set's)" in notes
    assert answers(tmp_path, tmp_path / "out", "h", {}) == [list(pair) for pair in sorted(run.names["LENGTHS"].items())]
    run("LENGTHS['fox'] = LENGTHS.pop('fox')\nWORDS = dict.fromkeys(WORDS)")
    run("shell = get_ipython()")
    run("shell.user_ns['WORDS']['the'] = shell.user_ns['WORDS'].pop('the')")
    run("%%lambda_function\ndef h(event):\n    return list(WORDS)")
    assert "WORDS (its order)" in str(run.error("%chalice package --out out"))
