"""A bundled value travels as a file; the statements that made it stay in the notebook."""

import io
import json
import sys
import zipfile
from dataclasses import replace

import pytest

from nbchalice.errors import CaptureError, InvalidInputError
from nbchalice.notebook_file import read_project
from nbchalice.packaging import handler as packaging
from nbchalice.packaging.bundles import make_bundle
from nbchalice.packaging.errors import BundleRefusedError
from nbchalice.ui.render.reports import BundleCard

from ..notebooks import write

TRAIN = """\
import subprocess

def train():
    return {"a": 2, "b": len(subprocess.check_output(["echo", "ab"]))}

class Model:
    def __init__(self, weights):
        self.weights = weights

    def predict(self, name):
        return self.weights[name]

weights = train()
model = Model(train())
"""
HANDLER = """\
%%on_sqs_message bundle-orders
def price(event):
    for record in event:
        app.log.info("weight %s", weights[record.body])
"""
PREDICT = """\
%%on_sqs_message bundle-orders
def price(event):
    for record in event:
        app.log.info("predicted %s", model.predict(record.body))
"""


def test_a_costly_value_asks_for_a_bundle_and_then_travels(run, local_aws):
    run(TRAIN)
    run(HANDLER)
    error = run.error("%chalice deploy")
    assert error.code == "needs-bundle"
    assert "%chalice bundle weights" in error.hint
    card = run("%chalice bundle weights")
    assert card.bundle.format == "json"
    module = run("%chalice show price").text
    assert "weights = load_bundle('weights')" in module
    assert "train" not in module
    run("%chalice deploy")
    sent = run("%chalice send price --message b --wait 60")
    assert [record.message for record in sent.invocation.records] == ["weight 3"]
    run("%chalice delete --yes")


def test_a_pickled_object_of_a_notebook_class_brings_the_class_along(run, local_aws):
    run(TRAIN)
    run(PREDICT)
    assert "--format" in run.error("%chalice bundle model").hint
    card = run("%chalice bundle model --format pickle")
    assert card.bundle.notebook_names == ("Model",)
    module = run("%chalice show price").text
    assert module.index("class Model") < module.index("model = load_bundle('model')")
    run("%chalice deploy")
    sent = run("%chalice send price --message a --wait 60")
    assert [record.message for record in sent.invocation.records] == ["predicted 2"]
    run("%chalice delete --yes")


def test_a_value_made_anew_after_it_was_bundled_must_be_bundled_again(run, local_aws):
    run(TRAIN)
    run("%chalice bundle weights")
    run("weights = train()")
    run(HANDLER)
    assert run.error("%chalice plan").code == "needs-bundle"


def test_a_value_changed_behind_the_bundle_is_found_by_the_verification(run, local_aws):
    run(TRAIN)
    run("%chalice bundle weights")
    run(HANDLER)
    run("get_ipython().user_ns['weights']['b'] = 4")
    assert "weights" in run.error("%chalice plan").message
    assert str(run.error("%chalice package")) == str(run.error("%chalice plan"))


def saved(folder, name, *cells):
    """A project read from a notebook's file."""
    return read_project(write(folder / f"{name}.ipynb", cells))


@pytest.mark.slow
def test_a_notebook_that_is_only_read_finds_its_bundles_beside_it(run, tmp_path, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "work/read.ipynb")
    run(TRAIN)
    run("%chalice bundle weights")
    project = saved(tmp_path, "read", TRAIN, "%chalice bundle --format auto weights", HANDLER)
    (handler,) = project.handlers
    assert project.slice(handler).bundles == ("weights",)
    project.verify(handler)
    assert project.package(handler).artifact.manifest["function"] == "price"
    module = sys.modules[project.function(handler).function.__module__]
    assert "weights" not in vars(module) and module.weights == {"a": 2, "b": 3}


