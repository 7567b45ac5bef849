"""What the local AWS needs so that functions packed for Lambda's Linux run on this machine."""

from __future__ import annotations

import os
import platform
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from nbchalice.deploy.package import Package
from nbchalice.errors import PackagingError
from nbchalice.packaging.layer import Layer, build_layer
from nbchalice.packaging.lock import retargeted
from nbchalice.packaging.targets import ThisMachine
from nbchalice.resources.layer import KEY_LETTERS

_ARCHS = {"aarch64": "arm64", "amd64": "x86_64"}


def prepare(packages: Mapping[str, Package]) -> list[str]:
    """Make, for the local AWS, what it needs beside the packages of handlers to run them on this machine.

    A layer with compiled code for another system, processor or Python gets a native layer with the same distributions
    for this one. What is deployed stays what Lambda is to get.

    Parameters
    ----------
    packages : Mapping[str, Package]
        What is deployed, by handler.

    Returns
    -------
    What there is to tell: runtimes that are not on this machine, and distributions that cannot run here.
    """
    from nbchalice.aws.local.client.server import local_home
    from nbchalice.aws.local.shared.interpreters import Interpreters
    from nbchalice.aws.local.shared.native_layers import ARCHIVE_LETTERS, keep_native_layer, native_layer_path

    find = Interpreters("", Path.home(), os.environ.get("PATH", ""))
    notes = []
    for handler, package in packages.items():
        runtime = find(f"python{package.python}") if package.python != _own() else None
        python = ".".join(runtime.version.split(".")[:2]) if runtime else _own()
        if runtime and runtime.warning:
            notes.append(f"{handler}: {runtime.warning}")
        layer = package.archive.layer if package.archive else package.layer
        if not isinstance(layer, Layer) or not _is_foreign(layer, python):
            continue
        key = package.archive.sha256[:ARCHIVE_LETTERS] if package.archive else layer.key[:KEY_LETTERS]
        path = native_layer_path(local_home().native_layers, key, python)
        if path.is_file():
            continue
        try:
            native_layer = build_layer(retargeted(layer.lock, ThisMachine(python, _arch())))
            keep_native_layer(path, native_layer.path)
        except PackagingError as error:
            notes.append(f"{handler}: the local AWS cannot import all that it needs: {error.message}")
    return notes


def _own() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _arch() -> str:
    machine = platform.machine().lower()
    return _ARCHS.get(machine, machine)


def _is_foreign(layer: Layer, python: str) -> bool:
    """Tell whether a layer holds compiled code that a Python of this machine cannot load."""
    target = layer.lock.target
    if sys.platform == "linux" and (target.arch, target.python) == (_arch(), python):
        return False
    with zipfile.ZipFile(layer.path) as archive:
        return any(name.endswith(".so") or ".so." in name for name in archive.namelist())
