"""Builds and checks what is released: wheel and sdist, built twice and compared, and bills of materials.

.venv/bin/python -m scripts.build_release [FOLDER], by default dist/
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import uv

from nbchalice.aws.local.client.environment import MINISTACK_VERSION
from tests.interpreters import find

ROOT = Path(__file__).parent.parent

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
RELEASED = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", re.M)
# Of a clean environment with the wheel alone: it is loaded, finds its commands, and packages a notebook.
TRIED = "import nbchalice, nbchalice.cli, nbchalice.testing; print(nbchalice.__version__)"


def uv_run(*words: str | Path, **environment: str) -> str:
    """Run uv, and stop with what it says where it fails."""
    command = [uv.find_uv_bin(), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words[:3]))}: {done.stdout}{done.stderr}")
    return done.stdout


def version_and_date() -> tuple[str, date]:
    """Return the version of pyproject.toml, and the day on which the changelog says that it is released."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    dates = dict(RELEASED.findall((ROOT / "CHANGELOG.md").read_text()))
    if version not in dates:
        sys.exit(f"CHANGELOG.md has no section ## [{version}] - YYYY-MM-DD")
    return version, date.fromisoformat(dates[version])


def sources(target: Path) -> Path:
    """Copy what git knows of, as a clone has it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)
    return target


def build(target: Path, day: date) -> dict[str, str]:
    """Build wheel and sdist in a folder of their own; return the hash of each by its name."""
    epoch = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    with tempfile.TemporaryDirectory() as folder:
        uv_run("build", "--quiet", "--out-dir", target, sources(Path(folder) / "src"), SOURCE_DATE_EPOCH=str(epoch))
    files = sorted([*target.glob("*.whl"), *target.glob("*.tar.gz")])
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def environment(folder: Path, python: str, *packages: str | Path) -> Path:
    """Make an environment with some packages; return its interpreter."""
    uv_run("venv", "--quiet", "--python", python, folder)
    uv_run("pip", "install", "--quiet", "--python", folder / "bin" / "python", *packages)
    return folder / "bin" / "python"


def bill_of_materials(python: Path, target: Path, day: date) -> list[tuple[str, str, str]]:
    """Write the packages of an environment in CycloneDX's form; return name, version and licence of each."""
    epoch = str(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()))
    tool = ("tool", "run", "--quiet", "--from", "cyclonedx-bom", "cyclonedx-py", "environment")
    uv_run(*tool, "--output-reproducible", "--of", "JSON", "-o", target, python, SOURCE_DATE_EPOCH=epoch)
    components = json.loads(target.read_text())["components"]
    return sorted((one["name"], one["version"], licence_of(one.get("licenses", ()))) for one in components)


def licence_of(found: Iterable[dict[str, dict[str, str] | str]]) -> str:
    """Return the licences that a component names, in words."""
    names = []
    for one in found:
        licence = one.get("license", one.get("expression", ""))
        name = licence if isinstance(licence, str) else licence.get("id") or licence.get("name", "")
        names.append(name.strip().splitlines()[0] if name.strip() else "")
    return " or ".join(dict.fromkeys(filter(None, names))) or "not named"


def tried(wheel: Path, folder: Path, version: str) -> list[str]:
    """Load the wheel in an environment of its own on each Python that is here; return a line for each."""
    lines = []
    for python in PYTHONS:
        found = find(python)
        if found is None:
            lines.append(f"Python {python}: none here, not tried")
            continue
        own = environment(folder / python, str(found), wheel)
        done = subprocess.run([own, "-P", "-c", TRIED], capture_output=True, text=True, check=False, cwd=folder)
        if done.stdout.strip() != version:
            sys.exit(f"the wheel does not work on Python {python}:\n{done.stderr}")
        lines.append(f"Python {python}: the wheel alone is loaded")
    return lines


def main(target: Path) -> None:
    """Build, check, and say what was seen."""
    version, day = version_and_date()
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        built, again = build(target, day), build(place / "again", day)
        if built != again:
            sys.exit(f"two builds differ: {built} and {again}")
        print(*(f"{digest}  {name}" for name, digest in built.items()), "built twice, equal", sep="\n")
        print(
            uv_run("tool", "run", "--quiet", "twine", "check", "--strict", *(target / name for name in built)).strip()
        )
        (wheel,) = target.glob("*.whl")
        outside = [
            name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith(("nbchalice/", "nbchalice-"))
        ]
        if outside:
            sys.exit(f"the wheel holds what is not nbchalice's: {outside}")
        print(*tried(wheel, place, version), sep="\n")
        python = environment(place / "wheel", sys.executable, wheel)
        local = environment(place / "local", sys.executable, f"ministack=={MINISTACK_VERSION}")
        for name, own in (("nbchalice", python), ("local-aws", local)):
            file = target / f"{name}-{version}.cdx.json"
            parts = bill_of_materials(own, file, day)
            print(f"{file.name}: {len(parts)} packages")
            print(*(f"  {part} {number}: {licence}" for part, number, licence in parts), sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist")
