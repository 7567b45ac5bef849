"""What the analysis of one statement finds: plain data, names and flows, no syntax trees."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

Root: TypeAlias = "str | int | tuple[int, str]"
"""Where a value comes from: a global name, the call with this number, or a local (0: a parameter of the function)."""

Roots: TypeAlias = frozenset[Root]
NONE: Roots = frozenset()
CARRIED: Root = (0, "")
"""What a function carries with it from the functions around it."""
LAMBDA: Root = "<lambda>"
"""A function written within the statement that is running."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: ``root.path(*args, **keywords)``.

    ``exact`` is False with ``*`` or ``**`` arguments, ``dropped`` tells that nothing takes the result,
    ``definition`` that it stands in a decorator or a class body. ``literal`` is its first argument if a text.
    ``others`` are further roots that it may have: ``(f if quick else g)(rows)``.
    """

    root: Root | None
    path: tuple[str, ...]
    args: tuple[Roots, ...]
    keywords: tuple[tuple[str, Roots], ...]
    exact: bool
    dropped: bool
    definition: bool
    line: int
    text: str
    literal: str | None = None
    others: tuple[Root, ...] = ()

    def everything(self) -> Roots:
        """Return the roots of all arguments."""
        return NONE.union(*self.args, *(roots for _, roots in self.keywords))


@dataclass(frozen=True, slots=True)
class Block:
    """Code that runs at one moment: a statement now, or a function's body when it is called.

    Parameters
    ----------
    uses : frozenset[str]
        Global names read.
    assigns : frozenset[str]
        Global names bound (for a function: those declared ``global``).
    touches : Roots
        Roots whose object is changed in place.
    stores : tuple[tuple[Roots, Roots], ...]
        Pairs (where, what) of roots of values put into another object.
    flows : tuple[tuple[str, Roots], ...]
        Pairs (name, roots) of global names that may share an object.
    calls : dict[int, Call]
        The calls, by number.
    returns : Roots
        Roots of what a function returns.
    name : str
        The function's name; empty for a statement.
    owner : str or None
        The class of a method.
    params : tuple[str, ...]
        The function's own parameters.
    loops : bool
        Whether it contains a loop.
    dotted : frozenset[str]
        Attributes of global names that are used, for example ``xml.etree.ElementTree``.
    consumes : Roots
        Roots that are looped over, unpacked, or searched with ``in``: an iterator is another one afterwards.
    yields : bool
        Whether it is the body of a generator.
    """

    uses: frozenset[str]
    assigns: frozenset[str]
    touches: Roots
    stores: tuple[tuple[Roots, Roots], ...]
    flows: tuple[tuple[str, Roots], ...]
    calls: dict[int, Call]
    returns: Roots
    name: str = ""
    owner: str | None = None
    params: tuple[str, ...] = ()
    loops: bool = False
    dotted: frozenset[str] = frozenset()
    consumes: Roots = NONE
    yields: bool = False


class Kind(Enum):
    """What sort of statement it is, as far as replaying it goes."""

    IMPORT = "import"
    STAR = "star import"
    FUTURE = "future import"
    FUNCTION = "function"
    CLASS = "class"
    ASSIGN = "assignment"
    EXPRESSION = "expression"
    COMPOUND = "compound"
    MAGIC = "magic"
    NOTHING = "nothing"


class Mark(Enum):
    """What ``# nbchalice: include`` or ``exclude`` says of a statement."""

    INCLUDE = "include"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class Alias:
    """One name bound by an import: ``from module import attribute as name`` or ``import module as name``."""

    name: str
    module: str
    attribute: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where ``name = root.path`` or ``name = root.path(...)`` has its value from.

    Parameters
    ----------
    name : str
        The name that is bound.
    root : str
        The name at the beginning; empty for a generator expression.
    path : tuple[str, ...]
        The attributes after it.
    is_call : bool
        Whether it is called.
    """

    name: str
    root: str
    path: tuple[str, ...]
    is_call: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A top-level statement of a cell.

    Parameters
    ----------
    text : str
        Verbatim, with its leading comments and decorators.
    line : int
        Raw line of the first line of ``text``.
    head : int
        Raw line at which the statement proper begins.
    end : int
        Raw line of its last line.
    kind : Kind
        What sort of statement it is.
    defines : frozenset[str]
        Names it always binds.
    may_define : frozenset[str]
        Names it binds under a condition.
    deletes : frozenset[str]
        Names it removes.
    guarded : frozenset[str]
        Names it may find missing (read within ``try``).
    now : Block
        What happens when it runs.
    later : tuple[Block, ...]
        Bodies of the functions it defines.
    shallow : dict[str, frozenset[str]]
        For a bound name whose value is immutable if all these names are; absent if it may be mutable.
    imports : tuple[Alias, ...]
        What it imports.
    bases : frozenset[str]
        Names of the base classes and the metaclass of a class statement.
    decorators : tuple[tuple[Root or None, tuple[str, ...]], ...]
        The decorators' roots and attributes, for a function or class.
    mark : Mark or None
        The user's own word on it, or None.
    awaits : bool
        Whether it has ``await`` outside a function.
    handler : bool
        Whether it is the handler of its cell's magic.
    uses_later : frozenset[str]
        Names that the functions defined here read when they are called.
    shares : bool
        Whether it is a class whose instances may share a mutable attribute of the class.
    repeats : bool
        Whether ``%timeit`` ran it, any number of times, in a function of its own.
    origin : Origin or None
        What a plain assignment takes its value from, or None.
    """

    text: str
    line: int
    head: int
    end: int
    kind: Kind
    defines: frozenset[str]
    may_define: frozenset[str]
    deletes: frozenset[str]
    guarded: frozenset[str]
    now: Block
    later: tuple[Block, ...]
    shallow: dict[str, frozenset[str]] = field(default_factory=dict)
    imports: tuple[Alias, ...] = ()
    bases: frozenset[str] = frozenset()
    decorators: tuple[tuple[Root | None, tuple[str, ...]], ...] = ()
    mark: Mark | None = None
    awaits: bool = False
    handler: bool = False
    shares: bool = False
    uses_later: frozenset[str] = frozenset()
    repeats: bool = False
    origin: Origin | None = None

    @property
    def binds(self) -> frozenset[str]:
        """All names it may bind."""
        return self.defines | self.may_define
