"""What no run on this computer can show: that a value is another one each time, or on each machine."""

from __future__ import annotations

import ast
import re
from itertools import chain
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.history import END
from nbchalice.notebook.analysis.known_calls import (
    GENERATORS,
    LOADS_FILES,
    OF_CHANCE,
    OF_THE_MACHINE,
    OF_THE_MOMENT,
    OF_THE_PLACE,
    PATH_ASKS,
    READS_FILES,
    SEEDS,
)
from nbchalice.notebook.analysis.model import Kind, Mark
from nbchalice.text import joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbchalice.errors import Location
    from nbchalice.notebook.analysis.aliases import Value
    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.analysis.model import Block, Call

_ON_LAMBDA = ("/tmp/", "/opt/", "/var/task", "/dev/", "/proc/", "/sys/", "/etc/", "/usr/", "/mnt/")  # noqa: S108 - Lambda's own

_DEPTH = 12


def is_of_here(known: str, effects: Effects, moment: int) -> bool:
    """Tell whether a library function gives another value on another machine, or each time.

    Parameters
    ----------
    known : str
        Its full dotted name.
    effects : Effects
        The followed notebook.
    moment : int
        Position of the statement that calls it; a generator that was seeded before gives the same values again.
    """
    module, _, last = known.rpartition(".")
    if module in GENERATORS and last[:1].islower() and last not in SEEDS:
        return not _is_seeded(module, effects, moment)
    return known in OF_THE_PLACE | OF_THE_MACHINE | OF_THE_MOMENT | OF_CHANCE


def _is_seeded(module: str, effects: Effects, moment: int) -> bool:
    for step in effects.timeline.steps[: max(0, moment)]:
        for call in step.statement.now.calls.values():
            # rng.seed(1) of a generator of its own seeds nothing of the module.
            named = isinstance(call.root, str) and "seed" in {call.root, *call.path}
            if named and effects.qualified(str(call.root), call.path, step.position) == f"{module}.seed":
                return True
    return False


def asks_disk(call: Call, block: Block, effects: Effects, moment: int) -> bool:
    """Tell whether a call is a method of a ``Path`` that looks at the disk; and so gives another value on Lambda."""
    if not call.path or call.path[-1] not in PATH_ASKS:
        return False
    if isinstance(call.root, int):  # Path("data").exists()
        return _makes_path(block.calls.get(call.root), effects, moment)
    if isinstance(call.root, str):  # DATA.exists(), where DATA = Path("data")
        for definition in map(effects.statement, effects.values(call.root, moment)):
            makers = definition.now.calls.values() if definition is not None else ()
            if any(_makes_path(maker, effects, moment) for maker in makers):
                return True
    return False


def _makes_path(call: Call | None, effects: Effects, moment: int) -> bool:
    return call is not None and _known(call, effects, moment) in {"pathlib.Path", "pathlib.PosixPath"}


def _known(call: Call, effects: Effects, moment: int) -> str | None:
    return effects.qualified(call.root, call.path, moment) if isinstance(call.root, str) else None


def unsteady(step: Step, effects: Effects, names: str, *, of_place: bool) -> CaptureError | None:
    """Return the error for a statement whose value is another one each time, or on each machine; None for others.

    Parameters
    ----------
    step : Step
        The statement that the slice needs.
    effects : Effects
        The followed notebook.
    names : str
        What the slice needs of it, for the error.
    of_place : bool
        Whether it is asked for what tells of folders and files, which a run elsewhere shows; else for all other.
    """
    statement = step.statement
    if statement.mark is Mark.INCLUDE or statement.kind in (Kind.IMPORT, Kind.STAR, Kind.FUTURE):
        return None
    found = _Asked(effects, step.position, of_place).in_block(statement.now, guarded=statement.guarded)
    return _refusal(names, found[0], step.location(found[1].line)) if found is not None else None


