"""Decorators are evaluated with the variables that the function will have, stage by stage."""

import json

import nbformat
import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook_file import read_project

FROM_ENV = "import os\nsource_bucket = os.getenv('SOURCE_BUCKET', 'default-bucket')"
ON_BUCKET = "@app.on_s3_event(bucket=source_bucket)\ndef handle(event):\n    return source_bucket"


def write(folder, cells, config=None, name="shop"):
    if config is not None:
        (folder / ".chalice").mkdir(exist_ok=True)
        (folder / ".chalice" / "config.json").write_text(json.dumps(config))
    path = folder / f"{name}.ipynb"
    made = [nbformat.v4.new_code_cell(text) for text in ["%chalice app shop", *cells]]
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def variables(**values):
    return {"environment_variables": values}


STAGES = {
    **variables(SOURCE_BUCKET="right-all"),
    "stages": {
        "dev": variables(SOURCE_BUCKET="right-dev"),
        "prod": {
            **variables(SOURCE_BUCKET="right-prod"),
            "lambda_functions": {"handle": variables(SOURCE_BUCKET="right-function")},
        },
        "test": {},
    },
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "bucket"),
    [(None, "right-dev"), ("dev", "right-dev"), ("prod", "right-function"), ("test", "right-all")],
)
@pytest.mark.parametrize(
    "cells",
    [
        [FROM_ENV, ON_BUCKET],
        ["import os\n@app.on_s3_event(os.environ['SOURCE_BUCKET'])\ndef handle(event):\n    pass"],
        ["from os import environ as e\n@app.on_s3_event(e.get('SOURCE_BUCKET'))\ndef handle(event):\n    pass"],
        ["import os\n@app.on_s3_event('{SOURCE_BUCKET}'.format(**os.environ))\ndef handle(event):\n    pass"],
        ["import os\n@app.on_s3_event(dict(os.environ)['SOURCE_BUCKET'])\ndef handle(event):\n    pass"],
        ["from settings import bucket\n@app.on_s3_event(bucket)\ndef handle(event):\n    pass"],
        ["%env SOURCE_BUCKET=of-the-cell", FROM_ENV, ON_BUCKET],
    ],
)
def test_a_trigger_follows_the_variables_of_stage_and_function(tmp_path, monkeypatch, cells, stage, bucket):
    monkeypatch.setenv("SOURCE_BUCKET", "of-the-shell")
    (tmp_path / "settings.py").write_text("import os\nbucket = os.environ['SOURCE_BUCKET']\n")
    path = write(tmp_path, [*cells, "@app.lambda_function()\ndef other(event, context):\n    pass"], STAGES)
    project = read_project(path, stage)
    assert project.wrong == []
    handle, _ = project.handlers
    assert handle.triggers[0].options["bucket"] == bucket
    (note,) = [note for note in project.notes if "SOURCE_BUCKET" in note]
    here = "of-the-cell" if "%env" in cells[0] else "of-the-shell"
    assert note == f"handle: SOURCE_BUCKET is '{bucket}' for the function, '{here}' here"


def test_a_handlers_own_variables_and_names_count(tmp_path):
    text = "import os\n@app.on_sqs_message(os.getenv('QU', 'none'), env={{'QU': 'own'}}, name={})\ndef handle(event):\n    pass"
    path = write(tmp_path, [text.format("'a'"), text.format("os.environ['PR'] + 'b'")], variables(PR="p-"))
    assert [(h.name, h.triggers[0].options["queue"]) for h in read_project(path).handlers] == [
        ("a", "own"),
        ("p-b", "own"),
    ]


