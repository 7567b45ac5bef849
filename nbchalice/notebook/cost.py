"""Which statements may run again on Lambda: cheap ones; the others need a bundle, or the user's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.known_calls import (
    CHEAP_BUILTINS,
    CHEAP_FUNCTIONS,
    CHEAP_OF_COSTLY,
    CHEAP_OF_HEAVY,
    COSTLY_CALLS,
    COSTLY_STDLIB,
    HEAVY,
    READS_FILES,
    STDLIB,
    TRAINS,
)
from nbchalice.notebook.model import Block, Call, Kind, Mark
from nbchalice.notebook.origins import asks_disk, bundle_hint, is_of_here, refusal

if TYPE_CHECKING:
    from nbchalice.notebook.aliases import Value
    from nbchalice.notebook.effects import Effects
    from nbchalice.notebook.history import Step

SLOW_SECONDS = 2.0
_DEPTH = 12
_MARK = (
    "mark the statement '# nbchalice: include' to run it on Lambda, '# nbchalice: exclude' to leave it out, "
    "or do it in the handler"
)


def require_cheap(step: Step, effects: Effects, names: str) -> None:
    """Refuse a statement that is not cheap to run again.

    Parameters
    ----------
    step : Step
        The statement that the slice needs.
    effects : Effects
        The followed notebook.
    names : str
        What the slice needs of it, for the error.

    Raises
    ------
    CaptureError
        It reads a file, asks for what is different on Lambda or each time, calls something unknown, or was slow.
    """
    statement = step.statement
    if statement.mark is Mark.INCLUDE or statement.kind in (Kind.IMPORT, Kind.STAR, Kind.FUTURE):
        return
    costly = costly_call(statement.now, effects, step.position, guarded=statement.guarded)
    if costly is not None:
        what, call = costly
        if _is_module(names, step, effects):
            text = f"{names} is set up with {what}(...), which is not known to be cheap and safe to run again on Lambda"
            raise CaptureError(text, _MARK, step.location(call.line), code="needs-bundle")
        raise refusal(names, what, step.location(call.line))
    # Of a slow cell only what loops may be the slow part: x = 1 beside a training run is not.
    if step.cell.seconds is not None and step.cell.seconds >= SLOW_SECONDS and _loops(step, effects):
        raise CaptureError(
            f"{names} comes from a cell that took {step.cell.seconds:.0f} s",
            bundle_hint(names),
            step.location(),
            code="needs-bundle",
        )


def _is_module(name: str, step: Step, effects: Effects) -> bool:
    """Tell whether a name stands for a module, which cannot be bundled."""
    makers = [effects.timeline.steps[at].statement for at in effects.timeline.standing(name, step.position)[0]]
    aliases = [[alias for alias in statement.imports if alias.name == name] for statement in makers]
    return bool(aliases) and all(group and all(alias.attribute is None for alias in group) for group in aliases)


def _loops(step: Step, effects: Effects) -> bool:
    """Tell whether a statement, or a function of the notebook that it calls, contains a loop."""
    now = step.statement.now
    if now.loops:
        return True
    for call in now.calls.values():
        if call.definition or not isinstance(call.root, str):
            continue
        for value in effects.values(call.root, step.position):
            if any(block.loops for block in effects.reachable(value, step.position)):
                return True
    return False


def costly_call(
    block: Block,
    effects: Effects,
    moment: int,
    seen: frozenset[int] = frozenset(),
    guarded: frozenset[str] = frozenset(),
) -> tuple[str, Call] | None:
    """Find a call in a block, or in the notebook's functions it calls, that is not known to be cheap."""
    for call in block.calls.values():
        # try: display(...) except NameError: pass calls nothing where there is no display.
        missing = call.root in guarded and not effects.values(str(call.root), moment)
        if call.definition or missing:
            continue
        what = _costly(call, block, effects, moment, seen | {id(block)})
        if what is not None:
            return what, call
    return None


def _costly(call: Call, block: Block, effects: Effects, moment: int, seen: frozenset[int]) -> str | None:
    last = call.path[-1] if call.path else ""
    known = effects.qualified(call.root, call.path, moment) if isinstance(call.root, str) else None
    if known is not None:
        return None if cheap_external(known) and not is_of_here(known, effects, moment) else known
    if last in READS_FILES or last in TRAINS or asks_disk(call, block, effects, moment):
        return call.text
    if not isinstance(call.root, str):
        return None
    for value in effects.values(call.root, moment):
        found = _costly_value(value, call, effects, moment, seen)
        if found is not None:
            return found
    return None


def _costly_value(value: Value, call: Call, effects: Effects, moment: int, seen: frozenset[int]) -> str | None:
    statement = effects.statement(value)
    if statement is None or len(seen) > _DEPTH:
        return None
    if call.path and statement.kind not in (Kind.CLASS, Kind.FUNCTION):
        blocks = effects.methods.get(call.path[-1], [])
        if not blocks and effects.from_aws(value) and not _makes_client(call.path[-1]):
            return call.text
    elif statement.kind is Kind.CLASS:
        blocks = [block for block in statement.later if block.name in {"__init__", "__post_init__", "__new__"}]
    else:
        blocks = effects.reachable(value, moment) if not statement.later else list(statement.later)
    for block in blocks:
        if id(block) not in seen:
            inner = costly_call(block, effects, moment, seen)
            if inner is not None:
                return inner[0]
    return None


def _makes_client(name: str) -> bool:
    return name[:1].isupper() or name in CHEAP_FUNCTIONS


def cheap_external(known: str) -> bool:
    """Tell whether a library function or builtin is cheap and safe to run again, by its dotted name."""
    parts = known.split(".")
    top, last = parts[0], parts[-1]
    if known in COSTLY_CALLS or (len(parts) > 1 and last in READS_FILES):
        return False
    if len(parts) == 1:
        return known in CHEAP_BUILTINS or last[:1].isupper()
    if top in STDLIB:
        allowed = any(known == one or known.startswith(f"{one}.") for one in CHEAP_OF_COSTLY)
        return top not in COSTLY_STDLIB or allowed
    if top in HEAVY or last in TRAINS:
        return known in CHEAP_OF_HEAVY
    reads = top == "numpy" and last in {"load", "fromfile", "memmap"}
    return not reads and (last[:1].isupper() or last in CHEAP_FUNCTIONS or top in {"nbchalice", "numpy"})
