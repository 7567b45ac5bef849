"""The part of nbchalice that ships with every function: the modules that its code needs."""

from __future__ import annotations

import ast
import builtins
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import chain
from types import MappingProxyType

from nbchalice.files import kept
from nbchalice.packaging.byte_code import own_pyc
from nbchalice.packaging.imports import Import, find_imports
from nbchalice.packaging.lean import lean_source
from nbchalice.packaging.zipping import zip_bytes
from nbchalice.runtime import routes
from nbchalice.runtime.event_kinds import BUILT_IN
from nbchalice.runtime.names import HOMES

ARCHIVE = "nbchalice.zip"
_ENTRY = "nbchalice.runtime.entry"
_KINDS = "nbchalice/runtime/event_kinds.py"
# A function of such a kind is given the events of others, in which it finds their ids.
_WITHOUT_SIGN = {kind.name for kind in BUILT_IN if not (kind.service or kind.recognizes)}
# Files with names that only some code asks for.
_WITH_UNUSED = {
    "nbchalice/__init__.py", "nbchalice/app.py", "nbchalice/runtime/decorators.py", "nbchalice/runtime/names.py",
    "nbchalice/runtime/events.py", "nbchalice/runtime/kinesis.py", "nbchalice/runtime/sns.py",
    "nbchalice/runtime/sqs.py",
}  # fmt: skip
# Of the package itself, what only a notebook or a list of its names asks for.
_OF_LISTS = frozenset({"__all__", "__dir__", "load_ipython_extension", "unload_ipython_extension"})
# Which of these ship, a function's own code decides.
_HOMES = {name: f"nbchalice.runtime.{home}" for name, home in HOMES.items()}
_HOMES |= dict.fromkeys(routes.__all__, "nbchalice.runtime.routes")
_OPTIONS = {"per_record": "nbchalice.runtime.each_record", "report_failures": "nbchalice.runtime.whole_batch"}
# Modules that a word in the code asks for.
_WORDS = (
    {kind.name: kind.home for kind in BUILT_IN}
    | _OPTIONS
    | {
        "middleware": "nbchalice.runtime.middleware",
        "register_middleware": "nbchalice.runtime.middleware",
    }
)
_CHOSEN = {*_HOMES.values(), *_WORDS.values(), "nbchalice.runtime.streams"}
_CHOSEN |= {"nbchalice.runtime.bundles", "nbchalice.runtime.archive", "nbchalice.runtime.recording"}
# What reads records as the type of a handler's annotation.
_TYPED = ["nbchalice.runtime.annotations", "nbchalice.runtime.shapes"]
# Annotations that are no such type.
_PLAIN = {*HOMES, *dir(builtins), "Any", "typing", "t"}
# What is only loaded where something fails, or where there is no byte code of the notebook.
_LATE = {"nbchalice.runtime.cells", "nbchalice.runtime.causes"}
# With these, code may reach a decorator, an option or an event's class by a name that its text does not say.
_ANY_NAME = re.compile(
    r"\b(getattr|attrgetter|methodcaller|getmembers|eval|exec|vars|__dict__|__getattribute__|load_bundle)\b"
)
# The module nbchalice.app, by an attribute.
_MODULE_APP = re.compile(r"\.app\b")
_ANY_LIST = re.compile(r"import\s*\*|__all__|\bdir\b|_ipython_extension")


@cache
def runtime_archive(modules: frozenset[str], byte_code: bool, unused: frozenset[str] = frozenset()) -> bytes:
    """Return the archive of nbchalice's modules, for `sys.path`; made once per process.

    Parameters
    ----------
    modules : frozenset[str]
        Dotted names, as of `needed_modules`.
    byte_code : bool
        Whether it is for the running Python: then it holds byte code, and next to it the sources cut to what runs. Else
        the sources are as they are here.
    unused : frozenset[str]
        Names that are cut off as well, as of `unused_names`. Default: none.
    """
    sources = runtime_sources(modules)
    question = [
        repr((sys.version, sorted(modules), byte_code, sorted(unused))),
        *_texts("lean", "byte_code", "zipping"),
        *sources.values(),
    ]
    return kept("runtime", question, lambda: _archive(sources, byte_code, unused))


