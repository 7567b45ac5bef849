"""A template in a folder, with the code that it refers to, and how it is deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from nbchalice.deploy.desired import App
from nbchalice.files import replace_file
from nbchalice.templates.cloudformation import Template
from nbchalice.templates.places import CODE_BUCKET
from nbchalice.templates.sam import FOLDER, for_sam
from nbchalice.templates.terraform import for_terraform
from nbchalice.templates.terraform_text import snake

TemplateFormat = Literal["cloudformation", "sam", "terraform"]
FILES = {"cloudformation": "template.json", "sam": "template.json", "terraform": "main.tf.json"}


def write(template: Template, out: Path, form: TemplateFormat, app: App) -> tuple[tuple[Path, ...], list[str]]:
    """Write a template and its code, and return the paths and the commands that deploy them.

    Parameters
    ----------
    template : Template
        The template, as CloudFormation takes it.
    out : Path
        The folder; it is made.
    form : TemplateFormat
        ``cloudformation``, ``sam`` or ``terraform``.
    app : App
        The app, for the stack's name.
    """
    body, files = template.body, template.files
    if form == "terraform":
        made = for_terraform(template)
        body, files = made.body, made.files
    elif form == "sam":
        body = for_sam(body)
    contents = {FILES[form]: (json.dumps(body, indent=2) + "\n").encode()}
    contents |= {f"{FOLDER}/{name}": content for name, content in files.items()}
    for name, content in contents.items():
        replace_file(out / name, content)
    from_bucket = (snake(CODE_BUCKET) in body["variable"]) if form == "terraform" else CODE_BUCKET in body["Parameters"]
    return tuple(out / name for name in contents), _how_to_deploy(out, form, app, from_bucket)


def _how_to_deploy(out: Path, form: TemplateFormat, app: App, from_bucket: bool) -> list[str]:
    """Return the commands, one in a line; names of functions are given, of roles not."""
    upload = [f"aws s3 cp --recursive {out / FOLDER} s3://BUCKET/"] if from_bucket else []
    if form == "terraform":
        given = f" -var {snake(CODE_BUCKET)}=BUCKET" if from_bucket else ""
        return ["deploy it with:", *upload, f"terraform -chdir={out} init", f"terraform -chdir={out} apply{given}"]
    stack = f"{app.name}-{app.stage}".replace("_", "-")
    given = f" --parameter-overrides {CODE_BUCKET}=BUCKET" if from_bucket else ""
    by = f"aws cloudformation deploy --template-file {out / FILES[form]} --stack-name {stack}"
    if form == "sam":
        by = f"sam deploy --template-file {out / FILES[form]} --stack-name {stack} --resolve-s3"
    return ["deploy it with:", *upload, f"{by} --capabilities CAPABILITY_IAM{given}"]
