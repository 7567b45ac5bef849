"""Evaluates the decorators of handlers in a clean process, with the variables that the function will have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from json import dumps
from typing import TYPE_CHECKING

from nbchalice.handlers.variables import Variables
from nbchalice.notebook.sandbox.helper import HELPER
from nbchalice.notebook.sandbox.reads import ALL
from nbchalice.sources import SOURCES
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_SECONDS = 30
_PROBE = "nbchalice"
_MOST_PROBES = 20
Environment = Mapping[str, str | None]


@dataclass(frozen=True)
class Evaluation:
    """What a handler's decorators registered.

    Parameters
    ----------
    name : str or None
        The handler's name, or None if nothing was registered.
    function : str or None
        The function's name.
    triggers : list[tuple[str, JSON]]
        Pairs of the decorator's name and its options.
    settings : JSON
        The function settings given to the decorators.
    app : str or None
        The app's name.
    error : str or None
        Why the evaluation failed, or None.
    kinds : list[str]
        The classes of that error and of its causes.
    denied : str
        What the clean process did not allow, or an empty text.
    cell : str or None
        Label of the cell in which it failed, or in which the function is written.
    cell_line : int or None
        Raw line of that cell.
    handlers : list[JSON]
        All that the module registered, each as these fields, where no function was asked for, or one of a blueprint.
    blueprint : bool
        Whether the function's decorators are those of a blueprint.
    left_out : list[str]
        What belongs to no event source of all that the module registered, where no function was asked for.
    read : dict[str, str or None]
        The environment variables that were read, with None for what was not set.
    seen : dict[str, str or None]
        Those, and what was read in the same process before.
    record : JSON or None
        The type of the function's records with samples, where that was asked for and there is one.
    missing : tuple[str, ...]
        Variables that are not set and that the result cannot do without.
    chosen : tuple[str, ...]
        Variables that the result follows and that have another value here.
    """

    name: str | None = None
    function: str | None = None
    triggers: list[tuple[str, JSON]] = field(default_factory=list)
    settings: JSON = field(default_factory=dict)
    app: str | None = None
    error: str | None = None
    kinds: list[str] = field(default_factory=list)
    denied: str = ""
    cell: str | None = None
    cell_line: int | None = None
    handlers: list[JSON] = field(default_factory=list)
    blueprint: bool = False
    left_out: list[str] = field(default_factory=list)
    read: dict[str, str | None] = field(default_factory=dict)
    seen: dict[str, str | None] = field(default_factory=dict)
    record: JSON | None = None
    missing: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: JSON) -> Evaluation:
        """Make one of an answer of the helper process."""
        names = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in answer.items() if key in names})

    def result(self) -> str:
        """Return what it came to, to compare with another one."""
        made = [[one.name, one.triggers, one.settings] for one in self.all()]
        return dumps([made, self.error], sort_keys=True)

    def all(self) -> list[Evaluation]:
        """Return what was registered: the function asked for, or all."""
        return [Evaluation.of(one) for one in self.handlers] or [self]

    def faults(self) -> list[str]:
        """Return what a variable that is not set may have led to: an error, a wrong option, a text with ``None``."""
        handlers = self.all()
        triggers = list(chain.from_iterable(handler.triggers for handler in handlers))
        wrong = chain.from_iterable(SOURCES[source].problems(options) for source, options in triggers)
        # f"orders-{os.environ.get('STAGE')}" is "orders-None": JSON writes the value None otherwise, as null.
        texts = ["None"] * dumps([[handler.name for handler in handlers], triggers]).count("None")
        return [*([self.error] if self.error else []), *wrong, *texts]


class Evaluator:
    """Evaluates the decorators of one notebook.

    Parameters
    ----------
    folder : Path
        The notebook's folder, for local modules.
    variables : Variables
        What the functions will have in their environment.
    """

    def __init__(self, folder: Path, variables: Variables) -> None:
        self.folder, self.variables = folder, variables

    def evaluate(self, definitions: list[JSON]) -> list[Evaluation]:
        """Import modules that hold just a handler's decorators.

        All are imported in one clean process; those that read what only their own function has, once more alone.

        Parameters
        ----------
        definitions : list[JSON]
            For each handler ``{"modules": [{"module", "segments"}], "function", "notebook"}``: of the modules the first
            that runs counts; without a function, all that it registers is asked for.

        Returns
        -------
        list[Evaluation]: one for each definition.
        """
        common = self.variables.of("", {})
        found = self.ask(definitions, common)
        return [self._settled(one, first, common) for one, first in zip(definitions, found, strict=True)]

    def ask(self, definitions: list[JSON], env: Environment) -> list[Evaluation]:
        """Evaluate with these variables."""
        if not definitions:
            return []
        request = {"action": "evaluate", "definitions": definitions, "env": dict(env)}
        answers = HELPER.ask(request, self.folder, TIMEOUT_SECONDS)
        if isinstance(answers, dict) and len(definitions) > 1:
            # One of them ended the process, or hangs: each by itself tells which.
            return list(chain.from_iterable(self.ask([definition], env) for definition in definitions))
        if isinstance(answers, dict):
            timeout = f"it took more than {TIMEOUT_SECONDS} s"
            return [Evaluation(error=timeout if answers["error"] == "timeout" else answers["text"])]
        return [Evaluation.of(answer) for answer in answers]

    def as_here(self, definition: JSON, one: Evaluation, env: Environment) -> Evaluation:
        """Evaluate with this process's values of all that was read."""
        (found,) = self.ask([definition], {**env, **{name: self.variables.here.get(name) for name in _read(one, env)}})
        return found

    def _settled(self, definition: JSON, one: Evaluation, known: Environment) -> Evaluation:
        """Evaluate again as long as it reads what only its own function has."""
        for _ in range(2):
            made = one.all()[0]
            full = self.variables.of(made.name or definition["function"] or "", made.settings, made.app)
            if not any(known.get(name) != full.get(name) for name in _read(one, {**known, **full})):
                break
            known = full
            (one,) = self.ask([definition], known)
        if not one.denied and one.faults() and (missing := self._missing(definition, one, known)):
            return replace(one, missing=tuple(missing))
        here = self.variables.here
        other = [n for n in _read(one, known) if n in here and here[n] != known.get(n)]
        return replace(one, chosen=tuple(self._followed(definition, one, known, other)))

    def _missing(self, definition: JSON, one: Evaluation, env: Environment) -> list[str]:
        # boto3 reads dozens of variables of its own, which nobody sets for a decorator.
        unset = [name for name, value in one.read.items() if value is None and name != ALL and name[:4] != "AWS_"]
        unset = unset[-_MOST_PROBES:]
        tried = ((name, self.ask([definition], {**env, name: _PROBE})[0]) for name in unset)
        return [name for name, other in tried if other.faults() != one.faults()]

    def _followed(self, definition: JSON, one: Evaluation, env: Environment, names: list[str]) -> list[str]:
        here = self.variables.here
        tried = ((name, self.ask([definition], {**env, name: here[name]})[0]) for name in names)
        return [name for name, other in tried if other.result() != one.result()]


def _read(one: Evaluation, all_: Environment) -> list[str]:
    """Return the names of what was read; all where the environment was read as one."""
    return list({**one.seen, **all_} if ALL in one.seen else one.seen)
