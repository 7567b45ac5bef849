"""Entry point of the server process, run as a script by the interpreter of the server's own environment.

nbchalice is not installed there, and putting it on the path would bring the notebook's site-packages along. So the
folder above becomes importable as a package of another name, of which ``server.service.main`` is started, or
``server.spawner.main``, in the process that starts those of handlers.
"""

import importlib
import importlib.util
import sys
import types
from pathlib import Path

PACKAGE = "nbchalice_local_aws"


def load_package() -> None:
    """Register the folder above as a package of its own, and nbchalice as a package without its ``__init__``.

    Of the latter only ``confinement`` and ``patterns`` are imported, which need nothing but the standard library.
    """
    folder = Path(__file__).parents[1]
    bare = types.ModuleType("nbchalice")
    bare.__path__ = [str(folder.parents[1])]
    sys.modules["nbchalice"] = bare
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    load_package()
    part = "spawner" if sys.argv[1] == "--spawner" else "service"
    importlib.import_module(f"{PACKAGE}.server.{part}").main()
