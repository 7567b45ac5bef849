"""Runs of one slice in clean processes: as on Lambda, at another place, with sets in another order."""

from __future__ import annotations

import ast
import hashlib
import os
from dataclasses import dataclass, replace
from itertools import chain
from json import dumps
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.capture.divergence import order_hint
from nbchalice.notebook.capture.on_lambda import OnLambda, indispensable
from nbchalice.notebook.capture.settling import follows_order, settle
from nbchalice.notebook.capture.time_zone import follows_zone, zone_hint
from nbchalice.notebook.sandbox.helper import HELPER, Helper, seeded
from nbchalice.notebook.sandbox.loads import METADATA
from nbchalice.notebook.sandbox.values import aligned, differ, of_concern, unanswered
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.notebook.sandbox.values import Node


_REMEMBERED = 256
PATIENCE = 6
_lacking: dict[str, tuple[str, ...]] = {}
"""What modules do not do without."""


def calls_of(here: Mapping[str, Node], there: Mapping[str, Node]) -> list[tuple[str, str, str]]:
    """Return the calls whose answers memoized functions keep here and not there: variable, path, arguments.

    Parameters
    ----------
    here, there : Mapping[str, Node]
        Descriptions of variables.
    """
    calls: list[tuple[str, str, str]] = []
    for name in here:
        if name in there:
            calls += [(name, path, label) for path, label in unanswered(here[name], there[name])]
    return calls


def _loaded_text(piece: Slice) -> str:
    """Return a slice's text without what its handler does: that is not run as the module is loaded."""
    tree = ast.parse(piece.module)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == piece.function:
            node.body = [ast.Pass()]
    return ast.unparse(tree)


@dataclass(frozen=True)
class Asking:
    """What a helper process is asked about a slice, and where it runs.

    Parameters
    ----------
    piece : Slice
        The slice.
    here : dict[str, Node]
        The kernel's variables, with what modules kept before the notebook.
    request : JSON
        What is asked.
    place : Mapping[str, Any]
        Folder, time limit and modules, as ``Helper.ask`` takes them.
    """

    piece: Slice
    here: dict[str, Node]
    request: JSON
    place: Mapping[str, Any]

    def ask(self, helper: Helper = HELPER, **changes: Any) -> JSON:
        """Run the slice, and leave out of what modules keep what is of no concern; ``changes`` are of the request."""
        answer: JSON = helper.ask({**self.request, **changes}, **self.place)
        if "error" not in answer:
            concern = of_concern(answer["values"], self.piece.module, self.request["env"])
            answer["values"] = aligned(concern, self.here)
        return answer

    def called(self, answer: JSON, kernel: Mapping[str, Node]) -> JSON:
        """Return an answer with what memoized functions answer to what the kernel asked them; and so from now on."""
        calls = calls_of(kernel, answer["values"])
        again = self.ask(calls=calls) if calls else answer
        if "error" in again:
            return answer
        self.request["calls"] = calls
        return again

    def here_only(self, on_lambda: OnLambda, loaded: Sequence[str], *others: object) -> tuple[tuple[str, ...], ...]:
        """Return what was loaded that is not on Lambda: what it does not do without, and modules without which it does.

        Parameters
        ----------
        on_lambda : OnLambda
            Which packages are there.
        loaded : Sequence[str]
            What was loaded, as `sandbox.loads` names it.
        others : object
            What else it depends on.
        """
        here = on_lambda.lacking(loaded)
        needed = self.lacking(here, *others, sorted(on_lambda.packages), repr(on_lambda.state))
        return needed, tuple(one for one in here if one not in needed and not one.endswith(METADATA))

    def lacking(self, loaded: Mapping[str, Sequence[str]], *others: object) -> tuple[str, ...]:
        """Return what of some modules and packages it fails without, or has other values.

        Parameters
        ----------
        loaded : Mapping[str, Sequence[str]]
            What is installed here only, as `sandbox.loads` names it, each with all that comes along with it.
        others : object
            What else it depends on. What was found is remembered: an edit within the handler changes nothing of it.
        """
        if not loaded:
            return ()
        key = hashlib.sha256(dumps([_loaded_text(self.piece), loaded, *others]).encode()).hexdigest()
        if key not in _lacking:
            _lacking[key] = self._lacking(loaded)
            while len(_lacking) > _REMEMBERED:
                del _lacking[next(iter(_lacking))]
        return _lacking[key]

    def _lacking(self, loaded: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
        names = sorted(self.piece.values)
        # How busy this computer is must not decide what travels.
        patient = replace(self, place={**self.place, "timeout": PATIENCE * self.place["timeout"]})
        whole: dict[str, Node] = patient.ask(names=names).get("values", {})
        again: dict[str, Node] = {}

        def differs(without: Sequence[str]) -> bool:
            there = set(chain.from_iterable(loaded[name] for name in loaded if name not in without))
            hidden = sorted(set(chain.from_iterable(loaded.values())) - there)
            values = patient.ask(names=names, hidden=hidden).get("values")
            if values is None or any(name not in values for name in whole):
                return True
            if not any(differ(node, values[name]) for name, node in whole.items()):
                return False
            # Is it of what is not there, or of chance?
            again.update(again or patient.ask(names=names).get("values", {}))
            return any(differ(node, values[name]) for name, node in settle(self.piece, whole, again).items())

        return tuple(indispensable(list(loaded), differs))

    def elsewhere(self) -> JSON:
        """Run it with other folders, in another region."""
        return self.ask(elsewhere=True)

    def anew(self, seed: int | None = None) -> dict[str, Node]:
        """Run it in another process, where sets of texts have the order of a seed, or one by chance."""
        if seed is not None:
            return dict(self.ask(seeded(seed)).get("values", {}))
        other = Helper()
        try:
            return dict(self.ask(other).get("values", {}))
        finally:
            other.close()

    def hint(self, name: str, kernel: Mapping[str, Node], values: Mapping[str, Node]) -> str | None:
        """Say what to do about a variable that differs, if it does because of the order of a set, or the time zone."""
        if follows_order(self.piece, name, values, self.anew):
            return order_hint(name)

        def in_zone() -> Mapping[str, Node]:
            found: Mapping[str, Node] = self.ask(zone={"TZ": os.environ.get("TZ")}).get("values", {})
            return found

        return zone_hint(name) if follows_zone(name, kernel, self.request["env"], in_zone) else None
