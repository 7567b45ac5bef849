"""What is released can be made again by anybody, and says truly what it is and needs."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import nbchalice
from nbchalice.aws.local.client.environment import MINISTACK_VERSION
from tests.interpreters import VERSIONS, find

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ROW = re.compile(r"^\| ([\w-]+) \| ([^|]+) \| [^|]+ \|$", re.M)


def test_the_version_is_one_and_the_changelog_has_its_day():
    version = PROJECT["version"]
    assert nbchalice.__version__ == version
    released = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    names = [name for name, _ in released if name != "Unreleased"]
    assert names[0] == version
    assert names == sorted(names, key=lambda name: tuple(map(int, name.split("."))), reverse=True)
    days = [day for name, day in released if name != "Unreleased"]
    assert all(days) and days == sorted(days, reverse=True)


def test_each_package_that_is_installed_with_it_has_its_licence_in_the_table():
    told = {
        name: licence for name, licence in ROW.findall((ROOT / "docs" / "licences.md").read_text()) if name != "package"
    }
    assert set(told) == {re.split(r"[<>=!~; ]", line)[0] for line in PROJECT["dependencies"]}
    for name, licence in told.items():
        about = metadata.metadata(name)
        given = about["License-Expression"] or " ".join(
            [about["License"] or "", *(one for one in about.get_all("Classifier") or () if one.startswith("License"))]
        )
        family = licence.partition("-")[0]
        assert given == licence or family in given, (name, licence, given)


def test_no_code_of_others_is_in_the_package():
    for path in (ROOT / "nbchalice").rglob("*"):
        if path.suffix in {".py", ".js", ".css"}:
            assert not re.search(r"Copyright|SPDX-License|Licensed under|@license", path.read_text()), path


@pytest.mark.slow
def test_two_builds_are_equal_and_their_metadata_and_bills_of_materials_are_whole(tmp_path):
    command = [sys.executable, "-m", "scripts.build_release", str(tmp_path / "dist")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "built twice, equal" in lines and done.stdout.count("PASSED") == 2
    assert [line for line in lines if line.endswith("the wheel alone is loaded")] == [
        f"Python {version}: the wheel alone is loaded" for version in (*VERSIONS, "3.15") if find(version)
    ]
    version = PROJECT["version"]
    packages = {}
    for name in ("nbchalice", "local-aws"):
        bill = json.loads((tmp_path / "dist" / f"{name}-{version}.cdx.json").read_text())
        assert bill["bomFormat"] == "CycloneDX"
        packages[name] = {(one["name"].lower(), one["version"]) for one in bill["components"]}
    assert ("nbchalice", version) in packages["nbchalice"] and ("ministack", MINISTACK_VERSION) in packages["local-aws"]
    assert {re.split(r"[<>=!~; ]", line)[0] for line in PROJECT["dependencies"]} <= {
        n for n, _ in packages["nbchalice"]
    }
