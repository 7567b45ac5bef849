"""Whether and why code counts as changed: the package that stands beside the one that is to stand."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from nbchalice.deploy.package import Package
from nbchalice.deploy.plan import Change, Plan
from nbchalice.logs.tracebacks import CELL_KEY
from nbchalice.packaging.artifact import BOOT, MANIFEST, MODULE
from nbchalice.packaging.byte_code import is_byte_code
from nbchalice.packaging.fingerprint import with_cells
from nbchalice.packaging.shipped import ARCHIVE
from nbchalice.packaging.statement_order import in_one_order
from nbchalice.resources.base import Resource
from nbchalice.resources.function import CODE, Function
from nbchalice.runtime.cells import Segment
from nbchalice.typed import JSON, Values

MOST_BYTES = 5_000_000
SECONDS = 10.0
ORDER = "the order in which cells ran"


def with_reasons(plan: Plan) -> Plan:
    """Return a plan whose changes of code tell which cells and files are others; what cannot be read tells nothing."""
    asked = [change for change in plan.changes if _changes_code(change)]
    if not asked:
        return plan
    with ThreadPoolExecutor(len(asked), "nbchalice-reason") as pool:
        reasons = dict(zip((change.key for change in asked), pool.map(_reason, asked), strict=True))
    changes = []
    for change in plan.changes:
        if why := reasons.get(change.key):
            change = replace(change, reason=_with_why(change.reason, why))  # noqa: PLW2901
        changes.append(change)
    return replace(plan, changes=tuple(changes))


def _with_why(reason: str, why: str) -> str:
    """Put why the code changed behind the word ``code``."""
    parts = reason.split("; ")
    if "code" in parts:
        parts[parts.index("code")] = f"code ({why})"
    return "; ".join(parts)


def in_orders_that_stand(
    packages: Mapping[str, Package], wanted: Mapping[str, Resource], current: Values
) -> tuple[dict[str, Package], list[str]]:
    """Return packages as what stands does them, where that is another order only, and proves to give the same values.

    With them come notes about what could not be compared.

    Parameters
    ----------
    packages : Mapping[str, Package]
        The packages, by handler.
    wanted : Mapping[str, Resource]
        What is to stand, by key.
    current : Values
        What stands, by key.
    """
    results, notes = dict(packages), []
    for key, function in wanted.items():
        if isinstance(function, Function) and current.get(key) and _differs(function, current[key]):
            name = function.function.handler
            left = _left_by_proof(packages[name], function, current[key])
            if left is None:
                continue
            results[name] = replace(packages[name], does=_code_tag(current[key])[0])
            if left:
                notes.append(f"{name} stays as it stands: cells ran in another order, which changes no value ({left})")
    return results, notes


def _left_by_proof(package: Package, function: Function, current: Values) -> str | None:
    """Return what cannot be compared if what stands is another order that proves, else None."""
    if package.proves is None or _code_tag(current)[1] != current["Configuration"]["CodeSha256"]:
        return None
    old = _standing(current)
    if old is None or not old.is_another_order_of(_Content.of(function.zip)):
        return None
    return package.proves(old.module, old.segments)


def _code_tag(current: Values) -> tuple[str, str]:
    """Return what the tag of a function tells: what its code does, and Lambda's hash of that code."""
    does, _, uploaded = current.get("Tags", {}).get(CODE, "").partition(" ")
    return does, uploaded


def _changes_code(change: Change) -> bool:
    function = change.resource
    return change.action == "update" and isinstance(function, Function) and _differs(function, change.current)


def _differs(function: Function, current: Values) -> bool:
    """Whether other code stands, of a size that can be looked at."""
    looked_at = bool(function.does) and current["Configuration"].get("CodeSize", 0) < MOST_BYTES
    return looked_at and not function.code_stands(current)


def _reason(change: Change) -> str:
    assert isinstance(change.resource, Function)
    standing = _standing(change.current)
    return ", ".join(_differences(standing, _Content.of(change.resource.zip))) if standing else ""


