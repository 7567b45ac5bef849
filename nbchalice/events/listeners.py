"""Who is told of each event that was sent from here or handled live here, and of who is live; costs nothing to load."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbchalice.events.past import PastEvent

LISTENERS: list[Callable[[PastEvent], None]] = []
"""Called with the event and what became of it, also where nobody keeps events."""
LIVE_LISTENERS: list[Callable[[str, bool], None]] = []
"""Called with a function's ARN as live mode of it begins (True) or ends (False) in this process."""
