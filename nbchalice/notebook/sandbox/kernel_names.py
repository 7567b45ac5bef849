"""What a notebook finds in a kernel and nowhere else, for a run of it without a kernel."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import os
import sys
from collections.abc import Iterable
from typing import Any


class ZMQInteractiveShell:
    """Stands for the shell: tells that there is one, and what code asks in order to know of which kind it is.

    Parameters
    ----------
    space : dict[str, Any]
        The notebook's variables.
    """

    def __init__(self, space: dict[str, Any]) -> None:
        self.user_ns = space
        self.config: dict[str, Any] = {"IPKernelApp": {}}
        self.has_trait = lambda name: name == "kernel"
        self.kernel = object()

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"get_ipython().{name} needs a kernel")


ZMQInteractiveShell.__module__ = "ipykernel.zmqshell"


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
    for name, value in {"get_ipython": get_ipython, "__IPYTHON__": True, "display": lambda *_, **__: None}.items():
        setattr(builtins, name, value)
    sys.ps1, sys.ps2 = "In : ", "...: "
    if "JPY_" in whole:
        os.environ.setdefault("JPY_PARENT_PID", "1")
    if "IPython" in whole or "sys.modules" in whole or "from sys import" in whole:
        with contextlib.suppress(Exception):
            for name in ("IPython", "IPython.core.getipython"):
                importlib.import_module(name).get_ipython = get_ipython  # type: ignore[attr-defined]
            importlib.import_module("ipykernel")
