"""What an import binds: compared by the words of the import, and by what the module keeps for the whole process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.sandbox.values.describe import describe
from nbchalice.notebook.sandbox.values.kept import kept
from nbchalice.notebook.sandbox.values.nodes import Node, leaf

if TYPE_CHECKING:
    from collections.abc import Iterable


def describe_imported(value: object, sources: Iterable[tuple[str, str | None]]) -> Node:
    """Describe a variable that an import made: by name while it is what the import finds, else as any other.

    ``from tqdm.auto import tqdm`` finds one class in a notebook and another elsewhere, and that is as it should be.

    Parameters
    ----------
    value : object
        The variable's value.
    sources : Iterable[tuple[str, str or None]]
        The modules and attributes that it may stand for.
    """
    sources = list(sources)
    for module, attribute in sources:
        found: Any = sys.modules.get(module)
        if attribute is not None:
            found = getattr(found, "__dict__", {}).get(attribute, sys.modules.get(f"{module}.{attribute}"))
        elif found is not value:
            found = sys.modules.get(module.partition(".")[0])
        if found is value and found is not None:
            name = leaf("import", module if attribute is None else f"{module}.{attribute}")
            top = module.partition(".")[0]
            parts = kept(module, *(other for other, _ in sources if other.partition(".")[0] == top))
            return ["parts", f"import {module}", [["", name], *parts], True]
    return describe(value)
