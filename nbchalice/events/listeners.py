"""Who is told of each event that was sent from here, or handled live here; a module that costs nothing to load."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbchalice.events.past import PastEvent

LISTENERS: list[Callable[[PastEvent], None]] = []
"""Called with the event and what became of it, also where nobody keeps events."""
