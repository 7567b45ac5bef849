"""What decides whether a slice does what the notebook did: the kernel, or a run of the notebook's file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.errors import Location
from nbchalice.notebook.analysis.search_path import added_folders
from nbchalice.notebook.capture.asking import calls_of
from nbchalice.notebook.capture.codecs_named import named_codecs, require_registered
from nbchalice.notebook.capture.divergence import (
    apart,
    apart_on_lambda,
    certain_hint,
    order_hint,
    require_left,
    sentence,
)
from nbchalice.notebook.capture.failure import require_imported
from nbchalice.notebook.capture.judged import Findings
from nbchalice.notebook.capture.rerun import Rerun, rerun
from nbchalice.notebook.capture.settling import follows_order, settled_in_places
from nbchalice.notebook.capture.time_zone import follows_zone, zone_hint
from nbchalice.notebook.errors import DivergedError
from nbchalice.notebook.sandbox.helper import HELPER, Helper, seeded
from nbchalice.notebook.sandbox.values import (
    LAST_DIGITS,
    differ_in_rounding,
    not_compared,
    of_concern,
    without_before,
)
from nbchalice.typed import Values

if TYPE_CHECKING:
    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.notebook.capture.verify import Verified
    from nbchalice.notebook.sandbox.values import Difference, Node

TIMEOUT_SECONDS = 20.0
_WHERE = ("when the notebook runs from the top", "in what would be deployed")
_HINT = "make the value in statements of its own that run on Lambda, too; or add --execute to compare with a kernel"


@dataclass(frozen=True)
class KernelJudge:
    """Compares with the variables of a kernel.

    Parameters
    ----------
    verify : Callable[[Slice], Verified]
        Runs a slice, and compares it.
    run : Callable[[Iterable[str]], Rerun]
        Runs the notebook, and watches some names.
    """

    verify: Callable[[Slice], Verified]
    run: Callable[[Iterable[str]], Rerun]

    def judge(self, piece: Slice) -> Findings:
        """Run a slice and compare its values with the kernel's."""
        verified = self.verify(piece)
        return Findings(verified.not_compared, verified.statements, settings=verified.settings)

    def changing(self, names: Iterable[str]) -> Mapping[str, Iterable[int]]:
        """Return after which statements variables are others, where the notebook is run: positions by name."""
        return self.run(names).changed


