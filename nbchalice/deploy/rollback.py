"""Going back to the version of a function that was deployed before."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from nbchalice.aws.errors import explain
from nbchalice.aws.target import Connection
from nbchalice.deploy import check, owners
from nbchalice.deploy.desired import App
from nbchalice.deploy.results import Rollback
from nbchalice.errors import AWSError, InvalidInputError
from nbchalice.resources.base import FunctionRef
from nbchalice.resources.function import FINGERPRINT, Function, wait_until_ready
from nbchalice.resources.upload_bucket import uploaded
from nbchalice.resources.versions import ROLLED_BACK, Step, download, settings_of, way_back

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def rollback(app: App, handler: str, aws: Connection) -> Rollback:
    """Put the code and settings of the version before onto a function; triggers, role and logs stay as they are.

    No version is published: called again, it goes back one more, and the next deploy goes forward to what the notebook
    says. It may be run again after a crash.

    Parameters
    ----------
    app : App
        The app.
    handler : str
        The handler's name.
    aws : Connection
        where.

    Raises
    ------
    InvalidInputError
        The function does not stand, is another's, or has no earlier version.
    AWSError
        AWS refused.
    """
    check.raise_all(check.names_problems(app) + check.account_problems(app, aws) + check.unnamed_problems(app, aws))
    owners.require_own_function(app, aws, handler)
    ref = app.ref(aws, handler)
    function = Function(ref)
    client = aws.client("lambda")
    try:
        current = function.read(aws)
        if current is None:
            raise InvalidInputError(f"{ref.name} is not deployed", "%chalice deploy", code="not-deployed")
        if foreign := function.conflicts(current):
            raise InvalidInputError(foreign[0], function.conflict_fix(current), code="foreign-resource")
        step = way_back(client, ref.name, current.get("Tags", {}))
        _go(step, ref, aws, client)
    except Exception as error:
        raise explain(error, f"rolling back {ref.name}") from None
    before, version = step.current["Version"], step.before["Version"]
    return Rollback(app, aws.target, handler, ref.name, before, version, step.code, step.settings)


def _go(step: Step, ref: FunctionRef, aws: Connection, client: LambdaClient) -> None:
    """Bring the function to the version; the tag that says so is written last."""
    version = step.before["Version"]
    wanted = settings_of(step.before)
    # AWS answers a version's code under a URL; what comes must be what the version says.
    content = download(client, ref.name, version)
    if base64.b64encode(hashlib.sha256(content).digest()).decode() != step.before["CodeSha256"]:
        raise AWSError(f"the code of version {version} of {ref.name} came damaged", "run it again")
    wait_until_ready(client, ref.name)
    wait_until_ready(client, ref.name, dict(client.update_function_configuration(FunctionName=ref.name, **wanted)))
    with uploaded(aws, content) as code:
        arch = step.before.get("Architectures") or ["x86_64"]
        answer = client.update_function_code(FunctionName=ref.name, Architectures=arch, **code)
    wait_until_ready(client, ref.name, dict(answer))
    # A deploy compares fingerprints: none means that it goes forward again.
    client.tag_resource(Resource=ref.arn, Tags={ROLLED_BACK: version, FINGERPRINT: "rolled-back"})
