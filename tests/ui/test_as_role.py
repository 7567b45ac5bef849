"""`live --as-role` and `replay --as-role`: the handler has the rights of its function's role, and no more."""

import boto3
import pytest

from ..waiting import wait_until

pytestmark = pytest.mark.timeout(180)
CALLER = "arn:aws:iam::000000000000:root"
BEFORE = "import boto3\ns3 = boto3.client('s3')"
CELL = """%%on_sqs_message role-orders {line}
def keep(event):
    for record in event:
        s3.put_object(Bucket="role-kept", Key="one", Body=record.body)
    return boto3.client("sts").get_caller_identity()["Arn"]
"""
ALLOW = "--allow s3:PutObject=arn:aws:s3:::role-kept/*"


@pytest.fixture
def kernel(run, local_aws, aws, monkeypatch):
    """A kernel whose boto3 has the rights of who runs it, a bucket, and the handler's cell."""
    for name, value in local_aws.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    aws("s3").create_bucket(Bucket="role-kept")
    run("%chalice app asrole")
    run(BEFORE)
    run.shell.kernel = object()  # as in a kernel that nbclient drives
    yield run
    from nbchalice.ui.live_mode import RUNNING

    RUNNING.stop_all()


def deploy(run, line):
    run(CELL.format(line=line))
    return run("%chalice deploy")


def test_what_the_role_may_not_do_fails_here_too(kernel):
    deploy(kernel, f"--trust {CALLER}")
    viewer = kernel("%chalice live keep --as-role")
    assert "what it does on AWS it does with the rights of arn:aws:iam::000000000000:role/nbchalice/" in str(viewer)
    assert viewer.view.title == "keep: live in this kernel, with the rights of its role"
    kernel("%chalice send keep --message tea --wait 0")
    failed = wait_until(lambda: [one for one in viewer.invocations if one.status == "error"])[0]
    assert "AccessDenied" in str(failed.error) and "assumed-role/asrole-dev-keep/asrole-dev-keep" in str(failed.error)
    assert ALLOW in str(failed), "the option that allows it is told"
    kernel("%chalice live keep --stop")

    viewer = kernel("%chalice live keep")
    kernel("%chalice send keep --message milk --wait 0")
    wait_until(lambda: any(one.status == "ok" for one in viewer.invocations))


def test_what_the_role_may_do_works_here_too(kernel, aws):
    deploy(kernel, f"--trust {CALLER} {ALLOW}")
    viewer = kernel("%chalice live keep --as-role")
    kernel("%chalice send keep --message tea --wait 0")
    done = wait_until(lambda: viewer.invocations)[0]
    assert done.result == "arn:aws:sts::000000000000:assumed-role/asrole-dev-keep/asrole-dev-keep"
    assert aws("s3").get_object(Bucket="role-kept", Key="one")["Body"].read() == b"tea"
    kernel("%chalice live keep --stop")
    assert boto3.client("sts").get_caller_identity()["Arn"] == CALLER, "only the handler has the role"

    (again,) = kernel("%chalice replay keep --as-role").replays
    assert again.now.result == done.result
    assert kernel.error("%chalice replay keep --as-role --no-aws").hint == "give one of them"


def test_a_role_that_does_not_trust_is_told_before_anything_starts(kernel, aws):
    deploy(kernel, "")
    error = kernel.error("%chalice live keep --as-role")
    assert error.message == f"{CALLER} may not take the role of keep: its trust policy does not name you"
    assert error.hint == f"add --trust {CALLER} to the handler, and deploy"
    assert "live" not in str(kernel("%chalice status"))
    (change,) = deploy(kernel, f"--trust {CALLER}").changes
    assert (change.resource.kind, change.reason) == ("role", "its trust policy")
    assert not kernel("%chalice deploy").changes
    assert kernel("%chalice replay keep --as-role").replays if kernel("%chalice send keep --message tea") else False
    (change,) = deploy(kernel, "").changes
    assert change.reason == "its trust policy", "who is trusted no more may take it no more"


def test_a_role_of_ones_own_is_told_with_the_statement(kernel, aws):
    trust = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
    role = aws("iam").create_role(RoleName="role-of-mine", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sqs:*", "logs:*"], "Resource": "*"}]}'
    )
    aws("iam").put_role_policy(RoleName="role-of-mine", PolicyName="all", PolicyDocument=policy)
    deploy(kernel, f"--role {role}")
    hint = kernel.error("%chalice live keep --as-role").hint
    assert hint.startswith(f"add this statement to the trust policy of {role}: {{")
    assert f'"AWS": "{CALLER}"' in hint
    error = kernel.error(CELL.format(line=f"--role {role} --trust {CALLER}"))
    assert "--trust is for the role that nbchalice makes" in error.message


def test_one_that_is_not_deployed_has_no_role(kernel):
    kernel(CELL.format(line=""))
    assert kernel.error("%chalice live keep --as-role").message == "keep is not deployed: it has no role yet"


@pytest.mark.parametrize("arn", ["ann", "arn:aws:s3:::bucket", "arn:aws:iam::1:user/ann"])
def test_who_is_trusted_is_an_arn_of_somebody(run, arn):
    error = run.error(CELL.format(line=f"--trust {arn}"))
    assert f"--trust {arn!r} is not the ARN of a user, role or account" in error.message
