"""Asks modules that do not ship: what the notebook found and checked is not looked for and checked again on Lambda."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def ask(module: str, function: str, otherwise: object, *arguments: object) -> Any:
    """Return what a function answers; on Lambda, where its module did not ship, what there is otherwise.

    Parameters
    ----------
    module : str
        A module of this package, by a name that packaging does not follow.
    function : str
        Which of its functions.
    otherwise : object
        The answer on Lambda.
    """
    try:
        found = importlib.import_module(f".{module}", __package__)
    except ImportError:
        return otherwise
    return getattr(found, function)(*arguments)
