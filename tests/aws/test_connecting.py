"""Connecting to AWS with each kind of credentials: asked once, refused with a fix, and no other endpoint unnamed."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


@pytest.fixture
def platform(configured, monkeypatch):
    """``platform(403, "no", NAME=...)``: a platform that gives credentials, or STS, answers so to every call."""
    configured("")
    answers = []

    class Platform(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answers[-1]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(status, body, **variables):
        answers.append((status, body))
        for name, value in variables.items():
            monkeypatch.setenv(name, value.format(url=f"http://127.0.0.1:{server.server_port}"))

    yield answer
    server.shutdown()
    server.server_close()


WEB = {"AWS_ROLE_ARN": ROLE, "AWS_ENDPOINT_URL_STS": "{url}", "AWS_MAX_ATTEMPTS": "1"}
AT_CONTAINER = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}/role"}
REFUSED = "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>".format
# What the platform or STS answers, what the token file holds, and a part of the fix.
PLATFORMS = {
    "no token file": (WEB, 400, "", None, "correct AWS_WEB_IDENTITY_TOKEN_FILE"),
    "an empty token": (WEB, 400, "", "", "what the platform wrote into the file"),
    "a token that is too old": (
        WEB, 400, REFUSED("ExpiredTokenException", "Token expired: current date/time 2 must be before 1"), "x" * 40,
        "must write a new one",
    ),
    "a token that nobody knows": (
        WEB, 400, REFUSED("InvalidIdentityToken", "No OpenIDConnect provider found in your account"), "x" * 40,
        "get a new one",
    ),
    "a role that is not for it": (
        WEB, 403, REFUSED("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"), "x" * 40,
        "the trust policy of the role",
    ),
    "a container without a role": (AT_CONTAINER, 404, "none", None, "that the container has a role"),
    "a container that says something else": (AT_CONTAINER, 200, "<html>", None, "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    "a container elsewhere": (
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/role"}, 200, "", None, "or unset it",
    ),
    "no token file of the container": (
        {**AT_CONTAINER, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere"}, 200, "", None,
        "correct AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PLATFORMS)
def test_each_failure_of_a_platform_has_a_fix_of_its_own(kind, platform, tmp_path, monkeypatch):
    variables, status, body, token, hint = PLATFORMS[kind]
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
    if "AWS_ROLE_ARN" in variables:
        variables = {**variables, "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")}
    if token is not None:
        (tmp_path / "token").write_text(token)
    platform(status, body, **variables)
    with pytest.raises(AWSError) as refused:
        connect("aws")
    assert hint in refused.value.hint
    assert refused.value.message.startswith("connecting to AWS: ") and "Traceback" not in refused.value.message


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
