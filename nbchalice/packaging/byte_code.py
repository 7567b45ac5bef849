"""Byte code of what a zip holds, where the running Python is the function's: a cold start then compiles nothing.

The source is always there as well. Python takes it where the byte code is for another version; for a local module and
the notebook's code also where somebody has edited the source since, as in Lambda's console.
"""

from __future__ import annotations

import ast
import marshal
import sys
import warnings
from collections.abc import Iterable
from functools import lru_cache
from importlib.util import MAGIC_NUMBER, source_hash
from types import CodeType

from nbchalice.runtime.cells import Segment, compile_module
from nbchalice.runtime.compiled import FILE, MARSHAL, dump
from nbchalice.typed import JSON

_UNCHECKED, _CHECKED = 0b01, 0b11  # PEP 552
_ROOT = "/var/task"


def can_compile(python: str) -> bool:
    """Tell whether the running Python makes byte code for a Python version of Lambda, for example `"3.13"`."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return own == python and sys.implementation.name == "cpython" and sys.version_info.releaselevel == "final"


def pyc_path(path: str) -> str:
    """Return where Python looks for the byte code of a source in a zip."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}__pycache__/{name.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"


def is_byte_code(path: str) -> bool:
    """Tell whether a file in a zip is byte code, which its source tells the same."""
    return path == FILE or ("__pycache__/" in path and path.endswith(".pyc"))


def own_pyc(path: str, source: bytes) -> bytes:
    """Return the byte code of a module of nbchalice's as a file: small, and Python need not look at the source.

    Parameters
    ----------
    path : str
        Where the module is in the zip.
    source : bytes
        Its text.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.expr | ast.excepthandler | ast.arg | ast.keyword | ast.alias | ast.pattern):
            # The columns, with which Python underlines a place in a traceback, are a third of the byte code.
            node.col_offset = node.end_col_offset = -1
            node.end_lineno = node.lineno
    code = compile(tree, f"{_ROOT}/{path}", "exec", dont_inherit=True, optimize=0)
    return _file(_UNCHECKED, source, code)


@lru_cache(maxsize=4096)
def pyc(path: str, source: bytes) -> bytes | None:
    """Return the byte code of a local module as a file, or None where it is no valid Python.

    Parameters
    ----------
    path : str
        The module's path in the zip.
    source : bytes
        Its text.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(source, f"{_ROOT}/{path}", "exec", dont_inherit=True, optimize=0)
        return _file(_CHECKED, source, code)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _file(flags: int, source: bytes, code: CodeType) -> bytes:
    return MAGIC_NUMBER + flags.to_bytes(4, "little") + source_hash(source) + marshal.dumps(code, MARSHAL)


def notebook_code(source: str, cells: Iterable[JSON], notebook: str) -> bytes | None:
    """Return the byte code of a slice, or None where it is no valid Python.

    Parameters
    ----------
    source : str
        The module's text.
    cells : Iterable[JSON]
        Which of its lines come from which cell, as in the manifest.
    notebook : str
        The notebook's file name.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            statements, lines = compile_module(source, [Segment(**cell) for cell in cells], notebook)
        return dump(source.encode(), statements, lines)
    except (SyntaxError, ValueError, RecursionError):
        return None
