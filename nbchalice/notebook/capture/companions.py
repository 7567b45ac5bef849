"""What travels with a handler though no name of it leads there, and what is left out and told.

Of the handler's own cell everything that acts; of all cells what sets state of the process, or of a library that the
handler has anyway; of the cells it uses the imports of local modules, which may register something.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from nbchalice.errors import CaptureError, Location
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.history import END, Timeline
from nbchalice.notebook.analysis.known_calls import CONFIGURES, STDLIB
from nbchalice.notebook.analysis.model import Kind, Mark
from nbchalice.notebook.capture.environment import variables_read
from nbchalice.notebook.capture.registering import REGISTER_BLUEPRINT, is_decorated, registers
from nbchalice.notebook.capture.replayable import require_replayable
from nbchalice.notebook.capture.settings import settings_of, shows
from nbchalice.notebook.capture.tries import Tries
from nbchalice.notebook.cells import Cell
from nbchalice.text import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.analysis.model import Block, Call
    from nbchalice.notebook.capture.closure import Closure

MOST = 5
_SETS_UP = (*CONFIGURES, "load", "read", "login")
_REGISTERS = re.compile(r"\bregister\w*\s*\(")
_NEVER = frozenset({Kind.MAGIC, Kind.FUTURE, Kind.NOTHING, Kind.STAR})
_CREDENTIALS_HERE = re.compile(r"\bAWS_(?:DEFAULT_)?PROFILE\b|\bAWS_CONFIG_FILE\b|\bAWS_SHARED_CREDENTIALS_FILE\b")


@dataclass(frozen=True)
class LeftOut:
    """A statement that acts and does not travel.

    Parameters
    ----------
    cell : str
        The cell's label.
    line : int
        The raw line at which it begins.
    text : str
        Its first line.
    why : str
        The reason.
    """

    cell: str
    line: int
    text: str
    why: str

    def __str__(self) -> str:
        return f"left out: {self.text} ({self.cell}, line {self.line}): {self.why}"


class Told(Protocol):
    """What is to be said of a handler's slice."""

    @property
    def function(self) -> str:
        """The handler function's name."""

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The statements that act and are not part of it."""

    @property
    def unfollowed(self) -> str:
        """What it looks up at run time and nothing follows."""


def told(pieces: Iterable[Told]) -> list[str]:
    """Return what to say of slices: a line for each statement that was left out, not more than fit on a screen,
    and one for each handler that looks up at run time what nothing follows. Of several handlers, each line names those
    that it is said of: another one may have the statement.
    """
    pieces = list(pieces)
    left: dict[str, list[str]] = {}
    for piece in pieces:
        for line in dict.fromkeys(map(str, piece.left_out)):
            left.setdefault(line, []).append(piece.function)
    lines = [f"{joined(names)}: {line}" if len(pieces) > 1 else line for line, names in left.items()]
    more = [f"left out: {len(lines) - MOST} more statements"] if len(lines) > MOST else []
    return [*lines[:MOST], *more, *(f"{piece.function}: {piece.unfollowed}" for piece in pieces if piece.unfollowed)]


def lost_blueprint(piece: Told) -> CaptureError | None:
    """Return that handlers of a blueprint are lost: registering it raises an error, in the notebook, too."""
    for one in piece.left_out:
        if f".{REGISTER_BLUEPRINT}(" in one.text and one.why.startswith("TypeError"):
            place = Location(one.cell, one.line, one.text)
            hint = "write `from nbchalice import Blueprint` where it is made, in a local module, too"
            return CaptureError(
                f"the handlers of a blueprint are lost: {one.why}", hint, place, code="decorator-not-evaluated"
            )
    return None


def with_companions(closure: Closure, handler: Step, without: Mapping[int, str]) -> tuple[Closure, tuple[LeftOut, ...]]:
    """Take along what belongs to a handler without being named by it.

    Parameters
    ----------
    closure : Closure
        What the handler needs by name, followed to its end; it is not changed.
    handler : Step
        The statement that defines the handler.
    without : Mapping[int, str]
        Positions of statements that cannot come along, as a run has shown, each with the reason.

    Returns
    -------
    tuple[Closure, tuple[LeftOut, ...]]: the grown closure, and what was left out.
    """
    steps = closure.timeline.steps
    judge = _Judge(closure, handler)
    left: list[LeftOut] = []
    doubts = closure.doubts()
    drawn = set(closure.effects.draws_before(END, closure.effects.generators_of(handler)))
    for step in steps:
        if step.position in closure.wanted or step.statement.kind in _NEVER or step.statement.repeats:
            continue
        if step.position in without:
            left += [left_out(step, why)] if (why := without[step.position]) else []
            continue
        names = [] if step.position in drawn else judge.names_taken(step)
        if names is None:
            if step.position not in doubts and judge.is_told(step):  # of a doubt, a run tells whether it matters
                left.append(left_out(step, "no name that the handler needs leads to it"))
            continue
        try:
            closure = _grown(closure, step, names)
        except CaptureError as error:
            left.append(left_out(step, error.message))
    return closure, tuple(left)


def left_out(step: Step, why: str) -> LeftOut:
    """Return what to say of a statement that does not travel.

    Parameters
    ----------
    step : Step
        The statement.
    why : str
        The reason.
    """
    lines = step.cell.source.split("\n")
    head = step.statement.head
    return LeftOut(step.cell.label, head, lines[head - 1].strip() if head <= len(lines) else "", why)


def _grown(closure: Closure, step: Step, names: Iterable[str]) -> Closure:
    """Return a closure with one more statement and what it needs.

    Raises
    ------
    CaptureError
        It cannot run on Lambda, or needs what cannot.
    """
    if _CREDENTIALS_HERE.search(step.statement.text):
        raise CaptureError("it names credentials of this computer", code="names-credentials")
    grown = closure.copy()
    grown.add(step, step.position, names)
    grown.finish()
    for position in grown.wanted.keys() - closure.wanted.keys():
        require_replayable(grown.timeline.steps[position], grown.effects, grown.wanted[position])
    return grown


class _Judge:
    """Decides which statements belong to a handler."""

    def __init__(self, closure: Closure, handler: Step) -> None:
        self.timeline, self.effects = closure.timeline, closure.effects
        self.settings = settings_of(closure.effects)
        self.tries = Tries(closure.effects)
        self.own = handler.cell.order
        taken = [closure.timeline.steps[position] for position in closure.wanted]
        self.used = {step.cell.order for step in taken}
        self.asks = bool(variables_read(closure, unless_any_sets=True))
        self.modules = STDLIB.union(*(_imported_by(step) for step in taken))

    def names_taken(self, step: Step) -> list[str] | None:
        """Return the names that a statement travels with, often none; None if it is not to travel."""
        statement = step.statement
        if statement.kind is Kind.IMPORT:
            local_from = [alias.module for alias in statement.imports if self._is_local(alias.module)]
            local = [alias.name for alias in statement.imports if alias.module in local_from]
            acts = step.cell.order in self.used or statement.mark is Mark.INCLUDE or any(map(self._sets_up, local_from))
            return local if local and acts else None
        if is_decorated(step) or self._is_apart(step):
            return None
        # pd.options.mode.copy_on_write = True in any cell holds for a handler that has pandas.
        if self.settings.of(step) & self.modules:
            return []
        included = statement.mark is Mark.INCLUDE and step.cell.order in self.used and self._acts_outside(step)
        own = step.cell.order == self.own and statement.kind not in (Kind.FUNCTION, Kind.CLASS) and self._acts(step)
        return [] if included or own else None

    def is_told(self, step: Step) -> bool:
        """Tell whether a statement that does not travel may matter all the same."""
        if step.statement.kind is Kind.IMPORT:
            return any(self._sets_by(alias.module) for alias in step.statement.imports)
        if step.statement.kind not in (Kind.EXPRESSION, Kind.COMPOUND):
            return False
        if step.cell.order not in self.used and not (self.asks and self._may_set_variables(step)):
            return False
        return not self._is_apart(step) and self._acts_outside(step)

    def _is_apart(self, step: Step) -> bool:
        """Tell whether a statement tries a handler, or registers another one."""
        return self.tries.a_handler(step) or registers(step, self.effects)

    def _may_set_variables(self, step: Step) -> bool:
        """Tell whether a statement may set what the handler reads of the environment, as ``load_dotenv()`` does."""
        now = step.statement.now
        known = [self.settings.external(call, now, step.position) for call in now.calls.values() if call.dropped]
        return any(one.rpartition(".")[2].startswith(_SETS_UP) or "env" in one for one in known if one is not None)

    def _is_local(self, module: str) -> bool:
        return self._text_of(module) is not None

    def _text_of(self, module: str) -> str | None:
        """Return the text of a module beside the notebook, or None."""
        top, folder = module.partition(".")[0], self.timeline.folder
        for name, text in self.timeline.written.items():
            if name.removeprefix("./") == f"{top}.py":
                return text
        for path in (folder / f"{top}.py", folder / top / "__init__.py") if folder is not None else ():
            if path.is_file():
                return path.read_text("utf-8", "replace")
        return None

    def _sets_up(self, module: str, seen: frozenset[str] = frozenset()) -> bool:
        """Tell whether a local module may be imported for what it does to a module that the handler has.

        ``plug`` imports ``registry``, as the handler does, and puts something into it; ``accessors`` registers
        something with pandas; ``codec`` something with Python, and brings no library along for it.
        """
        text = self._text_of(module)
        top = module.partition(".")[0]
        if text is None or top in seen:
            return False
        try:
            imported = _imported_in(text) - {top}
        except SyntaxError:
            return False
        shared = imported & (self.modules - STDLIB)
        if any(self._is_local(name) for name in shared) or (shared and _REGISTERS.search(text)):
            return True
        if self._sets_by(module) and all(name in self.modules or self._is_local(name) for name in imported):
            return True
        return any(self._sets_up(name, seen | {top}) for name in sorted(imported))

    def _sets_by(self, module: str) -> bool:
        """Tell whether a local module sets something of what the handler has, as ``codecs.register(find)`` does."""
        text = self._text_of(module)
        return text is not None and bool(_set_in(text) & self.modules)

    def _acts(self, step: Step) -> bool:
        now = step.statement.now
        known = [self.settings.external(call, now, step.position) for call in now.calls.values()]
        return bool(now.touches) or any(one is None or not shows(one) for one in known)

    def _acts_outside(self, step: Step) -> bool:
        return self._calls_outside(step.statement.now, step.position, set())

    def _calls_outside(self, block: Block, moment: int, seen: set[int]) -> bool:
        """Tell whether code calls a library otherwise than to show or to make something, through functions, too."""
        seen.add(id(block))
        for call in block.calls.values():
            known = self.settings.external(call, block, moment)
            if known is not None:
                # requests.post(...) as a statement does something; logging.StreamHandler() only makes an object.
                if "." in known and not known.rpartition(".")[2][:1].isupper() and not shows(known) and call.dropped:
                    return True
            elif call.dropped and call.path and not shows(call.path[-1]) and self._reaches_out(call, block, moment):
                return True
            elif isinstance(call.root, str) and not call.path:
                bodies = [body for body in self.settings.called(call.root, moment) if id(body) not in seen]
                if any(self._calls_outside(body, moment, seen) for body in bodies):
                    return True
        return False

    def _reaches_out(self, call: Call, block: Block, moment: int) -> bool:
        """Tell whether a method is one of what a library just made, or of a client of AWS."""
        if isinstance(call.root, int):
            made = block.calls.get(call.root)
            return made is not None and self.settings.external(made, block, moment) is not None
        return isinstance(call.root, str) and any(map(self.effects.from_aws, self.effects.values(call.root, moment)))


@lru_cache(maxsize=256)
def _set_in(text: str) -> frozenset[str]:
    """Return the modules of which a module sets something when it is imported."""
    try:
        effects = Effects(Timeline([Cell("module", "module", text, 0)], "module"))
    except (SyntaxError, CaptureError):
        return frozenset()
    settings = settings_of(effects)
    return frozenset().union(*map(settings.of, effects.timeline.steps))


def _imported_by(step: Step) -> frozenset[str]:
    """Return the top-level modules that a statement imports, in its functions, too."""
    text = step.statement.text
    return _imported_in(text) if "import" in text else frozenset()


@lru_cache(maxsize=2048)
def _imported_in(text: str) -> frozenset[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module.split(".")[0])
    return frozenset(modules)
