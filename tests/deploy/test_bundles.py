"""Bundles that are too big for a zip: in S3 by their hash, sent once, readable by those who load them."""

import hashlib
import io
import uuid
from dataclasses import dataclass, replace

import pytest

from nbchalice.deploy import engine
from nbchalice.errors import ProblemsError
from nbchalice.resources.upload_bucket import RULES, upload_bucket

from .harness import app, handler, kinds, package, without_bucket

MB = 1024 * 1024


@dataclass(frozen=True)
class Big:
    """Stands for a bundle that was made."""

    content: bytes
    name: str = "model"
    claimed: int | None = None

    @property
    def sha256(self):
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self):
        return self.claimed or len(self.content)

    def open(self):
        return io.BytesIO(self.content)


def packages(made, bundles):
    return lambda: {h.name: replace(package(), bundles=tuple(bundles.get(h.name, ()))) for h in made.handlers}


def deploy(made, aws, bundles, **options):
    return engine.deploy(made, packages(made, bundles), aws, **options)


def plan(made, aws, bundles):
    return engine.plan(made, packages(made, bundles), aws)


@pytest.fixture
def bucket(connection):
    return upload_bucket(connection.account, connection.region)


def stored(aws, bucket, name):
    found = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"bundles/{name}/dev/").get("Contents", [])
    return {one["Key"].rpartition("/")[2]: one["Size"] for one in found}


def readable(aws, name):
    policy = aws.client("iam").get_role_policy(RoleName=name, PolicyName="nbchalice")["PolicyDocument"]
    arns = [arn for one in policy["Statement"] if one["Action"] == "s3:GetObject" for arn in one["Resource"]]
    return {arn.rpartition("/")[2] for arn in arns}


def test_each_role_may_read_what_its_function_loads_and_what_is_shared_is_sent_once(connection, name, bucket):
    without_bucket(connection, bucket)
    made = app(name, handler("a"), handler("b"), handler("c"))
    # More than one part of a multipart upload.
    one, two = Big(uuid.uuid4().bytes * MB, "one"), Big(b"two" + name.encode(), "two")
    first = deploy(made, connection, {"a": [one, two], "b": [one]})
    assert kinds(first.changes).count(("create", "bundle")) == 2
    assert stored(connection, bucket, name) == {one.sha256: one.size, two.sha256: two.size}
    assert readable(connection, f"{name}-dev-a") == {one.sha256, two.sha256}
    assert readable(connection, f"{name}-dev-b") == {one.sha256}
    assert readable(connection, f"{name}-dev-c") == set()
    config = connection.client("lambda").get_function_configuration(FunctionName=f"{name}-dev-a")
    hashes = ",".join(sorted([one.sha256, two.sha256]))
    assert config["Environment"]["Variables"] == {"NBCHALICE_BUNDLES": f"s3://{bucket}/bundles/{name}/dev/{hashes}"}
    assert deploy(made, connection, {"a": [one, two], "b": [one]}).changes == ()
    some = engine.delete(made, connection, "a").plan.notes
    assert not [note for note in some if bucket in note], "the app still stands"
    connection.client("s3").put_object(Bucket=bucket, Key="bundles/other/x", Body=b"")
    rest = engine.delete(made, connection)
    assert not [note for note in rest.plan.notes if bucket in note], "another app uses it"
    connection.client("s3").delete_object(Bucket=bucket, Key="bundles/other/x")
    assert stored(connection, bucket, name) == {}
    deploy(made, connection, {})
    assert engine.delete(made, connection).plan.notes == (), "it stands empty, and the app that goes never used it"
    deploy(made, connection, {"b": [one]})
    (told,) = [note for note in engine.delete(made, connection).plan.notes if bucket in note]
    assert "is empty and stays" in told and f"aws s3 rb s3://{bucket} removes it" in told
    connection.client("s3").delete_bucket(Bucket=bucket)
    assert engine.delete(made, connection).plan.notes == ()


