"""Event kinds of other packages: what they register in a module that ships with the functions that need it.

Such a module imports the standard library and ``nbchalice.runtime`` only. (Provisional: what a kind is made of may
change.)
"""

from __future__ import annotations

from functools import update_wrapper

from .event_kinds import KINDS, EventKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Mapping
    from typing import Any

    from .events import JSON


class RegisteredKind(EventKind):
    """An event kind of another package; the other parameters are those of ``EventKind``.

    Parameters
    ----------
    options : Callable[..., JSON]
        Has the decorator's name and parameters and returns the trigger's options, JSON-ready and with defaults filled
        in. The handler's name and the function's settings are taken besides.
    module : str
        The module that registers the kind: ``__name__``.
    """

    def __init__(self, *, options: Callable[..., JSON], module: str, **kind: Any) -> None:
        super().__init__(**kind)
        self.options, self.module = options, module

    def decorator(self, register: Callable[..., object]) -> Callable[..., object]:
        """Return what ``app.on_...`` is: called with the parameters of ``options``, it decorates a function.

        Parameters
        ----------
        register : Callable[..., object]
            Called with the kind's name, the handler's name or None, options and settings, it returns the decorator.
        """
        import inspect

        parameters = inspect.signature(self.options).parameters

        def make(*given: object, name: str | None = None, **named: object) -> object:
            settings = {key: value for key, value in named.items() if key not in parameters}
            options = self.options(*given, **{key: value for key, value in named.items() if key in parameters})
            return register(self.name, name, options, settings)

        update_wrapper(make, self.options)
        make.__signature__ = _with_settings(parameters)  # type: ignore[attr-defined]
        return make


def _with_settings(parameters: Mapping[str, inspect.Parameter]) -> inspect.Signature:
    """Return the signature that people see: the options' parameters, and what each decorator takes besides."""
    import inspect

    own = [one for one in parameters.values() if one.name != "name" and one.kind is not one.VAR_KEYWORD]
    name = inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="str | None")
    settings = inspect.Parameter("settings", inspect.Parameter.VAR_KEYWORD, annotation="object")
    return inspect.Signature([*own, name, settings], return_annotation="Decorator")


def register(kind: RegisteredKind) -> RegisteredKind:
    """Add a kind, or put it in the place of its earlier self; return it.

    The entry point of its source is what makes it known to nbchalice in a notebook, where one that cannot be used is
    refused (``entry_points``).
    """
    KINDS[kind.name] = kind
    return kind
