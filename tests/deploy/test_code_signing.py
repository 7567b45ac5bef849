"""Code signing configurations and runtime management, which the local AWS lacks: AWS's answers are put in."""

import json

import pytest
from botocore.awsrequest import AWSResponse

from nbchalice.aws.target import Connection, Target
from nbchalice.errors import DeployError, InvalidInputError

from .harness import app, deploy, handler, plan

ID = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-"
WARNS, ENFORCES, GONE, HIDDEN = (ID + letter * 17 for letter in "wegh")
RUNTIME = "arn:aws:lambda:us-east-1::runtime:0cdcfbdefbc5e7d3343f73c2e2dd3cba17d61dea0686b404502a0c9ce83931b9"


class Signing:
    """Answers as Lambda does where the local AWS knows nothing of it; all else goes there."""

    def __init__(self, connection):
        self.attached, self.updates, self.calls, self.denied = {}, {}, [], set()
        self.connection = connection
        target = Target("aws", connection.region, connection.account, endpoint=connection.target.endpoint)
        self.aws = Connection(target, self.new_client)

    def new_client(self, service, region):
        import boto3
        from botocore.config import Config

        server = self.connection.client(service)
        client = boto3.Session().client(
            service,
            region_name="us-east-1",
            endpoint_url=server.meta.endpoint_url,
            aws_access_key_id=server._request_signer._credentials.access_key,
            aws_secret_access_key=server._request_signer._credentials.secret_key,
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )
        client.meta.events.register("before-call.lambda", self.answer)
        return client

    def answer(self, model, params, **_):
        name, body = model.name, json.loads(params.get("body") or b"{}")
        self.calls.append(name)
        known = getattr(self, name, None)
        if name in self.denied:
            return self.refused("AccessDeniedException", f"User is not authorized to perform: lambda:{name}", 403)
        return known(params["url_path"], body, params) if known else None

    def refused(self, code, message, status=400):
        error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
        return AWSResponse("", status, {}, None), error

    def told(self, **answer):
        return AWSResponse("", 200, {}, None), {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}

    def function(self, path):
        return path.split("/functions/")[1].split("/")[0]

    def CreateFunction(self, path, body, params):
        self.attached[body["FunctionName"]] = arn = body.pop("CodeSigningConfigArn", "")
        params["body"] = json.dumps(body).encode()
        return self.UpdateFunctionCode(f"/functions/{body['FunctionName']}/code", body, params) if arn else None

    def UpdateFunctionCode(self, path, body, params):
        if self.attached.get(self.function(path)) == ENFORCES:
            return self.refused("CodeVerificationFailedException", "The code signature failed one or more checks")
        return None

    def PutFunctionCodeSigningConfig(self, path, body, params):
        self.attached[self.function(path)] = body["CodeSigningConfigArn"]
        return self.told(**body)

    def GetFunctionCodeSigningConfig(self, path, body, params):
        return self.told(CodeSigningConfigArn=self.attached.get(self.function(path), ""))

    def GetCodeSigningConfig(self, path, body, params):
        if GONE[-17:] in path:
            return self.refused("ResourceNotFoundException", "cannot be found", 404)
        policy = "Enforce" if ENFORCES[-17:] in path else "Warn"
        return self.told(CodeSigningConfig={"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": policy}})

    def PutRuntimeManagementConfig(self, path, body, params):
        self.updates[self.function(path)] = body
        return self.told(**body)

    def GetRuntimeManagementConfig(self, path, body, params):
        if self.function(path) not in self.attached:
            return self.refused("ResourceNotFoundException", "Function not found", 404)
        return self.told(**self.updates.get(self.function(path), {"UpdateRuntimeOn": "Auto"}))


@pytest.fixture
def signing(connection):
    return Signing(connection)


def pure(name, **settings):
    return app(name, handler("price", ("lambda_function", {}), **settings))


def test_a_function_is_made_with_its_configuration(signing, name):
    made = pure(name, code_signing=WARNS)
    deploy(made, signing.aws)
    assert signing.attached == {f"{name}-dev-price": WARNS}
    assert "PutFunctionCodeSigningConfig" not in signing.calls
    assert plan(made, signing.aws).changes == ()


