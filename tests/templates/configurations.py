"""Configurations of Terraform: what is wrong with one by its form and by the provider's schema, and terraform itself."""

import json
import os
import platform
import re
import shutil
import subprocess
from functools import cache
from itertools import chain
from pathlib import Path

SCHEMAS = Path(__file__).with_name("terraform_schemas.json")
# Terraform: "JSON Configuration Syntax", "The depends_on Meta-Argument".
TOP = {"//", "terraform", "variable", "data", "resource", "output"}
META = {"depends_on"}
VARIABLE = {"type", "description", "default", "validation"}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
EXPRESSION = re.compile(r"(?<!\$)\$\{((?:[^{}\"]|\"[^\"]*\")*)\}")
REFERENCE = re.compile(r"\b(?:var|path|data|aws_\w+)(?:\.\w+)+")
FITS = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict) and all(isinstance(one, str) for one in value.values()),
}


@cache
def schemas():
    """What each recorded version of the provider takes: arguments and attributes by type, by version."""
    made = {}
    for row in json.loads(SCHEMAS.read_text()):
        made.setdefault(row["version"], {})[row["type"]] = row
    return made


def versions_for(body):
    """The recorded versions of the provider that a configuration asks for."""
    least, below = re.fullmatch(
        r">= ([\d.]+), < ([\d.]+)", body["terraform"]["required_providers"]["aws"]["version"]
    ).groups()
    return [one for one in schemas() if _numbers(least) <= _numbers(one) < _numbers(below)]


def _numbers(version):
    return [int(part) for part in version.split(".")]


def problems(body, version):
    """Yield what is wrong with a configuration, for a version of the provider."""
    yield from (f"unknown block {one}" for one in set(body) - TOP)
    for name, given in body.get("variable", {}).items():
        yield from (f"variable {name}: unknown {one}" for one in set(given) - VARIABLE)
    for kind, name, given in resources(body):
        if not NAME.fullmatch(name):
            yield f"{kind}.{name}: no name"
        if kind not in schemas()[version]:
            yield f"{kind}: unknown type"
            continue
        own = {one: value for one, value in given.items() if one not in META}
        yield from (f"{kind}.{name}: {text}" for text in _unfit(own, schemas()[version][kind]["arguments"]))
        for other in given.get("depends_on", []):
            if not _stands(body, other):
                yield f"{kind}.{name} waits for {other}, which is none"
    for text in texts({one: body[one] for one in body if one not in {"//"}}):
        yield from _wrong_in(body, text, schemas()[version])


def _unfit(given, arguments):
    yield from (f"{name} is missing" for name, one in arguments.items() if one["required"] and name not in given)
    for name, value in given.items():
        if name not in arguments:
            yield f"unknown argument {name}"
        elif arguments[name]["type"] == "block":
            for one in value if isinstance(value, list) else [value]:
                yield from (f"{name}: {text}" for text in _unfit(one, arguments[name]["inner"]))
        elif not FITS[arguments[name]["type"]](value):
            yield f"{name} is no {arguments[name]['type']}: {value!r}"


def _wrong_in(body, text, known):
    rest = EXPRESSION.sub("", text).replace("$${", "").replace("%%{", "")
    if "${" in rest or "%{" in rest:
        yield f"no template: {text}"
    for reference in references(text):
        head, *parts = reference.split(".")
        if head == "var" and parts[0] not in body.get("variable", {}):
            yield f"{reference} is not declared"
        if head == "data" and (
            not body.get("data", {}).get(parts[0]) or parts[2] not in known[f"data.{parts[0]}"]["attributes"]
        ):
            yield f"{reference} is not declared"
        if head.startswith("aws_") and not (
            _stands(body, f"{head}.{parts[0]}") and parts[1] in known[head]["attributes"]
        ):
            yield f"{reference} is not declared"


def _stands(body, address):
    kind, _, name = address.partition(".")
    return name in body["resource"].get(kind, {})


def references(text):
    """What the expressions in a text refer to."""
    return list(chain.from_iterable(REFERENCE.findall(re.sub(r'"[^"]*"', "", one)) for one in EXPRESSION.findall(text)))


def texts(value):
    """Yield all texts in a value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def resources(body):
    """Yield type, name and arguments of each resource."""
    for kind, named in body["resource"].items():
        for name, given in named.items():
            yield kind, name, given


def machine():
    """What providers call this kind of machine."""
    processor = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}_{processor}"


def mirrored():
    """The folders of this machine in which there is a provider for AWS, with its versions."""
    home = Path(os.environ.get("HOME", "/nowhere"))
    folders = [
        home / ".terraform.d/plugins",
        home / ".local/share/terraform/plugins",
        Path("/usr/local/share/terraform/plugins"),
    ]
    opt = Path("/opt")
    for folder in [*folders, *(opt.iterdir() if opt.is_dir() else [])]:
        for found in folder.glob(f"registry.terraform.io/hashicorp/aws/*/{machine()}"):
            yield folder, found.parent.name


class Terraform:
    """Terraform, with a provider for AWS that is on this machine, and an AWS."""

    def __init__(self, folder, version, at, place):
        self.version = version
        self._config = at / "terraform.rc"
        self._config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}"\n  }}\n}}\n')
        named = {"region_name": "AWS_REGION", "endpoint_url": "AWS_ENDPOINT_URL"}
        self._aws = {named.get(name, name.upper()): value for name, value in place.items()}

    @classmethod
    def here(cls, at, place):
        """Terraform, or None where it or the provider is missing."""
        found = max(mirrored(), key=lambda one: _numbers(one[1]), default=None) if shutil.which("terraform") else None
        return cls(*found, at, place) if found else None

    def run(self, folder, *words):
        """Run it, and return what it printed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        environment |= {
            "TF_CLI_CONFIG_FILE": str(self._config),
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            **self._aws,
        }
        command = ["terraform", words[0], "-no-color", *words[1:]]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(done.stdout + done.stderr)
        return done.stdout


class Failed(Exception):
    """Terraform has failed."""