def _archive(sources: Mapping[str, str], byte_code: bool, unused: frozenset[str]) -> bytes:
    files: dict[str, bytes] = {}
    for path, source in sources.items():
        files[path] = source.encode()
        if byte_code:
            files[path] = lean_source(source, _unused_in(path, unused)).encode()
            if _module(path) not in _LATE:
                files[f"{path}c"] = own_pyc(f"{ARCHIVE}/{path}", files[path])
    return zip_bytes(files, level=0, first=".pyc")  # Like to like: the outer zip squeezes them as one text.


def _unused_in(path: str, unused: frozenset[str]) -> frozenset[str]:
    """Return which of the names that no code says may be cut off from a module."""
    return unused if path in _WITH_UNUSED or (path == _KINDS and unused >= _WITHOUT_SIGN) else frozenset()


def runtime_sources(modules: frozenset[str]) -> dict[str, str]:
    """Return the sources of nbchalice's modules as they are here, by path in the archive.

    Parameters
    ----------
    modules : frozenset[str]
        Dotted names, as of `needed_modules`.
    """
    return {path: source for path, source in _files().items() if _module(path) in modules}


def needed_modules(sources: Iterable[str]) -> frozenset[str]:
    """Return nbchalice's modules that Lambda's entry point and some sources import, directly or not.

    A module that nbchalice itself can do without (where it catches the ImportError) does not ship, unless the sources
    import it; nor does what is of an event source, an option or a public name that they do not mention.

    Parameters
    ----------
    sources : Iterable[str]
        Texts of modules; those that cannot be parsed count as importing nothing.
    """
    sources = tuple(sources)
    needed: set[str] = set()
    todo = [_ENTRY, *_imported(sources), *(_TYPED if has_typed_function(*sources) else [])]
    for source in sources:
        todo += _asked_for(source)
    graph = _graph()
    while todo:
        name = todo.pop()
        if name in graph and name not in needed:
            needed.add(name)
            todo += [name.rpartition(".")[0], *graph[name]]
    return frozenset(needed)


def unused_names(sources: Iterable[str]) -> frozenset[str]:
    """Return the decorators for events, and the package's own names, that no source says or may reach otherwise.

    Parameters
    ----------
    sources : Iterable[str]
        As for `needed_modules`.
    """
    sources = tuple(sources)
    named = set().union(*map(_named, sources))
    unused = {kind.name for kind in BUILT_IN if kind.name not in named}
    if not has_typed_function(*sources):
        unused.add("_content")
    if not any(_ANY_NAME.search(source) or _ANY_LIST.search(source) for source in sources):
        unused |= _OF_LISTS | (HOMES.keys() - _public_names_said(sources))
    return frozenset(unused)


def _asked_for(source: str) -> list[str]:
    """Return the modules of the decorators and their options that a text names, or may name."""
    return [_WORDS[name] for name in _WORDS.keys() & _named(source)]