def test_a_standing_one_gets_it_before_its_code(signing, name):
    deploy(pure(name), signing.aws)
    signing.attached[f"{name}-dev-price"] = ENFORCES
    with pytest.raises(DeployError, match="signed code only") as refused:
        deploy(pure(name), signing.aws, code="2")
    assert "--code-signing ARN" in str(refused.value)
    made = pure(name, code_signing=WARNS)
    assert f"code signing: {ENFORCES} -> {WARNS}" in str(plan(made, signing.aws, "2").changes)
    deploy(made, signing.aws, code="2")
    assert signing.attached[f"{name}-dev-price"] == WARNS
    assert plan(pure(name), signing.aws, "2").changes == plan(made, signing.aws, "2").changes == ()


@pytest.mark.parametrize(
    ("arn", "wrong", "fix"),
    [
        (ENFORCES, "takes signed code only", "update-code-signing-config"),
        (GONE, "there is no code signing configuration", "list-code-signing-configs"),
        (WARNS.replace("us-east-1", "eu-west-1"), "--code-signing is in eu-west-1", "use one in us-east-1"),
    ],
)
def test_what_lambda_would_refuse_is_told_before_anything_is_made(signing, name, arn, wrong, fix):
    with pytest.raises(InvalidInputError, match=wrong) as refused:
        deploy(pure(name, code_signing=arn), signing.aws)
    assert fix in refused.value.hint
    assert "CreateFunction" not in signing.calls


def test_who_may_not_look_is_told_so(signing, name):
    signing.denied = {"GetCodeSigningConfig", "GetFunctionCodeSigningConfig"}
    made = pure(name, code_signing=WARNS)
    told = deploy(made, signing.aws).plan.notes
    assert any(
        "AWS denies lambda:GetCodeSigningConfig; one that enforces takes no unsigned code" in note for note in told
    ), told
    again = plan(made, signing.aws)
    assert again.changes == () and any("code signing is not compared" in note for note in again.notes)


@pytest.mark.parametrize(
    ("value", "stands"),
    [
        ("FunctionUpdate", {"UpdateRuntimeOn": "FunctionUpdate"}),
        (RUNTIME, {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": RUNTIME}),
    ],
)
def test_updates_of_the_runtime_come_when_they_are_asked_for(signing, name, value, stands):
    made = pure(name, runtime_management=value)
    deploy(made, signing.aws)
    assert signing.updates == {f"{name}-dev-price": stands}
    assert plan(made, signing.aws).changes == plan(pure(name), signing.aws).changes == ()
    (change,) = plan(pure(name, runtime_management="Auto"), signing.aws).changes
    assert change.reason == f"{stands['UpdateRuntimeOn']} -> Auto"


def test_the_local_aws_says_that_it_has_neither(connection, name):
    made = pure(name, runtime_management="FunctionUpdate", code_signing=ENFORCES)
    notes = deploy(made, connection).plan.notes
    assert [note for note in notes if "is for AWS: the local AWS has nothing of it" in note] == list(notes)[-2:]
    assert plan(made, connection).changes == ()


@pytest.mark.parametrize("name_of_setting", ["code_signing", "runtime_management"])
@pytest.mark.parametrize("value", ["x", "Manual", "arn:aws:lambda:us-east-1:1:code-signing-config:x", 5])
def test_what_is_none_is_refused(name_of_setting, value):
    (wrong, *_) = pure("app", **{name_of_setting: value}).handlers[0].problems()
    assert name_of_setting in wrong.message


def test_the_forms_are_those_of_the_model():
    import re

    import botocore.session

    from nbchalice.handlers.settings import RUNTIME_UPDATES

    model = botocore.session.get_session().get_service_model("lambda")
    assert {*RUNTIME_UPDATES, "Manual"} == {*model.shape_for("UpdateRuntimeOn").enum}
    assert re.fullmatch(model.shape_for("RuntimeVersionArn").metadata["pattern"], RUNTIME)
    assert re.fullmatch(model.shape_for("CodeSigningConfigArn").metadata["pattern"], WARNS)
    assert {*model.shape_for("CodeSigningPolicy").enum} == {"Warn", "Enforce"}
