"""What code reaches otherwise than by naming it: variables by texts, classes by their base, the place where it runs.

For example ``globals()["rate"]``, ``eval(text)``, ``frame.query("a > @limit")``, ``Base.__subclasses__()``,
``__name__ == "__main__"``. Pure syntax: what the texts mean in a notebook is not known here.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from nbchalice.notebook.analysis.known_calls import words
from nbchalice.notebook.analysis.texts import (
    WORD,
    annotations_of,
    field_names,
    formatted_names,
    last_name,
    names_in,
    text_of,
    types_in,
)

_MARKED = re.compile(r"(?:\$\{?|%\()([A-Za-z_]\w*)")
_AT = re.compile(r"(?<![\w.])@([A-Za-z_]\w*)")
_BY_FRAME = frozenset({"f_globals", "__globals__", "f_locals", "f_back"})
_CALLED = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*\(")
_TABLES = re.compile(r"(?i)\b(?:from|join)\s+([A-Za-z_]\w*)")
_READERS = {
    **dict.fromkeys(words("eval evaluate timeit repeat run runctx"), WORD),
    **dict.fromkeys(words("sql query execute sqldf"), _TABLES),
    **dict.fromkeys(words("ols wls gls glm logit probit poisson mixedlm dmatrix dmatrices"), _CALLED),
}
"""Functions of libraries that look names in a text up in the module that calls them, and what in it is such a name."""
_PLUGINS = frozenset({"entry_points", "iter_entry_points"})
_LOGGERS = frozenset({"getLogger", "get_logger", "Logger", "Blueprint", "Flask"})
_HERE = frozenset({"get_ipython", "__IPYTHON__", "__file__", "__spec__", "__package__", "__loader__"})
_OF_SYS = frozenset({"ps1", "ps2", "argv", "orig_argv"})
_TYPED = frozenset({"TypeVar", "cast", "ForwardRef", "NewType"})
_GETS = frozenset({"get", "pop", "setdefault", "__getitem__", "__contains__"})


@dataclass(frozen=True, slots=True)
class Text:
    """Words in a text that may be names of variables.

    Parameters
    ----------
    names : frozenset[str]
        The words.
    line : int
        The line of the text, counted from 1 within the statement.
    later : bool
        Whether they are looked up when a function is called, or even later.
    module : str
        The name that must be an imported module for the words to count, or an empty text.
    """

    names: frozenset[str]
    line: int
    later: bool
    module: str = ""


@dataclass(frozen=True, slots=True)
class Lookups:
    """What a statement reaches otherwise than by naming it.

    Parameters
    ----------
    texts : tuple[Text, ...]
        The words in texts that are looked up.
    constants : tuple[Text, ...]
        All its texts that may be a name or an expression: what it looks up may be handed one of them.
    marked : tuple[Text, ...]
        All its texts with names as pandas marks them, ``@limit``.
    handed : tuple[tuple[str, str], ...]
        The functions of ``_READERS`` that it hands a text that it has not written there, each with its module's name.
    written : tuple[tuple[str, int], ...]
        All its texts, each with its line.
    queries : bool
        Whether it hands a text that it has not written there to ``query`` or ``eval`` of a library.
    unfollowed : tuple[tuple[int, str], ...]
        Code that finds a variable or a module by what it has computed, each with its line.
    differs : tuple[tuple[int, str], ...]
        What has another value on Lambda and is not a variable of the notebook, each with its line.
    variables : tuple[tuple[int, str], ...]
        The environment variables that it reads, each with its line.
    sets : frozenset[str]
        Those that it sets.
    subclasses : bool
        Whether it asks a class for its subclasses.
    """

    texts: tuple[Text, ...] = ()
    constants: tuple[Text, ...] = ()
    marked: tuple[Text, ...] = ()
    handed: tuple[tuple[str, str], ...] = ()
    written: tuple[tuple[str, int], ...] = ()
    queries: bool = False
    unfollowed: tuple[tuple[int, str], ...] = ()
    differs: tuple[tuple[int, str], ...] = ()
    variables: tuple[tuple[int, str], ...] = ()
    sets: frozenset[str] = frozenset()
    subclasses: bool = False


@lru_cache(maxsize=4096)
def lookups(text: str) -> Lookups:
    """Find what a statement reaches otherwise than by naming it.

    Parameters
    ----------
    text : str
        The statement, Python.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return Lookups()
    finder = _Finder()
    for node in tree.body:
        finder.visit(node)
    return Lookups(
        texts=tuple(finder.texts),
        constants=tuple(finder.constants),
        marked=tuple(finder.marked),
        handed=tuple(dict.fromkeys(finder.handed)),
        written=tuple(finder.written),
        queries=finder.queries,
        unfollowed=tuple(dict.fromkeys(finder.unfollowed)),
        differs=tuple(dict.fromkeys(finder.differs)),
        variables=tuple(dict.fromkeys(finder.variables)),
        sets=frozenset(finder.sets),
        subclasses=finder.subclasses,
    )


