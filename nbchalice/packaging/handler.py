"""All that is uploaded for one handler: its zip, the layer with what it imports, and how large that is."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from nbchalice.files import replace_file
from nbchalice.notebook.analysis.search_path import added_folders
from nbchalice.notebook.capture.slice import Slice
from nbchalice.notebook.capture.source_map import location_of
from nbchalice.notebook.cells import Cell
from nbchalice.packaging.archive import Archive, archive_of
from nbchalice.packaging.artifact import Artifact, build
from nbchalice.packaging.bundles import Bundle, bundle_files, part
from nbchalice.packaging.imports import find_imports
from nbchalice.packaging.layer import Layer, build_layer
from nbchalice.packaging.lock import lock
from nbchalice.packaging.requirements import Dependencies, find_dependencies, installed_pins, requested_requirements
from nbchalice.packaging.sizes import DIRECT_LIMIT, UNZIPPED_LIMIT, SizeTable, measure
from nbchalice.packaging.targets import LambdaTarget
from nbchalice.runtime.archive import FILE as ARCHIVE_INDEX
from nbchalice.runtime.bundles import PLACE
from nbchalice.text import MB

FAILURES = "batchItemFailures"
POWERTOOLS = "aws_lambda_powertools.utilities.batch."
# Each edit of the handler uploads its zip again; what is in S3 is uploaded once.
BUNDLES_IN_ZIP = 10 * MB


@dataclass(frozen=True)
class HandlerPackage:
    """What Lambda gets of one handler.

    Parameters
    ----------
    needs : Dependencies
        What its code imports.
    artifact : Artifact
        The zip with its code.
    layer : Layer or None
        The layer with the distributions it imports, or None where it needs none, or they are in an archive.
    sizes : SizeTable
        How large both are.
    stored : tuple[Bundle, ...]
        The bundles that are too big for the zip, and go to S3.
    reports_failures : bool
        Whether its code may answer with the records of a batch that failed.
    archive : Archive or None
        The distributions it imports, where they are over Lambda's limit: the function unpacks them from S3.
    """

    needs: Dependencies
    artifact: Artifact
    layer: Layer | None
    sizes: SizeTable
    stored: tuple[Bundle, ...] = ()
    reports_failures: bool = False
    archive: Archive | None = None


@dataclass(frozen=True)
class Written:
    """Packages that were written.

    Parameters
    ----------
    paths : tuple[Path, ...]
        The zips.
    sizes : Mapping[str, SizeTable]
        How large the package of each handler is.
    notes : tuple[str, ...]
        What a person should know, for example what was not read.
    """

    paths: tuple[Path, ...]
    sizes: Mapping[str, SizeTable]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ingredients:
    """What a handler's package is made of, besides its slice.

    Parameters
    ----------
    python, arch : str
        Python version and processor on Lambda.
    folder : Path
        The notebook's folder, where local modules are looked for.
    cells : Sequence[Cell]
        All cells, for what `%pip install` asks for.
    requirements_file : Path or None
        Requirements instead of those that the imports give.
    bundles : Mapping[str, Bundle]
        The notebook's bundled objects by name.
    records : bool
        Whether the function keeps its events.
    loads : tuple[str, ...]
        Modules that the code loads with no import that names them. Default: none.
    texts : tuple[str, ...]
        The values of the function's environment variables: one may name a module. Default: none.
    """

    python: str
    arch: str
    folder: Path
    cells: Sequence[Cell]
    requirements_file: Path | None
    bundles: Mapping[str, Bundle]
    records: bool = False
    loads: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def target(self) -> LambdaTarget:
        """Python version and processor, as far as Lambda has them; else PackagingError."""
        return LambdaTarget(self.python, self.arch)


def needs_of(piece: Slice, ingredients: Ingredients) -> Dependencies:
    """Find what a slice imports; nothing is downloaded.

    Raises
    ------
    PackagingError
        A module is missing, or cannot come along.
    """
    folder, cells = ingredients.folder, ingredients.cells
    return find_dependencies(
        piece.module,
        python=ingredients.target.python,
        folder=folder,
        requested=requested_requirements(cells, folder),
        requirements_file=ingredients.requirements_file,
        further=chain(ingredients.loads, *(ingredients.bundles[name].imports for name in piece.bundles)),
        texts=ingredients.texts,
        added=added_folders(cells, folder),
        place=partial(location_of, piece.segments, piece.module),
    )


def package_handler(
    piece: Slice, handler_name: str, ingredients: Ingredients, *, whole: bool = False, big: bool = True
) -> HandlerPackage:
    """Pack a slice with all it needs for Lambda.

    Parameters
    ----------
    piece : Slice
        The handler's module.
    handler_name : str
        Its name in the app.
    ingredients : Ingredients
        What else is packed, and for which Python and processor.
    whole : bool
        Whether the zip takes all bundles, so that it works by itself. Default: no, those that are together over 10 MB,
        or for which Lambda's limits leave no room, go to S3.
    big : bool
        Whether dependencies over Lambda's limit become an archive in S3, instead of an error. Default: yes.

    Raises
    ------
    PackagingError
        A module is missing, no wheel fits the target, or the package is too large.
    """
    bundles = tuple(ingredients.bundles[name] for name in piece.bundles)
    target, needs = ingredients.target, needs_of(piece, ingredients)
    locked = lock(needs.requirements, target, installed=installed_pins()) if needs.requirements else None
    layer = build_layer(locked) if locked else None
    local = (content.decode("utf-8", "replace") for path, content in needs.vendored if path.endswith(".py"))
    reports = any(reports_failures(source) for source in (piece.module, *local))

    def built(inside: tuple[Bundle, ...], stored: tuple[Bundle, ...], archive: Archive | None) -> HandlerPackage:
        index = {ARCHIVE_INDEX: archive.index} if archive else {}
        artifact = build(
            piece,
            handler_name,
            python=target.python,
            requirements=locked.pins if locked else (),
            vendored=needs.vendored,
            files={**bundle_files(inside, stored), **index},
            records=ingredients.records,
        )
        sizes = measure(artifact, layer, bundles=inside, stored=stored, archive=archive)
        return HandlerPackage(needs, artifact, None if archive else layer, sizes, stored, reports, archive)

    def parted(archive: Archive | None) -> HandlerPackage:
        package = built(bundles, (), archive) if whole else built((), bundles, archive)
        inside, stored = ((), ()) if whole else part(bundles, room_for_bundles(package.sizes))
        return built(inside, stored, archive) if inside else package

    package = parted(None)
    if big and layer and not package.sizes.fit:
        package = parted(archive_of(layer))
    package.sizes.check(handler_name, no_big=not big)
    return package


def reports_failures(source: str) -> bool:
    """Whether code names failed records of a batch: by the answer's key, or with Powertools, which returns it."""
    try:
        tree, imports = ast.parse(source), find_imports(source)
    except SyntaxError:
        return False
    for imported in imports:
        # "import x.y" and "from x import y" both end in "x.y."; the dot keeps "x.yz" apart.
        paths = [f"{imported.module}.", *(f"{imported.module}.{name}." for name in imported.names)]
        if any(path.startswith(POWERTOOLS) for path in paths):
            return True
    for node in ast.walk(tree):
        # The key of {"batchItemFailures": [...]} is a constant, that of dict(batchItemFailures=[...]) a keyword.
        if isinstance(node, ast.Constant) and node.value == FAILURES:
            return True
        if isinstance(node, ast.keyword) and node.arg == FAILURES:
            return True
    return False


