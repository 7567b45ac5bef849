"""All that is uploaded for one handler: its zip, the layer with what it imports, and how large that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nbchalice.notebook.cells import Cell
from nbchalice.notebook.places import place_of
from nbchalice.packaging.artifact import Artifact, SliceLike, build
from nbchalice.packaging.bundles import Bundle, bundle_files
from nbchalice.packaging.layer import Layer, build_layer
from nbchalice.packaging.lock import lock
from nbchalice.packaging.requirements import find_dependencies, installed_pins, wishes
from nbchalice.packaging.sizes import SizeTable, measure
from nbchalice.packaging.targets import LambdaTarget


@dataclass(frozen=True)
class HandlerPackage:
    """What Lambda gets of one handler.

    Parameters
    ----------
    artifact: the zip with its code.
    layer: the layer with the distributions it imports, or None where it needs none.
    sizes: how large both are.
    """

    artifact: Artifact
    layer: Layer | None
    sizes: SizeTable


def package_handler(
    slice: SliceLike,
    handler_name: str,
    target: LambdaTarget,
    *,
    folder: Path,
    cells: Iterable[Cell] = (),
    requirements_file: Path | None = None,
    bundles: Iterable[Bundle] = (),
) -> HandlerPackage:
    """Pack a slice with all it needs for a Lambda target.

    Parameters
    ----------
    slice: the handler's module.
    handler_name: its name in the app.
    target: Python version and processor on Lambda.
    folder: the notebook's folder, where local modules are looked for.
    cells: all cells, for what `%pip install` asks for.
    requirements_file: requirements instead of those that the imports give. Default: none.
    bundles: the bundled objects that the module loads. Default: none.

    Raises
    ------
    PackagingError: a module is missing, no wheel fits the target, or the package is too large.
    """
    needs = find_dependencies(
        slice.module,
        python=target.python,
        folder=folder,
        wishes=wishes(cells, folder),
        requirements_file=requirements_file,
        place=partial(place_of, slice.segments, slice.module),
    )
    bundles = tuple(bundles)
    wanted = sorted({*needs.requirements, *(pin for bundle in bundles for pin in bundle.requirements)})
    locked = lock(wanted, target, installed=installed_pins()) if wanted else None
    layer = build_layer(locked) if locked else None
    artifact = build(
        slice,
        handler_name,
        python=target.python,
        requirements=locked.pins if locked else (),
        vendored=needs.vendored,
        files=bundle_files(bundles),
    )
    sizes = measure(artifact, layer)
    sizes.check()
    return HandlerPackage(artifact, layer, sizes)
