"""A bundled value travels as a file; the statements that made it stay in the notebook."""

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.notebook.errors import NeedsBundleError
from nbchalice.project import read_project

TRAIN = """\
import time

def train():
    time.sleep(0)
    return {"a": 2, "b": 3}

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
    assert isinstance(error, NeedsBundleError)
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
    assert isinstance(run.error("%chalice plan"), NeedsBundleError)


def test_a_value_changed_behind_the_bundle_is_found_by_the_verification(run, local_aws):
    run(TRAIN)
    run("%chalice bundle weights")
    run(HANDLER)
    run("get_ipython().user_ns['weights']['b'] = 4")
    assert "weights" in run.error("%chalice plan").message


def test_a_notebook_that_is_only_read_finds_its_bundles_beside_it(run, tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    run(TRAIN)
    run("%chalice bundle weights")
    cells = [TRAIN, "%chalice bundle weights", HANDLER]
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), tmp_path / "read.ipynb")
    project = read_project(tmp_path / "read.ipynb")
    (handler,) = project.handlers
    assert project.slice(handler).bundles == ("weights",)
    project.verify(handler)
    assert project.package(handler).artifact.manifest["function"] == "price"


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


def test_a_damaged_bundle_is_refused(run, tmp_path):
    run(TRAIN)
    run("%chalice bundle weights")
    (tmp_path / ".nbchalice" / "bundles" / "weights.json").write_text("{}")
    run(HANDLER)
    assert "is not what was bundled" in run.error("%chalice show price").message
