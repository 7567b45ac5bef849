"""AWS as botocore's models describe it: takes the calls that a service allows, and answers with made-up values."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from nbchalice.typed import JSON

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient
    from botocore.model import OperationModel, Shape
    from botocore.session import Session

REGION, ACCOUNT = "eu-west-1", "123456789012"
# What would make a caller ask for another page, or believe that the call failed.
LEFT_OUT = re.compile(r"token|marker|truncated|lastevaluated|error", re.IGNORECASE)
DEEPEST = 6


class ModelAWS:
    """Stands for an account: nothing leaves the process, and botocore checks each call against the service's model.

    Attributes: ``calls`` (service, operation, parameters).
    """

    region, account, partition, local = REGION, ACCOUNT, "aws", False

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, JSON]] = []
        self._clients: dict[tuple[str, str], BaseClient] = {}

    def client(self, service: str, region: str | None = None, *, patience: float | None = None) -> Any:
        """Return a client whose calls are answered here."""
        place = (service, region or self.region)
        if place not in self._clients:
            self._clients[place] = self._new_client(*place)
        return self._clients[place]

    def _new_client(self, service: str, region: str) -> BaseClient:
        client: Any = _session().create_client(service, region_name=region)

        def note(params: JSON, model: OperationModel, **_: object) -> None:
            self.calls.append((service, model.name, copy.deepcopy(params)))

        client.meta.events.register("provide-client-params", note)
        client.meta.events.register("before-call", answer)
        return cast("BaseClient", client)


@lru_cache(maxsize=1)
def _session() -> Session:
    """Return a session that keeps the services' models, which take long to read."""
    import botocore.session

    session = botocore.session.Session()
    session.set_credentials("nobody", "nothing")
    return session


def answer(model: OperationModel, **_: object) -> tuple[AWSResponse, JSON]:
    """Return the answer to a call, in place of sending it (botocore: before-call)."""
    from botocore.awsrequest import AWSResponse, HeadersDict

    headers: Any = HeadersDict()
    content: JSON = made_up(model.output_shape) if model.output_shape is not None else {}
    content["ResponseMetadata"] = {"RequestId": "11111111-2222-3333-4444-555555555555", "HTTPStatusCode": 200}
    return AWSResponse("", 200, headers, None), content


def made_up(shape: Shape, depth: int = 0) -> Any:
    """Return a value of a shape of botocore's model."""
    from botocore.model import ListShape, MapShape, StringShape, StructureShape

    if isinstance(shape, StructureShape):
        if depth > DEEPEST:
            return {}
        kept = {name: member for name, member in shape.members.items() if not LEFT_OUT.search(name)}
        return {name: made_up(member, depth + 1) for name, member in kept.items()}
    if isinstance(shape, ListShape):
        return [made_up(shape.member, depth + 1)] if depth <= DEEPEST else []
    if isinstance(shape, MapShape):
        return {made_up(shape.key): made_up(shape.value, depth + 1)}
    if isinstance(shape, StringShape):
        return shape.enum[0] if shape.enum else "made-up"
    plain: JSON = {"boolean": False, "timestamp": datetime.now(UTC), "blob": b"", "float": 0.0, "double": 0.0}
    return plain.get(shape.type_name, 0)
