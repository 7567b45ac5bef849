"""What a notebook finds in a kernel and nowhere else, for a run of it without a kernel."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nbchalice.names import COMMANDS
from nbchalice.notebook.analysis.known_calls import words
from nbchalice.notebook.sandbox.showing import show
from nbchalice.runtime.python_commands import leave_out

_SHOWS = words(
    """
    matplotlib config load_ext reload_ext autoreload pip conda uv pylab gui xmode precision pprint colors who whos
    history hist pwd cd ls timeit
    """
)
"""Magics that change no variable of the notebook."""
_RUNS = frozenset({"time", "capture", "prun"})
_NEEDED_NOT = frozenset(
    {"system", "set_next_input", "enable_gui", "enable_matplotlib", "enable_pylab", "showtraceback"}
)
_CHANGES_CELLS = words(
    """
    ast_transformers input_transformers_cleanup input_transformers_post input_transformer_manager events
    register_post_execute set_custom_exc compile
    """
)
"""With these, cells mean something else from then on, or something runs after each."""


class CellsChangedError(BaseException):
    """From here on, cells do not do what they say; no handler of the notebook's is to catch that."""


class ZMQInteractiveShell:
    """Stands for the shell: does what plain Python can do of what code asks of it, and tells of which kind it is.

    Parameters
    ----------
    space : dict[str, Any]
        The notebook's variables.
    """

    def __init__(self, space: dict[str, Any]) -> None:
        self.user_ns = self.user_global_ns = space
        self.user_module = sys.modules.get("__main__")
        self.config: dict[str, Any] = {"IPKernelApp": {}}
        self.has_trait = lambda name: name == "kernel"
        self.kernel = object()
        self._magics: dict[tuple[str, str], Callable[..., Any]] = {}

    def run_cell(self, raw_cell: str, *_: object, **__: object) -> None:
        """Run Python among the notebook's variables; whatever fails is shown, and ends it."""
        with contextlib.suppress(Exception):
            exec(compile(raw_cell, "<cell>", "exec"), self.user_ns)  # noqa: S102 - the user's own text

    run_code = ex = run_cell

    def ev(self, expr: str) -> object:
        """Return what an expression is worth."""
        return eval(expr, self.user_ns)  # noqa: S307 - the user's own text

    def push(self, variables: Mapping[str, Any], *_: object, **__: object) -> None:
        """Set variables."""
        self.user_ns.update(variables)

    def del_var(self, varname: str, *_: object, **__: object) -> None:
        """Delete a variable."""
        del self.user_ns[varname]

    def register_magic_function(self, func: Callable[..., Any], magic_kind: str = "line", magic_name: str = "") -> None:
        """Keep a magic that the notebook defines."""
        kinds = ("line", "cell") if magic_kind == "line_cell" else (magic_kind,)
        self._magics |= {(kind, magic_name or func.__name__): func for kind in kinds}

    def run_line_magic(self, magic_name: str, line: str = "", *_: object, **__: object) -> object:
        """Run a line magic of the notebook's own, or one that stands for a statement."""
        return self._magic("line", magic_name, line, line)

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> object:
        """Run a cell magic of the notebook's own, or one that runs its cell."""
        return self._magic("cell", magic_name, cell, line, cell)

    def _magic(self, kind: str, name: str, code: str, *texts: str) -> object:
        if (kind, name) in self._magics:
            return self._magics[kind, name](*texts)
        if name in _RUNS:
            self.run_cell(code)
        elif name not in _SHOWS or kind != "line":
            raise RuntimeError(f"%{name} needs a kernel")
        return None

    def __getattr__(self, name: str) -> Any:
        if name in _CHANGES_CELLS:
            raise CellsChangedError(f"get_ipython().{name} changes what cells do from then on")
        if name in _NEEDED_NOT:
            return lambda *_, **__: None
        raise RuntimeError(f"get_ipython().{name} needs a kernel")


ZMQInteractiveShell.__module__ = "ipykernel.zmqshell"


def is_shell(value: object) -> bool:
    """Tell whether a value is what stands for the shell.

    Parameters
    ----------
    value : object
        Any value.
    """
    return type(value) is ZMQInteractiveShell


def put_kernel_names(space: dict[str, Any], texts: Iterable[str]) -> None:
    """Give variables, builtins and modules what a kernel has, so that code that asks where it runs hears the same.

    Parameters
    ----------
    space : dict[str, Any]
        The notebook's variables.
    texts : Iterable[str]
        Its statements: what takes time is done only for those that ask.
    """
    shell, whole = ZMQInteractiveShell(space), "\n".join(texts)

    def get_ipython() -> ZMQInteractiveShell:
        return shell

    space |= {"get_ipython": get_ipython, "In": [""], "Out": {}, "_": "", "__": "", "___": "", "_ih": [""], "_oh": {}}
    for name, value in {"get_ipython": get_ipython, "__IPYTHON__": True, "display": show}.items():
        setattr(builtins, name, value)
    leave_out(COMMANDS)
    sys.ps1, sys.ps2 = "In : ", "...: "
    if "JPY_" in whole:
        os.environ.setdefault("JPY_PARENT_PID", "1")
    if "IPython" in whole or "sys.modules" in whole or "from sys import" in whole:
        with contextlib.suppress(Exception):
            for name in ("IPython", "IPython.core.getipython"):
                importlib.import_module(name).get_ipython = get_ipython  # type: ignore[attr-defined]
            importlib.import_module("ipykernel")
