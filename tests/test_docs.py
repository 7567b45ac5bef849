"""The documentation says what the code does: its commands and options exist, its examples run."""

import ast
import importlib.util
import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import nbchalice
from nbchalice.config import KEYS
from nbchalice.error_codes import CODES
from nbchalice.errors import CaptureError, Interrupted, LocalAWSError, NbChaliceError
from nbchalice.handlers import META, SETTINGS, parse_cell_magic
from nbchalice.handlers.line import opposite
from nbchalice.notebook.analysis.magic import PYTHON_BODIES
from nbchalice.notebook.errors import DivergedError
from nbchalice.sources import BUILT_IN, SOURCES
from nbchalice.ui.commands import APP, COMMANDS, click_command

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
MAGIC = re.compile(r"%%(\w+)([^`\n]*)")
COMMAND = re.compile(r"(?<!\w)(%chalice|nbchalice) (\w+)([^`\n|]*)")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def texts():
    """Yield the name and the text of each page, and of each notebook without its outputs."""
    for path in PAGES:
        yield path.name, path.read_text()
    for path in NOTEBOOKS:
        yield path.name, "\n\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


TEXTS = dict(texts())


def flags_of_magic(name):
    options = (*SOURCES[name].options, *SETTINGS, *META)
    return {"--help", *(o.flag for o in options), *(opposite(o.flag) for o in options if o.type is bool)}


def flags_of_command(name):
    made = click_command(APP if name == "app" else COMMANDS[name], cli=True)
    return {"--help", *(flag for param in made.params for flag in param.opts if flag.startswith("--"))}


def fenced(text, language):
    return [body for found, body in FENCE.findall(text) if found == language]


def load_script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_reference_are_up_to_date():
    script = load_script("write_reference")
    for path in (script.PATH, script.REAL_AWS):
        text = path.read_text()
        assert script.filled(text) == text, "run .venv/bin/python scripts/write_reference.py"


def test_every_code_of_an_error_has_one_meaning_and_every_meaning_a_use():
    used = load_script("write_reference").codes_used()
    assert used.keys() == CODES.keys()
    assert len(set(CODES.values())) == len(CODES)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in CODES)


def test_the_codes_of_errors_are_read_from_calls_and_classes():
    source = """
class OwnError(CaptureError):
    code = "own"

raise CaptureError("no", code="one" if first else "two")
compile("", code="not an error's")
"""
    found = load_script("write_reference").codes_in(ast.parse(source))
    assert set(found) == {("own", "OwnError"), ("one", "CaptureError"), ("two", "CaptureError")}


def test_every_class_of_errors_has_a_code():
    classes = [NbChaliceError, Interrupted]
    for one in classes:
        classes += one.__subclasses__()
    assert len(classes) > 10
    assert all(one.code in CODES for one in classes if one.__module__.startswith("nbchalice."))


def test_the_code_stands_in_what_is_shown_where_the_class_does_not_say_it():
    assert CaptureError("x is not defined", code="unresolved-name")._render_traceback_()[0] == (
        "CaptureError (unresolved-name): x is not defined"
    )
    assert LocalAWSError("it did not start")._render_traceback_()[0] == "LocalAWSError: it did not start"
    assert DivergedError("x is 1")._render_traceback_()[0] == "DivergedError: x is 1"
    assert Interrupted("stopped")._render_traceback_()[0] == "KeyboardInterrupt: stopped"


def test_the_reference_has_every_magic_option_command_and_key():
    text = TEXTS["reference.md"]
    wanted = {f"%%{name}" for name in SOURCES} | {f"### `{name}`" for name in ["app", *COMMANDS]}
    wanted |= {f"`{key}`" for key in KEYS}
    for name in SOURCES:
        wanted |= {f"`{option.flag}" for option in (*SOURCES[name].options, *SETTINGS, *META)}
    assert [one for one in sorted(wanted) if one not in text] == []


