"""Makes, once, the environments that the local AWS runs in: one for the server, and the packages of its handlers."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from nbchalice.errors import LocalAWSError
from nbchalice.files import user_cache
from nbchalice.packaging import built_once
from nbchalice.packaging.built_once import base_interpreter
from nbchalice.packaging.uvtool import call_uv

MINISTACK_VERSION = "1.5.33"
BOTO3_VERSION = "1.43.106"
SIMPLEJSON_VERSION = "4.3.0"
SIZE_MB = 100  # of both environments together
PYTHON = "bin/python"
CANNOT_WRITE = r"os error (13|28|30|122)\b"  # EACCES, ENOSPC, EROFS, EDQUOT, as uv tells them
WRITABLE = "make the folder writable, free some space, or set NBCHALICE_LOCAL_CACHE to another folder"


def cache_folder() -> Path:
    """Return the folder of cached environments (``NBCHALICE_LOCAL_CACHE`` overrides it)."""
    override = os.environ.get("NBCHALICE_LOCAL_CACHE")
    return Path(override) if override else user_cache() / "local"


Notify = Callable[[str], None]


def server_folder() -> Path:
    """Return the folder of the server's environment."""
    version = ".".join(map(str, sys.version_info[:2]))
    return cache_folder() / f"ministack-{MINISTACK_VERSION}-py{version}"


def server_python(notify: Notify | None = None) -> Path:
    """Return the interpreter of the server's environment, making the environment if it is not there yet."""

    def build(target: Path) -> None:
        if notify is not None:
            notify(f"setting up the local AWS, once (about {SIZE_MB} MB)")
        run_uv("venv", "--no-project", "--relocatable", "--python", base_interpreter(), str(target))
        python = str(target / "bin" / "python")
        run_uv("pip", "install", "--compile-bytecode", "--python", python, f"ministack=={MINISTACK_VERSION}")

    return ensure(server_folder(), build, PYTHON) / PYTHON


def handler_packages() -> Path:
    """Return a folder with what Lambda's Python runtimes bring: boto3, and simplejson, which writes the answers.

    It serves all versions of Python: all of it is pure Python, or is where its compiled part does not fit.
    """
    folder = cache_folder() / f"boto3-{BOTO3_VERSION}-simplejson-{SIMPLEJSON_VERSION}"

    def build(target: Path) -> None:
        requirements = [f"boto3=={BOTO3_VERSION}", f"simplejson=={SIMPLEJSON_VERSION}"]
        python = base_interpreter()
        run_uv("pip", "install", "--compile-bytecode", "--python", python, "--target", str(target), *requirements)

    return ensure(folder, build)


def ensure(folder: Path, build: Callable[[Path], None], needed: str = built_once.COMPLETE) -> Path:
    """Build a folder of the local AWS once, as `built_once.ensure` does.

    Raises
    ------
    LocalAWSError
        It cannot be written.
    """
    try:
        return built_once.ensure(folder, build, needed)
    except OSError as error:
        raise LocalAWSError(f"cannot write to {folder.parent}: {error.strerror or error}", WRITABLE) from error


def run_uv(*arguments: str) -> None:
    """Run uv; its settings for indexes and proxies come from the user's environment."""
    done = call_uv([*arguments, "--quiet", "--no-progress"])
    if done.returncode:
        detail = "\n".join(line for line in done.stderr.strip().splitlines() if line.strip())[-2000:]
        hint = "check the network and the package index (UV_INDEX_URL, UV_DEFAULT_INDEX, HTTPS_PROXY), then try again"
        if re.search(CANNOT_WRITE, done.stderr):
            hint = WRITABLE
        raise LocalAWSError(f"the environment of the local AWS could not be made:\n{detail}", hint)