@cache
def has_typed_function(*sources: str) -> bool:
    """Tell whether the first parameter of a function that may be a handler may be of the type of a record.

    Parameters
    ----------
    *sources : str
        The texts of modules: one may register what another defines. What cannot be parsed counts as having none.
    """
    trees = [tree for source in sources if (tree := _parsed(source)) is not None]
    anything = any(map(_ANY_NAME.search, sources))
    makers = {kind.name for kind in BUILT_IN}.union(*map(_decorators_made, trees))
    given: set[str] = set().union(*(_given_to(makers, tree) for tree in trees))
    for node in chain.from_iterable(map(ast.walk, trees)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        said = _first_annotation(node)
        if said is not None and _names_in(said) - _PLAIN and (anything or node.name in given):
            return True
    return False


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def _decorators_made(tree: ast.Module) -> set[str]:
    """Return the names of decorators for events: ``on_orders = app.on_sqs_message("orders")``."""
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _said(node.value) & {kind.name for kind in BUILT_IN}:
            made.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return made


def _given_to(makers: set[str], tree: ast.Module) -> set[str]:
    """Return the names of what a module's text gives to some decorators: as one, or as ``decorator(work)``."""
    given: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if any(_said(decorator) & makers for decorator in node.decorator_list):
                given.add(node.name)
        elif isinstance(node, ast.Call) and _said(node.func) & makers:
            given = given.union(*map(_said, node.args))
    return given


def _said(expression: ast.expr) -> set[str]:
    """Return the names and attributes in an expression."""
    nodes = list(ast.walk(expression))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _first_annotation(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    """Return what is said of a function's first parameter."""
    parameters = [*function.args.posonlyargs, *function.args.args]
    return parameters[0].annotation if parameters else None


def _names_in(annotation: ast.expr) -> set[str]:
    """Return the names in an annotation, and those in texts in it."""
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.update(re.findall(r"\w+", node.value))
    return names


def _named(source: str) -> set[str]:
    """Return the decorators and their options that a text names, or may name."""
    if _ANY_NAME.search(source):
        return {*_WORDS}
    words = set(re.findall(r"\w+", source))
    if "**" in source and _spreads_options(source):
        words.update(_OPTIONS)
    return words & _WORDS.keys()


def _spreads_options(source: str) -> bool:
    """Tell whether a text calls anything with ``**options``."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return any(None in {keyword.arg for keyword in getattr(node, "keywords", ())} for node in ast.walk(tree))


def _imported(sources: Sequence[str]) -> list[str]:
    names: list[str] = []
    said = _public_names_said(sources)
    for source in sources:
        if "nbchalice" not in source:
            continue
        try:
            imports = find_imports(source)
        except (SyntaxError, ValueError):
            continue
        for statement in imports:
            names += _names(statement)
            if statement.module in {"nbchalice", "nbchalice.app"}:
                names += _homes(statement, said)
            if statement.module == "nbchalice" and _MODULE_APP.search(source):
                names.append("nbchalice.app")
    return names


def _public_names_said(sources: Sequence[str]) -> set[str]:
    """Return the public names that any of the sources says, or may ask for."""
    if any(map(_ANY_NAME.search, sources)):
        return {*_HOMES}
    return _HOMES.keys() & set().union(*(re.findall(r"\w+", source) for source in sources))


def _names(statement: Import) -> list[str]:
    # "from nbchalice.runtime import cron" needs nbchalice.runtime and nbchalice.runtime.cron.
    return [statement.module, *(f"{statement.module}.{name}" for name in statement.names)]


def _homes(statement: Import, said: Iterable[str]) -> list[str]:
    """Return where the public names stand that a statement imports; ``import nbchalice`` may mean all that are said."""
    if "*" in statement.names:
        return list(_HOMES.values())
    names = said if not statement.names or "app" in statement.names else statement.names
    return [_HOMES[name] for name in names if name in _HOMES]


@cache
def _graph() -> Mapping[str, list[str]]:
    """Return what each module that may ship imports."""
    files = _files()

    def read() -> bytes:
        return json.dumps({_module(path): _needed_by(path, source) for path, source in files.items()}).encode()

    question = [sys.version, *_texts("imports"), *chain.from_iterable(files.items())]
    return MappingProxyType(json.loads(kept("imports", question, read)))


def _texts(*names: str) -> list[str]:
    """Return the texts of modules beside this one: what they make changes with them."""
    folder = resources.files("nbchalice") / "packaging"
    return [(folder / f"{name}.py").read_text(encoding="utf-8") for name in names]


@cache
def _files() -> Mapping[str, str]:
    """Return the sources of all that may ship, by path in the archive."""
    package = resources.files("nbchalice")
    files = {f"nbchalice/{name}": package / name for name in ("__init__.py", "app.py", "errors.py")}
    files.update(_python_files(package / "runtime", "nbchalice/runtime"))
    return MappingProxyType({path: files[path].read_text(encoding="utf-8") for path in sorted(files)})


def _needed_by(path: str, source: str) -> list[str]:
    module = _module(path)
    package = module if path.endswith("/__init__.py") else module.rpartition(".")[0]
    names = []
    for statement in find_imports(source, package):
        if statement.required:
            names += [name for name in _names(statement) if not (statement.later and name in _CHOSEN)]
    return names


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _python_files(folder: Traversable, prefix: str) -> dict[str, Traversable]:
    files: dict[str, Traversable] = {}
    for entry in folder.iterdir():
        path = f"{prefix}/{entry.name}"
        if entry.is_dir():
            files.update(_python_files(entry, path))
        elif entry.name.endswith(".py"):
            files[path] = entry
    return files