@pytest.mark.parametrize("name", TEXTS)
def test_magics_commands_and_options_exist(name):
    for magic, rest in MAGIC.findall(TEXTS[name]):
        if magic in PYTHON_BODIES:
            continue  # IPython's own
        assert magic in SOURCES, f"%%{magic}"
        assert set(FLAG.findall(rest)) <= flags_of_magic(magic), f"%%{magic}{rest}"
    for prefix, command, rest in COMMAND.findall(TEXTS[name]):
        if prefix == "nbchalice" and command not in COMMANDS:
            continue  # prose: "nbchalice turns ..."
        assert command in COMMANDS or command in {"app", "COMMAND"}, f"{prefix} {command}"
        if command != "COMMAND":
            assert set(FLAG.findall(rest)) <= flags_of_command(command), f"{prefix} {command}{rest}"


@pytest.mark.parametrize("name", TEXTS)
def test_flags_in_prose_exist(name):
    known = {flag for magic in SOURCES for flag in flags_of_magic(magic)} | {"--json", "--check", "--version"}
    known |= {flag for command in ["app", *COMMANDS] for flag in flags_of_command(command)}
    prose = "\n".join(re.findall(r"`(--[^`]*)`", TEXTS[name]))
    foreign = {"sam sync": {"--code"}}
    allowed = known | {flag for tool, flags in foreign.items() if tool in TEXTS[name] for flag in flags}
    assert set(FLAG.findall(prose)) <= allowed


@pytest.mark.parametrize("name", TEXTS)
def test_magic_lines_can_be_parsed(name):
    cells = fenced(TEXTS[name], "python") if name.endswith(".md") else TEXTS[name].split("\n\n")
    inline = re.findall(r"`%%(\w+ [a-z][^`]*)`", TEXTS[name])
    lines = [cell.split("\n")[0].removeprefix("%%") for cell in cells if cell.startswith("%%")] + inline
    for line in lines:
        magic, _, rest = line.partition(" ")
        if "--help" not in rest and rest != "...":
            parse_cell_magic(magic, rest)


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[path.name]):
        if not target.startswith(("http://", "https://", "#")):
            assert (path.parent / target.partition("#")[0]).exists(), target


def test_every_picture_of_a_panel_is_there_in_both_themes_and_shown():
    tests = "".join(path.read_text() for path in sorted((ROOT / "tests" / "browser").glob("test_*.py")))
    taken = set(re.findall(r'screenshot\(.*"([a-z0-9-]+)"\)', tests))
    there = {path.name for path in (ROOT / "docs" / "images").glob("*.png")}
    assert len(taken) > 15
    assert there == {f"{name}-light.png" for name in taken} | {f"{name}-dark.png" for name in taken}
    shown = re.findall(r"!\[.+\]\(images/([a-z0-9-]+)-light\.png\)", (ROOT / "docs" / "panels.md").read_text())
    assert sorted(shown) == sorted(taken)


def test_the_example_of_the_readme_runs(local_aws, tmp_path):
    from nbclient import NotebookClient

    cells = [body for body in fenced(TEXTS["README.md"], "python") if "--target aws" not in body]
    notebook = new_notebook(cells=[new_code_cell(cell.strip()) for cell in [*cells, "%chalice delete --yes"]])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = notebook.cells[-2].outputs[0].data["text/plain"]
    assert re.search(r"^message \S+: done · sent .* UTC\nok in .* request \S+\n  [0-9:.]+ INFO    50 -> 60.00$", shown)
    printed = fenced(TEXTS["README.md"], "text")[0].strip()
    normal = r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9.]+ ms|\d+ of \d+ MB|[0-9-]{10} [0-9:]{8} UTC|[0-9:]{8}\.\d{3}"
    assert re.sub(normal, "", printed) == re.sub(normal, "", shown)


