"""Which modules a source imports, when, and which of them it cannot do without."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from nbchalice.notebook.sandbox.loads import METADATA

_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_DYNAMIC = frozenset({"import_module", "__import__"})
_METADATA = frozenset({"importlib.metadata", "importlib_metadata", "pkg_resources"})
_DESCRIBING = frozenset({"version", "metadata", "distribution", "requires", "files", "get_distribution", "require"})
_OF_PYTHON = frozenset({"version_info", "hexversion", "platform", "implementation"})
_BODIES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Import:
    """An import of a module.

    Parameters
    ----------
    module : str
        Its absolute dotted name, for example `google.cloud.storage`.
    names : tuple[str, ...]
        What is taken from it; each may be a submodule. `*` means all.
    required : bool
        False if the code can do without: where an ImportError is caught, the name is only a text, or the Python version
        or system decides.
    later : bool
        Whether it is inside a function, so that it runs when that is called.
    line : int
        Where it stands.
    """

    module: str
    names: tuple[str, ...] = ()
    required: bool = True
    later: bool = False
    line: int = field(default=1, compare=False)

    @property
    def top(self) -> str:
        """The top-level module."""
        return self.module.partition(".")[0]


def find_imports(source: str, package: str = "", texts: tuple[str, ...] = ()) -> tuple[Import, ...]:
    """Return the imports of a module, in the order of the text, without those only for type checkers.

    Parameters
    ----------
    source : str
        The module's text.
    package : str
        The package it is in, for relative imports. Default: none.
    texts : tuple[str, ...]
        What a computed name may be besides the texts of the module: values of environment variables. Default: none.

    Raises
    ------
    SyntaxError
        The source cannot be parsed.
    """
    tree = ast.parse(source)
    imports = dict.fromkeys([*_walk(tree, _Place(package)), *_asked_about(tree)])
    if not package and _computes_a_module(tree):
        known = {one.module for one in imports}
        imports |= dict.fromkeys(one for one in _named_in_texts(tree, texts) if one.module not in known)
    return tuple(imports)


def is_type_checking(test: ast.expr) -> bool:
    """Tell whether a condition is `TYPE_CHECKING`, which is false wherever code runs.

    Parameters
    ----------
    test : ast.expr
        The condition of an `if`.
    """
    return ast.unparse(test).removeprefix("typing.") == "TYPE_CHECKING"


@dataclass(frozen=True)
class _Place:
    """What is known of where a statement stands: its package, and how its imports count."""

    package: str
    required: bool = True
    later: bool = False


def _walk(node: ast.AST, place: _Place) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, (), place.required, place.later, node.lineno)
    elif isinstance(node, ast.ImportFrom):
        if module := _absolute(node, place.package):
            names = tuple(alias.name for alias in node.names)
            yield Import(module, names, place.required, place.later, node.lineno)
    elif isinstance(node, ast.If) and is_type_checking(node.test):
        yield from _all(node.orelse, place)
    elif isinstance(node, ast.If) and _depends_on_python(node.test):
        yield from _all([*node.body, *node.orelse], replace(place, required=False))
    elif isinstance(node, ast.Try | ast.TryStar):
        caught = any(map(_catches, node.handlers))
        yield from _all(node.body, replace(place, required=place.required and not caught))
        yield from _all(node.handlers, replace(place, required=False))
        yield from _all([*node.orelse, *node.finalbody], place)
    else:
        if isinstance(node, ast.Call) and (name := _dynamic(node)):
            yield Import(name, (), False, place.later, node.lineno)
        within = replace(place, later=True) if isinstance(node, _BODIES) else place
        yield from _all(list(ast.iter_child_nodes(node)), within)


def _all(nodes: Sequence[ast.AST], place: _Place) -> Iterator[Import]:
    for node in nodes:
        yield from _walk(node, place)


def _depends_on_python(test: ast.expr) -> bool:
    """Tell whether a condition asks for the Python version or the operating system."""
    return any(isinstance(node, ast.Attribute) and node.attr in _OF_PYTHON for node in ast.walk(test))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(name, ast.Name) and name.id in _CAUGHT for name in caught)


def _computes_a_module(tree: ast.Module) -> bool:
    """Tell whether a module is imported whose name no text at the place says: ``import_module(name)``."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_dynamic(node) and node.args]
    return any(not isinstance(call.args[0], ast.Constant) for call in calls)


def _asked_about(tree: ast.Module) -> Iterator[Import]:
    """Give the packages of which is asked what is known: ``version("pandas")`` of ``importlib.metadata``."""
    modules: set[str] = set()
    functions: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            functions |= {one.asname or one.name for one in node.names if node.module in _METADATA}
            modules |= {one.asname or one.name for one in node.names if f"{node.module}.{one.name}" in _METADATA}
        elif isinstance(node, ast.Import):
            modules |= {one.asname or one.name for one in node.names if one.name in _METADATA}
    for node in ast.walk(tree) if modules or functions else ():
        if isinstance(node, ast.Call) and node.args and isinstance(name := node.args[0], ast.Constant):
            module, _, called = ast.unparse(node.func).rpartition(".")
            asks = (module in modules and called in _DESCRIBING) or (not module and called in functions)
            if asks and isinstance(name.value, str) and name.value:
                yield Import(name.value.replace(".", "-") + METADATA, (), False, True, node.lineno)


def _named_in_texts(tree: ast.Module, texts: tuple[str, ...]) -> Iterator[Import]:
    """Give the modules that texts may name, as in ``for name in ["plug"]: import_module(name)``."""
    constants = [(node.value, node.lineno) for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    for value, line in (*constants, *((text, 1) for text in texts)):
        name = value.rstrip(".") if isinstance(value, str) else ""  # import_module(f"plugins.{name}")
        if all(part.isidentifier() for part in name.split(".")):
            yield Import(name, (), False, True, line)


def _is_dynamic(node: ast.Call) -> bool:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return called in _DYNAMIC


def _dynamic(node: ast.Call) -> str | None:
    if _is_dynamic(node) and node.args and isinstance(node.args[0], ast.Constant):
        value = node.args[0].value
        if isinstance(value, str) and not value.startswith("."):
            return value
    return None
