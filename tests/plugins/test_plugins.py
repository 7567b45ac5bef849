"""A package of somebody else's adds an event source: it is installed, and works wherever nbchalice's own do.

Each test runs in processes of its own: what is registered once stays in a process.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import uv

from nbchalice.packaging.byte_code import is_byte_code
from nbchalice.runtime.event_kinds import BUILT_IN

from .. import notebooks

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parent / "acme_ses"
CELLS = [
    "%load_ext nbchalice",
    "%chalice app mailshop",
    "@app.middleware('ses')\ndef note(event, get_response):\n"
    "    app.log.info('middleware saw %d', len(event))\n    return get_response(event)",
    "%%on_ses_message orders --sender joe@x.org --timeout 20\ndef mail(event):\n    for record in event:\n"
    "        app.log.info('mail from %s: %s', record.sender, record.subject)\n"
    "    return [type(event).__name__, *record.recipients]",
    "@app.on_ses_message('returns', rule_set='main', name='back', memory=256)\ndef take_back(event):\n"
    "    return event.to_dict()['Records'][0]['ses']['mail']['source']",
    "%%on_sqs_message plugin-orders\ndef price(event):\n    return len(event)",
]


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The plugin built as a wheel and installed as from a registry, in a folder of its own."""
    folder = tmp_path_factory.mktemp("plugin")
    return install(PACKAGE, folder)


def install(package, folder):
    tool = uv.find_uv_bin()
    build = [tool, "build", "-q", "--offline", "--wheel", package, "-o", folder / "dist"]
    subprocess.run(build, check=True)
    options = [
        "-q",
        "--offline",
        "--no-deps",
        "--no-index",
        "--find-links",
        folder / "dist",
        "--target",
        folder / "lib",
    ]
    name = next((folder / "dist").glob("*.whl")).name.split("-")[0]
    subprocess.run([tool, "pip", "install", *options, name], check=True)
    return folder / "lib"


def write(folder, cells=CELLS):
    folder.mkdir(exist_ok=True)
    return notebooks.write(folder / "mail.ipynb", cells)


def run_python(library, words, folder):
    env = {**os.environ, "PYTHONPATH": str(library)}
    return subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)


def command(library, folder, *words, status=0):
    done = run_python(library, ["-m", "nbchalice", *map(str, words)], folder)
    assert done.returncode == status, done.stdout + done.stderr
    return done


IN_A_SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.hist_file = ":memory:"
shell = InteractiveShell.instance(config=config)
results = []
for cell in json.load(open(sys.argv[1])):
    done = shell.run_cell(cell, store_history=True)
    error = done.error_in_exec or done.error_before_exec
    results.append(f"{type(error).__name__}: {error}" if error else repr(done.result))
print("RESULTS", json.dumps(results))
"""


def shell(library, folder, cells):
    """Run cells in an IPython shell of a new process; return their results, and what was written to stderr."""
    path = folder / "cells.json"
    path.write_text(json.dumps(cells))
    done = run_python(library, ["-c", IN_A_SHELL, path], folder)
    assert "RESULTS" in done.stdout, done.stdout + done.stderr
    return json.loads(done.stdout.rpartition("RESULTS ")[2]), done.stderr


def test_nbchalices_own_reference_and_tests_see_nothing_of_it(installed):
    root = Path(__file__).parents[2]
    done = run_python(installed, ["scripts/write_reference.py", "--check"], root)
    assert done.returncode == 0, done.stderr
    files = ["tests/runtime/test_event_kinds.py", "tests/sources/test_options.py"]
    done = run_python(installed, ["-m", "pytest", "-q", "-p", "no:cacheprovider", *files], root)
    assert done.returncode == 0, done.stdout


def test_importing_nbchalice_looks_for_no_packages(installed, tmp_path):
    code = "import sys, nbchalice; print({'acme_ses', 'importlib.metadata'} & set(sys.modules))"
    assert run_python(installed, ["-c", code], tmp_path).stdout == "set()\n"


def test_the_magics_are_there_before_anything_of_the_package_is_imported(installed, tmp_path):
    cells = [
        "%load_ext nbchalice",
        "import sys; [name for name in sys.modules if name.startswith('acme_ses')]",
        "get_ipython().find_cell_magic('on_ses_message').__name__",
        "%unload_ext nbchalice",
        "get_ipython().find_cell_magic('on_ses_message')",
    ]
    results, _ = shell(installed, tmp_path, cells)
    assert results == ["None", "[]", "'on_ses_message'", "None", "None"]


RAW = {
    "Records": [
        {
            "eventSource": "aws:ses",
            "ses": {
                "mail": {"messageId": "m1", "source": "a@b", "commonHeaders": {"subject": "Hi"}},
                "receipt": {"recipients": ["c@d"]},
            },
        }
    ]
}


COMPLETE = """from IPython.core.completer import provisionalcompleter
with provisionalcompleter():
    found = list(get_ipython().Completer.completions("%%on_ses_message o --s", 22))
