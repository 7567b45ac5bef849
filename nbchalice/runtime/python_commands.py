"""The commands as Python: ``nbchalice.send("price", message=...)`` and ``app.send(...)``, in a notebook."""

from __future__ import annotations

from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Run = Callable[[str, tuple[object, ...], dict[str, object]], object]

# What runs a command in the notebook where nbchalice was loaded last, and what each command is for, by name.
SESSIONS: list[tuple[dict[str, str], Run]] = []


def find(name: str) -> Callable[..., object] | None:
    """Return a command as a function, or None where there is none of the name, or no notebook.

    Parameters
    ----------
    name : str
        ``send``, ``invoke``, ...
    """
    if not SESSIONS or name not in SESSIONS[-1][0]:
        return None
    command = partial(_call, name)
    command.__doc__ = SESSIONS[-1][0][name]
    return command


def leave_out(commands: Iterable[str]) -> None:
    """Let commands do nothing, as the lines of magics do where a notebook is run to prove its handlers.

    Parameters
    ----------
    commands : Iterable[str]
        Their names.
    """
    SESSIONS.append((dict.fromkeys(commands, "left out"), lambda *_: None))


def names() -> list[str]:
    """Return the names of the commands; none where there is no notebook."""
    return list(SESSIONS[-1][0]) if SESSIONS else []


def _call(name: str, *words: object, **options: object) -> object:
    if not SESSIONS:
        raise RuntimeError(f"{name} works in a notebook, after %load_ext nbchalice")
    return SESSIONS[-1][1](name, words, options)
