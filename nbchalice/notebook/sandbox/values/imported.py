"""What an import binds: compared by the words of the import, and by what the module keeps for the whole process."""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.sandbox.values.describe import describe
from nbchalice.notebook.sandbox.values.kept import kept
from nbchalice.notebook.sandbox.values.nodes import Node, leaf
from nbchalice.notebook.sandbox.values.patched import is_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def describe_imported(
    value: object, sources: Iterable[tuple[str, str | None]], standing: Mapping[int, str] = MappingProxyType({})
) -> Node:
    """Describe a variable that an import made: by name while it is what the import finds, else as any other.

    ``from tqdm.auto import tqdm`` finds one class in a notebook and another elsewhere, and that is as it should be.
    What comes from a local module, which may have been edited and loaded again, is compared by content.

    Parameters
    ----------
    value : object
        The variable's value.
    sources : Iterable[tuple[str, str or None]]
        The modules and attributes that it may stand for.
    standing : Mapping[int, str]
        As for ``describe``.
    """
    sources = list(sources)
    for module, attribute in sources:
        found: Any = sys.modules.get(module)
        if attribute is not None:
            found = getattr(found, "__dict__", {}).get(attribute, sys.modules.get(f"{module}.{attribute}"))
        elif found is not value:
            found = sys.modules.get(module.partition(".")[0])
        by_content = attribute is not None and is_local(sys.modules.get(module))
        if by_content or (found is value and found is not None):
            whole = module if attribute is None else f"{module}.{attribute}"
            name = describe(value, standing) if by_content else leaf("import", whole)
            top = module.partition(".")[0]
            parts = kept(module, *(other for other, _ in sources if other.partition(".")[0] == top))
            return ["parts", f"import {module}", [["", name], *parts], True]
    return describe(value, standing)
