"""Entry point of the server process, run as a script by the interpreter of the server's own environment.

It must not import nbchalice: that would bring the notebook's site-packages along. So it makes the folder above
importable as a package of another name, and starts ``server.service.main`` there.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

PACKAGE = "nbchalice_local_aws"


def load_package() -> None:
    """Register the folder above as a package of its own."""
    folder = Path(__file__).parents[1]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    load_package()
    importlib.import_module(f"{PACKAGE}.server.service").main()
