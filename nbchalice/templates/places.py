"""What is known only where a template is deployed: account, region, and its parameters, as texts until then.

Everything that is made for an app is described by texts that hold these: the ARN of a queue is
``arn:PARTITION:sqs:REGION:ACCOUNT:orders``. With stand-ins in their places, each text that holds one becomes
``{"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:orders"}`` (CloudFormation: Fn::Sub).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from nbchalice.deploy.desired import App
from nbchalice.resources.clients import Clients
from nbchalice.resources.stored_bundle import bundle_folder
from nbchalice.resources.upload_bucket import upload_bucket
from nbchalice.typed import JSON

# Each has the form of what it stands for, as what is described by them looks at that; none is a real one.
PARTITION, REGION, ACCOUNT = "aws-nbchalice-partition", "nbchalice-region-0", "000004917360"
APP, STAGE = "nbchalice-app-0", "nbchalice-stage-0"
CODE_BUCKET, CODE_PREFIX = "CodeBucket", "CodePrefix"
# The longest first: a folder of the upload bucket holds other stand-ins.
STAND_INS = {
    f"{upload_bucket(ACCOUNT, REGION)}/{bundle_folder(APP, STAGE)}": f"${{{CODE_BUCKET}}}/${{{CODE_PREFIX}}}",
    PARTITION: "${AWS::Partition}",
    REGION: "${AWS::Region}",
    ACCOUNT: "${AWS::AccountId}",
    APP: "${AppName}",
    STAGE: "${Stage}",
}


@dataclass
class Anywhere:
    """The place where a template is deployed, as `nbchalice.resources.base.AWS`; there is nothing to ask."""

    region: str = REGION
    account: str = ACCOUNT
    partition: str = PARTITION
    local: bool = False

    @property
    def client(self) -> Clients:
        """No client: what stands is not known when a template is written."""
        raise AssertionError("a template is written without asking AWS")


def anywhere(app: App) -> App:
    """Return an app whose name and stage are given where its template is deployed."""
    return replace(app, name=APP, stage=STAGE, notebook="", owners=(), origins={})


def filled(value: object, known: Mapping[str, JSON]) -> object:
    """Return what a template holds in place of a value.

    Parameters
    ----------
    value : object
        Of JSON, with stand-ins in its texts.
    known : Mapping[str, JSON]
        What stands for a whole text: ``{"Ref": "PriceFunction"}`` for a function's name.
    """
    if isinstance(value, Mapping):
        return {name: filled(inner, known) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [filled(inner, known) for inner in value]
    if not isinstance(value, str):
        return value
    return known[value] if value in known else substituted(value)


def substituted(text: str) -> object:
    """Return a text for a template: as it is, or as ``Ref`` or ``Fn::Sub`` where it holds stand-ins."""
    # "${!price}" is how Fn::Sub writes "${price}".
    changed = text.replace("${", "${!")
    for stand_in, variable in STAND_INS.items():
        changed = changed.replace(stand_in, variable)
    if changed == text.replace("${", "${!"):
        return text
    whole = changed[2:-1]
    return {"Ref": whole} if changed in STAND_INS.values() and "}" not in whole else {"Fn::Sub": changed}


def referred(value: object) -> Iterator[str]:
    """Yield the names that a value of a template refers to, of resources and parameters."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "Ref":
                yield str(inner)
            elif name == "Fn::GetAtt":
                yield cast("list[str]", inner)[0]
            elif name == "Fn::Sub":
                yield from (part.partition("}")[0] for part in str(inner).split("${")[1:])
            else:
                yield from referred(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from referred(inner)
