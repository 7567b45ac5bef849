"""Fixtures of all tests: a local AWS of the test run's own, and no way to any other AWS."""

import decimal
import os
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from nbchalice.runtime.entry_points import forget_other_packages

from .interpreters import count_missing, find_or_skip
from .lambda_client import run_zip
from .waiting import wait_until

# What a developer has installed besides is not what these tests are about (those of plugins run in processes of their own).
forget_other_packages()


# Files that take over half a minute each; a worker that got one of them last would be alone at the end.
LONG = [
    "deploy/test_crash.py", "ui/test_small_notebooks.py", "local_aws/test_saved_state.py", "ui/test_everyday.py",
    "plugins/test_plugins.py", "tests/test_everyday_notebooks.py", "ui/test_live_mode.py", "tests/test_cli.py",
    "templates/test_quickstart.py", "templates/test_terraform_applied.py", "tests/test_notebooks.py",
    "notebook/test_property_of_libraries.py", "ui/test_over_the_limit.py", "tests/test_site.py",
    "tests/test_release.py", "hardships/test_interrupted_anywhere.py",
]  # fmt: skip


def pytest_configure():
    """Let Ctrl-C interrupt, as in a terminal: a shell starts what runs in the background with the signal ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_word_of_slow_imports(monkeypatch):
    """Let no test depend on how long this machine takes to import; those of the cost set the limit themselves."""
    monkeypatch.setattr("nbchalice.notebook.capture.cost.WORTH_TELLING", 3600.0)


@pytest.fixture(scope="session", autouse=True)
def no_other_aws(tmp_path_factory):
    """Keep the developer's credentials, configuration and local AWS out of the tests; end what they start."""
    nothing = str(tmp_path_factory.mktemp("no-aws") / "none")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", nothing)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", nothing)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("NBCHALICE_LOCAL_HOME", str(tmp_path_factory.mktemp("local-aws") / "home"))
        patch.setenv("NBCHALICE_LOCAL_RETRY_DELAYS", "0.1,0.2")
        patch.setenv("NBCHALICE_LOCAL_EXTENSIONS", str(Path(__file__).parent / "local_aws" / "faults.py"))
        yield
        from nbchalice.aws.local.client import server

        server.stop()


@pytest.fixture(scope="session")
def local_aws(no_other_aws):
    """The local AWS of the test run."""
    from nbchalice.aws.local.client import server

    return server.ensure_running()


@pytest.fixture(autouse=True)
def own_default_session():
    """boto3 keeps the credentials that it found first: a later test may stand on another local AWS."""
    yield
    if boto3 := sys.modules.get("boto3"):
        boto3.DEFAULT_SESSION = None


@pytest.fixture(autouse=True, scope="module")
def nothing_of_other_files(no_other_aws):
    """Begin each file with an empty local AWS: which files a worker has had before is chance."""
    from nbchalice.aws.local.client import server

    server.reset()


@pytest.fixture
def empty_local_aws(request, no_other_aws):
    """Nothing of other tests in the local AWS, for a test that uses it: notebooks name their queues themselves."""
    if request.node.get_closest_marker("local_aws"):
        from nbchalice.aws.local.client import server

        request.getfixturevalue("local_aws")
        server.reset()


@pytest.fixture
def faults(local_aws):
    """``faults({...}, ...)``: what goes wrong in the local AWS for this test."""
    from nbchalice.aws.local.client import server

    def configure(*faults, **options):
        server.control("PUT", "faults", {"faults": list(faults), **options})

    yield configure
    server.control("DELETE", "faults")


@pytest.fixture
def eventually():
    """``eventually(check)``: wait until a check is true, and return what it gave."""
    return wait_until


@pytest.fixture(scope="session")
def aws(local_aws):
    """``aws("sqs")``: boto3 clients of the local AWS."""
    import boto3
    from botocore.config import Config

    clients = {}

    def client(service):
        if service not in clients:
            config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, read_timeout=120)
            clients[service] = boto3.client(service, config=config, **local_aws.client_kwargs())
        return clients[service]

    return client


@pytest.fixture(scope="session")
def run_on_lambda():
    """Runs an unpacked zip with AWS's own client, as Lambda does."""
    return run_zip


def pytest_collection_modifyitems(items):
    """Mark what asks for the local AWS; begin with the files that take longest, so that the workers end together."""
    for item in items:
        if {"local_aws", "aws"} & set(item.fixturenames):
            item.add_marker("local_aws")
        for table in item.iter_markers("table"):
            item.user_properties.append(("tried", [*table.args, 1]))
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (_turn(item.path), -sizes[item.path], str(item.path)))


def _turn(path):
    """Return when a file's turn is: what takes over half a minute, browsers, which take as long, the others."""
    name = f"{path.parent.name}/{path.name}"
    if name in LONG:
        return LONG.index(name)
    return len(LONG) + (path.parent.name != "browser")


@pytest.fixture(autouse=True)
def own_decimal_context():
    """Keep what a notebook of a test sets for the whole process from the next test."""
    with decimal.localcontext(decimal.DefaultContext):
        yield


@pytest.fixture(autouse=True)
def no_unasked_local_aws(request, no_other_aws, monkeypatch):
    """Where tests of the local AWS are left out, fail the test that starts one: here, or in a process of its own."""
    if "not local_aws" not in request.config.option.markexpr:
        yield
        return
    from nbchalice.aws.local.client import server

    home = Path(os.environ["NBCHALICE_LOCAL_HOME"])
    said = f"{request.node.nodeid} starts a local AWS, without the marker local_aws"
    monkeypatch.setattr(server, "spawn", lambda *_: pytest.fail(said))
    yield
    if home.exists():  # It is made before the server is started.
        server.stop()
        shutil.rmtree(home)
        pytest.fail(said, pytrace=False)


@pytest.fixture
def python(request):
    """Where the Python is whose version is the test's parameter (indirect)."""
    return find_or_skip(request.param)


def pytest_terminal_summary(terminalreporter):
    """Say what was not run for want of a Python, in one line for each, and what tests tell."""
    for version, count in sorted(count_missing(terminalreporter.stats.get("skipped", [])).items()):
        hint = f"install it (uv python install {version}) to run them"
        terminalreporter.write_line(f"No Python {version} here, so {count} tests were not run: {hint}", yellow=True)
    tried = Counter()
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "told":
                terminalreporter.write_line(value)
            elif name == "tried":
                tried[value[0]] += value[1]
    for table, count in sorted(tried.items()):
        terminalreporter.write_line(f"{table}: {count} tried, each as it should be")


@pytest.fixture
def gate():
    """A gate that is closed: handlers ask with ``is_open(NUMBER)``, see ``gates.OPEN``."""
    from .gates import Gate

    made = Gate()
    yield made
    made.close()
