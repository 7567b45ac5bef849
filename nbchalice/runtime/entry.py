"""What Lambda calls: the handler that a deployment package was built for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from .app import handlers_in
from .causes import add_place, log_causes
from .cells import Segment, load_module
from .invocation_lines import marked
from .logs import configure_root


def load_handler(root: str | Path) -> Callable[[object, object], object]:
    """Set up logging, load the package in ``root`` and return its handler.

    On Lambda, each call also logs the ids of what it handles (see ``invocation_lines``).

    Parameters
    ----------
    root : str or Path
        Folder with ``nbchalice.json`` and ``notebook_code.py``.

    Raises RuntimeError when no app of the module has the handler that ``nbchalice.json`` names.
    """
    root = Path(root)

    def load(bundle: str) -> object:
        from .bundles import load_bundle

        return load_bundle(bundle, root)

    manifest = json.loads((root / "nbchalice.json").read_text("utf-8"))
    configure_root()
    source = (root / "notebook_code.py").read_text("utf-8")
    try:
        segments = [Segment(**entry) for entry in manifest["cells"]]
        module = load_module(source, segments, manifest["notebook"], "notebook_code", load)
    except ImportError as error:
        log_causes(error, whole=True)
        add_place(error, manifest["notebook"])
        raise
    except Exception as error:
        log_causes(error)
        raise
    handlers = handlers_in(vars(module))
    handler = handlers.get(manifest["function"])
    if handler is None:
        raise RuntimeError(
            f"{manifest['notebook']} registers no handler {manifest['function']!r}; "
            f"its handlers are: {', '.join(sorted(handlers)) or 'none'}"
        )
    return marked(handler) if "AWS_LAMBDA_FUNCTION_NAME" in os.environ else handler