def test_a_version_that_can_be_gone_back_to_keeps_its_bundle(connection, name, bucket):
    made = app(name, handler("a"))
    old, new = Big(b"old" + name.encode()), Big(b"new" + name.encode())
    deploy(made, connection, {"a": [old]})
    deploy(made, connection, {"a": [new]})
    assert readable(connection, f"{name}-dev-a") == {old.sha256, new.sha256}
    # Not even without any bundle.
    assert kinds(deploy(made, connection, {}, prune=True).changes) == [("update", "function")]
    assert set(stored(connection, bucket, name)) == readable(connection, f"{name}-dev-a") == {old.sha256, new.sha256}
    engine.delete(made, connection)


def test_an_orphans_bundles_go_with_it(connection, name, bucket):
    one = Big(name.encode())
    deploy(app(name, handler("a"), handler("b")), connection, {"b": [one]})
    made = app(name, handler("a"))
    assert deploy(made, connection, {}).changes == ()
    assert ("delete", "bundle") in kinds(deploy(made, connection, {}, prune=True).changes)
    assert stored(connection, bucket, name) == {}
    engine.delete(made, connection)


def test_uploads_that_a_crash_left_expire_and_bundles_do_not(connection, name, bucket):
    made, bundles = app(name, handler("a")), {"a": [Big(name.encode())]}
    deploy(made, connection, bundles)
    client = connection.client("s3")
    old = {"ID": "nbchalice", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    foreign = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 9}}
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [old, foreign]})
    assert kinds(deploy(made, connection, bundles).changes) == [("update", "upload bucket")]
    rules = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [rule["ID"] for rule in rules] == [*(rule["ID"] for rule in RULES), "theirs"]
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": RULES})
    engine.delete(made, connection)


def test_a_cut_off_object_is_sent_again(connection, name, bucket):
    made, one = app(name, handler("a")), Big(name.encode())
    deploy(made, connection, {"a": [one]})
    connection.client("s3").put_object(Bucket=bucket, Key=f"bundles/{name}/dev/{one.sha256}", Body=b"")
    assert [str(change) for change in deploy(made, connection, {"a": [one]}).changes] == [
        f"update bundle model ({one.size} bytes) (its size)"
    ]
    assert stored(connection, bucket, name) == {one.sha256: one.size}
    engine.delete(made, connection)


def test_what_a_given_role_and_a_vpc_need_is_told(connection, name, bucket):
    role = "arn:aws:iam::000000000000:role/mine"
    made = app(name, handler("a", role=role), handler("b", subnet=["subnet-1"], security_group=["sg-1"]))
    one = Big(b"one")
    arn = f"arn:aws:s3:::{bucket}/bundles/{name}/dev/{one.sha256}"
    assert list(plan(made, connection, {"a": [one], "b": [one]}).notes) == [
        f"a: to load model (3 bytes), the --role needs s3:GetObject on {arn}",
        "b: to load model (3 bytes), the VPC needs a gateway endpoint for S3",
    ]


def test_a_bundle_that_the_function_cannot_hold_is_told_before_anything_is_changed(connection, name):
    made = app(name, handler("a"), handler("b", memory=1024), handler("c", memory=2048, ephemeral_storage=1024))
    big = Big(b"", claimed=600 * MB)
    writes = len(connection.writes)
    with pytest.raises(ProblemsError) as caught:
        deploy(made, connection, dict.fromkeys("abc", [big]))
    assert [(error.message, error.hint) for error in caught.value.problems] == [
        (
            "handler a: the bundle model is 600 MB, and the function has 128 MB of memory",
            "add --memory 2048, or bundle less",
        ),
        (
            "handler a: the bundle model is 600 MB, and the function has 512 MB in /tmp",
            "add --ephemeral-storage 2048, or bundle less",
        ),
        (
            "handler b: the bundle model is 600 MB, and the function has 512 MB in /tmp",
            "add --ephemeral-storage 2048, or bundle less",
        ),
    ]
    assert len(connection.writes) == writes
    huge = app(name, handler("a", memory=10_240, ephemeral_storage=10_240))
    with pytest.raises(ProblemsError) as caught:
        deploy(huge, connection, {"a": [Big(b"", claimed=12_000 * MB)]})
    assert {error.hint for error in caught.value.problems} == {"bundle less: 10240 MB is the most that Lambda has"}
