"""The type of a handler's records where no kernel has it: its module runs in the clean process, and is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.handlers.records import Record

if TYPE_CHECKING:
    from nbchalice.handlers import Handler
    from nbchalice.notebook.capture.evaluate import Evaluator
    from nbchalice.notebook.capture.slice import Slice


def record_in(piece: Slice, handler: Handler, evaluator: Evaluator) -> Record | None:
    """Return the type of a handler's records, with JSON that fits; None where there is none or it is not known.

    Parameters
    ----------
    piece : Slice
        What the handler needs.
    handler : Handler
        The handler.
    evaluator : Evaluator
        Runs the module.
    """
    module = {"module": piece.module, "segments": list(map(vars, piece.segments))}
    definition = {"modules": [module], "function": handler.function, "notebook": piece.notebook, "samples": True}
    (answer,) = evaluator.ask([definition], evaluator.variables.of(handler.name, handler.settings))
    if not answer.record:
        return None
    return Record(answer.record["text"], (), tuple((name, text) for name, text in answer.record["samples"]))
