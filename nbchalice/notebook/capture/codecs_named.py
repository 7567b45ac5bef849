"""Codecs and error handlers of codecs that a handler names: what registers them may be out of sight, as in ``exec``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.capture.source_map import location_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nbchalice.notebook.capture.slice import Slice

_METHODS = ("encode", "decode")
_REGISTERS = {"encoding": "codecs.register(", "errors": "codecs.register_error("}


def named_codecs(text: str) -> list[tuple[str, str]]:
    """Return the codecs and error handlers that a module names: pairs of ``encoding`` or ``errors`` and the name.

    Parameters
    ----------
    text : str
        The module's text.
    """
    return sorted({(kind, name) for kind, name, _ in _named(text)})


def require_registered(piece: Slice, here: Iterable[Iterable[str]], there: Iterable[Iterable[str]]) -> None:
    """Require that what is registered in the notebook is so once a module is loaded, or that its functions register it.

    Parameters
    ----------
    piece : Slice
        The slice that is the module.
    here, there : Iterable[Iterable[str]]
        Those that are not registered in the notebook, and not when the module is loaded.

    Raises
    ------
    CaptureError
        Names the first, and where it is used.
    """
    free = set(map(tuple, here))  # model.encode("a text") names no codec.
    for kind, name in map(tuple, there):
        register = _REGISTERS[kind]
        if (kind, name) in free or register.partition(".")[2] in piece.module:
            continue
        what = f"the codec {name!r}" if kind == "encoding" else f"the error handler {name!r} of codecs"
        line = next(line for other, one, line in _named(piece.module) if (other, one) == (kind, name))
        raise CaptureError(
            f"the handler uses {what}, which nothing registers on Lambda",
            f"call {register}...) in a statement of the handler's cell",
            location_of(piece.segments, piece.module, line),
            code="unresolved-name",
        )


def _named(text: str) -> Iterator[tuple[str, str, int]]:
    if not any(word in text for word in (*_METHODS, *_REGISTERS)):
        return
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:  # a magic
        return
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        method = isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS
        given = dict(zip(_REGISTERS, node.args if method else (), strict=False))
        given |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg in _REGISTERS}
        for kind, value in given.items():
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                yield str(kind), value.value, node.lineno
