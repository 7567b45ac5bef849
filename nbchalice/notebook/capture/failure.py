"""Why a captured module did not run in the clean process, and what to do about it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from nbchalice.errors import Location
from nbchalice.notebook.capture.source_map import location_of
from nbchalice.notebook.errors import StatementFailedError
from nbchalice.notebook.sandbox.guard import NO_PRIVATE_TMP
from nbchalice.notebook.secrets import find_secret_value

if TYPE_CHECKING:
    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.typed import JSON

_READ = "bundle the value with %chalice bundle NAME, or read the file within the handler from S3"
_SLOW = "keep what is slow out of the handler's cells, or bundle its value with %chalice bundle NAME"
_OF_THE_KERNEL = (
    "run the cells again from the top, and correct what fails; if nothing does, it needs something of this computer: "
    "do it within the handler, or bundle its result with %chalice bundle NAME"
)
_DENIED = {
    "reads": ("reads-local-file", "a file of this computer, which is not on Lambda", _READ),
    "asks": (
        "needs-bundle",
        "over the network, which a module must not do while it is loaded",
        "make the request within the handler, or bundle its result with %chalice bundle NAME",
    ),
    "starts": (
        "needs-bundle",
        "a program of this computer",
        "do it within the handler, or bundle its result with %chalice bundle NAME",
    ),
    "writes": (
        "import-failed",
        "which cannot be written on Lambda",
        "write below /tmp: the rest of the file system cannot be written on Lambda",
    ),
}
"""For the first word of what was denied: the code, the rest of the sentence, and the fix."""


def require_imported(answer: JSON, piece: Slice, timeout: float) -> None:
    """Require that a module was imported.

    Parameters
    ----------
    answer : JSON
        What the clean process answered.
    piece : Slice
        The slice that is the module.
    timeout : float
        Seconds that it had.

    Raises
    ------
    StatementFailedError
        It was not.
    """
    if "error" not in answer:
        return
    message, hint, code, reason = _of_annotation(answer) or _explained(answer, timeout)
    cell, line = answer.get("statement") or (None, None)
    statement = (str(cell), int(line or 0)) if cell else None
    place = _place_in_cell(piece, answer.get("cell") or cell, answer.get("cell_line") or line)
    raise StatementFailedError(message, hint, place, code=code, statement=statement, reason=reason)


def _of_annotation(answer: JSON) -> tuple[str, str | None, str, str] | None:
    """Return what `_explained` does for an annotation that cannot be; None where it is another error."""
    if "AnnotationError" not in answer.get("kinds", ()):
        return None
    fix = answer["fix"]
    text = answer["error"].partition(": ")[2].removesuffix(f": {fix}")
    return text, fix or "take another annotation, or none", "invalid-input", text


def _explained(answer: JSON, timeout: float) -> tuple[str, str | None, str, str]:
    """Return message, hint, code, and the reason in a few words."""
    error = answer["error"]
    if error == "timeout":
        late = f"did not finish importing within {timeout:g} s"
        return f"the captured module {late}", _SLOW, "import-failed", f"it takes more than {timeout:g} s"
    if error == "crash":
        return (
            f"the captured module ended the process that imported it: {answer['text']}",
            "take that statement out of the handler's code: nothing may end the process that loads it",
            "import-failed",
            "it ends the process",
        )
    if error == "unreadable":
        return (
            f"what the captured module leaves behind cannot be read: {answer['text']}",
            "take out of the handler's code what hooks into Python itself: audit hooks, tracers, an own __class__",
            "import-failed",
            "it cannot be read what it leaves behind",
        )
    denied, kinds = answer.get("denied", ""), answer["kinds"]
    if find_secret_value("", error):  # open(f"https://me:{password}@host")
        error, denied = f"{error.partition(':')[0]} (its text holds a credential)", denied.partition(" ")[0]
    word = denied.partition(" ")[0]
    if "BundleError" not in kinds and word in _DENIED:
        code, what, hint = _DENIED[word]
        return f"the handler's code {denied}, {what}: {error}", hint, code, f"it {denied}"
    if "FileNotFoundError" in kinds and "BundleError" not in kinds:
        text = f"the handler's code reads a local file, which is not on Lambda: {error}"
        return text, _READ, "reads-local-file", f"it reads a local file ({error})"
    hint = _import_hint(kinds, error)
    return f"the captured module does not import by itself: {error}", hint, "import-failed", error


def _import_hint(kinds: list[str], error: str) -> str:
    """Say what to do about an import that failed; ``kinds`` are the error's classes, and those of its cause."""
    if "BundleError" in kinds and "ModuleNotFoundError" not in kinds:
        return "loading it must not need files, network or programs of this computer: bundle plainer data, or again"
    hints = {
        os.strerror(errno.EROFS): "write below /tmp: the rest of the file system cannot be written on Lambda",
        "must take (event) or (event, context)": "write it so: def name(event):",
        NO_PRIVATE_TMP: "use the module tempfile, or write the file within the handler",
    }
    hints_by_kind = {
        "TemplateNotFound": "give a template's text a name, TEXT = Path(FILE).read_text(), put %chalice bundle TEXT on "
        "the line below, and load it with jinja2.DictLoader({NAME: TEXT}): a folder of templates is not on Lambda",
        "ConnectionError": "make the request within the handler, or bundle its result",
        "ModuleNotFoundError": "import it in a cell by its name, so that it comes along, and %pip install its package",
        "PermissionError": "do it within the handler, or bundle its result",
        "KeyError": "an environment variable of this computer? set it for the function with --env NAME=VALUE",
    }
    told = [hint for text, hint in hints.items() if text in error]
    told += [hint for kind, hint in hints_by_kind.items() if kind in kinds]
    return told[0] if told else _OF_THE_KERNEL


def _place_in_cell(piece: Slice, cell: str | None, cell_line: int | None) -> Location | None:
    for segment in piece.segments:
        offset = (cell_line or 0) - segment.cell_line
        if segment.cell == cell and 0 <= offset < segment.count:
            return location_of(piece.segments, piece.module, segment.line + offset)
    return Location(cell, cell_line) if cell else None