def names_read(reader: str, text: str) -> frozenset[str]:
    """Return the names that a function of a library looks up for a text that it is handed.

    Parameters
    ----------
    reader : str
        The function, such as ``sql``.
    text : str
        The text; where it would be an expression and is none, such as ``no data yet``, it names nothing.
    """
    pattern = _READERS[reader]
    return frozenset(pattern.findall(text)) if pattern is not WORD else names_in(text) or frozenset()


class _Finder:
    """Walks a statement, with the nodes around the one it is at."""

    def __init__(self) -> None:
        self.above: list[ast.AST] = []
        self.texts: list[Text] = []
        self.constants: list[Text] = []
        self.marked: list[Text] = []
        self.handed: list[tuple[str, str]] = []
        self.written: list[tuple[str, int]] = []
        self.queries = False
        self.variables: list[tuple[int, str]] = []
        self.sets: set[str] = set()
        self.unfollowed: list[tuple[int, str]] = []
        self.differs: list[tuple[int, str]] = []
        self.subclasses = False

    @property
    def later(self) -> bool:
        """Whether a function must be called to get here."""
        return any(
            isinstance(one, ast.Lambda)
            or (isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and below in one.body)
            for one, below in zip(self.above, self.above[1:], strict=False)
        )

    def visit(self, node: ast.AST) -> None:
        """Look at a node and all below it."""
        self.above.append(node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self._name(node)
        elif isinstance(node, ast.Subscript) and last_name(node.value) == "environ":
            self._variable(node.slice, node, sets=not isinstance(node.ctx, ast.Load))
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._constant(node, node.value)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node)
        for annotation in annotations_of(node):
            self._annotation(annotation)
        for child in ast.iter_child_nodes(node):
            if not (isinstance(child, ast.Constant) and isinstance(node, ast.Expr)):  # a docstring
                self.visit(child)
        self.above.pop()

    def _around(self, steps: int = 1) -> ast.AST | None:
        return self.above[-1 - steps] if len(self.above) > steps else None

    def _tell(self, node: ast.expr, why: str = "") -> None:
        """Note what nothing follows; what runs while the module is imported is compared with the kernel."""
        if self.later:
            (self.differs if why else self.unfollowed).append((node.lineno, f"{_short(node)}{why}"))

    # -- names and attributes ------------------------------------------------------------------------------------

    def _name(self, node: ast.Name) -> None:
        above = self._around()
        if node.id == "__name__" and not self._is_only_a_label(above):
            self._tell(node, ", which is '__main__' in the notebook only")
        elif node.id in _HERE:
            self._tell(node, ", which is not in both the notebook and Lambda")

    def _is_only_a_label(self, above: ast.AST | None) -> bool:
        """Tell whether ``__name__`` names a logger or so, or finds the module itself, wherever it is."""
        if isinstance(above, ast.Subscript):
            return _is_sys_modules(above.value)
        return isinstance(above, ast.Call) and last_name(above.func) in _LOGGERS | {"import_module"}

    def _attribute(self, node: ast.Attribute) -> None:
        if node.attr == "__subclasses__":
            self.subclasses = True
        elif node.attr in _BY_FRAME:
            self._tell(node)
        elif isinstance(node.value, ast.Name) and node.value.id == "sys" and node.attr in _OF_SYS:
            self._tell(node, ", which is another one on Lambda")
        elif _is_sys_modules(node):
            self._modules(node)

    def _modules(self, node: ast.Attribute) -> None:
        above, over = self._around(), self._around(2)
        if isinstance(above, ast.Subscript) and isinstance(above.slice, ast.Name) and above.slice.id == "__name__":
            self._space(above, over, self._around(3))
        elif isinstance(above, ast.Subscript) and text_of(above.slice) not in (None, "__main__"):
            return  # A module that something imports; without it, an error.
        else:
            whole = above if isinstance(above, ast.Subscript | ast.Compare) else node
            self._tell(whole, ", which holds other modules on Lambda")

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
        if "__main__" in names:
            self.differs.append((node.lineno, "the module __main__, which is another one on Lambda"))

    # -- calls ---------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "globals" or (name in {"vars", "locals"} and not node.args and not self.later):
            self._space(node, self._around(), self._around(2))
        elif name in {"eval", "exec"} and node.args:
            self._run_text(node)
        elif last_name(node.func) in _PLUGINS or _imports_by_name(node):
            self._tell(node)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _READERS:
            self._read_text(node, node.func)
        self._environment(node, node.func)
        if last_name(node.func) in _TYPED:
            for value in [*node.args, *(item.value for item in node.keywords)]:
                self._annotation(value)

    def _environment(self, node: ast.Call, function: ast.expr) -> None:
        """Look at ``os.getenv("TABLE")``, ``os.environ.get("TABLE")`` and what sets variables."""
        whole = isinstance(function, ast.Attribute) and last_name(function.value) == "environ"
        if node.args and (last_name(function) == "getenv" or (whole and last_name(function) == "get")):
            self._variable(node.args[0], node, sets=False)
        elif node.args and whole and last_name(function) == "setdefault":
            self._variable(node.args[0], node, sets=True)
        elif whole and last_name(function) == "update":
            self.sets |= {item.arg for item in node.keywords if item.arg}
            keys = chain.from_iterable(one.keys for one in node.args if isinstance(one, ast.Dict))
            self.sets |= {text for key in keys if key is not None and (text := text_of(key))}

    def _variable(self, name: ast.expr, node: ast.expr, *, sets: bool) -> None:
        text = text_of(name)
        if text and sets:
            self.sets.add(text)
        elif text:
            self.variables.append((node.lineno, text))

    def _run_text(self, node: ast.Call) -> None:
        own = [*node.args[1:2], *(item.value for item in node.keywords if item.arg == "globals")]
        if own and not any(_mentions_globals(item) for item in own):
            return  # The code is run with variables of its own.
        text = text_of(node.args[0])
        names = names_in(text) if text is not None else None
        if names is None:
            self._tell(node)
        else:
            self._note(names, node)

    def _read_text(self, node: ast.Call, function: ast.Attribute) -> None:
        given = [*node.args, *(item.value for item in node.keywords)]
        module = function.value.id if isinstance(function.value, ast.Name) else ""
        self.queries |= function.attr in {"query", "eval"} and any(isinstance(one, ast.Name) for one in given)
        if module and any(isinstance(one, ast.Name | ast.Attribute | ast.Subscript | ast.Call) for one in given):
            self.handed.append((function.attr, module))
        for value in given:
            for part in ast.walk(value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    self._note(frozenset(_AT.findall(part.value)), part)
                    if module:
                        self._note(frozenset(_READERS[function.attr].findall(part.value)), part, module)

    def _space(self, space: ast.expr, above: ast.AST | None, over: ast.AST | None) -> None:
        """Look at what is done with a dictionary, or the module, of all variables."""
        text = _asked_for(space, above, over)
        if text is not None:
            self._note(frozenset({text}), space)
            return
        filled = over if isinstance(above, ast.keyword) else above
        names = formatted_names(filled) if filled is not None else None
        if names is not None:
            self._note(names, space)
        else:
            whole = above if isinstance(above, ast.Subscript | ast.Compare | ast.Attribute | ast.Call) else space
            self._tell(whole)

    # -- texts ---------------------------------------------------------------------------------------------------

    def _note(self, names: frozenset[str], node: ast.expr, module: str = "") -> None:
        if names:
            self.texts.append(Text(names, node.lineno, self.later, module))

    def _constant(self, node: ast.Constant, text: str) -> None:
        self.written.append((text, node.lineno))
        names = names_in(text) or frozenset()
        names |= frozenset([*_AT.findall(text), *_MARKED.findall(text), *field_names(text)])
        if marked := frozenset(_AT.findall(text)):
            self.marked.append(Text(marked, node.lineno, later=True))
        if names:
            self.constants.append(Text(names, node.lineno, later=True))

    def _annotation(self, node: ast.expr) -> None:
        for part in types_in(node):
            names = names_in(str(part.value))
            if names:
                self.texts.append(Text(names, part.lineno, later=True))


def _asked_for(space: ast.expr, above: ast.AST | None, over: ast.AST | None) -> str | None:
    """Return the one name that is asked for: ``globals()["x"]``, ``"x" in globals()``, ``getattr(module, "x")``."""
    if isinstance(above, ast.Subscript) and above.value is space:
        return text_of(above.slice)
    if isinstance(above, ast.Compare) and len(above.ops) == 1 and isinstance(above.ops[0], ast.In | ast.NotIn):
        return text_of(above.left) if space in above.comparators else None
    if isinstance(above, ast.Attribute) and isinstance(over, ast.Call) and above.attr in _GETS and over.args:
        return text_of(over.args[0])
    if isinstance(above, ast.Attribute) and not isinstance(space, ast.Call):
        return above.attr
    if isinstance(above, ast.Call) and last_name(above.func) in {"getattr", "hasattr"} and len(above.args) > 1:
        return text_of(above.args[1])
    return None


def _mentions_globals(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "globals" for part in ast.walk(node))


def _is_sys_modules(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "modules" and last_name(node.value) == "sys"


def _short(node: ast.expr) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def _imports_by_name(node: ast.Call) -> bool:
    """Tell whether a module is imported of which no text at the place says the name."""
    return last_name(node.func) in {"import_module", "__import__"} and bool(node.args) and text_of(node.args[0]) is None