def unsteady_in_functions(step: Step, effects: Effects, names: str) -> CaptureError | None:
    """Return the same error for a statement that hands on functions that ask for the moment, or for chance.

    Whether they are called, as in ``rows.apply(lambda row: random.random())``, or kept, only a run tells.

    Parameters
    ----------
    step, effects, names : Step or Effects or str
        As for ``unsteady``.
    """
    statement = step.statement
    if statement.mark is Mark.INCLUDE or statement.kind not in (Kind.ASSIGN, Kind.EXPRESSION, Kind.COMPOUND):
        return None
    blocks = list(statement.later)
    for root in chain.from_iterable(call.everything() for call in statement.now.calls.values()):
        for value in effects.values(root, step.position) if isinstance(root, str) else ():
            definition = effects.statement(value)
            blocks += definition.later if definition is not None and definition.kind is Kind.FUNCTION else ()
    for block in blocks:
        found = _Asked(effects, step.position, of_place=False).in_block(block)
        if found is not None:
            return _refusal(names, found[0], step.location())
    return None


def require_steady(step: Step, effects: Effects, names: str) -> None:
    """Refuse a statement whose value is another one each time, or on each machine.

    Parameters
    ----------
    step, effects, names : Step or Effects or str
        As for ``unsteady``.

    Raises
    ------
    CaptureError
        It asks for the moment, for chance, or for this computer.
    """
    for of_place in (False, True):
        refusal = unsteady(step, effects, names, of_place=of_place)
        if refusal is not None:
            raise refusal


class _Asked:
    """Finds the calls of a statement, and of the notebook's functions that it calls, that are not steady.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    moment : int
        The statement's position.
    of_place : bool
        As for ``unsteady``.
    """

    def __init__(self, effects: Effects, moment: int, of_place: bool) -> None:
        self._effects, self._moment, self._of_place = effects, moment, of_place

    def in_block(
        self, block: Block, seen: frozenset[int] = frozenset(), guarded: frozenset[str] = frozenset()
    ) -> tuple[str, Call] | None:
        """Find the first one in a block, with the function's name."""
        for call in block.calls.values():
            # try: display(...) except NameError: pass calls nothing where there is no display.
            missing = call.root in guarded and not self._effects.values(str(call.root), self._moment)
            if call.definition or missing:
                continue
            what = self._in_call(call, block, seen | {id(block)})
            if what is not None:
                return what, call
        return None

    def _in_call(self, call: Call, block: Block, seen: frozenset[int]) -> str | None:
        effects, moment = self._effects, self._moment
        known = _known(call, effects, moment)
        if known is not None:
            here = is_of_here(known, effects, moment) and (known in OF_THE_PLACE) == self._of_place
            return known if here else None
        if asks_disk(call, block, effects, moment):
            return call.text if self._of_place else None
        values = effects.values(call.root, moment) if isinstance(call.root, str) and len(seen) <= _DEPTH else ()
        for body in chain.from_iterable(_bodies(value, call, effects, moment) for value in values):
            inner = self.in_block(body, seen) if id(body) not in seen else None
            if inner is not None:
                return inner[0]
        return None


def _bodies(value: Value, call: Call, effects: Effects, moment: int) -> Iterable[Block]:
    """Return the functions of the notebook that a call of a value, or of its method, may run."""
    statement = effects.statement(value)
    if statement is None:
        return ()
    if call.path and statement.kind not in (Kind.CLASS, Kind.FUNCTION):
        return effects.methods.get(call.path[-1], ())
    if statement.kind is Kind.CLASS:
        return [block for block in statement.later if block.name in {"__init__", "__post_init__", "__new__"}]
    return statement.later or effects.reachable(value, moment)


