"""Statements that try a handler out in the notebook: nothing of that is to be done on Lambda."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.known_calls import is_handler_decorator
from nbchalice.notebook.capture.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.analysis.model import Block, Statement

_TEST_CLIENT = "nbchalice.test"  # also nbchalice.testing


class Tries:
    """Knows the statements of a notebook that try a handler.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    """

    def __init__(self, effects: Effects) -> None:
        self.effects, self.settings = effects, settings_of(effects)

    def a_handler(self, step: Step) -> bool:
        """Tell whether a statement calls a handler, also by the test client."""
        now = step.statement.now
        if self._is_test(now, step.position, set()):
            return True
        if any(self._is_test(one.now, step.position, set()) for one in self._made(now.uses, step.position)):
            return True
        names = {call.root for call in now.calls.values() if isinstance(call.root, str)}
        for definition in self._made(names, step.position):
            if any(is_handler_decorator(path) for _, path in definition.decorators):
                return True
        return False

    def _made(self, names: Iterable[str], moment: int) -> list[Statement]:
        """Return the statements that made what some names are bound to."""
        places = chain.from_iterable(self.effects.values(name, moment) for name in names)
        return [made for made in map(self.effects.statement, places) if made is not None]

    def _is_test(self, block: Block, moment: int, seen: set[int]) -> bool:
        """Tell whether code makes a test client, of which nothing is on Lambda, through functions, too."""
        seen.add(id(block))
        for call in block.calls.values():
            if (self.settings.external(call, block, moment) or "").startswith(_TEST_CLIENT):
                return True
            if isinstance(call.root, str) and not call.path:
                bodies = [body for body in self.settings.called(call.root, moment) if id(body) not in seen]
                if any(self._is_test(body, moment, seen) for body in bodies):
                    return True
        return False
