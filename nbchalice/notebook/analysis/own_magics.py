"""Magics that the notebook itself makes: other names of magics, its functions as magics, macros of its cells."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Iterable

_ALIAS = re.compile(r"(?m)^\s*%alias_magic\s+(.+)$")
_MACRO = re.compile(r"(?m)^\s*%macro\s+(.+)$")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_REGISTERS = {
    "register_line_magic": "%",
    "register_cell_magic": "%%",
    "register_line_cell_magic": "%*",
}
_LINE = re.compile(r"^(\s*)(%{1,2})(\w+)\b[ \t]*(.*)$")
_WORD = re.compile(r"\s*([A-Za-z_]\w*)\s*")


class OwnMagics:
    """Learns the magics of a notebook from its cells, in their order, and writes out those that are used.

    Parameters
    ----------
    cell_of : Callable[[int], str or None]
        Returns the text of the cell with a number.
    """

    def __init__(self, cell_of: Callable[[int], str | None]) -> None:
        self._cell_of = cell_of
        self._aliases: dict[tuple[str, str], str] = {}
        self._functions: dict[tuple[str, str], str] = {}
        self._macros: dict[str, str] = {}

    def written_out(self, source: str) -> str:
        """Return a cell with as many lines, in which each magic of the notebook's own is what it stands for.

        Parameters
        ----------
        source : str
            The cell as typed.
        """
        if self._aliases or self._functions or self._macros:
            source = self._written_out(source)
        if "_magic" in source or "%macro" in source:
            self._learn(source)
        return source

    def _learn(self, source: str) -> None:
        for arguments in _ALIAS.findall(source):
            kinds = {"%%": {"-c", "--cell"}, "%": {"-l", "--line"}}
            words = _split(arguments)
            given = [kind for kind, options in kinds.items() if options & set(words)] or list(kinds)
            named = [word for word in words if not word.startswith("-")]
            if len(named) >= 2:
                self._aliases |= {(kind, named[0].lstrip("%")): " ".join(named[1:]).lstrip("%") for kind in given}
        for arguments in _MACRO.findall(source):
            words = [word for word in _split(arguments) if not word.startswith("-")]
            text = self._text_of(words[1:])
            if len(words) > 1:
                self._macros[words[0]] = f"exec({text!r})" if text is not None else f"get_ipython().macro({words[0]!r})"
        if any(name in source for name in _REGISTERS):
            self._learn_functions(source)

    def _learn_functions(self, source: str) -> None:
        try:
            tree = ast.parse(
                "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.split("\n"))
            )
        except (SyntaxError, ValueError, RecursionError):
            return
        for node in (one for one in tree.body if isinstance(one, ast.FunctionDef)):
            for decorator in node.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                signs = {"%*": ("%", "%%")}.get(_REGISTERS.get(name, ""), (_REGISTERS.get(name, ""),))
                given = decorator.args[0] if isinstance(decorator, ast.Call) and decorator.args else None
                magic = given.value if isinstance(given, ast.Constant) else node.name
                self._functions |= {(sign, str(magic)): node.name for sign in signs if sign}

    def _text_of(self, ranges: Iterable[str]) -> str | None:
        """Return the text of cells by their numbers, ``4`` or ``4-6``; None if one of them is not known."""
        texts: list[str | None] = []
        for one in ranges:
            match = _RANGE.fullmatch(one)
            numbers = range(int(match[1]), int(match[2] or match[1]) + 1) if match else ()
            texts += [self._cell_of(number) for number in numbers] or [None]
        known = [text for text in texts if text is not None and not re.search(r"(?m)^\s*[%!]", text)]
        return "\n".join(known) + "\n" if len(known) == len(texts) else None

    def _written_out(self, source: str) -> str:
        lines = source.split("\n")
        for at, line in enumerate(lines):
            magic, word = _LINE.match(line), _WORD.fullmatch(line)
            if word is not None and word[1] in self._macros:
                lines[at] = self._macros[word[1]]
            elif magic is not None:
                indent, sign, name, rest = magic.groups()
                if (sign, name) in self._aliases:
                    lines[at] = f"{indent}{sign}{self._aliases[sign, name]} {rest}".rstrip()
                elif (sign, name) in self._functions and sign == "%":
                    lines[at] = f"{indent}{self._functions[sign, name]}({rest!r})"
                elif (sign, name) in self._functions:
                    body = "\n".join(lines[at + 1 :])
                    called = f"{indent}{self._functions[sign, name]}({rest!r}, {body!r})"
                    return "\n".join([*lines[:at], called, *[""] * len(lines[at + 1 :])])
        return "\n".join(lines)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []
