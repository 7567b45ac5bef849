"""Mail that SES receives, as an event source of nbchalice."""

from acme_ses.event import SESEvent, SESRecord

__all__ = ["SESEvent", "SESRecord"]
