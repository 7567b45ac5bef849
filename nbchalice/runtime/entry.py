"""What Lambda calls: the handler that a deployment package was built for."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from . import compiled
from .app import handlers_in
from .invocation_lines import marked
from .logs import configure_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .compiled import Statements
    from .events import JSON


def load_handler(root: str | Path) -> Callable[[object, object], object]:
    """Set up logging, load the package in ``root`` and return its handler.

    On Lambda, each call also logs the ids of what it handles (see ``invocation_lines``).

    Parameters
    ----------
    root : str or Path
        Folder with ``nbchalice.json`` and ``notebook_code.py``.

    Raises RuntimeError when no app of the module has the handler that ``nbchalice.json`` names.
    """

    def load(bundle: str) -> object:
        from .bundles import load_bundle

        return load_bundle(bundle, root)

    manifest = json.loads(_read(root, "nbchalice.json"))
    configure_root()
    finish = None
    if os.path.exists(os.path.join(root, "nbchalice-archive.json")):  # noqa: PTH110, PTH118
        from .archive import unpack

        finish = unpack(str(root))
    try:
        statements = _statements(root, manifest)
        module = compiled.run_statements("notebook_code", statements, load)
        if finish:
            finish()
    except Exception as error:
        _tell(error, manifest["notebook"])
        raise
    handlers = handlers_in(vars(module))
    handler = handlers.get(manifest["function"])
    if handler is None:
        raise RuntimeError(
            f"{manifest['notebook']} registers no handler {manifest['function']!r}; "
            f"its handlers are: {', '.join(sorted(handlers)) or 'none'}"
        )
    return _recorded(marked(handler)) if "AWS_LAMBDA_FUNCTION_NAME" in os.environ else handler


def _recorded(handler: Callable[[object, object], object]) -> Callable[[object, object], object]:
    """Return a handler whose events are kept, where the function's settings ask for that."""
    if "NBCHALICE_RECORD" in os.environ:
        # While a deploy turns it on, the variable may stand before the code is there.
        with suppress(ImportError):
            from .recording import recorded

            return recorded(handler)
    return handler


def _statements(root: str | Path, manifest: JSON) -> Statements:
    """Return the code of the notebook's statements, from the byte code where it stands for this source and Python."""
    source = _read(root, "notebook_code.py")
    found = None
    with suppress(OSError):
        found = compiled.load(_read(root, compiled.FILE), source)
    if found is None:
        from .cells import Segment, compile_module

        segments = [Segment(**entry) for entry in manifest["cells"]]
        found = compile_module(source.decode(), segments, manifest["notebook"])
    statements, lines = found
    compiled.seed(lines)
    return statements


def _read(root: str | Path, name: str) -> bytes:
    with open(os.path.join(root, name), "rb") as file:  # noqa: PTH118, PTH123 - pathlib takes 3 ms to import
        return file.read()


def _tell(error: Exception, notebook: str) -> None:
    """Log what Lambda's own report of an error at the start leaves out."""
    from .causes import add_place, log_causes

    log_causes(error, whole=isinstance(error, ImportError))
    if isinstance(error, ImportError):
        add_place(error, notebook)
