"""Event sources of other packages, by their entry points; this module does not ship with a function.

    [project.entry-points."nbchalice.sources"]
    on_ses_message = "acme_ses.source:SES"

The entry point has the decorator's name, so that a notebook is read, and its magics are there, before anything of the
package is imported. (Provisional: the group, and what is expected of the object, may change.)
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NoReturn

from .event_kinds import BUILT_IN, KINDS, EventKind
from .registered_kinds import RegisteredKind

GROUP = "nbchalice.sources"
MEND = "mend, update or uninstall that package"


class UnusableSourceError(AttributeError):
    """An installed event source cannot be used, nor an app's decorator; the text says whose it is, and why.

    Parameters
    ----------
    text : str
        Whose it is, and why.
    hint : str
        What helps.
    """

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.text, self.hint = text, hint

    def __str__(self) -> str:
        return f"{self.text}\n  fix: {self.hint}"


class _Installed:
    """What the entry points of this process's ``sys.path`` say; read again when that has changed."""

    def __init__(self) -> None:
        self.state: tuple[tuple[str, float], ...] | None = None
        self.entries: dict[str, EntryPoint] = {}
        self.names = frozenset(kind.name for kind in BUILT_IN)
        self.wrong: dict[str, tuple[str, str]] = {}
        """Why an installed source cannot be used and what helps, by its name."""
        self.only_own = False
        self.objects: dict[str, object] = {}

    def read(self) -> None:
        """Read the entry points, if anything was installed since."""
        state = path_state()
        if state == self.state:
            return
        self.state, self.entries, self.wrong = state, {}, {}
        for entry in () if self.only_own else entry_points(group=GROUP):
            if wrong := _wrong_name(entry.name):
                self.wrong[entry.name] = _unusable(entry, wrong)
            elif entry.name in self.entries:
                self.wrong[entry.name] = _unusable(
                    entry, f"{_owner(self.entries[entry.name])} has one of that name, too"
                )
            else:
                self.entries[entry.name] = entry
        own = (kind.name for kind in BUILT_IN)
        self.names = frozenset([*own, *self.entries])
        self.objects = {name: value for name, value in self.objects.items() if name in self.entries}


_INSTALLED = _Installed()


def forget_other_packages() -> None:
    """Know nbchalice's own sources only, in this process: its reference and its tests are of these."""
    _INSTALLED.only_own, _INSTALLED.state = True, None


def source_names() -> frozenset[str]:
    """Return the names of all decorators: nbchalice's, and those of the packages found when ``look_again`` looked."""
    if _INSTALLED.state is None:
        _INSTALLED.read()
    return _INSTALLED.names


def look_again() -> frozenset[str]:
    """Return the names of all decorators, after a look at what was installed since."""
    _INSTALLED.read()
    return _INSTALLED.names


def third_parties() -> list[str]:
    """Return the names of the other packages' sources, those that cannot be used too."""
    look_again()
    return sorted({*_INSTALLED.entries, *_INSTALLED.wrong})


def load(name: str) -> object:
    """Return the object that an entry point gives, or makes; with it comes the event kind that its module registers.

    Raises
    ------
    KeyError
        Nobody has a source of that name.
    UnusableSourceError
        It cannot be imported, or is not what a source must be.
    """
    look_again()
    if name in _INSTALLED.wrong:
        raise UnusableSourceError(*_INSTALLED.wrong[name])
    if name not in _INSTALLED.objects:
        entry = _INSTALLED.entries[name]
        try:
            given = entry.load()
            named = getattr(given, "name", None) == name
            value = given() if isinstance(given, type) and named else given
        except (Exception, SystemExit) as error:
            _refuse(entry, f"{type(error).__name__}: {error}", _hint_for(entry, error))
        if not named:
            _refuse(entry, f"its entry point gives {given!r}, which is not a source of that name")
        if wrong := _wrong_kind(KINDS.get(name)):
            _refuse(entry, wrong)
        _INSTALLED.objects[name] = value
    return _INSTALLED.objects[name]


def refuse(name: str, why: str) -> NoReturn:
    """Note that a source cannot be used, and raise UnusableSourceError."""
    _refuse(_INSTALLED.entries[name], why)


def find_kind(name: str) -> RegisteredKind | None:
    """Return the event kind of a name, after its package was imported; None where nobody has it.

    Raises
    ------
    UnusableSourceError
        Its package cannot be used.
    """
    if name in third_parties() and not _is_own(name):
        load(name)
    kind = KINDS.get(name)
    return kind if isinstance(kind, RegisteredKind) else None


def is_of_routes(event_type: str) -> bool:
    """Tell whether middleware is for what Chalice has besides events.

    Raises
    ------
    ValueError
        No kind of event, of nbchalice or of another package, is called so.
    """
    if event_type in {"http", "websocket"}:
        return True
    if event_type not in _middleware_types():
        for name in third_parties():
            with suppress(UnusableSourceError):
                find_kind(name)
    allowed = _middleware_types()
    if event_type not in allowed:
        raise ValueError(f"middleware: event_type is {event_type!r}; allowed is {', '.join(allowed)}")
    return False


def _middleware_types() -> list[str]:
    return ["all", *(kind.middleware for kind in KINDS.values())]


def path_state() -> tuple[tuple[str, float], ...]:
    """Return what changes when something is installed or ``sys.path`` changes."""
    return tuple((entry, _modified(entry)) for entry in sys.path)


def _modified(entry: str) -> float:
    try:
        return Path(entry or ".").stat().st_mtime
    except OSError:
        return 0.0


def _refuse(entry: EntryPoint, why: str, hint: str = MEND) -> NoReturn:
    _INSTALLED.wrong[entry.name] = _unusable(entry, why, hint)
    raise UnusableSourceError(*_INSTALLED.wrong[entry.name])


def _unusable(entry: EntryPoint, why: str, hint: str = MEND) -> tuple[str, str]:
    text = f"the event source {entry.name} of {_owner(entry)} cannot be used: {' '.join(why.split())}"
    return text, hint


def _hint_for(entry: EntryPoint, error: BaseException) -> str:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return MEND
    top = error.name.partition(".")[0]
    if top == entry.module.partition(".")[0]:
        # Its metadata is found at once, its modules by a hook that Python installs when it starts.
        return "restart the kernel, as only a new process sees what pip install -e makes known; else install it again"
    return f"install what has the module {top} (after pip install -e, restart the kernel), or {MEND}"


def _owner(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def _is_own(name: str) -> bool:
    return any(kind.name == name for kind in BUILT_IN)


def _wrong_name(name: str) -> str:
    if _is_own(name):
        return "nbchalice itself has one of that name"
    if not name.isidentifier() or not name.startswith("on_") or name.startswith("on_ws_"):
        return "its name must be a word that begins with on_, and not with Chalice's on_ws_"
    return ""


def _wrong_kind(kind: EventKind | None) -> str:
    if not isinstance(kind, RegisteredKind):
        return "its module registers no event kind of that name"
    if kind.module not in sys.modules:
        return f"its event kind says that {kind.module!r} registers it, which is not a module (say module=__name__)"
    return ""
