"""The rights of a deployed function's role, for its handler while it runs in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nbchalice.aws.errors import explain
from nbchalice.aws.target import OWN_CLIENTS
from nbchalice.errors import InvalidInputError, NbChaliceError
from nbchalice.events.context import environment
from nbchalice.events.no_aws import refused_ways
from nbchalice.events.on_local_aws import exchange_session
from nbchalice.resources.arns import Arn
from nbchalice.resources.base import FunctionRef, is_denied, or_missing

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection

LONGEST_NAME = 64  # of a session (STS: AssumeRole)


class RoleRights:
    """Temporary credentials of the role of a function, which sign what its handler calls here.

    Parameters
    ----------
    aws : Connection
        Where the function stands.
    ref : FunctionRef
        The function.

    Raises
    ------
    InvalidInputError
        It is not deployed, or its role does not let the caller take it; says what lets it.
    """

    def __init__(self, aws: Connection, ref: FunctionRef) -> None:
        from botocore.credentials import RefreshableCredentials

        self._aws, self._ref = aws, ref
        self.role = _role_of(aws, ref)
        self._default: Any = None
        self.credentials = RefreshableCredentials.create_from_metadata(self._take(), self._take, "assume-role")

    def _take(self) -> dict[str, str]:
        try:
            answer = self._aws.client("sts").assume_role(
                RoleArn=self.role, RoleSessionName=self._ref.name[:LONGEST_NAME]
            )
        except Exception as error:
            if is_denied(error):
                raise self._refused() from None
            raise explain(error, f"taking the role of {self._ref.handler}") from None
        given = answer["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    def _refused(self) -> NbChaliceError:
        caller = caller_of(self._aws)
        message = f"{caller} may not take the role of {self._ref.handler}: its trust policy does not name you"
        path = Arn.parse(self.role).resource.removeprefix("role/")
        if path.rpartition("/")[2] == self._ref.name and "nbchalice/" in path:
            return InvalidInputError(message, f"add --trust {caller} to the handler, and deploy", code="role-not-taken")
        statement = f'{{"Effect": "Allow", "Principal": {{"AWS": "{caller}"}}, "Action": "sts:AssumeRole"}}'
        hint = f"add this statement to the trust policy of {self.role}: {statement}"
        return InvalidInputError(message, hint, code="role-not-taken")

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Sign all calls of this process in a block with the role's credentials, but nbchalice's own."""
        from botocore.signers import RequestSigner

        before = RequestSigner.get_auth_instance

        def instead(signer: Any, *args: Any, **more: Any) -> Any:
            own: list[Any] = list(OWN_CLIENTS)
            if all(client._request_signer is not signer for client in own):
                more["request_credentials"] = self.credentials
            return before(signer, *args, **more)

        with environment(self._variables()), refused_ways({"aiobotocore.client"}, self._cannot_sign), self._session():
            RequestSigner.get_auth_instance = instead  # type: ignore[method-assign,assignment]
            try:
                yield
            finally:
                RequestSigner.get_auth_instance = before  # type: ignore[method-assign]

    def _variables(self) -> dict[str, str | None]:
        """Return the variables by which what the handler starts has the role's rights, too."""
        keys = self.credentials.get_frozen_credentials()
        return {
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
        }

    @contextmanager
    def _session(self) -> Iterator[None]:
        """Let boto3's default session be another in a block: it keeps the credentials that it finds first."""
        before = exchange_session(self._default)
        try:
            yield
        finally:
            self._default = exchange_session(before)

    def _cannot_sign(self, client: Any, operation: str, arguments: dict[str, Any]) -> NbChaliceError:
        name = f"{client.meta.service_model.service_id} {operation}"
        return InvalidInputError(f"--as-role: {name} by aiobotocore cannot be signed with the role", "leave it out")


def _role_of(aws: Connection, ref: FunctionRef) -> str:
    with or_missing():
        return str(aws.client("lambda").get_function_configuration(FunctionName=ref.name)["Role"])
    raise InvalidInputError(f"{ref.handler} is not deployed: it has no role yet", "%chalice deploy")


def caller_of(aws: Connection) -> str:
    """Return the ARN under which the role's trust policy names who calls."""
    if aws.target.user:
        return aws.target.user
    return str(aws.client("sts").get_caller_identity()["Arn"])