def test_a_notebook_does_not_take_the_bundle_of_another_one(run, tmp_path, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "one.ipynb")
    run(TRAIN)
    run("%chalice bundle weights")
    project = saved(tmp_path, "two", TRAIN, "%chalice bundle weights", HANDLER)
    with pytest.raises(
        CaptureError,
        check=lambda error: error.code == "missing-bundle",
        match=r"weights was not made yet: there is none in .nbchalice/bundles/two",
    ) as e:
        project.package(project.handlers[0])
    assert e.value.location.cell == "cell 2" and e.value.location.line == 1 and "--execute" in e.value.hint


@pytest.mark.slow
def test_executing_the_notebook_makes_its_bundles(tmp_path, capfd):
    from nbchalice.cli import code_of

    saved(tmp_path, "shop", "%load_ext nbchalice", TRAIN, "%chalice bundle weights", HANDLER)
    assert code_of(["package", str(tmp_path / "shop.ipynb"), "--out", str(tmp_path / "out"), "--execute"]) == 0
    assert (tmp_path / "out" / "price.zip").exists()
    assert [path.name for path in (tmp_path / ".nbchalice" / "bundles").iterdir()] == ["shop"]


def test_bundling_again_leaves_one_file(run, tmp_path):
    run(TRAIN)
    run("%chalice bundle weights")
    run("%chalice bundle weights --format pickle")
    folder = tmp_path / ".nbchalice" / "bundles" / "notebook"
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".pickle"]
    assert list(json.loads((folder / "index.json").read_text())) == ["weights"]


def test_a_bundle_that_failed_is_as_if_it_had_not_been_tried(run):
    run(TRAIN)
    run(PREDICT)
    run.error("%chalice bundle model")
    assert run.error("%chalice package").code == "needs-bundle"
    run("%chalice bundle model --format pickle")
    run.error("%chalice bundle model")
    assert "load_bundle('model')" in run("%chalice show price").text


