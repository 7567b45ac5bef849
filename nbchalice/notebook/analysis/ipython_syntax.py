"""What IPython itself takes for a magic, a shell line or a question in a cell: its own transformers decide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Only a cell with one of these may need IPython's tokenizer; most cells have none, and importing IPython takes long.
_SIGN = re.compile(r"^\s*[%!?,;/]|=[\s\\]*[%!]|\?\s*$", re.M)
# A line that is a magic whatever stands around it, where all lines of a cell are such: nothing in it begins anything.
_PLAIN = re.compile(r"%{1,2}[A-Za-z_][\w.]*(?: [\w .,:/=+@%-]*)?")
# IPython dedents cells and takes prompts away; IPython 9 also empties lines of blanks.
_UNCLEAN = re.compile(r"\A\s*(?:[ \t]|>>>|In \[)|^[ \t]+$|^\s*(?:>>>|\.\.\.)", re.M)


@dataclass(frozen=True, slots=True)
class Special:
    """One piece of IPython's own syntax in a cell.

    Parameters
    ----------
    first, last : int
        Its lines, counted from 0.
    indent : str
        The blanks before its statement.
    text : str
        The magic as typed, its continued lines joined, for example ``%time x = f()`` or ``!ls``.
    target : str
        What the result is assigned to, or an empty text.
    """

    first: int
    last: int
    indent: str
    text: str
    target: str = ""


def cleaned(raw: str) -> str:
    """Return a cell as IPython compiles it, where its lines keep their numbers; else as it is.

    Parameters
    ----------
    raw : str
        The cell as typed.
    """
    if not _UNCLEAN.search(raw):
        return raw
    from IPython.core.inputtransformer2 import classic_prompt, ipython_prompt, leading_indent

    # Its fourth step takes empty lines away above the first statement, which would move all others.
    lines = raw.splitlines(keepends=True)
    steps: tuple[Any, ...] = (leading_indent, classic_prompt, ipython_prompt)
    for transform in steps:
        lines = transform(lines)
    text = "".join(lines)
    return text if text.count("\n") == raw.count("\n") else raw


def specials(lines: Sequence[str]) -> list[Special]:
    """Find IPython's syntax outside of strings, comments and brackets, in order.

    Parameters
    ----------
    lines : Sequence[str]
        The lines of a cell without line ends; the cell magic's line, if any, left blank.
    """
    if not _SIGN.search("\n".join(lines)):
        return []
    if all(not line or _PLAIN.fullmatch(line) for line in lines):
        return [Special(number, number, "", line.rstrip()) for number, line in enumerate(lines) if line]
    from IPython.core.inputtransformer2 import (
        EscapedCommand,
        HelpEnd,
        MagicAssign,
        SystemAssign,
        assemble_continued_line,
        find_end_of_continued_line,
        make_tokens_by_line,
    )

    work = [f"{line}\n" for line in lines]
    pieces: list[Special] = []
    while True:
        # As in IPython: one piece at a time, since the rest of its line is not Python and may be tokenized wrongly.
        tokens = make_tokens_by_line(work)
        kinds: tuple[Any, ...] = (MagicAssign, SystemAssign, EscapedCommand, HelpEnd)
        matches = [kind.find(tokens) for kind in kinds]
        first = min((match for match in matches if match is not None), key=lambda match: match.sortby(), default=None)
        if first is None:
            return pieces
        start, column = first.start_line, first.start_col
        before = work[start][:column]
        indent = before[: len(before) - len(before.lstrip())]
        if isinstance(first, HelpEnd):
            last, text = first.q_line, "".join(work[start : first.q_line + 1]).strip()
        else:
            last = min(find_end_of_continued_line(work, start), len(work) - 1)
            text = assemble_continued_line(work, (start, column), last)
        pieces.append(Special(start, last, indent, text, before.strip().removesuffix("=").strip()))
        work[start : last + 1] = [f"{indent}pass\n", *["\n"] * (last - start)]
