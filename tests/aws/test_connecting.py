"""Connecting to AWS with each kind of credentials: asked once, refused with a fix, and no other endpoint unnamed."""

import json
import sys
from types import SimpleNamespace

import boto3
import pytest

from nbchalice.aws.credentials import configured_endpoints
from nbchalice.aws.target import connect
from nbchalice.errors import AWSError

from ..aws_configuration import KEYS

ROLE = "arn:aws:iam::123456789012:role/deployer"
MFA = f"[profile mfa]\nrole_arn = {ROLE}\nmfa_serial = arn:aws:iam::123456789012:mfa/ann\nsource_profile = base\n"


@pytest.fixture
def asked(monkeypatch):
    """What a person was asked for."""
    prompts = []

    def answer(prompt=""):
        prompts.append(prompt)
        return "123456"

    monkeypatch.setattr("getpass.getpass", answer)
    return prompts


def test_an_mfa_code_is_asked_for_once(configured, asked, tmp_path):
    """AWS takes each code once, and a deploy, a look at it and its logs are several connections."""
    configured(f"[profile base]\n{KEYS}\n{MFA}")
    users = {connect("aws", profile="mfa").target.user for _ in range(5)}
    assert len(asked) == 1
    assert len(users) == 1 and "assumed-role/deployer/" in users.pop()
    assert list((tmp_path / ".aws" / "cli" / "cache").glob("*.json"))


def test_credentials_that_expired_are_asked_for_again(configured, asked, tmp_path):
    configured(f"[profile base]\n{KEYS}\n{MFA}")
    connect("aws", profile="mfa")
    (kept,) = (tmp_path / ".aws" / "cli" / "cache").glob("*.json")
    content = json.loads(kept.read_text())
    content["Credentials"]["Expiration"] = "2020-01-01T00:00:00Z"
    kept.write_text(json.dumps(content))
    connect("aws", profile="mfa")
    assert len(asked) == 2


def test_a_panel_that_cannot_ask_says_where_to(configured, monkeypatch):
    from IPython.core.error import StdinNotImplementedError

    class Kernel:
        def getpass(self, prompt):  # as ipykernel's, while no cell runs
            raise StdinNotImplementedError("getpass was called, but this frontend does not support input requests.")

    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=Kernel()))
    configured(f"[profile base]\n{KEYS}\n{MFA}")
    with pytest.raises(AWSError, match="the role wants an MFA code") as refused:
        connect("aws", profile="mfa")
    assert "run %chalice status --target aws in a cell" in refused.value.hint


FAILS = {
    "no credentials": ("", "no AWS credentials were found", "aws configure"),
    "expired sso": (
        "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n\n"
        "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://example.com/start\n",
        "the AWS login has expired",
        "aws sso login",
    ),
    "a login": (
        "[default]\nlogin_session = arn:aws:iam::123456789012:user/ann\n",
        None,  # by whether the machine has the package: each has its test below
        None,
    ),
    "a process that fails": (
        f"[default]\ncredential_process = {sys.executable} -c 'import sys; sys.exit(\"vault is sealed\")'\n",
        "vault is sealed",
        "a credential_process can be run in a terminal",
    ),
    "a broken file": ("[default\nregion", "the AWS configuration cannot be used", "correct ~/.aws/config"),
    "a circle": (
        f"[profile default]\nrole_arn = {ROLE}\nsource_profile = other\n"
        f"[profile other]\nrole_arn = {ROLE}\nsource_profile = default\n",
        "the AWS configuration cannot be used",
        "aws configure list",
    ),
}


@pytest.mark.parametrize("kind", [kind for kind, (_, message, _) in FAILS.items() if message])
def test_each_failure_has_a_fix(kind, configured):
    text, message, hint = FAILS[kind]
    configured(text)
    with pytest.raises(AWSError) as refused:
        connect("aws")
    assert message in str(refused.value.message)
    assert hint in refused.value.hint


def test_a_login_whose_package_lacks_says_what_to_install(configured, monkeypatch):
    monkeypatch.setattr("botocore.credentials.HAS_CRT", False, raising=False)
    configured(FAILS["a login"][0])
    with pytest.raises(AWSError) as refused:
        connect("aws")
    assert "botocore[crt]" in refused.value.hint or "run aws login" in refused.value.hint


def test_an_unknown_profile_says_where_they_are_listed(configured):
    configured(f"[profile base]\n{KEYS}")
    with pytest.raises(AWSError) as refused:
        connect("aws", profile="nobody")
    assert "nobody" in refused.value.message and "aws configure list-profiles" in refused.value.hint


def test_aws_itself_is_not_called_elsewhere(configured):
    configured(f"[default]\n{KEYS}")
    assert str(connect("aws").target).startswith("AWS account 123456789012, region eu-west-1, as ")
    assert "not to AWS itself" not in str(connect("aws").target)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("AWS_ENDPOINT_URL", "not to AWS itself: all calls to {url}"),
        ("AWS_ENDPOINT_URL_SQS", "not to AWS itself: sts, sqs to {url}"),
    ],
)
def test_another_endpoint_is_named(name, told, local_aws, monkeypatch):
    for key, value in (("ACCESS_KEY_ID", local_aws.access_key), ("SECRET_ACCESS_KEY", local_aws.secret_key)):
        monkeypatch.setenv(f"AWS_{key}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", local_aws.region)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", local_aws.endpoint)
    monkeypatch.setenv(name, local_aws.endpoint)
    target = connect("aws").target
    assert told.format(url=local_aws.endpoint) in str(target)
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert configured_endpoints(boto3.Session()._session) == ()
