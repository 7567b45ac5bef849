"""Which statements set something that the notebook did not make: state of the process, or of a library.

For example ``getcontext().prec = 6``, ``sys.setrecursionlimit(20000)``, ``os.environ["TABLE"] = "orders"``: nothing
that the handler uses need be named in them, and yet it depends on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from nbchalice.notebook.analysis.known_calls import (
    ARGUMENT_MUTATORS,
    CONFIGURES,
    HEAVY,
    MUTATORS,
    OUTSIDE,
    PURE_CALLS,
    PURE_METHODS,
    PURE_MODULES,
    STDLIB,
)
from nbchalice.notebook.analysis.model import LAMBDA, Block, Call, Kind, Root, Roots
from nbchalice.notebook.capture.origins import is_of_here

if TYPE_CHECKING:
    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step

_ALL: WeakKeyDictionary[Effects, Settings] = WeakKeyDictionary()
_DEPTH = 6
_SETS = ("set", "seed", "register", "signal")
"""How functions are named that set something and return what was set before, which a statement may keep."""
_NOT_STATE = frozenset({"os", "sys.exit", "time.sleep", "warnings.warn"})
"""The disk is not a state of the process; ending it is no setting; a warning is shown."""


def settings_of(effects: Effects) -> Settings:
    """Return what looks at the statements of a followed notebook: the same for all its handlers."""
    return _ALL.setdefault(effects, Settings(effects))


class Settings:
    """Looks at statements for what they set.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    """

    def __init__(self, effects: Effects) -> None:
        self._effects = ref(effects)
        self.known: dict[int, frozenset[str]] = {}

    @property
    def effects(self) -> Effects:
        """The followed notebook."""
        effects = self._effects()
        assert effects is not None
        return effects

    def of(self, step: Step) -> frozenset[str]:
        """Return the modules, by their top-level names, of which a statement sets something."""
        if step.position not in self.known:
            now = step.statement.now
            quick = not (now.calls or now.touches)
            self.known[step.position] = frozenset() if quick else frozenset(self._block(now, step.position, ()))
        return self.known[step.position]

    def _block(self, block: Block, moment: int, above: tuple[int, ...]) -> set[str]:
        found = {_top(owner) for root in block.touches if (owner := self._owner(root, block, moment))}
        for call in block.calls.values():
            known = self.external(call, block, moment)
            if known is not None:
                found |= {_top(owner) for owner in self._set_by(known, call, block, moment)}
            elif not call.path and isinstance(call.root, str) and call.dropped and not call.definition:
                for inner in self.called(call.root, moment):
                    if id(inner) not in above and len(above) < _DEPTH:
                        found |= self._block(inner, moment, (*above, id(inner)))
        return found

    def called(self, name: str, moment: int) -> list[Block]:
        """Return the bodies of the notebook's functions that a name may stand for."""
        bodies: list[Block] = []
        for value in self.effects.values(name, moment):
            definition = self.effects.statement(value)
            if definition is not None and definition.kind is Kind.FUNCTION:
                # Without the functions in it, which only its own calls run.
                bodies += [block for block in definition.later if block.name == value[0] and block.owner is None]
        return bodies

    def external(self, call: Call, block: Block, moment: int) -> str | None:
        """Return the dotted name of a library's function, or of a method of what a library keeps, that is called."""
        if isinstance(call.root, str):
            known = self._imported(call.root, moment)
            return ".".join((known, *call.path)) if known is not None else self._builtin(call, moment)
        if isinstance(call.root, int):
            owner = self._owner(call.root, block, moment)
            return ".".join((owner, *call.path)) if owner is not None else None
        return None

    def _builtin(self, call: Call, moment: int) -> str | None:
        """Return the name of a builtin, or what a star import brought, for a name that no statement binds."""
        name = str(call.root)
        if name == LAMBDA or self.effects.timeline.events.get(name):
            return None
        known = self.effects.qualified(name, call.path, moment)
        return known if known != name or not call.path else None

    def _owner(self, root: Root, block: Block, moment: int) -> str | None:
        """Return the dotted name of what the notebook did not make and a root stands for, or None."""
        if isinstance(root, str):
            return self._imported(root, moment)
        call = block.calls.get(root) if isinstance(root, int) else None
        if call is not None and _goes_round(call, block):  # the s of s = s.strip(), which no argument binds
            return None
        known = self.external(call, block, moment) if call is not None else None
        return known if known is not None and _finds(known) else None

    def _imported(self, name: str, moment: int) -> str | None:
        """Return what a name was imported as, also by ``context = getcontext()`` and ``env = os.environ``."""
        if name == LAMBDA or name not in self.effects.timeline.events:
            return None
        positions, _ = self.effects.timeline.standing(name, moment + 1)
        if positions and (known := self.effects.qualified(name, (), moment)) is not None:
            return known
        return self._kept(name, positions[0], moment) if len(positions) == 1 else None

    def _kept(self, name: str, position: int, moment: int) -> str | None:
        """Return what of a library an assignment gives a name, such as the ``os.environ`` in ``env = os.environ``."""
        statement = self.effects.timeline.steps[position].statement
        if statement.kind is Kind.COMPOUND:
            return self._kept_within(name, statement.now, position)
        origin = statement.origin if position < moment else None
        known = self._imported(origin.root, position) if origin is not None and origin.root else None
        if origin is None or known is None:
            return None
        whole = ".".join((known, *origin.path))
        return whole if not origin.is_call or _finds(whole) else None

    def _kept_within(self, name: str, block: Block, position: int) -> str | None:
        """Return the same of an assignment within a block: ``if debug: level = logging.root.setLevel``."""
        given: frozenset[Root] = frozenset().union(*(roots for target, roots in block.flows if target == name))
        for dotted in sorted(block.dotted):
            root, _, path = dotted.partition(".")
            if root != name and root in given and (known := self._imported(root, position)) is not None:
                return f"{known}.{path}"
        return None

    def _set_by(self, known: str, call: Call, block: Block, moment: int) -> list[str]:
        """Return what a call of a library's function sets: something of a library, or nothing."""
        if known in ARGUMENT_MUTATORS or ".".join(known.split(".")[-2:]) in ARGUMENT_MUTATORS:
            # random.shuffle(sys.path), setattr(pd.options, ...): what is set is the first argument.
            first = call.args[0] if call.args else ()
            owners = [self._owner(root, block, moment) for root in first]
            return [owner for owner in owners if owner is not None]
        last = known.rpartition(".")[2]
        # tqdm.pandas() puts methods into pandas.
        patched = [last] if "." in known and call.dropped and last not in STDLIB else []
        return [known, *patched] if "." in known and self._sets(known, call, block, moment) else patched

    def _sets(self, known: str, call: Call, block: Block, moment: int) -> bool:
        top, last = _top(known), known.rpartition(".")[2]
        if last[:1].isupper() or shows(known) or known in _NOT_STATE:
            return False
        # old = signal.signal(SIGTERM, stop) sets something and keeps what was set; n = random.choice(xs) only gives.
        if not call.dropped:
            return top in STDLIB and last.startswith(_SETS)
        if last.startswith(CONFIGURES) or (known.count(".") > 1 and last in MUTATORS):
            return True
        # What is called for nothing but constants, and its result dropped, is called for what it does.
        settles = top in STDLIB - OUTSIDE and top not in _NOT_STATE and not call.definition
        steady = settles and not is_of_here(known, self.effects, moment)
        return steady and all(self._is_foreign(roots, block, moment) for roots in self._arguments(call))

    def _arguments(self, call: Call) -> list[Roots]:
        return [*call.args, *(roots for _, roots in call.keywords)]

    def _is_foreign(self, roots: Roots, block: Block, moment: int) -> bool:
        """Tell whether nothing of a value was made by the notebook."""
        for root in roots:
            if isinstance(root, str):
                if self._imported(root, moment) is None and self.effects.timeline.events.get(root):
                    return False
            elif not isinstance(root, int) or self.external(block.calls[root], block, moment) is None:
                return False
        return True


def shows(known: str) -> bool:
    """Tell whether a library's function, by its dotted name, only shows something, or computes what is dropped."""
    last = known.rpartition(".")[2]
    shown = known in PURE_CALLS or (last in PURE_METHODS and _top(known) not in HEAVY) or _top(known) in PURE_MODULES
    return shown or known.startswith(("sys.stdout.", "sys.stderr.", "os.path."))


def _goes_round(call: Call, block: Block) -> bool:
    """Tell whether a call is one of a method of its own result."""
    seen: set[int] = set()
    one: Call | None = call
    while one is not None and isinstance(one.root, int):
        if one.root in seen:
            return True
        seen.add(one.root)
        one = block.calls.get(one.root)
    return False


def _finds(known: str) -> bool:
    """Tell whether a function returns what its library keeps, as ``getcontext`` and ``getLogger`` do."""
    return known.rpartition(".")[2].startswith(("get", "current"))


def _top(known: str) -> str:
    return known.partition(".")[0]
