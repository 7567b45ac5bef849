"""The difference between what should stand and what stands, as data that can be printed and executed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from types import MappingProxyType
from typing import Any, Literal

from nbchalice.deploy.inspection import Inspection
from nbchalice.errors import InvalidInputError, NbChaliceError
from nbchalice.packaging.sizes import SizeTable
from nbchalice.resources.base import FunctionRef, Resource

Action = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Change:
    """One step of a plan.

    Parameters
    ----------
    action : Action
        What is done.
    resource : Resource
        To what.
    reason : str
        Why, in a few words.
    current : Any
        What stands, as it was read.
    """

    action: Action
    resource: Resource
    reason: str
    current: Any = field(default=None, repr=False, compare=False)

    @property
    def key(self) -> str:
        """The resource's key."""
        return self.resource.key

    def to_dict(self) -> dict[str, str]:
        """Return the change as JSON."""
        return {
            "action": self.action,
            "kind": self.resource.kind,
            "name": self.resource.name,
            "reason": self.reason,
        }

    def __str__(self) -> str:
        return f"{self.action} {self.resource.kind} {self.resource.name} ({self.reason})"


@dataclass(frozen=True)
class Plan:
    """The changes, and which of them must wait for which.

    Parameters
    ----------
    changes : tuple[Change, ...]
        The changes, in an order in which they could be made one after another.
    waits : Mapping[str, frozenset[str]]
        For each change's key, the keys of the changes that come first.
    orphans : tuple[str, ...]
        Handlers that stand and are not registered.
    pruned : tuple[str, ...]
        Handlers that it removes because the notebook no longer has them.
    elsewhere : Mapping[str, str]
        Handlers that stand and were deployed from another notebook, each with that notebook.
    others : Mapping[str, str]
        Handlers that stand and that somebody else deployed, each with who and when.
    not_run : Mapping[str, str]
        Handlers that stand, also in the notebook's file, and are not registered; each with a text.
    doubts : Mapping[str, str]
        Orphans that may stand in the notebook after all, each with the reason why its file cannot tell.
    notes : tuple[str, ...]
        What a person should know, for example a timeout taken from a queue.
    unready : tuple[str, ...]
        Of the notes, those on what stands as it should and AWS has not yet set to work.
    sizes : Mapping[str, SizeTable]
        How large the packages are that are uploaded, by handler.
    timeouts : Mapping[str, int]
        Seconds, for the handlers whose timeout a trigger shortens.
    """

    changes: tuple[Change, ...] = ()
    waits: Mapping[str, frozenset[str]] = field(default_factory=dict)
    orphans: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    not_run: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    sizes: Mapping[str, SizeTable] = field(default_factory=dict)
    timeouts: Mapping[str, int] = field(default_factory=dict)

    def because(self, keys: Collection[str], cause: str) -> Plan:
        """Return the plan with a cause added to the reasons of some changes, by their resource's key."""
        changes = []
        for change in self.changes:
            reason = f"{change.reason}: {cause}" if change.key in keys else change.reason
            changes.append(replace(change, reason=reason))
        return replace(self, changes=tuple(changes))

    @property
    def touched(self) -> set[str]:
        """The handlers of which something is changed."""
        return {name for change in self.changes if (name := handler_of(change.resource))}

    def to_dicts(self) -> list[dict[str, str]]:
        """Return the changes as JSON."""
        return [change.to_dict() for change in self.changes]


def handler_of(resource: Resource) -> str | None:
    """Return the handler that a resource belongs to, or None where it serves several."""
    function = getattr(resource, "function", None)
    return None if function is None else str(function.handler)


def make_plan(
    wanted: Mapping[str, Resource],
    standing: Inspection,
    *,
    orphans: tuple[str, ...] = (),
    elsewhere: Mapping[str, str] = MappingProxyType({}),
    notes: tuple[str, ...] = (),
) -> Plan:
    """Compare what should stand with what stands.

    Parameters
    ----------
    wanted : Mapping[str, Resource]
        What should stand, by key.
    standing : Inspection
        What stands.
    orphans, elsewhere, notes : tuple[str, ...] or Mapping[str, str]
        Passed on.
    """
    changes: dict[str, Change] = {}
    for key, desired in wanted.items():
        leaving = standing.stale.get(key)
        resource = desired.merge(leaving) if leaving else desired
        current = standing.current.get(key)
        if current is None:
            changes[key] = Change("create", resource, "it does not exist")
        elif reasons := resource.differences(current):
            changes[key] = Change("update", resource, "; ".join(reasons), current)
    for key, resource in standing.stale.items():
        if key not in wanted:
            changes[key] = Change("delete", resource, "no handler needs it", standing.current[key])
    waits = {key: frozenset(_waits(change, changes, wanted)) for key, change in changes.items()}
    ordered = _in_order(changes, waits)
    return Plan(tuple(ordered), waits, orphans, elsewhere=elsewhere, notes=notes)


def conflicts(
    wanted: Mapping[str, Resource], standing: Inspection, orphans: Sequence[FunctionRef] = ()
) -> list[NbChaliceError]:
    """Return what of other owners stands in the way.

    Parameters
    ----------
    wanted : Mapping[str, Resource]
        What should stand, by key.
    standing : Inspection
        What stands.
    orphans : Sequence[FunctionRef]
        The functions that `--prune` would remove.
    """
    problems: list[NbChaliceError] = []
    for key, resource in {**wanted, **standing.stale}.items():
        if standing.current.get(key) is None:
            continue
        for text in resource.conflicts(standing.current[key]):
            orphan = next((ref.handler for ref in orphans if text.endswith(ref.name)), None)
            hint = resource.conflict_fix(standing.current[key])
            if orphan:
                hint = f"the notebook no longer has {orphan}: deploy with --prune, which removes it"
            problems.append(InvalidInputError(f"{resource.kind} {text}", hint, code="foreign-resource"))
    return problems


def _waits(change: Change, changes: Mapping[str, Change], wanted: Mapping[str, Resource]) -> set[str]:
    """Return the keys of what must be done before a change."""
    resource = change.resource
    if change.action != "delete":
        return {key for key in _all_needs(resource, wanted) if key in changes and changes[key].action != "delete"}
    first = set()
    for other in changes.values():
        # A role goes after the function that needs it; a permission after the update of a bucket that frees it.
        afterwards = other.resource.frees
        if other.action == "delete":
            afterwards |= other.resource.needs
        if other.key != change.key and change.key in afterwards:
            first.add(other.key)
    return first


def _all_needs(resource: Resource, wanted: Mapping[str, Resource]) -> set[str]:
    """Return what a resource needs, and what that needs in turn, though it may stand already."""
    needs: set[str] = set()
    left = set(resource.needs)
    while left:
        key = left.pop()
        if key not in needs:
            needs.add(key)
            left |= wanted[key].needs if key in wanted else frozenset()
    return needs


def _in_order(changes: Mapping[str, Change], waits: Mapping[str, frozenset[str]]) -> list[Change]:
    """Return the changes in rounds: each holds all that waits for nothing of a later one, as they were given."""
    position = {key: number for number, key in enumerate(changes)}
    sorter = TopologicalSorter(waits)
    sorter.prepare()
    ordered: list[Change] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=position.__getitem__)
        ordered += [changes[key] for key in ready]
        sorter.done(*ready)
    return ordered
