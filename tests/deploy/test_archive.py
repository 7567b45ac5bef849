"""Dependencies over Lambda's limit, from a notebook to the answer of its function on the local AWS."""

import json
from functools import partial

import pytest

from nbchalice import operations
from nbchalice.aws.target import connect
from nbchalice.deploy import engine
from nbchalice.errors import PackagingError
from nbchalice.notebook_file import read_project
from nbchalice.operations import verified_packages, write_packages

from ..notebooks import write
from .harness import kinds, unique

pytestmark = pytest.mark.local_aws
HANDLER = """%%lambda_function {options}
def price(event):
    import attrs, packaging
    return ["{text}", attrs.__file__, event, packaging.__name__]
"""


@pytest.fixture
def small_limit(monkeypatch):
    """Lambda's limit, for this test, below what a small package has."""
    monkeypatch.setattr("nbchalice.packaging.sizes.UNZIPPED_LIMIT", 300_000)


@pytest.fixture
def connection(local_aws):
    return connect("local")


@pytest.fixture
def notebook(tmp_path):
    name = unique()

    def make(text="first", options=""):
        cells = [f"%chalice app {name}", "%pip install attrs packaging", HANDLER.format(text=text, options=options)]
        return read_project(write(tmp_path / "shop.ipynb", cells))

    make.app = name
    return make


def deploy(project, connection):
    return engine.deploy(project.app, partial(verified_packages, project), connection)


def answer_of(connection, name):
    return json.loads(connection.client("lambda").invoke(FunctionName=name, Payload=b"5")["Payload"].read())


def test_it_is_deployed_unpacked_and_removed(small_limit, notebook, connection):
    project = notebook()
    deployed = deploy(project, connection)
    assert ("create", "bundle") in kinds(deployed.changes)
    assert not [kind for _, kind in kinds(deployed.changes) if kind == "layer"]
    (note,) = [note for note in deployed.plan.notes if "unpacks them from S3" in note]
    config = connection.client("lambda").get_function_configuration(FunctionName=f"{notebook.app}-dev-price")
    assert f" of {config['EphemeralStorage']['Size']} MB in /tmp. --no-big refuses instead" in note
    assert config["EphemeralStorage"]["Size"] > 512 and not config.get("Layers")
    text, place, event, _ = answer_of(connection, f"{notebook.app}-dev-price")
    assert (text, event) == ("first", 5)
    assert "/nbchalice-" in place
    edited = deploy(notebook("second"), connection)
    assert kinds(edited.changes) == [("update", "function")]
    assert answer_of(connection, f"{notebook.app}-dev-price")[0] == "second"
    gone = engine.delete(project.app, connection)
    assert ("delete", "bundle") in kinds(gone.changes)


def test_the_function_is_told_what_it_may_need(small_limit, notebook, connection):
    project = notebook(options="--role arn:aws:iam::000000000000:role/own --subnet subnet-1 --security-group sg-1")
    notes = engine.plan(project.app, partial(verified_packages, project), connection).notes
    assert [
        note
        for note in notes
        if note.startswith("price: to load dependencies (") and "the --role needs s3:GetObject on arn:aws:s3" in note
    ]
    assert [note for note in notes if "the VPC needs a gateway endpoint" in note]


def test_who_wants_none_is_told_what_is_too_large(small_limit, notebook, connection):
    project = notebook(options="--no-big")
    with pytest.raises(PackagingError, match="that Lambda allows; largest: ") as caught:
        engine.plan(project.app, partial(verified_packages, project), connection)
    assert "--no-big" in caught.value.hint


def test_another_python_gets_one_that_runs_here(small_limit, notebook, connection, monkeypatch):
    """As a layer does: what is deployed is for Lambda, what runs is for this machine."""
    monkeypatch.setattr("nbchalice.deploy.local_layers._is_foreign", lambda *_: True)
    operations.deploy(notebook(), connection)
    text, place, *_ = answer_of(connection, f"{notebook.app}-dev-price")
    assert text == "first" and "/nbchalice-" not in place


def test_a_written_package_says_what_is_to_be_done_with_the_archive(small_limit, notebook, tmp_path):
    written = write_packages(notebook(), tmp_path / "build")
    (archive,) = [path for path in written.paths if path.suffix != ".zip"]
    (note,) = [note for note in written.notes if archive.name in note]
    assert "NBCHALICE_BUNDLES=s3://BUCKET/FOLDER/" in note and "s3:GetObject" in note
    assert archive.stat().st_size


def test_more_than_tmp_holds_is_refused_before_anything_is_changed(small_limit, notebook, connection):
    project = notebook(options="--ephemeral-storage 10240")
    with pytest.raises(Exception, match=r"take 102\d\d MB in /tmp of 10240"):
        engine.plan(project.app, partial(verified_packages, project), connection)
