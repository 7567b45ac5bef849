"""The names that AWS gives to things (AWS General Reference: Amazon Resource Names)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Arn:
    """``arn:partition:service:region:account:resource``; `str` writes it.

    Parameters
    ----------
    partition, service, region, account : str
        Where the thing stands; some services leave region or account empty.
    resource : str
        Which it is, for example ``function:price`` or, of a queue, ``orders``.
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an ARN.

        Raises
        ------
        ValueError
            The text is none.
        """
        head, *parts = text.split(":", 5)
        if head != "arn" or len(parts) != 5:
            raise ValueError(f"{text!r} is not an ARN")
        return cls(*parts)

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def name(self) -> str:
        """What comes last: the name of a queue, a topic or a bucket."""
        return self.resource.rpartition(":")[2]
