"""Dependency layers: published once, shared, removed with the app; zips over 50 MB go through a bucket."""

import io
import json
import zipfile
from dataclasses import dataclass, replace

import pytest

from nbchalice.deploy import engine
from nbchalice.errors import InvalidInputError
from nbchalice.resources import upload_bucket as upload

from .harness import app, handler, kinds, package, snapshot, without_bucket

BLOB = bytes(51 * 1024 * 1024)  # stored, not compressed
BODY = "import dependency\n\ndef lambda_handler(event, context):\n    return dependency.VALUE + {code!r}\n"


@dataclass(frozen=True)
class Dependencies:
    """Stands for a layer that was built."""

    key: str
    value: str = "from the layer"

    def read(self):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(zipfile.ZipInfo("python/dependency.py"), f"VALUE = {self.value!r}\n")
        return buffer.getvalue()

    @property
    def zip_size(self):
        return len(self.read())


def deploy(made, aws, layers, code="1", **options):
    def packages():
        return {h.name: replace(package(BODY.format(code=code)), layer=layers[h.name]) for h in made.handlers}

    return engine.deploy(made, packages, aws, **options)


def answer(aws, function):
    return json.loads(aws.client("lambda").invoke(FunctionName=function, Payload=b"{}")["Payload"].read())


def layers_of(aws, function):
    return [
        x["Arn"] for x in aws.client("lambda").get_function_configuration(FunctionName=function).get("Layers") or []
    ]


@pytest.fixture
def made(name):
    return app(name, handler("a"), handler("b"))


def test_handlers_with_equal_needs_share_one_layer_and_an_edit_uploads_only_the_code(connection, made, name):
    layers = dict.fromkeys("ab", Dependencies("1" * 64))
    first = deploy(made, connection, layers)
    assert kinds(first.changes).count(("create", "layer")) == 1
    assert layers_of(connection, f"{name}-dev-a") == layers_of(connection, f"{name}-dev-b")
    assert answer(connection, f"{name}-dev-a") == "from the layer1"
    assert deploy(made, connection, layers).changes == ()
    assert kinds(deploy(made, connection, layers, code="2").changes) == [("update", "function")] * 2
    engine.delete(made, connection)
    assert snapshot(connection, name) == {}


def test_changed_needs_are_a_new_layer_and_the_old_one_stays_for_earlier_versions(connection, made, name):
    old, new = dict.fromkeys("ab", Dependencies("1" * 64)), dict.fromkeys("ab", Dependencies("2" * 64, "newer"))
    deploy(made, connection, old)
    assert kinds(deploy(made, connection, new).changes) == [("create", "layer")] + [("update", "function")] * 2
    assert answer(connection, f"{name}-dev-a") == "newer1"
    assert deploy(made, connection, new).changes == ()
    assert engine.rollback(made, "a", connection).settings == ("Layers",)
    assert answer(connection, f"{name}-dev-a") == "from the layer1"
    for code in "23456":
        deploy(made, connection, new, code=code)
    assert kinds(deploy(made, connection, new, code="6", prune=True).changes) == [("delete", "layer")]


def test_a_layer_that_is_not_needed_any_more_is_taken_off(connection, made, name):
    deploy(made, connection, dict.fromkeys("ab", Dependencies("1" * 64)))
    deploy(made, connection, dict.fromkeys("ab"))
    assert layers_of(connection, f"{name}-dev-a") == []
    assert deploy(made, connection, dict.fromkeys("ab")).changes == ()


def test_a_users_own_layers_come_after_the_dependencies(connection, name):
    own = connection.client("lambda").publish_layer_version(
        LayerName=f"own{name}", Content={"ZipFile": Dependencies("x").read()}
    )["LayerVersionArn"]
    made = app(name, handler("a", layer=[own]))
    layers = {"a": Dependencies("1" * 64)}
    deploy(made, connection, layers)
    assert [arn.rsplit(":", 2)[1] for arn in layers_of(connection, f"{name}-dev-a")] == [
        f"{name}-dev-{'1' * 16}",
        f"own{name}",
    ]
    assert deploy(made, connection, layers).changes == ()


def test_six_layers_are_too_many(connection, name):
    own = [f"arn:aws:lambda:us-east-1:000000000000:layer:own{n}:1" for n in range(5)]
    writes = len(connection.writes)
    with pytest.raises(InvalidInputError, match="6 layers with the one for its dependencies"):
        deploy(app(name, handler("a", layer=own)), connection, {"a": Dependencies("1" * 64)})
    assert len(connection.writes) == writes


def test_a_layer_over_50_mb_goes_through_the_bucket(connection, name):
    """Really so large: the local AWS, too, gets it from S3."""

    @dataclass(frozen=True)
    class Large(Dependencies):
        def read(self):
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as archive:
                archive.writestr("python/blob.bin", BLOB)
                archive.writestr(
                    "python/dependency.py",
                    "from pathlib import Path\nVALUE = str(Path(__file__).with_name('blob.bin').stat().st_size)\n",
                )
            return buffer.getvalue()

    made = app(name, handler("a"))
    before = len(connection.calls)
    deploy(made, connection, {"a": Large("4" * 64)})
    assert ("s3", "PutObject") in connection.calls[before:]
    assert answer(connection, f"{name}-dev-a") == f"{len(BLOB)}1"
    engine.delete(made, connection)


def test_large_zips_go_through_a_bucket_that_is_made_when_needed_and_kept_empty(connection, made, name, monkeypatch):
    monkeypatch.setattr(upload, "DIRECT_LIMIT", 10)
    bucket = upload.upload_bucket(connection.account, connection.region)
    client = connection.client("s3")
    without_bucket(connection, bucket)
    layers = dict.fromkeys("ab", Dependencies("3" * 64))
    first = deploy(made, connection, layers)
    assert ("create", "upload bucket") in kinds(first.changes)
    assert answer(connection, f"{name}-dev-a") == "from the layer1"
    assert client.list_objects_v2(Bucket=bucket).get("KeyCount", 0) == 0
    rules = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    expiring = {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in rules if "Expiration" in rule}
    assert expiring == {"uploads/": 1, "recorded/": 7}
    assert deploy(made, connection, layers).changes == ()
    assert kinds(deploy(made, connection, layers, code="2").changes) == [("update", "function")] * 2
    assert answer(connection, f"{name}-dev-b") == "from the layer2"
    (told,) = [note for note in engine.delete(made, connection).plan.notes if bucket in note]
    assert "is empty and stays" in told
    assert client.head_bucket(Bucket=bucket)