def test_a_pickle_brings_the_local_module_of_its_classes_along(run, tmp_path, monkeypatch):
    (tmp_path / "scales.py").write_text(
        "import units\n\nclass Scale:\n    def weigh(self, x):\n        return x * units.G\n"
    )
    (tmp_path / "units.py").write_text("G = 1000\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    run("from scales import Scale\nmodel = Scale()")
    run("%chalice bundle model --format pickle")
    run(PREDICT)
    project = run.notebook.project()
    package = project.package(project.handlers[0])
    assert {"scales.py", "units.py"} <= set(zipfile.ZipFile(io.BytesIO(package.artifact.zip)).namelist())


@pytest.mark.parametrize(
    ("name", "message"), [("wieghts", "there is no variable 'wieghts'"), ("client", "client"), ("lock", "lock")]
)
def test_what_cannot_travel_is_refused_with_the_reason(run, name, message):
    run(
        TRAIN + "import boto3, threading\nclient = boto3.client('s3', region_name='us-east-1')\nlock = threading.Lock()"
    )
    error = run.error(f"%chalice bundle {name} --format pickle")
    assert isinstance(error, InvalidInputError)
    assert message in error.message


@pytest.mark.local_aws
def test_a_damaged_bundle_is_refused(run, tmp_path):
    run(TRAIN)
    path = run("%chalice bundle weights").bundle.content
    run(HANDLER)
    before = path.read_text()
    path.write_text(before.replace("2", "9"))
    error = run.error("%chalice plan")
    assert isinstance(error, BundleRefusedError) and "is not what was bundled" in error.message
    assert error.hint == "bundle it again: %chalice bundle weights"
    path.write_text("{}")
    assert "is not what was bundled" in run.error("%chalice show price").message
    path.unlink()
    assert "cannot be read" in run.error("%chalice show price").message


@pytest.mark.local_aws
def test_what_cannot_be_loaded_elsewhere_is_found_by_the_verification(run):
    run(TRAIN + "\nclass Reader(Model):\n    def __setstate__(self, state):\n        open('weights' + '.txt').read()\n")
    run("model = Reader({})\nopen('weights.txt', 'w').close()")
    run("%chalice bundle model --format pickle")
    run(PREDICT)
    error = run.error("%chalice plan")
    assert error.code == "import-failed" and "the bundle 'model' cannot be loaded: FileNotFoundError" in error.message


@pytest.fixture
def in_s3(monkeypatch):
    """Every bundle is too big for the zip."""
    monkeypatch.setattr(packaging, "BUNDLES_IN_ZIP", 0)


def kinds(card):
    return [(change.action, change.resource.kind) for change in card.changes]


def sent(run, body="b"):
    return run(f"%chalice send price --message {body} --wait 60").invocation


def test_a_big_bundle_goes_to_s3_once_and_is_loaded_from_there(run, local_aws, aws, in_s3):
    run("%chalice app big")
    run(TRAIN)
    run("%chalice bundle weights")
    run(HANDLER)
    assert "create bundle weights (13 bytes)" in " ".join(run("%chalice plan").text.split())
    assert ("create", "bundle") in kinds(run("%chalice deploy"))
    assert [record.message for record in sent(run).records] == ["weight 3"]
    assert run("%chalice deploy").changes == ()
    run(HANDLER.replace("weight %s", "edited %s"))
    connection = run.notebook.connect()
    before = len(connection.calls)
    assert kinds(run("%chalice deploy")) == [("update", "function")]
    assert not [call for call in connection.calls[before:] if call[0] == "s3" and call in connection.writes]
    assert [record.message for record in sent(run).records] == ["edited 3"]

    first = bundles(aws)
    run("weights = {'b': 4}\n%chalice bundle weights")
    assert kinds(run("%chalice deploy")) == [("update", "role"), ("create", "bundle"), ("update", "function")]
    assert [record.message for record in sent(run).records] == ["edited 4"]
    assert first < bundles(aws) == allowed(aws)
    assert run("%chalice plan --prune").changes == ()
    run("%chalice rollback price")
    assert [record.message for record in sent(run).records] == ["edited 3"]
    for edit in range(6):
        run(HANDLER.replace("weight ", f"edit {edit} "))
        run("%chalice deploy")
    assert kinds(run("%chalice deploy --prune --yes")) == [("delete", "bundle")]

    (key,) = bundles(aws)
    aws("s3").delete_object(Bucket=BUCKET, Key=key)
    run(HANDLER.replace("weight ", "again "))
    run("%chalice deploy")
    aws("s3").delete_object(Bucket=BUCKET, Key=key)
    error = sent(run).error
    assert error.type == "BundleError" and error.message.startswith(
        "the bundle 'weights' was removed from S3, or the role lacks s3:GetObject on arn:aws:s3:::"
    )
    assert error.frames[0].cell and error.frames[0].line == 4
    assert kinds(run("%chalice deploy")) == [("create", "bundle")]
    assert [record.message for record in sent(run).records] == ["again 4"]
    run("%chalice delete --yes")
    assert bundles(aws) == set()


BUCKET = "nbchalice-000000000000-us-east-1"


def bundles(aws, app="big"):
    found = aws("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"bundles/{app}/")
    return {one["Key"] for one in found.get("Contents", [])}


def allowed(aws):
    policy = aws("iam").get_role_policy(RoleName="big-dev-price", PolicyName="nbchalice")["PolicyDocument"]
    (statement,) = [one for one in policy["Statement"] if one["Action"] == "s3:GetObject"]
    return {arn.removeprefix(f"arn:aws:s3:::{BUCKET}/") for arn in statement["Resource"]}


def test_the_card_says_what_is_too_big_for_the_zip():
    big = replace(make_bundle("model", 1), size=packaging.BUNDLES_IN_ZIP + 1)
    assert "10,485,761 bytes; too big for the zip: it goes to S3" in BundleCard(big).text


def test_a_packaged_zip_holds_even_a_big_bundle(run, tmp_path, in_s3):
    run(TRAIN)
    run("%chalice bundle weights")
    run(HANDLER)
    (path,) = run("%chalice package --out out").paths
    assert "bundles/weights.json" in zipfile.ZipFile(path).namelist()


def test_a_value_that_only_looks_like_a_credential_is_bundled_when_asked(run):
    run("login = {'password': 'hun' + 'ter2x9'}")
    error = run.error("%chalice bundle login")
    assert "--allow-secret" in error.hint
    assert run("%chalice bundle login --allow-secret").bundle.name == "login"