def room_for_bundles(sizes: SizeTable) -> int:
    """Return how many bytes of bundles a zip may take, beside what is in it and its layer already."""
    return min(BUNDLES_IN_ZIP, DIRECT_LIMIT - sizes.zipped, UNZIPPED_LIMIT - sizes.unzipped)


def write_all(built: Mapping[str, HandlerPackage], out: Path) -> Written:
    """Write the zips of some handlers into a folder, and each layer and archive once.

    Parameters
    ----------
    built : Mapping[str, HandlerPackage]
        The packages by handler.
    out : Path
        The folder; it is made.
    """
    contents = {f"{name}.zip": package.artifact.zip for name, package in built.items()}
    layers = {package.layer.key: package.layer for package in built.values() if package.layer}
    contents |= {f"layer-{key[:12]}.zip": layer.read() for key, layer in layers.items()}
    archives = {package.archive.sha256: package.archive for package in built.values() if package.archive}
    contents |= {digest: archive.layer.read() for digest, archive in archives.items()}
    notes = [_how_to_place(name, package.archive) for name, package in built.items() if package.archive]
    for name, content in contents.items():
        replace_file(out / name, content)
    sizes = {name: package.sizes for name, package in built.items()}
    return Written(tuple(out / name for name in contents), sizes, tuple(notes))


def _how_to_place(handler: str, archive: Archive) -> str:
    """Return what deploy does for a function with an archive, for who deploys a written package otherwise."""
    return (
        f"{handler}: upload {archive.sha256} to s3://BUCKET/FOLDER/{archive.sha256}, and give the function "
        f"{PLACE}=s3://BUCKET/FOLDER/{archive.sha256} as a variable, s3:GetObject on it, "
        f"and {archive.megabytes} MB of ephemeral storage more than it fills itself"
    )
