"""Run every benchmark of this folder, or those named."""

import importlib
import pkgutil
import sys
from pathlib import Path

names = sys.argv[1:] or sorted(
    module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.name != "__main__"
)
for name in names:
    print(f"== {name}")
    importlib.import_module(f"benchmarks.{name}").main()
