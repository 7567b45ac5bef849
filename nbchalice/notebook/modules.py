"""Which dotted names are modules: looked up where Python would find them, without importing anything."""

from __future__ import annotations

from functools import lru_cache
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder


@lru_cache(maxsize=4096)
def is_module(dotted: str) -> bool:
    """Tell whether a dotted name is a module, as ``xml.etree`` is and ``json.dumps`` is not.

    Parameters
    ----------
    dotted : str
        The full name.
    """
    name, path = "", None
    for part in dotted.split("."):
        name = f"{name}.{part}" if name else part
        spec = PathFinder.find_spec(name, path) or (
            (BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name)) if path is None else None
        )
        if spec is None:
            return False
        path = list(spec.submodule_search_locations or ())
    return True
