"""A template in a folder, with the code that it refers to, and how it is deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from nbchalice.deploy.desired import App
from nbchalice.templates.cloudformation import Template
from nbchalice.templates.places import CODE_BUCKET
from nbchalice.templates.sam import FOLDER, for_sam

TemplateFormat = Literal["cloudformation", "sam"]
FILE = "template.json"


def write(template: Template, out: Path, form: TemplateFormat, app: App) -> tuple[tuple[Path, ...], list[str]]:
    """Write a template and its code, and return the paths and the commands that deploy them.

    Parameters
    ----------
    template : Template
        The template, as CloudFormation takes it.
    out : Path
        The folder; it is made.
    form : TemplateFormat
        ``cloudformation`` or ``sam``.
    app : App
        The app, for the stack's name.
    """
    body = for_sam(template.body) if form == "sam" else template.body
    contents = {FILE: (json.dumps(body, indent=2) + "\n").encode()}
    contents |= {f"{FOLDER}/{name}": content for name, content in template.files.items()}
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (out / name).write_bytes(content)
    return tuple(out / name for name in contents), _how_to_deploy(out, form, app, CODE_BUCKET in body["Parameters"])


def _how_to_deploy(out: Path, form: TemplateFormat, app: App, from_bucket: bool) -> list[str]:
    """Return the commands, one in a line; names of functions are given, of roles not."""
    stack = f"{app.name}-{app.stage}".replace("_", "-")
    given = f" --parameter-overrides {CODE_BUCKET}=BUCKET" if from_bucket else ""
    upload = [f"aws s3 cp --recursive {out / FOLDER} s3://BUCKET/"] if from_bucket else []
    by = f"aws cloudformation deploy --template-file {out / FILE} --stack-name {stack}"
    if form == "sam":
        by = f"sam deploy --template-file {out / FILE} --stack-name {stack} --resolve-s3"
    return ["deploy it with:", *upload, f"{by} --capabilities CAPABILITY_IAM{given}"]