[one.text for one in found]"""


def test_magic_decorator_and_middleware_in_a_shell(installed, tmp_path):
    cells = [
        *CELLS,
        f"raw = {RAW!r}",
        "mail(raw, None), take_back(raw, None)",
        "[(t.source, t.options) for handler in app.handlers.values() for t in handler.triggers][:2]",
        "import inspect; str(inspect.signature(app.on_ses_message))",
        COMPLETE,
        "app.on_ses_message()",
        "app.on_ses_message('x', memori=3)",
        "%%on_ses_message two words\ndef f(event): ...",
        "%chalice show mail",
    ]
    results, _ = shell(installed, tmp_path, cells)
    given = results[len(CELLS) :]
    assert given[1] == "(['SESEvent', 'c@d'], 'a@b')"
    options = {"rule": "orders", "rule_set": "default-rule-set", "sender": "joe@x.org"}
    other = {"rule": "returns", "rule_set": "main", "sender": None}
    assert given[2] == repr([("on_ses_message", options), ("on_ses_message", other)])
    assert given[3] == repr(
        "(rule: 'str', rule_set: 'str' = 'default-rule-set', *, sender: 'str | None' = None, "
        "name: 'str | None' = None, **settings: 'object') -> 'Decorator'"
    )
    assert given[4] == repr(["--sender", "--subnet", "--security-group"])
    assert given[5].startswith("TypeError: on_ses_message() missing 1 required positional argument: 'rule'")
    assert given[6] == "TypeError: @app.on_ses_message has no parameter 'memori'; did you mean memory?"
    assert "not a receipt rule's name" in given[7]
    assert "import acme_ses.event  # registers @app.on_ses_message\n" in given[8]
    assert "@app.on_ses_message(rule='orders', sender='joe@x.org')\ndef mail(event):" in given[8]


def test_it_passes_the_check_that_anyone_can_run(installed, tmp_path):
    code = "from nbchalice.sources import SOURCES; from nbchalice.testing import check_source; check_source(SOURCES['on_ses_message'])"
    done = run_python(installed, ["-c", code], tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_decorator_alone_finds_the_package(installed, tmp_path):
    code = "from nbchalice import Chalice; print(Chalice('a').on_ses_message('r')(lambda event: 1).triggers[0].options)"
    done = run_python(installed, ["-c", code], tmp_path)
    assert done.stdout == "{'rule': 'r', 'rule_set': 'default-rule-set', 'sender': None}\n", done.stderr
    done = run_python(installed, ["-c", "from nbchalice import Chalice; Chalice('a').on_set_message"], tmp_path)
    assert "AttributeError: 'Chalice' object has no attribute 'on_set_message'" in done.stderr


def test_an_app_lists_the_decorator_and_completes_it(installed, tmp_path):
    complete = COMPLETE.replace("%%on_ses_message o --s", "app.on_s").replace("22", "8")
    results, err = shell(installed, tmp_path, [*CELLS[:2], "'on_ses_message' in dir(app)", complete])
    assert results[2] == "True"
    assert "on_ses_message" in results[3] and "on_sqs_message" in results[3], (results, err)


def test_without_the_package_its_decorator_and_its_magic_are_told_with_the_fix(tmp_path):
    failed = command("", tmp_path, "package", write(tmp_path / "own"), "--out", "own", status=2).stderr
    assert "fix: did you mean %%on_sqs_message? Or install the package that provides %%on_ses_message" in failed
    assert "fix: write @app.on_sqs_message, or install the package that provides @app.on_ses_message" in failed
    logs = command("", tmp_path, "logs", tmp_path / "own" / "mail.ipynb", "mail", status=2)
    assert logs.stderr.startswith("error: there is no cell magic %%on_ses_message here"), logs.stderr
    shown = command("", tmp_path, "show", tmp_path / "own" / "mail.ipynb")
    assert "there is no cell magic %%on_ses_message here" in shown.stdout
    assert "the text does not say" not in shown.stdout


def test_what_an_editable_install_makes_known_to_new_processes_only_is_told_so(installed, tmp_path):
    """The metadata is found in the running kernel; the modules are not, as the hook for them runs when Python starts."""
    library = tmp_path / "lib"
    (metadata,) = installed.glob("*.dist-info")
    shutil.copytree(metadata, library / metadata.name)
    cells = [*CELLS[:2], CELLS[3], CELLS[4], "print(app)"]
    results, _ = shell(library, tmp_path, cells)
    for told in results[2:4]:
        assert "ModuleNotFoundError: No module named 'acme_ses'" in told
        assert (
            "fix: restart the kernel, as only a new process sees what pip install -e makes known" in told
            and "uninstall" not in told
        )
    failed = command(library, tmp_path, "package", write(tmp_path / "own", cells[:3]), "--out", "own", status=2)
    assert "fix: restart the kernel" in failed.stderr


@pytest.fixture(scope="module")
def packaged(installed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packaged")
    command(installed, folder, "package", write(folder), "--out", "out")
    return folder / "out"


def test_what_registers_the_kind_travels_and_nothing_else_of_the_package(packaged):
    names = {
        path.name: {name for name in zipfile.ZipFile(path).namelist() if not is_byte_code(name)}
        for path in packaged.iterdir()
    }
    own = {"lambda_function.py", "nbchalice.json", "nbchalice.zip", "notebook_code.py"}
    kind = {"acme_ses/__init__.py", "acme_ses/event.py"}
    assert names == {"mail.zip": own | kind, "back.zip": own | kind, "price.zip": own}
    manifest = json.loads(zipfile.ZipFile(packaged / "mail.zip").read("nbchalice.json"))
    assert manifest["requirements"] == []


linux = pytest.mark.skipif(sys.platform != "linux", reason="awslambdaric is for Linux")


@linux
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "event", "result"),
    [
        ("mail", RAW, ["SESEvent", "c@d"]),
        ("back", RAW, "a@b"),
        ("price", {"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": "x"}]}, 1),
    ],
)
def test_the_packaged_handler_under_awslambdaric(packaged, run_on_lambda, tmp_path, name, event, result):
    zipfile.ZipFile(packaged / f"{name}.zip").extractall(tmp_path)
    answers, output = run_on_lambda(tmp_path, [event])
    assert answers == [("response", result)], output
    assert ("middleware saw 1" in output) == (name != "price")
    assert ('"ids":["m1"]' in output) == (name != "price")


@linux
@pytest.mark.slow
def test_a_kind_that_nobody_registers_is_told_by_the_app(packaged, run_on_lambda, tmp_path):
    zipfile.ZipFile(packaged / "mail.zip").extractall(tmp_path)
    code = tmp_path / "notebook_code.py"
    code.write_text(code.read_text().replace("import acme_ses.event", "#"))
    answers, _ = run_on_lambda(tmp_path, [])
    assert answers[0][1]["errorMessage"] == "'Chalice' object has no attribute 'on_ses_message'"


def test_deploy_send_and_logs_from_the_command_line(installed, local_aws, tmp_path):
    notebook = write(tmp_path)

    def told(*words):
        return json.loads(command(installed, tmp_path, *words, "--json").stdout)

    try:
        changes = told("deploy", notebook)["changes"]
        rules = [change["name"] for change in changes if change["kind"] == "permission"]
        assert "mailshop-dev-mail <- receipt-rule-set/default-rule-set:receipt-rule/orders" in rules
        assert told("deploy", notebook)["changes"] == []
        sent = told("send", notebook, "mail", "--subject", "Hello", "--wait", "30")
        logged = [record["message"] for record in sent["invocation"]["records"]]
        assert logged == ["middleware saw 1", "mail from joe@x.org: Hello"]
        assert len(sent["invocation"]["ids"]) == 1
        assert told("invoke", notebook, "mail")["result"] == ["SESEvent", "johndoe@example.com"]
        # What is not a trigger of the notebook any more is found on AWS, and removed.
        write(tmp_path, [*CELLS[:4], "%%lambda_function --name back\ndef back(event):\n    return 1"])
        gone = [(c["action"], c["name"]) for c in told("deploy", notebook)["changes"] if c["kind"] == "permission"]
        assert gone == [("delete", "mailshop-dev-back <- receipt-rule-set/main:receipt-rule/returns")]
    finally:
        told("delete", notebook, "--yes")


def test_deploy_and_send_in_a_shell(installed, local_aws, tmp_path):
    cells = [
        CELLS[0], CELLS[1].replace("mailshop", "mailkernel"), *CELLS[2:4],
        "_ = %chalice deploy",
        "sent = %chalice send mail --subject Kernel --wait 30\n[record.message for record in sent.invocation.records]",
        "%chalice delete --yes",
    ]  # fmt: skip
    results, err = shell(installed, tmp_path, cells)
    assert results[5] == "['middleware saw 1', 'mail from joe@x.org: Kernel']", (results, err)


# What is wrong with a package, as a change of a file of it, and what is said.
BROKEN = {
    "it cannot be imported": (
        {"source.py": ("import re\n", "import re\nimport no_such_module\n")},
        "ModuleNotFoundError: No module named 'no_such_module'",
    ),
    "it leaves": ({"source.py": ("import re\n", "import sys\nsys.exit(3)\n")}, "SystemExit: 3"),
    "its object is not a source": (
        {"pyproject": ("acme_ses.source:SES", "acme_ses.event:SESEvent")},
        "its entry point gives <class 'acme_ses.event.SESEvent'>, which is not a source of that name",
    ),
    "its object is not there": ({"pyproject": ("source:SES", "source:SNS")}, "has no attribute 'SNS'"),
    "its class is not whole": (
        {"source.py": ("def describe", "def described")},
        "TypeError: Can't instantiate abstract class SES",
    ),
    "its source has another name": (
        {"source.py": ("name = KIND.name", "name = 'on_mail'")},
        "its entry point gives <class 'acme_ses.source.SES'>, which is not a source of that name",
    ),
    "it registers no kind": ({"event.py": ("KIND = register(", "KIND = (")}, "its module registers no event kind of that name"),
    "its kind has no options": ({"event.py": ("        options=on_ses_message,\n", "")}, "missing 1 required keyword-only argument: 'options'"),
    "its kind has no module": ({"event.py": ("        module=__name__,\n", "        module='x',\n")}, "its event kind says that 'x' registers it"),
}  # fmt: skip


def changed(folder, changes, name="on_ses_message"):
    """Install the plugin with changes."""
    package = folder / "package"
    for path in PACKAGE.rglob("*"):
        if path.suffix in {".py", ".toml"}:
            text = path.read_text()
            for file, (before, after) in changes.items():
                if path.name.startswith(file):
                    assert before in text
                    text = text.replace(before, after)
            target = package / path.relative_to(PACKAGE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    return install(package, folder)


@pytest.mark.parametrize("what", BROKEN)
def test_a_package_that_cannot_be_used_is_told_in_one_line_and_breaks_nothing_else(what, tmp_path):
    changes, why = BROKEN[what]
    library = changed(tmp_path, changes)
    own = command(library, tmp_path, "package", write(tmp_path / "own", [*CELLS[:2], CELLS[5]]), "--out", "own")
    assert "price.zip" in own.stdout and own.stderr == ""
    notebook = write(tmp_path / "mixed", [*CELLS[:2], *CELLS[3:]])
    failed = command(library, tmp_path, "package", notebook, "--out", "mixed", status=2)
    told = [line for line in failed.stderr.splitlines() if "cannot be used" in line]
    assert len(told) == 2, failed.stderr  # one for each of the two handlers
    assert all("the event source on_ses_message of acme-ses 1.2.0 cannot be used: " in line for line in told)
    assert all(why in line for line in told)
    assert "at cell 3, line 1: %%on_ses_message" in failed.stderr
    cells = [*CELLS[:2], CELLS[3], CELLS[4], CELLS[5], "price({'Records': []}, None)", "from nbchalice.sources import SOURCES; list(SOURCES), list(SOURCES)"]  # fmt: skip
    results, err = shell(library, tmp_path, cells)
    assert why in results[2] and results[2].startswith("NoSuchSourceError: the event source on_ses_message of acme-ses")
    assert (
        results[3].startswith("UnusableSourceError: the event source on_ses_message of acme-ses") and why in results[3]
    )
    assert results[5] == "0" and "on_ses_message" not in results[6]
    assert len([line for line in err.splitlines() if line.startswith("nbchalice: ")]) == 1


@pytest.mark.parametrize("name", ["on_sqs_message", "time", "on_ws_mail", "on-mail", "schedule"])
def test_a_name_that_is_not_theirs_is_refused(name, tmp_path):
    library = changed(tmp_path, {"pyproject": ("on_ses_message", name)})
    cells = [*CELLS[:2], CELLS[5], "from nbchalice.sources import SOURCES; len(list(SOURCES))"]
    results, err = shell(library, tmp_path, cells)
    assert results[3] == str(len(BUILT_IN))
    (line,) = [line for line in err.splitlines() if line.startswith("nbchalice: ")]
    assert line.startswith(f"nbchalice: the event source {name} of acme-ses 1.2.0 cannot be used: ")


def test_what_ships_may_import_the_standard_library_and_the_runtime_only(tmp_path):
    library = changed(tmp_path, {"event.py": ("from typing import Any\n", "from typing import Any\n\nimport boto3\n")})
    failed = command(library, tmp_path, "package", write(tmp_path), "--out", "out", status=2)
    assert "acme_ses/event.py ships with each function that handles its events, but imports boto3" in failed.stderr
    assert "at acme_ses/event.py, line 7: import boto3" in failed.stderr


def test_a_decorator_named_by_a_text_brings_its_kind_along(installed, tmp_path):
    cells = [*CELLS[:2], "@getattr(app, 'on_ses_message')('r')\ndef mail(event):\n    return 1"]
    results, _ = shell(installed, tmp_path, [*cells, "%chalice show mail"])
    assert "import acme_ses.event" in results[3]


def test_a_package_that_is_installed_later_is_found_by_reload_ext(installed, tmp_path):
    cells = [*CELLS[:2], CELLS[3], f"import sys; sys.path.append({str(installed)!r})", "%reload_ext nbchalice", CELLS[1], CELLS[3], "sorted(app.handlers)"]  # fmt: skip
    results, err = shell("", tmp_path, cells)
    assert results[2] == "UsageError: Cell magic `%%on_ses_message` not found."
    assert results[-1] == "['mail']", (results, err)
