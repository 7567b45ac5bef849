"""The environment variables that a handler's code reads when it is called, and those it will not have on Lambda."""

from __future__ import annotations

import ast
import re
from itertools import chain
from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.known_calls import words
from nbchalice.notebook.analysis.lookups import lookups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from nbchalice.notebook.capture.closure import Closure

_LAMBDAS = words("PATH LANG TZ LD_LIBRARY_PATH PYTHONPATH AWS_EXECUTION_ENV AWS_LAMBDA_RUNTIME_API AWS_PROFILE")
"""Variables that each function has and that are no settings of its own, or that tell of credentials here."""
_LOADS = re.compile(r"\bload_dotenv\(([^)]*)\)")
_PREFIX = re.compile(r"""\benv_prefix["']?\s*[=:]\s*["'](\w*)["']""")
_TEXT = re.compile(r"""["']([^"']+)["']""")
_SETS = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=", re.M)


def set_by_files(texts: Iterable[str], folder: Path) -> dict[str, str]:
    """Return the variables that ``load_dotenv()`` sets where the notebook runs beside its files, without their values.

    Parameters
    ----------
    texts : Iterable[str]
        The texts of the notebook's cells.
    folder : Path
        Its folder.
    """
    variables: dict[str, str] = {}
    for file in chain.from_iterable(_files_loaded(text, folder.resolve()) for text in texts):
        variables |= dict.fromkeys(_SETS.findall(file.read_text("utf-8", "replace")), "")
    return variables


def _files_loaded(text: str, folder: Path) -> Iterator[Path]:
    for loads in _LOADS.finditer(text):
        named = [folder / name for name in _TEXT.findall(loads[1])]
        # Without a name it is the first .env of the folder and those above it.
        places = named or [above / ".env" for above in (folder, *folder.parents)]
        yield from [place for place in places if place.is_file()][:1]


def variables_read(closure: Closure, *, unless_any_sets: bool = False) -> tuple[tuple[str, str], ...]:
    """Return the environment variables that a handler's code reads and does not set, each with its place.

    Parameters
    ----------
    closure : Closure
        All that the handler needs.
    unless_any_sets : bool
        Whether a statement that is not in it, and may come along, sets a variable, too. Default: no.
    """
    steps = [closure.timeline.steps[position] for position in sorted(closure.wanted)]
    setting = closure.timeline.steps if unless_any_sets else steps
    texts = [step.statement.text for step in setting if "environ" in step.statement.text]
    own = frozenset[str]().union(*(lookups(text).sets for text in texts))
    read: list[tuple[str, str]] = []
    for step in steps:
        for line, name in [*lookups(step.statement.text).variables, *_fields(step.statement.text)]:
            if name not in own:
                read.append((name, f"{step.cell.label}, line {step.statement.line + line - 1}"))
    return tuple(read)


def _fields(text: str) -> Iterator[tuple[int, str]]:
    """Give the variables that the fields of pydantic's ``BaseSettings`` are read from, each with its line."""
    if "BaseSettings" not in text:
        return
    prefix = _PREFIX.search(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and any("BaseSettings" in ast.unparse(base) for base in node.bases):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    yield field.lineno, f"{prefix[1] if prefix else ''}{field.target.id}".upper()


def set_here_only(read: Iterable[tuple[str, str]], env: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Say which variables a handler reads that are set here and that its function will not have; empty if none.

    Parameters
    ----------
    read : Iterable[tuple[str, str]]
        The variables that it reads, each with the place.
    env : Mapping[str, str]
        What its function will have.
    here : Mapping[str, str]
        What this process has.
    """
    lacking = [(name, place) for name, place in read if name in here and name not in env and name not in _LAMBDAS]
    first = dict(reversed(lacking))
    if not first:
        return ""
    names = ", ".join(f"{name} ({place})" for name, place in reversed(first.items()))
    return f"set here only, not for the function: {names}; give it with --env {next(reversed(first))}=VALUE"
