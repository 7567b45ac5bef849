"""When Lambda's updates of a runtime reach a function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from nbchalice.resources.base import AWS, FunctionRef, Key, Resource, key_of, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.typed import JSON


@dataclass(frozen=True)
class RuntimeManagement(Resource):
    """The runtime management of a function (Lambda: PutRuntimeManagementConfig).

    Parameters
    ----------
    function : FunctionRef
        The function.
    updates : str
        ``Auto``, ``FunctionUpdate``, or the ARN of the version of the runtime at which the function stays.
    """

    kind: ClassVar[str] = "runtime management"
    repeatable: ClassVar[frozenset[str]] = frozenset({"PutRuntimeManagementConfig"})
    function: FunctionRef
    updates: str

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.name

    @property
    def needs(self) -> frozenset[Key]:
        """The function."""
        return frozenset({key_of("function", self.function.name)})

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        actions = ("lambda:GetRuntimeManagementConfig", "lambda:PutRuntimeManagementConfig")
        return [Grant(actions, (self.function.arn,))]

    def wanted(self) -> JSON:
        """Return it as PutRuntimeManagementConfig takes it."""
        if self.updates.startswith("arn:"):
            return {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": self.updates}
        return {"UpdateRuntimeOn": self.updates}

    def read(self, aws: AWS) -> JSON | None:
        """Return how it stands, or None where there is no function; the local AWS has nothing of it."""
        if aws.local:
            return self.wanted()
        with or_missing():
            return dict(aws.client("lambda").get_runtime_management_config(FunctionName=self.function.name))
        return None

    def differences(self, current: JSON) -> list[str]:
        """Compare it."""
        wanted = self.wanted()
        now = {name: current.get(name) for name in wanted}
        return [] if now == wanted else [f"{current.get('UpdateRuntimeOn') or 'Auto'} -> {self.updates}"]

    def write(self, aws: AWS, current: object) -> None:
        """Set it."""
        wanted: Any = self.wanted()
        aws.client("lambda").put_runtime_management_config(FunctionName=self.function.name, **wanted)

    def delete(self, aws: AWS, current: object) -> None:
        """Nothing: it goes with the function."""
