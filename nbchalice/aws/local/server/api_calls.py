"""A call of an API of AWS, as MiniStack takes it apart to find who serves it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ministack import app as ministack_app
from ministack.core import iam_actions, responses, router

from .request import Request

CBOR_PATH = re.compile(r"/service/\w+/operation/(\w+)")  # CloudWatch, of newer SDKs
CONTROL_OF_S3 = "/v20180820/"


@dataclass(frozen=True)
class ApiCall:
    """A call; parameters of a form in its body count among those of its URL."""

    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    params: dict[str, list[str]]
    region: str
    account: str

    @classmethod
    def parse(cls, request: Request) -> ApiCall:
        """Return what a request calls."""
        headers, query = dict(request.headers), request.params
        body = ministack_app._decompress_request_body(request.body, headers)
        params = ministack_app._routing_params(request.method, request.path, headers, body, query)
        service = router.detect_service(request.method, request.path, headers, params)
        region = router.extract_region(headers, query)
        account = responses.get_account_id()
        return cls(service, request.method, request.path, headers, body, params, region, account)

    @property
    def is_served(self) -> bool:
        """Whether MiniStack has the service at all."""
        return self.service in ministack_app.SERVICE_HANDLERS

    @cached_property
    def action(self) -> str | None:
        """The action as MiniStack names it, after the operation; None where it knows none."""
        named: str | None
        if self.service == "s3" and self.path.startswith(CONTROL_OF_S3):
            named = iam_actions.s3control_action(self.method, self.path)
        elif self.service == "monitoring" and (match := CBOR_PATH.fullmatch(self.path)):
            named = f"cloudwatch:{match[1]}"
        elif self.service == "lambda":
            named = self._action_of_lambda()
        else:
            named = iam_actions.extract_iam_action(
                self.service, self.method, self.path, self.headers, self.body, self.params
            )
        return named

    def _action_of_lambda(self) -> str | None:
        """Return what botocore's model says; MiniStack's own table is coarse. All ways to invoke are one permission."""
        if self.path.endswith(("/invocations", "/invoke-async", "/response-streaming-invocations")):
            return "lambda:InvokeFunction"
        iam_actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]
        operation = iam_actions._match_rest_action("lambda", self.method, self.path, self.params)
        return f"lambda:{operation}" if operation else None

    @cached_property
    def document(self) -> dict[str, Any]:
        """The JSON document in the body; empty where there is none."""
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def given(self, *names: str) -> str:
        """Return the first of some members of the document, or parameters, that is given, as text."""
        for name in names:
            value = self.document.get(name) or self.params.get(name, [""])[0]
            if value and isinstance(value, str):
                return value
        return ""

    def listed(self, name: str) -> list[str]:
        """Return the texts of a list in the document."""
        entries = self.document.get(name)
        return [entry for entry in entries if isinstance(entry, str)] if isinstance(entries, list) else []

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something beside the caller."""
        return resource if resource.startswith("arn:") else f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    @property
    def resource(self) -> str:
        """The ARN that MiniStack makes of the request, ``*`` where it knows none."""
        named: str = iam_actions.extract_resource_arn(
            self.service,
            self.method,
            self.path,
            self.headers,
            self.body,
            self.params,
            self.region,
            self.account,
        )
        return named
