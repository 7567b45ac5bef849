"""Puts a check before a part of MiniStack, so that a call which AWS refuses changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Wrong:
    """What AWS says of a call that it refuses.

    Parameters
    ----------
    code, message : str
        Of the error.
    status : int
        The HTTP status. Default: 400.
    more : tuple[tuple[str, str], ...]
        What S3 adds to its errors, by name. Default: nothing.
    """

    code: str
    message: str
    status: int = 400
    more: tuple[tuple[str, str], ...] = ()


def put_before(
    module: ModuleType, name: str, check: Callable[..., Wrong | None], answer: Callable[[Wrong], Any]
) -> Callable[..., Any]:
    """Replace a function of a module by one that asks a check first; return it.

    Parameters
    ----------
    module : module
        A service of MiniStack.
    name : str
        Of its function.
    check : Callable
        Takes what the function takes, and returns what is wrong with it, or None.
    answer : Callable[[Wrong], Any]
        Makes the service's answer.
    """
    stock = getattr(module, name)

    def checked(*arguments: Any, **options: Any) -> Any:
        wrong = check(*arguments, **options)
        return answer(wrong) if wrong else stock(*arguments, **options)

    setattr(module, name, checked)
    return checked
