"""The template of an app for SAM: its functions are those of SAM, with code of this folder; all else is as it is.

AWS SAM: AWS::Serverless::Function. SAM makes what it calls events itself; here they stay CloudFormation's own
resources, so that both templates make the same.
"""

from __future__ import annotations

from typing import cast

from nbchalice.templates.kinds import Kind
from nbchalice.templates.places import CODE_BUCKET, CODE_PREFIX, referred
from nbchalice.typed import JSON

TRANSFORM = "AWS::Serverless-2016-10-31"
FOLDER = "code"


def for_sam(body: JSON) -> JSON:
    """Return a template of CloudFormation as one of SAM.

    Parameters
    ----------
    body : JSON
        As `nbchalice.templates.cloudformation.template_of` makes it.
    """
    resources = {name: _resource(entry) for name, entry in body["Resources"].items()}
    used = set(referred(resources))
    parameters = {name: one for name, one in body["Parameters"].items() if name in used}
    return {**body, "Transform": TRANSFORM, "Parameters": parameters, "Resources": resources}


def _resource(entry: JSON) -> JSON:
    properties = dict(entry["Properties"])
    if entry["Type"] == Kind.LAYER.cloudformation:
        return {**entry, "Properties": {**properties, "Content": _local(properties["Content"])}}
    if entry["Type"] != Kind.FUNCTION.cloudformation:
        return entry
    code = properties.pop("Code")
    inline = {"InlineCode": code["ZipFile"]} if "ZipFile" in code else {"CodeUri": _local(code)}
    tracing, dead = properties.pop("TracingConfig", None), properties.pop("DeadLetterConfig", None)
    tags = {tag["Key"]: tag["Value"] for tag in properties.pop("Tags", [])}
    given: JSON = {"FunctionName": properties.pop("FunctionName"), **inline, **properties}
    given |= {"Tracing": tracing["Mode"]} if tracing else {}
    given |= {"Tags": tags} if tags else {}
    given |= {"DeadLetterQueue": {"Type": _service(dead["TargetArn"]), **dead}} if dead else {}
    return {**entry, "Type": "AWS::Serverless::Function", "Properties": given}


def _local(place: JSON) -> str:
    """Return the path of a file that `sam deploy` is to upload."""
    assert place["S3Bucket"] == {"Ref": CODE_BUCKET}
    key = cast("str", place["S3Key"]["Fn::Sub"])
    return f"./{FOLDER}/{key.removeprefix(f'${{{CODE_PREFIX}}}')}"


def _service(target: object) -> str:
    """Return which of SQS and SNS an ARN is of, as it is or with parts that are filled in."""
    arn = target["Fn::Sub"] if isinstance(target, dict) else target
    return "SQS" if ":sqs:" in str(arn) else "SNS"
