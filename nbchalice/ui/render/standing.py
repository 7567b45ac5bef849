"""How a handler stands, as far as a kernel was told: what its card says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CardState = Literal["registered", "changed", "deployed", "taken back"]
KINDS = {"registered": "", "changed": "warn", "deployed": "good", "taken back": "", "failing": "bad"}


@dataclass(frozen=True)
class Standing:
    """How a handler stands.

    Parameters
    ----------
    state : CardState
        ``registered`` (nothing is known of AWS), ``changed`` or ``deployed`` (what AWS has), or ``taken back``.
    at : str
        When it was deployed, or seen to be, or an empty text.
    why : str
        What differs from what is deployed, or an empty text.
    last : str
        What became of the last event that this kernel knows of, or an empty text.
    failed : bool
        Whether that failed.
    live : str
        In which process its real events are handled, as far as that is known, or an empty text.
    timeout : int or None
        The seconds that a deploy of this kernel gave it, where a trigger shortened them.
    """

    state: CardState = "registered"
    at: str = ""
    why: str = ""
    last: str = ""
    failed: bool = False
    live: str = ""
    timeout: int | None = None

    @property
    def badge(self) -> str:
        """The state and since when, in a few words."""
        since = [self.at] if self.at and self.state == "deployed" else []
        failing = ["failing"] if self.failed and self.state != "taken back" else []
        live = [f"live {self.live}"] if self.live and self.state != "taken back" else []
        return " · ".join([self.state, *since, *live, *failing])

    @property
    def kind(self) -> str:
        """The colour of the badge."""
        return KINDS["failing" if self.failed and self.state != "taken back" else self.state]

    @property
    def is_to_deploy(self) -> bool:
        """Whether a deploy is what comes next."""
        return self.state in {"registered", "changed"}


UNKNOWN = Standing()
"""Of a handler of which nothing was heard yet."""