def changed_cells(current: Values, module: str, segments: list[Segment]) -> tuple[list[str], frozenset[str]]:
    """Return which cells of a handler say something else than what is deployed, and which files that has besides.

    Nothing where that cannot be told.

    Parameters
    ----------
    current : Values
        What GetFunction tells of the function that stands.
    module, segments : str or list[Segment]
        What the notebook has of it now.
    """
    standing = _standing(current)
    if standing is None:
        return [], frozenset()
    return _cells(standing, _Content.of_module(module, segments)), frozenset(standing.files)


def _standing(current: Values) -> _Content | None:
    """Read the package that stands, or return None where that cannot be done."""
    try:
        where = current["Code"]["Location"]  # Lambda answers with a URL.
        with urllib.request.urlopen(where, timeout=SECONDS) as answer:  # noqa: S310
            return _Content.of(answer.read(MOST_BYTES))
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
        return None


@dataclass(frozen=True)
class _Content:
    """What is in a package.

    Parameters
    ----------
    module : str
        The text of its module.
    segments : list[Segment]
        Which of its lines came from which cell.
    statements : list[tuple[str, str, str]]
        The statements of the module: text, and label and id of the cell.
    about : JSON
        Its manifest.
    files : dict[str, bytes]
        Its other files.
    """

    module: str
    segments: list[Segment]
    statements: list[tuple[str, str, str]]
    about: JSON
    files: dict[str, bytes]

    @classmethod
    def of(cls, content: bytes) -> _Content:
        """Read a zip.

        Raises
        ------
        ValueError, KeyError, TypeError, zipfile.BadZipFile
            It is none of nbchalice's.
        """
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {name: archive.read(name) for name in archive.namelist() if not is_byte_code(name)}
        about = json.loads(files.pop(MANIFEST))
        module = files.pop(MODULE).decode()
        segments = [Segment(**entry) for entry in about["cells"]]
        return replace(cls.of_module(module, segments), about=about, files=files)

    @classmethod
    def of_module(cls, module: str, segments: list[Segment]) -> _Content:
        """Return what is known without a zip."""
        statements = [
            (text, _label(segment.cell), segment.id) if segment else (text, "", "")
            for text, segment in with_cells(module, segments)
        ]
        return cls(module, segments, statements, {}, {})

    def texts(self) -> Counter[str]:
        return Counter(text for text, _, _ in self.statements)

    def is_another_order_of(self, other: _Content) -> bool:
        """Whether it is the same but for the order of statements that make values."""
        if list(_differences(self, other)) != [ORDER]:
            return False
        orders = [in_one_order([text for text, _, _ in one.statements], compared=True) for one in (self, other)]
        return orders[0] == orders[1]


def _is_ours(path: str) -> bool:
    return path in {BOOT, ARCHIVE}


def _label(cell: str) -> str:
    return CELL_KEY.sub("", cell)


def _differences(old: _Content, new: _Content) -> Iterable[str]:
    """Return what is another, the cells first, as they are called now."""
    cells = _cells(old, new)
    changed = [path for path in {**old.files, **new.files} if old.files.get(path) != new.files.get(path)]
    differences = [*cells, *sorted(path for path in changed if not _is_ours(path))]
    if any(map(_is_ours, changed)):
        differences.append("nbchalice's runtime")
    differences += [part for part in ("requirements", "notebook") if old.about.get(part) != new.about.get(part)]
    if not cells and old.statements != new.statements and old.texts() == new.texts() and not differences:
        differences.append(ORDER)
    return differences


def _cells(old: _Content, new: _Content) -> list[str]:
    added, gone = new.texts() - old.texts(), old.texts() - new.texts()
    now = {identity: label for _, label, identity in new.statements}
    labels = {label: None for text, label, _ in new.statements if text in added}
    for text, label, identity in old.statements:
        if text in gone:
            labels[now.get(identity, f"former {label}")] = None
    return list(filter(None, labels))
