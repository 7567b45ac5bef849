"""The URL at which a function is invoked over HTTPS, and the statements that let callers in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from nbchalice.resources.base import AWS, OWNER_PREFIX, FunctionRef, Key, Resource, key_of, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.resources.permission import alone_on, read_policy
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_lambda.literals import FunctionUrlAuthTypeType
    from mypy_boto3_lambda.type_defs import AddPermissionRequestTypeDef

Access = Literal["iam", "public"]
AUTH_TYPES: dict[str, FunctionUrlAuthTypeType] = {"iam": "AWS_IAM", "public": "NONE"}
SID = f"{OWNER_PREFIX}-url-"
# Lambda, "Control access to Lambda function URLs": callers need both.
ACTIONS = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")


@dataclass(frozen=True)
class UrlPermission(Resource):
    """A statement of the function's policy that lets callers of its URL in (Lambda: AddPermission).

    It is there with ``iam``, too, for the account itself, whose own policies decide then: by it the URL is found again.

    Parameters
    ----------
    function : FunctionRef
        The function.
    access : Access
        ``iam`` for those whom IAM allows it, ``public`` for everybody.
    action : str
        One of `ACTIONS`.
    """

    kind: ClassVar[str] = "URL permission"
    delivers: ClassVar[bool] = True
    function: FunctionRef
    access: Access
    action: str

    @property
    def name(self) -> str:
        """The function, and who may do what."""
        return f"{self.function.name} <- {self.access} ({self.action})"

    @property
    def sid(self) -> str:
        """The statement's id, which tells access and action."""
        return f"{SID}{self.access}-{self.action.partition(':')[2]}"

    @property
    def needs(self) -> frozenset[Key]:
        """The function."""
        return frozenset({key_of("function", self.function.name)})

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        names = ("AddPermission", "GetPolicy", "RemovePermission")
        return [Grant(tuple(f"lambda:{name}" for name in names), (self.function.arn,))]

    @property
    def principal(self) -> str:
        """Who may: everybody, or the account."""
        return "*" if self.access == "public" else self.function.account

    def condition(self) -> JSON:
        """Return what the statement is limited to, as AddPermission takes it."""
        if self.action == ACTIONS[0]:
            return {"FunctionUrlAuthType": AUTH_TYPES[self.access]}
        return {"InvokedViaFunctionUrl": True}

    def read(self, aws: AWS) -> JSON | None:
        """Return the statement, or None."""
        return next((one for one in read_policy(aws, self.function.name) if one.get("Sid") == self.sid), None)

    def differences(self, current: JSON) -> list[str]:
        """Return whether the statement lets in others, or more."""
        conditions: JSON = {}
        for operator in current.get("Condition", {}).values():
            conditions |= {name.partition(":")[2]: str(value).lower() for name, value in operator.items()}
        wanted = {name: str(value).lower() for name, value in self.condition().items()}
        same = self._lets_in(current) and current.get("Action") == self.action and conditions == wanted
        return [] if same else ["its statement is not the wanted one"]

    def _lets_in(self, current: JSON) -> bool:
        """Whether a statement's principal is the wanted one; Lambda writes an account as the ARN of its root."""
        principal = current.get("Principal")
        who = principal.get("AWS") if isinstance(principal, dict) else principal
        root = f"arn:{self.function.partition}:iam::{self.function.account}:root"
        return who in ({"*"} if self.access == "public" else {self.function.account, root})

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Add the statement; a different one under the same id is removed first."""
        client = aws.client("lambda")
        if current is not None:
            self.delete(aws, current)
        request: AddPermissionRequestTypeDef = {
            "FunctionName": self.function.name,
            "StatementId": self.sid,
            "Action": self.action,
            "Principal": self.principal,
            **self.condition(),  # type: ignore[typeddict-item]
        }
        with alone_on(self.function):
            client.add_permission(**request)

    def delete(self, aws: AWS, current: object) -> None:
        """Remove the statement."""
        with or_missing(), alone_on(self.function):
            aws.client("lambda").remove_permission(FunctionName=self.function.name, StatementId=self.sid)


@dataclass(frozen=True)
class FunctionUrl(Resource):
    """The function's URL (Lambda: CreateFunctionUrlConfig).

    Parameters
    ----------
    function : FunctionRef
        The function.
    access : Access
        Who may call it: ``iam`` or ``public``.
    """

    kind: ClassVar[str] = "function URL"
    has_address: ClassVar[bool] = True
    function: FunctionRef
    access: Access = "iam"

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.name

    @property
    def permissions(self) -> list[UrlPermission]:
        """What lets callers in."""
        return [UrlPermission(self.function, self.access, action) for action in ACTIONS]

    @property
    def needs(self) -> frozenset[Key]:
        """The function, and the statements, by which the URL is found again; so they also go last."""
        return frozenset({key_of("function", self.function.name), *(one.key for one in self.permissions)})

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        names = (
            "CreateFunctionUrlConfig",
            "DeleteFunctionUrlConfig",
            "GetFunctionUrlConfig",
            "UpdateFunctionUrlConfig",
        )
        return [Grant(tuple(f"lambda:{name}" for name in names), (self.function.arn,))]

    @property
    def warning(self) -> str:
        """That a public URL is open to everybody."""
        who = f"{self.function.handler}: its URL is public: anyone on the internet who knows it can run the function"
        return who if self.access == "public" else ""

    def read(self, aws: AWS) -> JSON | None:
        """Return the URL's configuration, or None."""
        with or_missing():
            return dict(aws.client("lambda").get_function_url_config(FunctionName=self.function.name))
        return None

    def address(self, current: JSON) -> str:
        """Return the URL, and who may call it."""
        who = "public" if current.get("AuthType") == "NONE" else "for callers with IAM's lambda:InvokeFunctionUrl"
        return f"{self.function.handler}: {current['FunctionUrl']} ({who})"

    def differences(self, current: JSON) -> list[str]:
        """Compare who may call it; other settings, as of CORS, are not ours."""
        now, wanted = current.get("AuthType"), AUTH_TYPES[self.access]
        return [] if now == wanted else [f"{now} -> {wanted}"]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the URL, or change who may call it."""
        client = aws.client("lambda")
        auth = AUTH_TYPES[self.access]
        if current is None:
            client.create_function_url_config(FunctionName=self.function.name, AuthType=auth)
        else:
            client.update_function_url_config(FunctionName=self.function.name, AuthType=auth)

    def delete(self, aws: AWS, current: object) -> None:
        """Delete the URL; one that is made again is another."""
        with or_missing():
            aws.client("lambda").delete_function_url_config(FunctionName=self.function.name)


def attached_url(function: FunctionRef, policy: Sequence[JSON]) -> list[Resource]:
    """Return the function's URL and its statements, as the function's policy tells."""
    resources: list[Resource] = []
    for sid in (str(one.get("Sid", "")) for one in policy):
        access, _, action = sid.removeprefix(SID).partition("-")
        if sid.startswith(SID) and access in AUTH_TYPES:
            resources.append(UrlPermission(function, access, f"lambda:{action}"))  # type: ignore[arg-type]
    # Statements of two kinds stand where a change of access was cut short; there is one URL.
    return [*resources, FunctionUrl(function)] if resources else []
