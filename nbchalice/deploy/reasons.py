"""Why code counts as changed: the package that stands beside the one that is to stand."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from nbchalice.deploy.plan import Change, Plan
from nbchalice.logs.tracebacks import CELL_KEY
from nbchalice.packaging.artifact import MANIFEST, MODULE
from nbchalice.packaging.fingerprint import with_cells
from nbchalice.packaging.shipped import ARCHIVE
from nbchalice.resources.function import Function
from nbchalice.typed import JSON

MOST_BYTES = 5_000_000
SECONDS = 10.0
OURS = {"lambda_function.py", ARCHIVE}


def with_reasons(plan: Plan) -> Plan:
    """Return a plan whose changes of code tell which cells and files are others; what cannot be read tells nothing."""
    asked = [change for change in plan.changes if _changes_code(change)]
    if not asked:
        return plan
    with ThreadPoolExecutor(len(asked), "nbchalice-reason") as pool:
        told = dict(zip((change.key for change in asked), pool.map(_reason, asked), strict=True))
    changes = []
    for change in plan.changes:
        if why := told.get(change.key):
            reasons = [f"code ({why})" if one == "code" else one for one in change.reason.split("; ")]
            change = replace(change, reason="; ".join(reasons))  # noqa: PLW2901
        changes.append(change)
    return replace(plan, changes=tuple(changes))


def _changes_code(change: Change) -> bool:
    function = change.resource
    if change.action != "update" or not isinstance(function, Function) or not function.does:
        return False
    return not function.code_stands(change.current) and change.current["Configuration"]["CodeSize"] < MOST_BYTES


def _reason(change: Change) -> str:
    try:
        where = change.current["Code"]["Location"]  # Lambda answers with a URL.
        with urllib.request.urlopen(where, timeout=SECONDS) as answer:  # noqa: S310
            standing = _Content.of(answer.read(MOST_BYTES))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return ""
    assert isinstance(change.resource, Function)
    return ", ".join(_differences(standing, _Content.of(change.resource.zip)))


@dataclass(frozen=True)
class _Content:
    """What is in a package.

    Parameters
    ----------
    statements : list[tuple[str, str, str]]
        The statements of its module: text, and label and id of the cell.
    about : JSON
        Its manifest.
    files : dict[str, bytes]
        Its other files.
    """

    statements: list[tuple[str, str, str]]
    about: JSON
    files: dict[str, bytes]

    @classmethod
    def of(cls, content: bytes) -> _Content:
        """Read a zip.

        Raises
        ------
        ValueError, KeyError, zipfile.BadZipFile
            It is none of nbchalice's.
        """
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        about = json.loads(files.pop(MANIFEST))
        placed = with_cells(files.pop(MODULE).decode(), about["cells"])
        statements = [(text, _label(segment.get("cell", "")), str(segment.get("id", ""))) for text, segment in placed]
        return cls(statements, about, files)

    def texts(self) -> Counter[str]:
        return Counter(text for text, _, _ in self.statements)


def _label(cell: str) -> str:
    return CELL_KEY.sub("", cell)


def _differences(old: _Content, new: _Content) -> Iterable[str]:
    """Return what is another, the cells first, as they are called now."""
    cells = _cells(old, new)
    changed = [path for path in {**old.files, **new.files} if old.files.get(path) != new.files.get(path)]
    found = [*cells, *sorted(path for path in changed if path not in OURS)]
    if OURS & set(changed):
        found.append("nbchalice's runtime")
    found += [part for part in ("requirements", "notebook") if old.about.get(part) != new.about.get(part)]
    if not cells and old.statements != new.statements and old.texts() == new.texts() and not found:
        found.append("the order in which cells ran")
    return found


def _cells(old: _Content, new: _Content) -> list[str]:
    added, gone = new.texts() - old.texts(), old.texts() - new.texts()
    now = {identity: label for _, label, identity in new.statements}
    found = {label: None for text, label, _ in new.statements if text in added}
    for text, label, identity in old.statements:
        if text in gone:
            found[now.get(identity, f"former {label}")] = None
    return list(filter(None, found))
