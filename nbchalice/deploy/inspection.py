"""What an inspection finds on AWS, and what it may take for stale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nbchalice.resources.base import Resource
from nbchalice.typed import JSON, Values


@dataclass(frozen=True)
class Unclaimed:
    """What lets events reach a function, made by nbchalice for an event source that is not installed.

    It stays: with it the source, once it is installed again, finds what else it made, such as a rule.

    Parameters
    ----------
    handler : str
        The handler.
    what : str
        The statement of the function's resource policy, in words.
    goes : bool
        Whether the function is to be removed, and the statement with it.
    """

    handler: str
    what: str
    goes: bool = False

    def __str__(self) -> str:
        text = f"{self.handler}: {self.what} was made by an event source that no installed package has; "
        if self.goes:
            return f"{text}what that source made besides stays on AWS: install its package first, or remove it by hand"
        return (
            f"{text}it stays, with what that source made besides: install its package and deploy again to remove both"
        )


@dataclass
class Inspection:
    """What was found.

    Parameters
    ----------
    current : JSON
        What stands of each resource that was read, by key; None where it is missing.
    stale : dict[str, Resource]
        What stands and should not, by key.
    orphans : list[str]
        Names of handlers that stand and are not registered.
    notebooks : dict[str, str]
        The notebook that a standing handler was deployed from, by the handler's name, as its tags tell.
    functions : dict[str, JSON]
        The functions that stand, by the handler's name.
    unclaimed : list[Unclaimed]
        What event sources made that are not installed here.
    unseen : list[str]
        What could not be looked for, since AWS denies it.
    """

    current: JSON = field(default_factory=dict)
    stale: dict[str, Resource] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)
    notebooks: dict[str, str] = field(default_factory=dict)
    functions: dict[str, JSON] = field(default_factory=dict)
    unclaimed: list[Unclaimed] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Removal:
    """What counts as stale beside what the registered handlers no longer need.

    Parameters
    ----------
    orphan : Callable[[str, Values], bool]
        Whether an orphan does, by its name and what stands of its function, if anything does.
    unused : bool
        Whether the layers and bundles do that no function uses which stays.
    """

    orphan: Callable[[str, Values], bool] = lambda name, function: False
    unused: bool = False


NOTHING = Removal()
