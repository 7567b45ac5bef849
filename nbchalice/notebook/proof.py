"""The proof of a slice without a kernel: the notebook itself, run from the top in the confined process, must agree.

The statements that the static analysis left out and that the run shows to change a value are taken along.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError, Location
from nbchalice.notebook.divergence import find_difference, sentence
from nbchalice.notebook.errors import DivergedError
from nbchalice.notebook.helper import HELPER
from nbchalice.notebook.rerun import Rerun, rerun
from nbchalice.notebook.values import not_compared, settled
from nbchalice.typed import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from nbchalice.notebook.effects import Effects
    from nbchalice.notebook.history import Step
    from nbchalice.notebook.slice import Slice
    from nbchalice.notebook.values import Difference

TIMEOUT_SECONDS = 20.0
_ROUNDS = 8
_SHOWN = 6


@dataclass(frozen=True)
class Proof:
    """A slice, and how far it is proven.

    Parameters
    ----------
    piece : Slice
        The slice.
    taken : tuple[tuple[Step, frozenset[str]], ...]
        The statements that came along because the run showed that they change a value, each with the values' names.
    difference : tuple[str, Difference] or None
        A variable that differs all the same, and where.
    error : CaptureError or None
        The same as an error.
    not_compared : tuple[tuple[str, str], ...]
        Variables that could not be compared, each with the reason.
    missing : str
        Why there was no run to compare with, or an empty text.
    """

    piece: Slice
    taken: tuple[tuple[Step, frozenset[str]], ...] = ()
    difference: tuple[str, Difference] | None = None
    error: CaptureError | None = None
    not_compared: tuple[tuple[str, str], ...] = ()
    missing: str = ""

    @property
    def along(self) -> list[str]:
        """Which statements came along, a line each."""
        return [
            f"{step.location()} comes along: it changes {', '.join(sorted(names))} when the notebook runs from the top"
            for step, names in self.taken
        ]

    @property
    def left(self) -> str:
        """What could not be compared, as one line; empty if there is nothing."""
        shown = [f"{name} ({reason})" for name, reason in self.not_compared[:_SHOWN]]
        more = len(self.not_compared) - len(shown)
        left = self.missing or ", ".join(shown) + (f" and {more} more" if more > 0 else "")
        return f"not compared with a run of the notebook: {left}" if left else ""


@dataclass(frozen=True)
class Prover:
    """Compares slices with a run of the notebook.

    Parameters
    ----------
    steps : list[Step]
        The notebook's statements.
    cut : Callable[[Iterable[int]], Slice]
        Makes the slice that has, besides what the analysis finds, the statements at some positions.
    ask : Callable[[Slice, bool], Values]
        Imports a slice's module in the clean process, perhaps as elsewhere, and returns the answer.
    run : Callable[[Iterable[str]], Rerun]
        Runs the notebook, and watches some names.
    """

    steps: list[Step]
    cut: Callable[[Iterable[int]], Slice]
    ask: Callable[[Slice, bool], Values]
    run: Callable[[Iterable[str]], Rerun]

    @classmethod
    def of(
        cls,
        effects: Effects,
        cut: Callable[[Iterable[int]], Slice],
        folder: Path,
        env: Mapping[str, str],
        bundles: Mapping[str, Values],
    ) -> Prover:
        """Make one that asks the helper process.

        Parameters
        ----------
        effects : Effects
            The followed notebook.
        cut : Callable[[Iterable[int]], Slice]
            Makes the slice, as above.
        folder : Path
            The notebook's folder.
        env : Mapping[str, str]
            The environment variables of the function.
        bundles : Mapping[str, Values]
            Format, hash and file of the bundles of the notebook, by name.
        """

        def ask(piece: Slice, elsewhere: bool) -> Values:
            request = {
                "action": "verify",
                "module": piece.module,
                "segments": piece.segments,
                "notebook": piece.notebook,
                "names": sorted(piece.values),
                "reads": [],
                "imported": piece.imported,
                "bundles": {name: dict(bundles[name]) for name in piece.bundles},
                "env": dict(env),
                "elsewhere": elsewhere,
            }
            answer: Values = HELPER.ask(request, folder.resolve(), TIMEOUT_SECONDS)
            return answer

        return cls(effects.timeline.steps, cut, ask, lambda watch: rerun(effects, folder=folder, env=env, watch=watch))

    def prove(self) -> Proof:
        """Cut the slice, compare it, and take along what the run shows to be missing.

        Raises
        ------
        CaptureError
            The slice as the analysis finds it cannot be cut.
        """
        taken: dict[int, set[str]] = {}
        proof = self._compared(self.cut(()), taken)
        for _ in range(_ROUNDS):
            if proof.difference is None:
                return proof
            lacking = self._changing(proof.piece, proof.difference[0]) - taken.keys()
            if not lacking:
                break
            try:
                wider = self.cut([*taken, *lacking])
            except CaptureError as refused:
                changing = [self.steps[position] for position in sorted(lacking)]
                unmarked = [step for step in changing if step.statement.mark is None]
                hint = _MARK if unmarked else refused.hint or _HINT
                why = f", because of what does not come along: {refused.message}"
                return self._diverged(proof, why, hint, (unmarked or changing)[0].location())
            taken |= {position: {proof.difference[0]} for position in lacking}
            proof = self._compared(wider, taken)
        return self._diverged(proof, "", _HINT, None)

    def _compared(self, piece: Slice, taken: Mapping[int, set[str]]) -> Proof:
        run = self.run(())
        free = piece.changed if run.called else frozenset[str]()
        names = [name for name in piece.values if name not in free]
        steps = tuple((self.steps[position], frozenset(names)) for position, names in sorted(taken.items()))
        left = [(name, run.tainted[name]) for name in names if name in run.tainted]
        left += [(name, f"{piece.function} changes it, and the notebook calls it") for name in sorted(free)]
        answer = {} if run.missing else self.ask(piece, False)
        if run.missing or "error" in answer:  # The verification says what is wrong.
            return Proof(piece, steps, not_compared=tuple(left), missing=run.missing if names else "")
        values = answer["values"]
        if find_difference(piece, run.values, values):
            # Is it of the code, or of the place and the moment? Run elsewhere, only the code is the same.
            again = self.ask(piece, True).get("values", {})
            values = {name: settled(node, again.get(name, node)) for name, node in values.items()}
        for name in names:
            if name in run.values and name in values:
                left += ((name + path, kind) for path, kind in not_compared(run.values[name], values[name]))
        return Proof(piece, steps, find_difference(piece, run.values, values), not_compared=tuple(left))

    def _changing(self, piece: Slice, name: str) -> set[int]:
        """Return the statements that the slice has not and after which a value is another when the notebook runs."""
        changed = self.run([name]).changed.get(name, [])
        return {position for position in changed if position not in piece.positions}

    def _diverged(self, proof: Proof, reason: str, hint: str, place: Location | None) -> Proof:
        assert proof.difference is not None
        name, found = proof.difference
        cells = proof.piece.values[name]
        text = f"{sentence(name, found, *_WHERE)} (from {', '.join(cells)}){reason}"
        return replace(proof, error=DivergedError(text, hint, place or Location(cells[-1])))


_WHERE = ("when the notebook runs from the top", "in what would be deployed")
_MARK = "if this statement may run on Lambda, too, write '# nbchalice: include' on the line above it"
_HINT = "make the value in statements of its own that run on Lambda, too; or add --execute to compare with a kernel"
