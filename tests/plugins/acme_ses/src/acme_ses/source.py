"""What the notebook needs: the magic's options, what stands on AWS, and test events."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from acme_ses.event import KIND
from nbchalice.resources.base import AWS, FunctionRef, Resource
from nbchalice.resources.permission import Permission, is_ours, principal_of, source_account_of, source_arn_of
from nbchalice.sources.base import Field, Sent, Source
from nbchalice.sources.invoking import send_event
from nbchalice.sources.options import Option

JSON = dict[str, Any]
SERVICE = "ses.amazonaws.com"


class SES(Source):
    """`@app.on_ses_message` and `%%on_ses_message` (SES: "Invoke Lambda function action")."""

    name = KIND.name
    title = "SES"
    examples = ("orders", "returns --rule-set main --sender joe@example.com")
    way = "invoke asynchronously, as SES does"
    argument = Option("rule", "name of the receipt rule whose action invokes the function", metavar="RULE")
    options = (
        Option("rule_set", "name of the rule set that it is in", default="default-rule-set", metavar="NAME"),
        Option("sender", "who test events come from", metavar="ADDRESS"),
    )
    fields = (
        Field("subject", "Subject", default="Hello", help="the mail's subject"),
        Field("message", "From", help="who sends it"),
    )

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Return what SES would reject (SES: CreateReceiptRule)."""
        rule = options.get("rule")
        if not rule:
            return ["RULE is missing: give the name of a receipt rule"]
        return [] if re.fullmatch(r"[\w-]{1,64}", rule) else [f"{rule!r} is not a receipt rule's name"]

    def describe(self, options: Mapping[str, Any]) -> str:
        """Return the trigger in a few words."""
        return f"mail of receipt rule {options['rule']}"

    def resources(self, options: Mapping[str, Any], function: FunctionRef) -> list[Resource]:
        """Return the permission; the receipt rule is the user's."""
        rule_set = options.get("rule_set") or "default-rule-set"
        arn = function.arn_of("ses", f"receipt-rule-set/{rule_set}:receipt-rule/{options['rule']}")
        return [Permission(function, SERVICE, arn, function.account)]

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the permissions of receipt rules."""
        own = [one for one in policy if is_ours(one) and principal_of(one) == SERVICE]
        return [Permission(function, SERVICE, source_arn_of(one), source_account_of(one)) for one in own]

    def sample(self, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> JSON:
        """Return an event with one mail."""
        sender = str(values.get("message") or options.get("sender") or "jane@example.com")
        recipients = ["johndoe@example.com"]
        mail = {
            "messageId": uuid.uuid4().hex,
            "source": sender,
            "timestamp": "1970-01-01T00:00:00.000Z",
            "destination": recipients,
            "headersTruncated": False,
            "headers": [],
            "commonHeaders": {"from": [sender], "to": recipients, "subject": values.get("subject") or "Hello"},
        }
        receipt = {"recipients": recipients, "timestamp": "1970-01-01T00:00:00.000Z", "processingTimeMillis": 574}
        return {
            "Records": [{"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {"mail": mail, "receipt": receipt}}]
        }

    def send(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> Sent:
        """Invoke the function asynchronously, as SES does."""
        return send_event(aws, function, self.sample(options, function, **values))
