"""What ships with each function: the event's class, and what nbchalice must know to hand it over."""

from __future__ import annotations

from typing import Any

from nbchalice.runtime.event_kinds import at
from nbchalice.runtime.events import Event, RecordsEvent
from nbchalice.runtime.registered_kinds import RegisteredKind, register


class SESRecord(Event):
    """One mail (SES: "Lambda function action", "Example event data")."""

    @property
    def message_id(self) -> str:
        """The id that SES gave the mail."""
        return str(self._event_dict["ses"]["mail"]["messageId"])

    @property
    def sender(self) -> str:
        """Who sent it."""
        return str(self._event_dict["ses"]["mail"]["source"])

    @property
    def recipients(self) -> list[str]:
        """Whom it is for."""
        return list(self._event_dict["ses"]["receipt"]["recipients"])

    @property
    def subject(self) -> str | None:
        """Its subject."""
        subject: str | None = self._event_dict["ses"]["mail"]["commonHeaders"].get("subject")
        return subject


class SESEvent(RecordsEvent[SESRecord]):
    """Mail that a receipt rule handed over; iterate it for the ``SESRecord`` of each."""

    record_class = SESRecord


def on_ses_message(rule: str, rule_set: str = "default-rule-set", *, sender: str | None = None) -> dict[str, Any]:
    """Call the function for mail that a receipt rule of SES hands over, with an ``SESEvent``.

    Parameters
    ----------
    rule, rule_set: names of the receipt rule and of its set.
    sender: who test events come from.
    """
    return {"rule": rule, "rule_set": rule_set, "sender": sender}


KIND = register(
    RegisteredKind(
        name="on_ses_message",
        event_class=SESEvent,
        middleware="ses",
        service="aws:ses",
        ids=(at("ses", "mail", "messageId"),),
        options=on_ses_message,
        module=__name__,
    )
)
