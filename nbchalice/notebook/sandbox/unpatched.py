"""What modules and builtins hold before a notebook's code runs: no monkeypatch reaches the report on it.

A notebook may replace what the helper process works with: ``json.dumps = shorter``, ``del builtins.sorted``,
``Thread.start = traced``, ``sys.settrace(f)``. That is for the notebook and its handlers. So its code runs with what it
bound, and what runs it, describes values and answers is given back what was bound before.
"""

from __future__ import annotations

import sys
import types
from operator import is_
from typing import Any, NamedTuple

_ALL, _MAP, _TYPE, _ZIP, _SET, _DELETE = all, map, type, zip, type.__setattr__, type.__delattr__
_GET_TRACE, _SET_TRACE, _GET_PROFILE, _SET_PROFILE = sys.gettrace, sys.settrace, sys.getprofile, sys.setprofile
_GET_LIMIT, _SET_LIMIT = sys.getrecursionlimit, sys.setrecursionlimit
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: of other types no attribute can be set
_NOTHING: Any = object()
"""Stands for a name that is not bound."""


class _Owner(NamedTuple):
    """A module, or a class of one written in Python, with its names that hold something to call, or a module."""

    owner: Any
    names: tuple[str, ...]
    values: tuple[Any, ...]


class Unpatched:
    """What was bound before; ``restore`` and ``give_back`` call nothing that the notebook can replace."""

    def __init__(self) -> None:
        self._owners: list[_Owner] = []
        self._modules: dict[str, Any] = {}
        self._replaced: list[tuple[Any, str, Any]] = []
        self._trace: Any = None
        self._profile: Any = None
        self._limits = (0, 0)
        """How deep code may call here, and in the notebook."""

    def hold(self) -> None:
        """Keep what is bound now, just before the notebook's code runs; a second time, only what has changed."""
        self._owners = [one if _is_unchanged(one) else _owner(one.owner) for one in self._owners]
        for name, module in list(sys.modules.items()):
            if self._modules.get(name) is module or type(module) is not types.ModuleType:
                continue
            self._owners.append(_owner(module))
            for value in list(vars(module).values()):
                if isinstance(value, type) and value.__module__ == module.__name__ and _is_heap_type(value):
                    self._owners.append(_owner(value))
        self._modules = dict(sys.modules)
        self._limits = (sys.getrecursionlimit(), 0)

    def restore(self) -> None:
        """Bind again what was bound before, for what is not the notebook's."""
        trace, profile = _GET_TRACE(), _GET_PROFILE()
        if trace is not None:
            _SET_TRACE(None)
            self._trace = trace
        if profile is not None:
            _SET_PROFILE(None)
            self._profile = profile
        for one in self._owners:
            if not _is_unchanged(one):
                self._restore(*one)
        for name in self._modules:
            now = sys.modules.get(name, _NOTHING)
            if now is not self._modules[name]:
                self._replaced.append((None, name, now))
                sys.modules[name] = self._modules[name]
        limit = _GET_LIMIT()
        if limit < self._limits[0]:
            self._limits = (self._limits[0], limit)
            _SET_LIMIT(self._limits[0])

    def _restore(self, owner: Any, names: tuple[str, ...], values: tuple[Any, ...]) -> None:
        for name, value in _ZIP(names, values):
            now = owner.__dict__.get(name, _NOTHING)
            if now is not value:
                self._replaced.append((owner, name, now))
                _bind(owner, name, value)

    def give_back(self) -> None:
        """Bind what the notebook bound, for its code that runs now."""
        while self._replaced:
            owner, name, value = self._replaced.pop()
            if owner is not None:
                _bind(owner, name, value)
            elif value is _NOTHING:
                del sys.modules[name]
            else:
                sys.modules[name] = value
        if self._limits[1]:
            _SET_LIMIT(self._limits[1])
            self._limits = (self._limits[0], 0)
        trace, profile, self._trace, self._profile = self._trace, self._profile, None, None
        if profile is not None:
            _SET_PROFILE(profile)
        if trace is not None:
            _SET_TRACE(trace)

    def bound(self, owner: Any) -> dict[str, Any]:
        """Return what a module or class holds for the notebook's code.

        Parameters
        ----------
        owner : Any
            The module or class.
        """
        own = {name: value for other, name, value in self._replaced if other is owner}
        both = {**vars(owner), **own}
        return {name: value for name, value in both.items() if value is not _NOTHING}

    def modules(self) -> dict[str, Any]:
        """Return the modules that stand for the notebook's code in ``sys.modules``."""
        own = {name: value for owner, name, value in self._replaced if owner is None}
        return {name: value for name, value in {**sys.modules, **own}.items() if value is not _NOTHING}

    def recursion_limit(self) -> int:
        """Return how deep the notebook's code may call."""
        return self._limits[1] or _GET_LIMIT()


def _is_unchanged(one: _Owner) -> bool:
    return _ALL(_MAP(is_, _MAP(one.owner.__dict__.get, one.names), one.values))


def _bind(owner: Any, name: str, value: Any) -> None:
    if _TYPE(owner) is not types.ModuleType:
        if value is _NOTHING:
            _DELETE(owner, name)
        else:
            _SET(owner, name, value)
    elif value is _NOTHING:
        del owner.__dict__[name]
    else:
        owner.__dict__[name] = value


def _owner(owner: Any) -> _Owner:
    held = {name: value for name, value in list(vars(owner).items()) if _is_held(value)}
    return _Owner(owner, tuple(held), tuple(held.values()))


def _is_held(value: object) -> bool:
    return callable(value) or isinstance(value, types.ModuleType | classmethod | staticmethod | property)


def _is_heap_type(kind: type) -> bool:
    return bool(kind.__flags__ & _HEAP_TYPE)


UNPATCHED = Unpatched()
"""That of this process: nothing is held, so nothing restored, where no notebook's code is run to read it."""
