"""The changed parts of MiniStack exist in the pinned version; what they do is tested where it shows."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nbchalice.aws.local.client import environment
from nbchalice.aws.local.server import launcher

FOLDER = Path(launcher.__file__).parent
ROOT = FOLDER.parents[2]
PATCHES = (
    "api_calls.py",
    "api_needs.py",
    "clock_patches.py",
    "constraints.py",
    "deployer_needs.py",
    "permissions.py",
    "patches.py",
    "lambda_patches.py",
    "event_patches.py",
    "failure_patches.py",
    "filter_patches.py",
    "forms.py",
    "notification_patches.py",
    "object_events.py",
    "object_files.py",
    "queue_patches.py",
    "queue_requests.py",
    "simulation_patches.py",
    "recursion_patches.py",
    "refusals.py",
    "request_patches.py",
    "function_requests.py",
    "mapping_requests.py",
    "object_requests.py",
    "role_keys.py",
    "role_requests.py",
    "rule_requests.py",
    "trust.py",
    "routes.py",
    "stream_patches.py",
    "topic_requests.py",
    "function_records.py",
    "log_groups.py",
    "state_files.py",
    "uncopied.py",
)
LOAD = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import launcher; launcher.load_package(); "


def run(code, **options):
    command = [str(environment.server_python()), "-I", "-c", LOAD + code]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def names_used():
    """Each ``module.attribute`` of MiniStack that the patches use or replace."""
    return sorted(set().union(*(names_used_in(FOLDER / name) for name in PATCHES)))


def names_used_in(path):
    tree = ast.parse(path.read_text())
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"):
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return {
        (modules[node.value.id], node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
    }


def test_every_private_name_exists(local_aws):
    names = names_used()
    assert len(names) > 25
    code = "import importlib, json; print(json.dumps([n for n in json.loads(sys.stdin.read()) if not hasattr(importlib.import_module(n[0]), n[1])]))"
    done = run(code, input=json.dumps(names))
    assert json.loads(done.stdout) == [], done.stderr


def test_no_other_file_touches_private_names_of_ministack():
    for path in FOLDER.glob("*.py"):
        if path.name not in PATCHES:
            imports = [
                line
                for line in path.read_text().splitlines()
                if "ministack" in line and "import" in line.split()[:1] + line.split()[2:3]
            ]
            assert imports in ([], ["from ministack.core import sigv4"]), path.name


def test_another_version_is_refused(local_aws):
    code = (
        "import importlib, importlib.metadata; importlib.metadata.version = lambda name: '9.9.9'; "
        "importlib.import_module('nbchalice_local_aws.server.patches').check_version()"
    )
    done = run(code)
    assert "MiniStack 1.5.33 is needed, 9.9.9 is installed" in done.stderr


def test_the_server_imports_nothing_of_the_notebooks_environment(local_aws):
    code = "import importlib; importlib.import_module('nbchalice_local_aws.server.service'); import nbchalice_local_aws.server.patches; print(*sorted({'.'.join(m.split('.')[:2]) for m in sys.modules if m.split('.')[0] in ('nbchalice', 'boto3', 'IPython')}))"
    done = run(code)
    assert done.stdout.split() == ["nbchalice", "nbchalice.confinement", "nbchalice.patterns"], done.stderr


SHARED = ("nbchalice.patterns", "nbchalice.confinement")


@pytest.mark.parametrize(
    "path",
    sorted([*(ROOT / "patterns").glob("*.py"), *(ROOT / "confinement").glob("*.py")]),
    ids=lambda path: path.name,
)
def test_what_the_server_shares_with_the_notebook_needs_only_the_standard_library(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names or name.startswith(SHARED), name


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("eventbridge", "_SCHEDULER_TICK_INTERVAL"),
        ("scheduler", "_SCHEDULE_TICK_INTERVAL"),
        ("lambda_svc", "_ESM_SQS_DEFAULT_CONCURRENCY"),
        ("lambda_svc", "_LAMBDA_STATE_TRANSITION_DELAY"),
    ],
)
def test_a_replaced_constant_is_read_when_it_is_used(local_aws, module, name):
    """It is a global name of functions, not a default value bound at import."""
    code = (
        f"import importlib, inspect; source = inspect.getsource(importlib.import_module('ministack.services.{module}')); "
        f"print(source.count('{name}') >= 2, '={name}' in source)"
    )
    assert run(code).stdout.split() == ["True", "False"]


MEANWHILE = """
import importlib, threading
log_groups = importlib.import_module('nbchalice_local_aws.server.log_groups')
function_record = importlib.import_module('nbchalice_local_aws.server.function_records').function_record
logs = importlib.import_module('ministack.services.cloudwatch_logs')
log_groups.apply_log_groups()
asked = []
def look_up(arn):
    asked.append(arn)
    if len(asked) == 1:
        other.start()
        other.join(0.5)  # longer than it takes, unless it has to wait for this one
    return {'FunctionArn': arn}
log_groups.function_record = look_up
def do_other():
    if OTHER == 'function':
        log_groups.log_store('/aws/lambda/f', 'second', 'arn')([(1, 'of the second')])
    else:
        answers.append(logs._create_log_group({'logGroupName': '/aws/lambda/f', 'tags': {'of': 'mine'}})[0])
answers = []
other = threading.Thread(target=do_other)
log_groups.log_store('/aws/lambda/f', 'first', 'arn')([(1, 'of the first')])
other.join()
group = logs._log_groups['/aws/lambda/f']
lines = sorted(event['message'] for stream in group['streams'].values() for event in stream['events'])
print([lines, answers, group['tags']])
"""


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("function", [["of the first", "of the second"], [], {}]),
        ("call", [["of the first"], [400], {}]),  # it exists already: its tags are not taken and then dropped
    ],
)
def test_two_who_make_a_log_group_together_lose_nothing(local_aws, other, expected):
    done = run(f"OTHER = {other!r}" + MEANWHILE)
    assert done.stdout.strip() == str(expected), done.stderr
