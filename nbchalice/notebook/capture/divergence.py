"""What the captured module has otherwise than the kernel, and how to say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError, Location
from nbchalice.notebook.capture.set_orders import may_have_set
from nbchalice.notebook.capture.undefined import find_condition, find_use, may_come_later
from nbchalice.notebook.errors import DivergedError
from nbchalice.notebook.sandbox.values import UNSHOWN, difference, is_setting, text
from nbchalice.notebook.secrets import find_secret

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.notebook.sandbox.values import Difference, Node, Shared

_FALSE = "which is false on Lambda"
_FIELD = re.compile(r"^(?:\.__dict__)?(?:\.|\[')([a-z]\w*)\b")
_PREFIX = re.compile(r"""\benv_prefix["']?\s*[=:]\s*["'](\w*)["']""")
_KERNEL, _MODULE = "in the kernel", "in the captured module"


def find_difference(
    piece: Slice, kernel: Mapping[str, Node], module: Mapping[str, Node]
) -> tuple[str, Difference] | None:
    """Find the first variable that differs, and where.

    Parameters
    ----------
    piece : Slice
        The slice.
    kernel : Mapping[str, Node]
        Descriptions of the kernel's variables.
    module : Mapping[str, Node]
        Those of the captured module's.
    """
    for name in piece.values:
        if name in kernel and name in module:
            found = difference(kernel[name], module[name])
            if found is not None:
                return name, found
    return None


def apart(
    piece: Slice, kernel: Mapping[str, Node], module: Mapping[str, Node]
) -> tuple[tuple[str, Difference] | None, list[tuple[str, str]]]:
    """Find the first variable that differs, and apart from it the imports of which only a setting differs.

    The kernel may have been set up by what has nothing to do with a handler: settings are told.

    Parameters
    ----------
    piece, kernel, module : Slice or Mapping[str, Node]
        As for ``find_difference``.

    Returns
    -------
    tuple[tuple[str, Difference] | None, list[tuple[str, str]]]: the variable, and the imports with what differs.
    """
    left, settings = dict(kernel), []
    while (found := find_difference(piece, left, module)) is not None and is_setting(left[found[0]], found[1].path):
        name, difference = found
        what = difference.path.strip(" ()") if "constants" in difference.path else difference.path[2:-1]
        settings.append((name, f"{what} is not here what it will be on Lambda: something that is not deployed set it"))
        del left[name]
    return found, settings


def apart_on_lambda(piece: Slice, here: Iterable[Shared], there: Iterable[Shared]) -> list[tuple[str, str]]:
    """Return which variables share an object here and not there, if the handler changes one of them.

    Parameters
    ----------
    piece : Slice
        The slice.
    here, there : Iterable[Shared]
        What variables share in the notebook, and in what would be deployed.
    """
    both = {(one, other) for one, other, _, _ in there}
    return [
        (f"{other}{second}", f"the same object as {one}{first} here, and a copy on Lambda, where a bundle has its own")
        for one, other, first, second in here
        if (one, other) not in both and {one, other} & piece.changed and {one, other} <= piece.values.keys()
    ]


def certain_hint(piece: Slice, name: str, found: Difference) -> str | None:
    """Say what to do about a variable that differs, where what is wrong can be told with certainty.

    Parameters
    ----------
    piece : Slice
        The slice.
    name : str
        The variable.
    found : Difference
        What differs.
    """
    if name in piece.bundles:
        return f"run %chalice bundle {name} again, below the last statement that changes {name}"
    condition = find_condition(piece, name)
    if condition is not None and condition[1] is not None and "__name__" in condition[0]:
        return f"'if {condition[0]}:' in {condition[1].cell} is false on Lambda: set {name} outside of this condition"
    if found.reordered and may_have_set(piece.module) and name not in piece.marked:
        return order_hint(name)
    return None


def order_hint(name: str) -> str:
    """Say what to do about a variable that follows the order of a set, or the hash of a text."""
    return (
        f"a set has another order in each process, and a text another hash: sort the elements where {name} is made, "
        "with sorted()"
    )


def diverged(piece: Slice, name: str, found: Difference, known: str | None = None) -> DivergedError:
    """Make the error for a variable that differs.

    Parameters
    ----------
    piece : Slice
        The slice.
    name : str
        The variable.
    found : Difference
        What differs.
    known : str or None
        What to do about it, if that is known. Default: it is found out.
    """
    cells = piece.values[name]
    text = f"{sentence(name, found)} (from {', '.join(cells)})"
    hint = known or certain_hint(piece, name, found) or _of_settings(piece, name, found) or _hint(piece, name)
    return DivergedError(text, hint, Location(cells[-1]), variable=name)


def require_present(
    piece: Slice, asked: Iterable[str], kernel: Container[str], module: Container[str], undefined: Iterable[str]
) -> None:
    """Require that what the functions need is in the captured module, and in the kernel, if there is one.

    Parameters
    ----------
    piece : Slice
        The slice.
    asked : Iterable[str]
        The names that the module was asked for.
    kernel : Container[str]
        The names that stand in the kernel, or everything.
    module : Container[str]
        The names asked for that stand in the module.
    undefined : Iterable[str]
        The names that its functions read and nothing defines.

    Raises
    ------
    DivergedError
        A name stands in one of them only.
    """
    for name in sorted(asked):
        if name in kernel and name not in module and not may_come_later(piece.module, piece.function, name):
            raise _lacking(piece, name)
        if name not in kernel and name in module:
            raise _gone(piece, name, "in the kernel any more", "run {cell} again")
    for name in undefined:
        if name in kernel and not may_come_later(piece.module, piece.function, name):
            raise _lacking(piece, name)


def require_left(piece: Slice, module: Iterable[str], absent: Container[str]) -> None:
    """Require that what is in the captured module stands at the end of the notebook's run, too.

    Parameters
    ----------
    piece : Slice
        The slice.
    module : Iterable[str]
        The names that stand in the module.
    absent : Container[str]
        The names that do not stand after the run.

    Raises
    ------
    DivergedError
        A name was deleted in a way that the notebook's text does not show.
    """
    for name in sorted(module):
        if name in absent and name in piece.values:
            raise _gone(piece, name, "there any more when the notebook was run from the top", "define it again")


def _gone(piece: Slice, name: str, where: str, again: str) -> DivergedError:
    cell = piece.values[name][-1]
    text = f"{name} is not {where}, though {cell} defines it (a %reset, a del?)"
    return DivergedError(text, f"{again.format(cell=cell)}, or do without {name}", Location(cell))


def require_defined(piece: Slice, undefined: Iterable[str]) -> None:
    """Require that every name that the functions read exists, as far as can be told without a kernel.

    Parameters
    ----------
    piece : Slice
        The slice.
    undefined : Iterable[str]
        The names that its functions read and nothing defines while it is imported.

    Raises
    ------
    CaptureError
        One that no function that the handler can call defines either.
    """
    for name in undefined:
        if not may_come_later(piece.module, piece.function, name):
            condition = find_condition(piece, name)
            if condition is not None:
                raise _false_condition(name, *condition)
            stars = "import *" in piece.module
            what = "no star import brings it" if stars else "nothing defines it while the module is imported"
            raise CaptureError(
                f"{name} is not defined in the notebook, and {what}" if stars else f"{name} is not defined: {what}",
                f"define or import {name} in a cell",
                find_use(piece, name),
                code="unresolved-name",
            )


def _lacking(piece: Slice, name: str) -> CaptureError:
    condition = find_condition(piece, name)
    if condition is not None:
        return _false_condition(name, *condition)
    cell = piece.values[name][-1] if name in piece.values else None
    return DivergedError(
        f"{name} stands in the kernel, but the captured module does not have it: what defines it did not do so there",
        f"define {name} in a statement of its own, outside of conditions and of functions",
        find_use(piece, name) or (Location(cell) if cell else None),
        variable=name,
    )


def _false_condition(name: str, test: str, place: Location | None) -> CaptureError:
    return CaptureError(
        f"{name} is defined only if {test}, {_FALSE}",
        f"define {name} outside of this condition",
        place,
        code="unresolved-name",
    )


def sentence(name: str, found: Difference, first: str = _KERNEL, second: str = _MODULE) -> str:
    """Say what a variable, or a part of it, is in two places.

    Parameters
    ----------
    name : str
        The variable.
    found : Difference
        What differs.
    first, second : str
        The places; default: the kernel and the captured module.
    """
    what = name + re.sub(r"( \(part \d+\))+", " (within)", found.path)
    names = {*re.findall(r"\w+", what), "token"}
    here, there = _shown(found.here, names), _shown(found.there, names)
    if found.here is None:
        return f"{what} is {there} {second}, and is not {first if first == _KERNEL else f'there {first}'}"
    if found.there is None:
        return f"{what} is {here} {first}, and is not {second}"
    if here == there:
        read = "" if here == UNSHOWN else f", though both read {here}"
        return f"{what} is different {first} and {second}{read}"
    return f"{what} is {here} {first}, {there} {second}"


def _of_settings(piece: Slice, name: str, found: Difference) -> str | None:
    """Say what to do about a field that pydantic's ``BaseSettings`` reads of a variable of its name."""
    field = _FIELD.search(found.path)
    made = re.search(rf"^{name}\b[^\n=]*= *(\w+)\(", piece.module, re.M)
    of_settings = made is not None and re.search(rf"^class {made[1]}\([^\n]*\w*Settings\b", piece.module, re.M)
    if field is None or not of_settings:
        return None
    prefix = _PREFIX.search(piece.module)
    variable = f"{prefix[1] if prefix else ''}{field[1]}".upper()
    return f"an environment variable of this computer? give it to the function with --env {variable}=VALUE"


def _hint(piece: Slice, name: str) -> str:
    """Say what to do about a value that differs."""
    if re.search(rf"^{name}\b[^\n]*\b(?:environ|getenv)\b", piece.module, re.M):
        return "an environment variable of this computer? give it to the function with --env NAME=VALUE"
    if name in piece.marked:
        return (
            f"write '# nbchalice: include' above what changes {name} later, so that it runs on Lambda too; or "
            "'# nbchalice: exclude' above it, if the difference does not matter"
        )
    return (
        f"run {piece.values[name][0]} and the cells after it again; if that changes nothing, take its value along with "
        f"%chalice bundle {name}, or mark the statement '# nbchalice: include' if the difference does not matter"
    )


def _shown(node: Node | None, names: Iterable[str]) -> str:
    """Show a value unless it could be a credential by its look or by a name on the way to it."""
    shown = text(node)
    hidden = find_secret(shown) or any(find_secret(f"{name} = {shown}") for name in names)
    return "<hidden>" if hidden else shown
