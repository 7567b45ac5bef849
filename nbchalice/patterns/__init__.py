"""Event patterns, filter policies and filter criteria as AWS has them: one matcher, and what differs between services.

Standard library only: the server of the local AWS loads this room as well as the notebook's side, so that what is
predicted before an event is sent is what then happens. Sources: the Event Ruler library, in which AWS published its
matcher; EventBridge, "Comparison operators for use in event patterns"; SNS, "Amazon SNS subscription filter policies";
Lambda, "Control which events Lambda sends to your function".
"""

from nbchalice.patterns.compiler import Pattern
from nbchalice.patterns.dialects import EVENT_PATTERN, FILTER_CRITERIA, FILTER_POLICY, Dialect
from nbchalice.patterns.policies import SCOPES, check_policy, policy_passes
from nbchalice.patterns.refusal import InvalidPatternError
from nbchalice.patterns.views import attributes_view, body_of, record_view

__all__ = [
    "EVENT_PATTERN",
    "FILTER_CRITERIA",
    "FILTER_POLICY",
    "SCOPES",
    "Dialect",
    "InvalidPatternError",
    "Pattern",
    "attributes_view",
    "body_of",
    "check_policy",
    "policy_passes",
    "record_view",
]