@dataclass(frozen=True)
class FileJudge:
    """Compares with a run of the notebook from the top, in the confined process.

    Parameters
    ----------
    ask : Callable[..., Values]
        Imports a slice's module in a clean process, perhaps as elsewhere or another process, and returns the answer.
    run : Callable[[Iterable[str]], Rerun]
        Runs the notebook, and watches some names.
    env : Mapping[str, str]
        The environment variables of the function.
    """

    ask: Callable[..., Values]
    run: Callable[[Iterable[str]], Rerun]
    env: Mapping[str, str]

    @classmethod
    def of(cls, effects: Effects, folder: Path, env: Mapping[str, str], bundles: Mapping[str, Values]) -> FileJudge:
        """Make one that asks the helper process.

        Parameters
        ----------
        effects : Effects
            The followed notebook.
        folder : Path
            The notebook's folder.
        env : Mapping[str, str]
            The environment variables of the function.
        bundles : Mapping[str, Values]
            Format, hash and file of the bundles that may be loaded, by name.
        """
        added = [str(path) for path in added_folders(effects.timeline.cells, folder.resolve())]

        def ask(
            piece: Slice,
            *,
            elsewhere: bool = False,
            helper: Helper = HELPER,
            zone: str | None = ":UTC",
            calls: Iterable[tuple[str, str, str]] = (),
        ) -> Values:
            request = {
                "action": "verify",
                "module": piece.module,
                "segments": list(map(vars, piece.segments)),
                "notebook": piece.notebook,
                "names": sorted(piece.values),
                "reads": [],
                "imported": piece.imported,
                "bundles": {name: dict(bundles[name]) for name in piece.bundles},
                "env": dict(env),
                "zone": {"TZ": zone},
                "elsewhere": elsewhere,
                "codecs": named_codecs(piece.module),
                "marked": bool(piece.marked),
                "calls": list(calls),
                "added": added,
                "sharing": bool(piece.bundles and piece.changed),
            }
            answer: Values = helper.ask(request, folder.resolve(), TIMEOUT_SECONDS)
            return answer

        return cls(ask, partial(watched, effects, folder, env, bundles), env)

    def judge(self, piece: Slice) -> Findings:
        """Run a slice and compare its values with those of the notebook's run."""
        run = self.run(())
        free = piece.changed if run.called else frozenset[str]()
        names = [name for name in piece.values if name not in free]
        left = [(name, run.tainted[name]) for name in names if name in run.tainted]
        left += [(name, f"{piece.function} changes it, and the notebook calls it") for name in sorted(free)]
        answer = self.ask(piece)
        require_imported(dict(answer), piece, TIMEOUT_SECONDS)
        statements = tuple((str(cell), int(line), float(spent)) for cell, line, spent in answer["seconds"])
        if run.missing:
            return Findings(tuple(left), statements, run.missing if names else "")
        require_left(piece, answer["values"].keys() & set(names), run.absent)
        require_registered(piece, run.unregistered, answer["unregistered"])
        left += apart_on_lambda(piece, run.sharing, answer["sharing"])
        known = {name: node for name, node in run.values.items() if name not in free}
        judge, answer = self._with_calls(piece, known, answer)
        values, here = (_kept_apart(piece, one) for one in (answer["values"], known))
        elsewhere, anew = partial(judge._elsewhere, piece), partial(judge._in_another, piece)
        values = settled_in_places(piece, here, values, elsewhere, anew)
        for name in names:
            if name in here and name in values:
                left += ((name + path, kind) for path, kind in not_compared(here[name], values[name]))
                left += [(name, LAST_DIGITS)] if differ_in_rounding(here[name], values[name]) else []
        found, settings = apart(piece, here, values)
        if found is not None:
            ordered = follows_order(piece, found[0], values, anew)
            hint = order_hint(found[0]) if ordered else judge._zone_hint(piece, found[0], here)
            raise _diverged(piece, *found, hint)
        return Findings((*settings, *left), statements, settings=tuple(name for name, _ in settings))

    def _with_calls(self, piece: Slice, here: Mapping[str, Node], answer: Values) -> tuple[FileJudge, Values]:
        """Return a judge that calls memoized functions as the notebook did, and its answer."""
        calls = calls_of(here, answer["values"])
        judge = replace(self, ask=partial(self.ask, calls=calls)) if calls else self
        again = judge.ask(piece) if calls else answer
        return (self, answer) if "error" in again else (judge, again)

    def _zone_hint(self, piece: Slice, name: str, here: Mapping[str, Node]) -> str | None:
        """Say what to do about a variable that differs, if it does because of the time zone."""

        def ask() -> Mapping[str, Node]:
            return _kept_apart(piece, self.ask(piece, zone=os.environ.get("TZ")).get("values", {}))

        return zone_hint(name) if follows_zone(name, here, self.env, ask) else None

    def _elsewhere(self, piece: Slice) -> Values:
        return {"values": _kept_apart(piece, self.ask(piece, elsewhere=True).get("values", {}))}

    def _in_another(self, piece: Slice, seed: int | None = None) -> dict[str, Node]:
        if seed is not None:
            return _kept_apart(piece, self.ask(piece, helper=seeded(seed)).get("values", {}))
        other = Helper()
        try:
            return _kept_apart(piece, self.ask(piece, helper=other).get("values", {}))
        finally:
            other.close()

    def changing(self, names: Iterable[str]) -> Mapping[str, Iterable[int]]:
        """Return after which statements variables are others, where the notebook is run: positions by name."""
        return self.run(names).changed


def _kept_apart(piece: Slice, values: dict[str, Node]) -> dict[str, Node]:
    """Return descriptions of variables with what modules keep only where it is of concern."""
    return without_before(of_concern(values, piece.module))


def watched(
    effects: Effects, folder: Path, env: Mapping[str, str], bundles: Mapping[str, Values], watch: Iterable[str]
) -> Rerun:
    """Run a notebook in the confined process, and watch some names; the parameters are those of ``rerun``."""
    return rerun(effects, folder=folder, env=env, bundles=bundles, watch=watch)


def _diverged(piece: Slice, name: str, found: Difference, known: str | None) -> DivergedError:
    cells = piece.values[name]
    text = f"{sentence(name, found, *_WHERE)} (from {', '.join(cells)})"
    hint = known or certain_hint(piece, name, found) or _HINT
    return DivergedError(text, hint, Location(cells[-1]), variable=name)