def test_the_tutorial_prints_what_it_says(local_aws, tmp_path):
    from nbclient import NotebookClient

    steps = [(language, body.strip()) for language, body in FENCE.findall(TEXTS["tutorial.md"])]
    notebook = new_notebook(cells=[new_code_cell(body) for language, body in steps if language == "python"])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    cells = iter(notebook.cells)
    checked = 0
    for language, body in steps:
        if language == "python":
            shown = json.dumps(next(cells).outputs)
        else:
            assert json.dumps(body)[1:-1] in shown, (body, shown)
            checked += 1
    assert checked == 4
    assert "deleted tutorial (dev)" in shown


def test_the_shell_commands_of_the_readme_run(local_aws, tmp_path, monkeypatch, capsys):
    from nbchalice.cli import code_of

    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    monkeypatch.chdir(tmp_path)
    lines = [line for body in fenced(TEXTS["README.md"], "sh") for line in body.splitlines()]
    ours = [shlex.split(line)[1:] for line in lines if line.startswith("nbchalice ")]
    assert len(ours) > 8
    for words in ours:
        if words != ["local", "stop"]:  # the tests share it
            assert code_of(words) == 0, f"nbchalice {' '.join(words)}: {capsys.readouterr().err}"
        if words[0] == "send":
            assert "tea costs 2.40" in capsys.readouterr().out
    assert (tmp_path / "build" / "price.zip").exists()


def test_the_make_targets_and_scripts_exist():
    makefile = (ROOT / "Makefile").read_text()
    for text in TEXTS.values():
        for target in re.findall(r"^make (\w+)|`make (\w+)`", text, re.M):
            assert f"\n{''.join(target)}:" in makefile, target
        for script in re.findall(r"scripts/\w+\.\w+", text):
            assert (ROOT / script).exists(), script


def test_the_configuration_of_the_readme_uses_known_keys():
    from nbchalice.config import settings_for

    (config,) = (json.loads(body) for body in fenced(TEXTS["README.md"], "json"))
    assert settings_for(config, "prod", "price") == {"env": {"CURRENCY": "EUR"}, "timeout": 30, "memory": 256}


def test_quoted_errors_are_errors():
    """What troubleshooting quotes still stands in the code, apart from the names in it."""
    text = TEXTS["README.md"].partition("## Troubleshooting")[2]
    code = re.sub(
        r'"\s*\n\s*f?"', "", "\n".join(path.read_text() for path in Path(nbchalice.__file__).parent.rglob("*.py"))
    )
    for piece in (
        "shows a message again after",
        "it cannot be told whether this statement changes",
        "# nbchalice: include",
    ):
        assert piece in text.replace("\n", " ")
        assert piece in code
    assert "the environment of the local AWS could not be made" in text
    assert "the environment of the local AWS could not be made" in code


def test_environment_variables_are_documented():
    read = set()
    for path in Path(nbchalice.__file__).parent.rglob("*.py"):
        read |= set(re.findall(r'environ(?:\.get\(|\[)"(NBCHALICE_\w+)"', path.read_text()))
    assert [name for name in sorted(read - SHIPPED) if f"`{name}`" not in TEXTS["reference.md"]] == []


