"""Events of EventBridge, and with them the ticks of schedules."""

from __future__ import annotations

from .events import Event, parse_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .events import JSON


class CloudWatchEvent(Event):
    """An EventBridge (CloudWatch Events) event: a schedule's tick, or one that matched a pattern.

    A schedule with an input of its own sends only that input: what it lacks reads as empty, ``to_dict()`` has it all.
    """

    @property
    def version(self) -> str:
        """Version of the event format."""
        return self._text("version")

    @property
    def account(self) -> str:
        """Twelve-digit account number of the sender."""
        return self._text("account")

    @property
    def region(self) -> str:
        """Region of the sender."""
        return self._text("region")

    @property
    def detail(self) -> JSON:
        """What happened, as a dict; EventBridge Scheduler's JSON text is parsed."""
        detail = self._get("detail", {})
        return parse_json(detail, "the detail") if isinstance(detail, str) and detail.startswith("{") else detail  # type: ignore[no-any-return]

    @property
    def detail_type(self) -> str:
        """Kind of event, for example ``Scheduled Event``."""
        return self._text("detail-type")

    @property
    def source(self) -> str:
        """Service that sent it, for example ``aws.events``."""
        return self._text("source")

    @property
    def time(self) -> str:
        """When it happened: UTC, ISO 8601."""
        return self._text("time")

    @property
    def event_id(self) -> str:
        """Id of the event."""
        return self._text("id")

    @property
    def resources(self) -> list[str]:
        """ARNs of the resources involved, for a schedule that of its rule."""
        resources: list[str] = self._get("resources", [])
        return resources

    def _get(self, key: str, default: object) -> Any:
        # A schedule's own input may be any JSON, a list or a number too.
        return self._event_dict.get(key, default) if isinstance(self._event_dict, dict) else default

    def _text(self, key: str) -> str:
        return str(self._get(key, ""))

    def _summary(self) -> str:
        known = [self.detail_type, f"from {self.source}" if self.source else "", self.time]
        return " ".join(word for word in known if word) or super()._summary()
