"""A run of the notebook in the confined process, as Restart & Run All would: what slices must agree with."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from itertools import chain
from json import dumps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nbchalice.errors import InvalidInputError
from nbchalice.notebook.analysis.search_path import added_folders
from nbchalice.notebook.capture.codecs_named import named_codecs
from nbchalice.notebook.capture.render import handler_decorators
from nbchalice.notebook.capture.slice import imported_by
from nbchalice.notebook.sandbox.helper import RERUNS
from nbchalice.notebook.sandbox.reads import ALL
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.sandbox.values import Node, Shared
    from nbchalice.typed import Values

CPU_SECONDS = 10.0
_TIMEOUT_SECONDS = 40.0
_REMEMBERED = 16
_known: OrderedDict[str, list[tuple[dict[str, str], Rerun]]] = OrderedDict()


@dataclass(frozen=True)
class Rerun:
    """What a run of the notebook gave.

    Parameters
    ----------
    values : Mapping[str, Node]
        Descriptions of the variables that were asked for and are known.
    tainted : Mapping[str, str]
        The names that are not known, each with the reason: a statement that could not run in the confined process.
    absent : frozenset[str]
        The names that were asked for and are known not to stand at the end.
    changed : Mapping[str, list[int]]
        For the names that were watched, the positions of the statements that changed them.
    called : frozenset[str]
        The handlers that the notebook called.
    read : frozenset[str]
        The environment variables that were read.
    sharing : tuple[Shared, ...]
        Which variables hold an object that a bundled one holds, too.
    unregistered : tuple[tuple[str, str], ...]
        The codecs and error handlers that the notebook names and does not register.
    missing : str
        Why there was no run at all, or an empty text.
    """

    values: Mapping[str, Node] = field(default_factory=dict)
    tainted: Mapping[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    changed: Mapping[str, list[int]] = field(default_factory=dict)
    called: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset({ALL})
    sharing: tuple[Shared, ...] = ()
    unregistered: tuple[tuple[str, str], ...] = ()
    missing: str = ""


def rerun(
    effects: Effects,
    *,
    folder: Path,
    env: Mapping[str, str],
    bundles: Mapping[str, Values] = MappingProxyType({}),
    watch: Iterable[str] = (),
) -> Rerun:
    """Run all statements of a notebook in the confined process; several handlers of a notebook share a run.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    folder : Path
        The notebook's folder; of its files only local modules can be read.
    env : Mapping[str, str]
        The environment variables of the function.
    bundles : Mapping[str, Values]
        Format, hash and file of the bundles that may be loaded, by name.
    watch : Iterable[str]
        Variables of which it is asked which statements change them.
    """
    timeline, watch = effects.timeline, sorted(watch)
    read = frozenset[str]().union(*(step.statement.uses_later for step in timeline.steps))
    names = sorted(name for name in read if name in timeline.events)
    request = {
        "action": "rerun",
        "statements": _told(effects),
        "sources": {cell.label: cell.source for cell in timeline.cells},
        "notebook": timeline.notebook,
        "names": names,
        "imported": imported_by(timeline, [*names, *watch]),
        "watch": watch,
        "codecs": sorted(set(chain.from_iterable(named_codecs(step.statement.text) for step in timeline.steps))),
        "bundles": {name: dict(entry) for name, entry in bundles.items()},
        "seconds": CPU_SECONDS,
        "added": [str(path) for path in added_folders(timeline.cells, folder.resolve())],
        "zone": {"TZ": os.environ.get("TZ")},
    }
    key = hashlib.sha256(dumps([request, str(folder)], sort_keys=True).encode()).hexdigest()
    runs = _known.setdefault(key, [])
    found = next((run for before, run in runs if _alike(before, env, run.read)), None)
    if found is None:
        found = _of(RERUNS.ask({**request, "env": dict(env)}, folder.resolve(), _TIMEOUT_SECONDS))
        runs.append((dict(env), found))
        while len(_known) > _REMEMBERED:
            _known.popitem(last=False)
    return found


def _alike(one: Mapping[str, str], two: Mapping[str, str], read: Iterable[str]) -> bool:
    """Tell whether two environments differ in nothing that was read: then a run in one of them does for both."""
    names = {*one, *two} if ALL in read else read
    return all(one.get(name) == two.get(name) for name in names)


def _of(answer: JSON) -> Rerun:
    if "error" in answer:
        reasons = {"timeout": "it takes too long", "unreadable": "what it leaves behind cannot be read"}
        told = f" ({answer['text']})" if "text" in answer else ""
        return Rerun(missing=reasons.get(answer["error"], "it ends its process") + told)
    if "missing" in answer:
        return Rerun(missing=answer["missing"])
    return Rerun(**answer | {key: frozenset(answer[key]) for key in ("absent", "called", "read")})


def _told(effects: Effects) -> list[JSON]:
    """Return the statements, each with the names that it binds, uses and may change."""
    names: dict[Any, set[str]] = defaultdict(set)
    for value in effects.parent:
        names[effects.find(value)].add(value[0])
    touched: dict[int, set[str]] = defaultdict(set)
    for position, value, _ in effects.changes:
        touched[position] |= names[effects.find(value)] | {value[0]}
    for position, value in effects.draws:
        touched[position].add(value[0])
    return [_statement(step, touched[step.position]) for step in effects.timeline.steps]


def _decorators(step: Step) -> list[str]:
    """Return the decorators of a magic; none for one that cannot be read, as is told where handlers are looked for."""
    try:
        return handler_decorators(step)
    except InvalidInputError:
        return []


def _statement(step: Step, touched: set[str]) -> JSON:
    statement = step.statement
    above = _decorators(step) if statement.handler else []
    return {
        "position": step.position,
        "text": "\n".join([*above, statement.text]),
        "line": statement.line - len(above),
        "head": statement.head,
        "cell": step.cell.label,
        "binds": sorted(statement.binds),
        "defines": sorted(statement.defines),
        "uses": sorted(statement.now.uses),
        "touches": sorted(name for name in touched if ":" not in name),
        "awaits": statement.awaits,
    }