SHIPPED = {"NBCHALICE_BUNDLES"}  # set by nbchalice itself
IAM_NAMES = {
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "lambda:Invoke": "lambda:InvokeFunction",
}
ALWAYS_ALLOWED = {"sts:GetCallerIdentity"}
LOCAL_ONLY = {
    "events:CreateEventBus",
    "sqs:CreateQueue",
    "sns:CreateTopic",
    "kinesis:CreateStream",
    "dynamodb:CreateTable",
    "s3:ListBuckets",
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_source_is_named_where_people_look_for_it(name):
    """In the README's part on sources, in the changelog, and on the page that says what a deployer must be allowed."""
    readme = TEXTS["README.md"].partition("## Event sources")[2].partition("\n## ")[0]
    assert f"%%{name}" in readme, f"name %%{name} in the part 'Event sources' of README.md"
    assert f"%%{name}" in TEXTS["CHANGELOG.md"], f"name %%{name} in CHANGELOG.md"
    todo = f"give EXAMPLE of scripts/write_reference.py a handler of {name}, which puts it into docs/real-aws.md"
    assert f"%%{name}" in TEXTS["real-aws.md"].partition("```json")[0], todo


def services():
    """Return the services whose clients the code asks for, by their literal names: ``aws.client("sqs")``."""
    called = set()
    for path in Path(nbchalice.__file__).parent.rglob("*.py"):
        called |= set(re.findall(r'\bclient\("([a-z0-9-]+)"', path.read_text()))
    return sorted(called)


def operations():
    """Map each method of a boto3 client to the one service that has it; those of several services are left out."""
    import boto3

    session = boto3.Session("x", "y", region_name="us-east-1")
    found = {}
    for service in services():
        for method, operation in session.client(service).meta.method_to_api_mapping.items():
            found.setdefault(method, set()).add(f"{service}:{operation}")
    return {method: next(iter(names)) for method, names in found.items() if len(names) == 1}


def test_the_policy_allows_every_call_that_the_code_makes():
    page = TEXTS["real-aws.md"]
    allowed = set(re.findall(r"\b[a-z0-9]+:[A-Z]\w+", page)) | ALWAYS_ALLOWED
    known, called = operations(), set()
    for room in ("deploy", "resources", "sources", "events", "logs"):
        for path in (Path(nbchalice.__file__).parent / room).rglob("*.py"):
            names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
            called |= {known[name] for name in names if name in known}
    assert len(called) > 40
    wanted = {IAM_NAMES.get(name, name) for name in called - LOCAL_ONLY}
    todo = "add them to docs/real-aws.md; to IAM_NAMES, what IAM calls otherwise; to LOCAL_ONLY, what real AWS is not asked"
    assert sorted(wanted - allowed) == [], todo


def test_the_policy_is_a_policy():
    (policy,) = (json.loads(body) for body in fenced(TEXTS["real-aws.md"], "json"))
    assert policy["Version"] == "2012-10-17"
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}


# What a test has that proves something in one of the ways that docs/real-aws.md tells of.
WAYS = {
    "answers": r"before-call|before-send|before_send|events\.register|ClientError\(|Refusing|injection|ConnectionClosedError|BaseHTTPRequestHandler",
    "model": r"ModelAWS|check_source|service_model|model\(",
    "moto": r"\bmoto\b|aws_configuration",
    "evaluator": r"\bdeployer\b|simulate|AuthorizationError",
    "local AWS": r"\bconnection\b|local_aws|\bdeployed\b",
}


def test_what_is_said_of_real_aws_names_how_it_is_proven_and_the_test():
    table = TEXTS["real-aws.md"].partition("## What is proven, and how")[2]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    rows = [row for row in rows[2:] if not row[0].startswith("**")]
    assert len(rows) > 30
    for promise, ways, files in rows:
        paths = [ROOT / file.strip("` ") for file in files.split(",")]
        fixtures = [path.parent / "conftest.py" for path in paths]
        texts = [path.read_text() for path in paths + [one for one in fixtures if one.is_file()]]
        for way in ways.split(", "):
            assert any(re.search(WAYS[way], text) for text in texts), (
                f"{promise}: nothing in {files} is proven by {way}"
            )


def test_nothing_names_this_machine():
    for name, text in TEXTS.items():
        assert not re.search(r"/(?:home|root|work|Users)/\w", text), name


def test_supported_versions_of_python_are_those_of_the_package():
    text = (ROOT / "pyproject.toml").read_text()
    assert 'requires-python = ">=3.11,<3.16"' in text
    assert "Python 3.11 to 3.14" in TEXTS["README.md"]
    assert sys.version_info >= (3, 11)


def test_each_promise_of_the_security_model_has_tests():
    rows = [line.split("|") for line in TEXTS["security-model.md"].splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 8
    for row in rows:
        for name in row[3].split(","):
            place = ROOT / name.strip()
            assert place.exists() and (place.is_dir() or "def test_" in place.read_text()), name
