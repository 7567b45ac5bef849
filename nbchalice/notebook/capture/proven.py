"""The slices of a notebook's handlers, each cut and proven once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError, PackagingError
from nbchalice.notebook.capture.bundle_order import require_taken_in_order
from nbchalice.notebook.capture.choices import chosen
from nbchalice.notebook.capture.companions import lost_blueprint, told
from nbchalice.notebook.capture.judges import FileJudge, KernelJudge, watched
from nbchalice.notebook.capture.origins import bundling
from nbchalice.notebook.capture.search import Compared, Proof, Search
from nbchalice.notebook.capture.slice import cut
from nbchalice.notebook.capture.what_to_bundle import without_refused
from nbchalice.notebook.errors import DivergedError
from nbchalice.notebook.sandbox.helper import HELPER
from nbchalice.notebook.sandbox.reads import OF_THIS_COMPUTER
from nbchalice.typed import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from nbchalice.handlers import Handler
    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.capture.judged import Judge
    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.notebook.capture.verify import Verified

_NOTHING_RAN = (
    "nothing was run for this: where a run of the notebook shows that more matters, plan names what comes along"
)


@dataclass
class Proven:
    """Cuts handlers out of a notebook, and keeps what was found out about each.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    folder : Path
        Its folder.
    namespace : Values or None
        The kernel's variables, or None for a notebook that was only read.
    env : Callable[[Handler], Mapping[str, str]]
        The environment variables of a handler's function.
    bundles : Mapping[str, Values]
        Format, hash and file of each bundle, and what had made its value.
    admit : Callable[[str], None]
        Raises for a bundle that must not be loaded here.
    verify : Callable[[Handler, Slice], Verified]
        Runs a handler's slice and compares it with the kernel.
    by_kernel : bool
        Whether there is a kernel to compare with: that of the session, or one that executed the file.
    executed : Mapping[str, Compared or NbChaliceError]
        For each handler that another process compared with a kernel that executed the file, what that gave.
    proves : bool
        Whether anything is run.
    by_run : bool
        Whether a run, now or before, decides where the place matters; else what may be different on Lambda is refused.
    tell : Callable[[str], None]
        Takes a line of progress each second, and an empty text at the end.
    can_be_bundled : Callable[[str], bool]
        Whether the value of a variable can travel as a bundle.
    """

    effects: Effects
    folder: Path
    namespace: Values | None
    env: Callable[[Handler], Mapping[str, str]]
    bundles: Mapping[str, Values]
    admit: Callable[[str], None]
    verify: Callable[[Handler, Slice], Verified]
    by_kernel: bool
    executed: Mapping[str, Compared | CaptureError]
    proves: bool
    by_run: bool
    tell: Callable[[str], None]
    can_be_bundled: Callable[[str], bool]
    _proofs: dict[str, Proof] = field(default_factory=dict)
    _notes: dict[str, list[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def proof(self, handler: Handler) -> Proof:
        """Find the slice of a handler that is proven: by the kernel, or by a run of the notebook where there is none.

        Raises
        ------
        CaptureError
            The notebook's code cannot become a module.
        """
        with self._lock:
            if handler.name not in self._proofs:
                self._proofs[handler.name] = self._prove(handler)
            return self._proofs[handler.name]

    def _prove(self, handler: Handler) -> Proof:
        told = self.executed.get(handler.name)
        if isinstance(told, CaptureError):
            return Proof(self._cut(handler), error=told)
        if told is not None:
            return Proof(self._cut(handler, *told.choice), choice=told.choice)
        if not self.proves:
            return Proof(self.proposal(handler)[0])
        judge = self._judge_of(handler)
        cut_to_load = partial(self._cut_to_load, handler)
        can = self.can_be_bundled
        search = Search(self.effects, cut_to_load, judge, handler.name, self.tell, can_be_bundled=can)
        try:
            proof = search.prove()
        except CaptureError as error:
            raise without_refused(_with_cause(error, judge), can) from None
        if proof.error is None:
            return replace(proof, error=lost_blueprint(proof.piece))
        return replace(proof, error=without_refused(_with_cause(proof.error, judge), can))

    def _judge_of(self, handler: Handler) -> Judge:
        env, bundles = self.env(handler), {name: self.bundles[name] for name in self.bundles if self._admits(name)}
        if not self.by_kernel:
            return FileJudge.of(self.effects, self.folder, env, bundles)
        return KernelJudge(partial(self.verify, handler), partial(watched, self.effects, self.folder, env, bundles))

    def _admits(self, bundle: str) -> bool:
        try:
            self.admit(bundle)
        except PackagingError:
            return False
        return True

    def _cut(
        self, handler: Handler, also: Iterable[int] = (), without: Mapping[int, str] = MappingProxyType({})
    ) -> Slice:
        space, order = self.namespace, handler.order
        piece = cut(
            self.effects,
            handler.function,
            namespace=space,
            order=order,
            also=also,
            without=without,
            by_run=self.by_run,
        )
        for name in piece.bundles if self.namespace is None else ():
            require_taken_in_order(self.effects, name, self.bundles[name]["made_by"])
        return piece

    def _cut_to_load(self, handler: Handler, also: Iterable[int], without: Mapping[int, str]) -> Slice:
        piece = self._cut(handler, also, without)
        for name in piece.bundles:
            self.admit(name)
        return piece

    def smallest(self, handler: Handler) -> Slice:
        """Return the statements that the analysis finds alone, whatever earlier proofs took along."""
        return self._cut(handler)

    def proposal(self, handler: Handler) -> tuple[Slice, str]:
        """Return the statements that the analysis finds, without running any, and what to say about them."""
        smallest = self._cut(handler)
        choice = chosen(self.effects, handler.name, smallest)
        if choice is None:
            return smallest, _NOTHING_RAN
        return (self._cut(handler, *choice) if any(choice) else smallest), ""

    def note(self, handler: Handler, text: str) -> None:
        """Keep what there is to say of a handler that was verified.

        Parameters
        ----------
        handler : Handler
            The handler.
        text : str
            What the verification says.
        """
        proof, told = self.proof(handler), self.executed.get(handler.name)
        if isinstance(told, Compared):
            self._notes[handler.name] = [*told.notes, *([text] if text else [])]
            return
        left = "" if self.by_kernel else proof.left
        self._notes[handler.name] = [note for note in (*proof.along, left, text, proof.cost) if note]

    def note_unproven(self, handler: Handler) -> None:
        """Say of a handler that nothing was run, and what a run would have decided."""
        doubts = [
            self.effects.timeline.steps[position].location().place for position in self.proof(handler).piece.doubts
        ]
        undecided = f"; nor whether these statements matter: {', '.join(doubts)}" if doubts else ""
        text = "not verified: whether it can be loaded and does what the notebook does is not known"
        self._notes[handler.name] = [text + undecided]

    def notes_of(self, handler: Handler) -> tuple[str, ...]:
        """Return what there is to say of one handler that was verified."""
        return tuple(self._notes.get(handler.name, ()))

    def add_note(self, handler: Handler, text: str) -> None:
        """Keep one more thing to say of a handler; an empty text is nothing."""
        if text:
            self._notes[handler.name] = [*self._notes.get(handler.name, []), text]

    def notes(self) -> list[str]:
        """Return what is left out, what could not be compared, and whether what was run could not be confined well."""
        lines = told(proof.piece for proof in self._proofs.values())
        for name, notes in self._notes.items():
            lines += [f"{name}: {note}" for note in notes]
        return [*lines, *HELPER.notes]


def _with_cause(error: CaptureError, judge: Judge) -> CaptureError:
    """Return an error about a value that differs from the kernel's; if it is of a file, the fix says what to do."""
    if isinstance(error, DivergedError) and error.variable and isinstance(judge, KernelJudge):
        cause = judge.run(()).tainted.get(error.variable, "")
        if cause.endswith(OF_THIS_COMPUTER):
            bundle = bundling(error.variable)
            error.hint = f"{cause}, which is not on Lambda: {bundle}or read the file within the handler from S3"
    return error