def test_lambdas_own_variables_are_there(tmp_path):
    names = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    text = (
        f"import os\n@app.on_sqs_message('-'.join(os.environ[n] for n in {names}), memory=512)\ndef handle(event): ..."
    )
    path = write(tmp_path, [text], {}, name="of-another-name")
    (handle,) = read_project(path, region="eu-central-1").handlers
    assert handle.triggers[0].options["queue"] == "eu-central-1-eu-central-1-shop-dev-handle-512"
    (handle,) = read_project(path, "prod").handlers
    assert handle.triggers[0].options["queue"] == "us-east-1-us-east-1-shop-prod-handle-512"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decorator", "says"),
    [
        ("on_sns_message(topic='topic-{env}'.format(env=os.getenv('STAGE_NAME')))", "topic is 'topic-None'"),
        ("on_sns_message(topic=f'topic-{os.getenv(\"STAGE_NAME\")}')", "topic-None"),
        ("on_s3_event(bucket=os.getenv('STAGE_NAME'))", "bucket is None"),
        ("on_s3_event(bucket=os.environ['STAGE_NAME'])", "KeyError: 'STAGE_NAME'"),
        ("on_sqs_message(queue=os.getenv('STAGE_NAME'))", "needs either queue"),
        ("lambda_function(timeout=int(os.environ.get('STAGE_NAME')))", "TypeError"),
    ],
)
@pytest.mark.parametrize("exported", [False, True])
def test_a_variable_that_is_not_set_is_named_with_the_place_to_set_it(tmp_path, monkeypatch, decorator, says, exported):
    if exported:
        monkeypatch.setenv("STAGE_NAME", "exported")
    path = write(tmp_path, [f"import os\nos.getenv('UNRELATED')\n@app.{decorator}\ndef handle(event): ..."], {})
    (error,) = read_project(path).wrong
    assert "the decorators of handle need STAGE_NAME, which is not set for the function" in str(error)
    assert (" (it is set here only)" in str(error)) == exported
    assert says in str(error)
    assert "fix: set STAGE_NAME in environment_variables of stage dev in .chalice/config.json" in str(error)
    write(tmp_path, [f"import os\n@app.{decorator}\ndef handle(event): ..."], variables(STAGE_NAME="7"))
    assert read_project(path).wrong == []


def test_a_variable_that_may_be_unset_is_no_error_and_one_set_here_only_is_told(tmp_path, monkeypatch):
    text = "import os\n@app.on_s3_event('b', prefix=os.getenv('PREFIX'))\ndef handle(event): ..."
    path = write(tmp_path, [text], {})
    project = read_project(path)
    assert (project.wrong, project.notes) == ([], ())
    monkeypatch.setenv("PREFIX", "in/")
    project = read_project(path)
    assert project.handlers[0].triggers[0].options["prefix"] is None
    assert project.notes == (
        "handle: PREFIX is set here only; set it in environment_variables of stage dev in .chalice/config.json, too, "
        "or the function does without",
    )


def test_a_secret_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("KEY", "AKIAIOSFODNN7ABCDEFG")
    text = "import os\n@app.on_s3_event('b', prefix=os.getenv('KEY'))\ndef handle(event): ..."
    (note,) = read_project(write(tmp_path, [text], variables(KEY="in/"))).notes
    assert note == "handle: KEY is 'in/' for the function, <hidden> here"


SECRET = "hun" + "ter2x9"


def package(folder, cell, config):
    project = read_project(write(folder, [cell], config))
    (handler,) = project.handlers
    return project.package(handler)


@pytest.mark.parametrize(
    "place",
    [
        lambda one: one,
        lambda one: {"stages": {"dev": one}},
        lambda one: {"stages": {"dev": {"lambda_functions": {"f": one}}}},
    ],
)
def test_a_variable_of_the_configuration_that_looks_like_a_credential_is_let_through_there(tmp_path, place):
    cell = "@app.lambda_function()\ndef f(event, context):\n    pass"
    with pytest.raises(CaptureError) as caught:
        package(tmp_path, cell, place(variables(DB_PASSWORD=SECRET)))
    assert caught.value.message == (
        "handler f: environment variable DB_PASSWORD of .chalice/config.json holds a password or token"
    )
    assert '"allow_secret": ["DB_PASSWORD"] to .chalice/config.json' in caught.value.hint
    assert SECRET not in str(caught.value)
    assert package(tmp_path, cell, place({**variables(DB_PASSWORD=SECRET), "allow_secret": ["DB_PASSWORD"]}))


@pytest.mark.parametrize(
    ("cell", "allowed"),
    [
        (f"%%lambda_function --env DB_PASSWORD={SECRET}\ndef f(event, context): ...", " --allow-secret DB_PASSWORD\n"),
        (
            f"@app.lambda_function(env=dict(DB_PASSWORD='{SECRET}'))  # pragma: allowlist secret\n"
            "def f(event, context): ...",
            "), allow_secret=['DB_PASSWORD'])",
        ),
    ],
)
def test_a_variable_of_the_notebook_that_looks_like_a_credential_is_let_through_there(tmp_path, cell, allowed):
    with pytest.raises(CaptureError, match="--env DB_PASSWORD holds a password or token") as caught:
        package(tmp_path, cell, {})
    assert "--allow-secret DB_PASSWORD" in caught.value.hint and "allow_secret=[" in caught.value.hint
    assert SECRET not in str(caught.value)
    assert package(tmp_path, cell.replace("\n" if cell.startswith("%") else "))", allowed, 1), {})
