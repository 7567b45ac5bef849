"""Runs the statements of a notebook as byte code, which packaging has made where it has the Python for it.

Where it has not, or the source next to it is another, ``cells`` compiles the source when the function starts.
"""

from __future__ import annotations

import linecache
import marshal
import sys
from _imp import source_hash
from importlib._bootstrap_external import MAGIC_NUMBER
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    # The code of each statement, with the name that it loads a bundle into if that is all it does.
    Statements = list[tuple[CodeType, str | None]]
    # The lines of each cell by its file name, for tracebacks.
    Lines = dict[str, list[str]]

FILE = "notebook_code.bin"
# A later version writes references, which depend on what else the process holds; only 3.14's slices need it.
MARSHAL = 2 if sys.version_info < (3, 14) else marshal.version


def dump(source: bytes, statements: Statements, lines: Lines) -> bytes:
    """Return the byte code of a source, for the running Python: the same bytes in each process."""
    return _head(source) + marshal.dumps((statements, lines), MARSHAL)


def load(content: bytes, source: bytes) -> tuple[Statements, Lines] | None:
    """Return statements and lines, or None where the content is for another Python or another source."""
    head = _head(source)
    if not content.startswith(head):
        return None
    statements, lines = marshal.loads(content[len(head) :])  # noqa: S302 - as Python reads its own .pyc files
    return statements, lines


def _head(source: bytes) -> bytes:
    return MAGIC_NUMBER + source_hash(0, source)


def run_statements(
    name: str,
    statements: Statements,
    load_bundle: Callable[[str], object] | None = None,
    run: Callable[[CodeType, dict[str, object]], None] = exec,
) -> ModuleType:
    """Run statements as the module ``name``, which is not left behind when one raises; return the module.

    Parameters
    ----------
    name : str
        Name of the module, put in ``sys.modules``.
    statements : Statements
        The code of each.
    load_bundle : Callable[[str], object] or None
        Returns a bundled object when its name is first looked up. Default: that of the deployment package.
    run : Callable[[CodeType, dict[str, object]], None]
        Runs the code of one statement in the module. Default: ``exec``.
    """
    module = ModuleType(name)
    sys.modules[name] = module
    try:
        lazy = None
        if any(bundle for _, bundle in statements):
            from . import bundles

            lazy = bundles.LazyNames(module.__dict__, load_bundle or bundles.load_bundle)
        for code, bundle in statements:
            if lazy is not None and bundle:
                lazy.put_off(bundle)
            else:
                run(code, module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def seed(lines: Lines) -> None:
    """Let tracebacks and ``inspect.getsource`` find the lines of cells."""
    for file, texts in lines.items():
        # Without a modification time checkcache keeps the entry though no such file exists.
        linecache.cache[file] = (sum(map(len, texts)), None, texts, file)