def _refusal(names: str, what: str, place: Location) -> CaptureError:
    """Make the error for a value that is another one each time, or elsewhere; ``what`` is the function it is from."""
    bundle = bundling(names)
    each = "or mark the statement '# nbchalice: include' if each start of the function may have a value of its own"
    if what in OF_THE_MOMENT:
        text, hint = f"{what}(), which gives another value each time", f"call it in the handler, {bundle}{each}"
        return CaptureError(f"{names} comes from {text}", hint, place, code="changing-value")
    if what in OF_CHANCE or what.rpartition(".")[0] in GENERATORS:
        seed = "set a seed before it, " if what.rpartition(".")[0] in GENERATORS else ""
        text, hint = f"{what}(), which is random", f"call it in the handler, {seed}{bundle}{each}"
        return CaptureError(f"{names} comes from {text}", hint, place, code="changing-value")
    hint = (
        f"write the value itself, give it with --env NAME=VALUE, {bundle}or mark the statement "
        "'# nbchalice: include' to ask on Lambda"
    )
    text = f"{what}(), which tells of this computer and is different on Lambda"
    return CaptureError(f"{names} comes from {text}", hint, place, code="machine-value")


def bundling(names: str) -> str:
    """Return the part of a fix that says what to bundle, with a comma behind it; nothing if no name is known.

    Parameters
    ----------
    names : str
        What the slice needs of a statement: all of it is to be bundled.
    """
    known = [f"%chalice bundle {name}" for name in names.split(", ") if name.isidentifier()]
    return f"bundle its value with {joined(known)}, " if known else ""


def require_no_local_files(step: Step, effects: Effects) -> None:
    """Refuse a function that opens a file of this computer, by a path written in the notebook, when it is called.

    Parameters
    ----------
    step : Step
        A statement of the slice.
    effects : Effects
        The followed notebook.

    Raises
    ------
    CaptureError
        Names the file.
    """
    statement = step.statement
    if statement.mark is Mark.INCLUDE or statement.kind not in (Kind.FUNCTION, Kind.CLASS):
        return
    for block in statement.later:
        for call in block.calls.values():
            path = _opened(call, block, effects, statement.text)
            if path is not None and _is_local(path):
                name = next(iter(statement.defines))
                raise CaptureError(
                    f"{name} opens the file {path!r} when it is called, which is not on Lambda",
                    "bundle what is in it, read it from S3, or use a path below /tmp; if the file is on Lambda, "
                    f"write '# nbchalice: include' above {name}",
                    step.location(call.line),
                    code="reads-local-file",
                )


def _opened(call: Call, block: Block, effects: Effects, text: str) -> str | None:
    """Return the path of a file that a call opens, where the notebook's text tells it."""
    known = _known(call, effects, END)
    last = call.path[-1] if call.path else known
    if last not in READS_FILES and known not in LOADS_FILES:
        return None
    if known is None and isinstance(call.root, int):  # Path("x").read_text()
        maker = block.calls.get(call.root)
        return maker.literal if maker is not None and _makes_path(maker, effects, END) else None
    if known is None and isinstance(call.root, str):  # FILE.read_text()
        return _constant(call.root, effects)
    if call.literal is not None:
        return call.literal
    first = call.args[0] if call.args else ()
    names = [root for root in first if isinstance(root, str)]  # open(FILE)
    # Of open(FOLDER + "/" + name) it is known when it runs.
    alone = len(names) == 1 and re.search(rf"\(\s*{names[0]}\s*[,)]", text)
    return _constant(names[0], effects) if alone else None


def _constant(name: str, effects: Effects) -> str | None:
    """Return the text, or the text of the path, that a global name was given."""
    positions, _ = effects.timeline.standing(name, END)
    if len(positions) != 1:
        return None
    value = getattr(ast.parse(effects.timeline.steps[positions[0]].statement.text).body[0], "value", None)
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("Path") and len(value.args) == 1:
        value = value.args[0]
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _is_local(path: str) -> bool:
    """Tell whether a path is one of this computer: neither an address nor a folder that Lambda has."""
    return bool(path) and "://" not in path and "\n" not in path and not path.startswith(_ON_LAMBDA)
