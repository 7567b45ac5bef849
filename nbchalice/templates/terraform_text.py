"""Texts of a configuration of Terraform: names, and expressions in texts that are else as they are.

In Terraform's JSON form each text is a template: ``${...}`` holds an expression, ``$${`` and ``%%{`` stand for what
would begin one. Until all is made, expressions stand between two code points that are no characters.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from nbchalice.typed import JSON

OPEN, CLOSE = "\ufdd0", "\ufdd1"


def expression(text: str) -> str:
    """Return an expression as a text may hold it until it is `written`."""
    return f"{OPEN}{text}{CLOSE}"


def substituted(text: str, expression_of: Callable[[str], str]) -> str:
    """Return a text of ``Fn::Sub`` with expressions in place of its variables."""
    return re.sub(r"\$\{!|\$\{([^}]+)\}", lambda one: expression(expression_of(one[1])) if one[1] else "${", text)


def written(value: object) -> object:
    """Return a value as Terraform reads it."""
    if isinstance(value, Mapping):
        return {cast("str", written(name)): written(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [written(inner) for inner in value]
    if not isinstance(value, str):
        return value
    text = value.replace("${", "$${").replace("%{", "%%{")
    # A "$" before an expression would make a text of it.
    text = re.sub(rf"\$+(?={OPEN})", lambda found: f'{OPEN}"{found[0]}"{CLOSE}', text)
    return text.replace(OPEN, "${").replace(CLOSE, "}")


def snake(name: str) -> str:
    """Return what a name of CloudFormation is here: ``event_source_arn`` for ``EventSourceArn``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def named(names: Iterable[str]) -> dict[str, str]:
    """Return the name here of each: ``price_function`` for ``PriceFunction``, with a hash where two would share one."""
    made: dict[str, str] = {}
    for one in names:
        name = snake(one)
        # Names of Terraform begin with no digit.
        name = f"_{name}" if name[0].isdigit() else name
        made[one] = f"{name}_{hashlib.sha256(one.encode()).hexdigest()[:8]}" if name in made.values() else name
    return made


def mapped(tags: Iterable[Mapping[str, object]]) -> JSON:
    """Return tags as a map."""
    return {str(tag["Key"]): tag["Value"] for tag in tags}
