"""Fills docs/reference.md, and the policy of docs/real-aws.md, from what the code declares; --check compares them.

.venv/bin/python scripts/write_reference.py [--check]
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import click

import nbchalice
import nbchalice.testing
from nbchalice.config import KEYS
from nbchalice.deploy.desired import App
from nbchalice.deploy.package import Package
from nbchalice.doctor.permissions import Place
from nbchalice.doctor.policy import policy_of
from nbchalice.error_codes import CODES
from nbchalice.handlers import META, SETTINGS, Handler
from nbchalice.handlers.line import opposite
from nbchalice.runtime.app import Trigger
from nbchalice.runtime.entry_points import forget_other_packages
from nbchalice.sources import SOURCES
from nbchalice.sources.base import Source
from nbchalice.sources.options import Option
from nbchalice.ui.commands import APP, COMMANDS, Command, click_command

# The reference is nbchalice's; what else is installed here does not stand in it.
forget_other_packages()

DOCS = Path(__file__).parent.parent / "docs"
PATH, REAL_AWS = DOCS / "reference.md", DOCS / "real-aws.md"
BLOCK = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)
COMMON = {"stage", "target", "json", "execute"}
ERRORS = ("Error", "Interrupted")
INHERITED = {"`to_dict()`", "`unfinished()`"}


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def flag_of(option: Option) -> str:
    """Return an option as it is typed."""
    if option.type is bool:
        return f"`{option.flag}`, `{opposite(option.flag)}`"
    return f"`{option.flag} {option.metavar}`"


def meaning(option: Option) -> str:
    """Return what an option does, and what it allows."""
    parts = [option.help]
    if option.choices:
        parts.append(f"one of {', '.join(f'`{choice}`' for choice in option.choices)}")
    if option.minimum is not None and option.maximum is not None:
        parts.append(f"{option.minimum} to {option.maximum}")
    if option.repeats:
        parts.append("may repeat")
    return "; ".join(parts)


def default_of(option: Option) -> str:
    """Return an option's default, or nothing."""
    if option.default is None or option.default == "":
        return ""
    return f"`{str(option.default).lower() if option.type is bool else option.default}`"


def options_table(options: Iterable[Option]) -> str:
    """Return the table of options."""
    return table(("option", "default", "meaning"), [(flag_of(o), default_of(o), meaning(o)) for o in options])


def magic(source: Source) -> str:
    """Return the section of a cell magic."""
    argument = source.argument
    head = f"### `%%{source.name}{f' {argument.metavar}' if argument else ''}`"
    told = f"{argument.metavar}: {argument.help}. " if argument else ""
    text = f"{told}Decorator: `@app.{source.name}(...)`. Event: `{source.kind.event_class.__name__}`."
    lines = [f"%%{source.name} {line}".rstrip() for line in source.examples]
    shown = f"For example {' or '.join(f'`{line}`' for line in lines)}."
    return "\n\n".join([head, text, shown, *([options_table(source.options)] if source.options else [])])


def plain(text: str) -> str:
    """Return a help text as paragraphs in Markdown."""
    return inspect.cleandoc(text).replace("<", "&lt;")


def usage(found: Command) -> str:
    """Return how a command is typed, in the notebook and in a shell."""
    words = []
    for param in click_command(found, cli=False).params:
        if isinstance(param, click.Argument):
            choice = "|".join(param.type.choices) if isinstance(param.type, click.Choice) else str(param.name).upper()
            words.append(choice if param.required else f"[{choice}]")
    line = " ".join([f"`%chalice {found.name}", *words]) + "`"
    if found is APP:
        return line
    shell = " ".join([f"`nbchalice {found.name}", *(["NOTEBOOK"] if found.notebook else []), *words]) + "`"
    return f"{line}, {shell}"


def command(found: Command) -> str:
    """Return the section of a command."""
    rows = []
    for param in click_command(found, cli=True).params:
        if not isinstance(param, click.Option) or param.name in COMMON:
            continue
        value = "" if param.is_flag else f" {param.make_metavar(click.Context(click_command(found, cli=True)))}"
        default = f"`{param.default}`" if param.show_default else ""
        rows.append((f"`{param.opts[0]}{value}`", default, param.help or ""))
    parts = [f"### `{found.name}`", f"{usage(found)}\n\n{plain(found.help)}"]
    return "\n\n".join([*parts, *([table(("option", "default", "meaning"), rows)] if rows else [])])


def common() -> str:
    """Return the options that nearly all commands have."""
    made = click_command(next(one for one in COMMANDS.values() if one.notebook), cli=True)
    rows = []
    for param in made.params:
        if isinstance(param, click.Option) and param.name in COMMON:
            value = "" if param.is_flag else f" {param.make_metavar(click.Context(made))}"
            where = "command line" if param.name in {"json", "execute"} else "both"
            rows.append((f"`{param.opts[0]}{value}`", where, param.help or ""))
    return table(("option", "where", "meaning"), rows)


def attributes(name: str) -> Iterator[tuple[str, str]]:
    """Yield the attributes and methods of an event class, each with its first line of help."""
    seen = set()
    for base in getattr(nbchalice, name).__mro__[:-1]:
        for key, value in vars(base).items():
            is_method = inspect.isfunction(value)
            if key.startswith("_") or key in seen or not (is_method or isinstance(value, property)):
                continue
            seen.add(key)
            text = (value.__doc__ or "").strip().split("\n")[0].replace("``", "`")
            call = "()" if is_method else ""
            yield f"`{key}{call}`", text if text.endswith("...") else text.removesuffix(".")


def events() -> str:
    """Return the sections of the event classes that have attributes of their own."""
    names = sorted(name for name in nbchalice.__all__ if name.endswith(("Event", "Record")))
    sections = []
    for name in names:
        if rows := [row for row in attributes(name) if row[0] not in INHERITED]:
            sections.append(f"### `{name}`\n\n{table(('attribute', 'meaning'), rows)}")
    return "\n\n".join(sections)


def for_tests() -> str:
    """Return the table of what `nbchalice.testing` has."""
    rows = []
    for name in nbchalice.testing.__all__:
        thing = getattr(nbchalice.testing, name)
        meaning = inspect.getdoc(thing).split("\n")[0].removesuffix(".")
        rows.append((f"`{name}({', '.join(inspect.signature(thing).parameters)})`", meaning))
    return table(("name", "meaning"), rows)


def given(value: ast.expr | None) -> Iterator[str]:
    """Yield the texts that an expression may come to."""
    if isinstance(value, ast.IfExp):
        yield from given(value.body)
        yield from given(value.orelse)
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value


def codes_in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the codes that a module gives to errors: where one is made, or for a class of them. With it, the class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith(ERRORS):
            for keyword in node.keywords:
                if keyword.arg == "code":
                    yield from ((code, node.func.id) for code in given(keyword.value))
        elif isinstance(node, ast.ClassDef) and node.name.endswith(ERRORS):
            for line in node.body:
                if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                    yield from ((code, node.name) for code in given(line.value))


def codes_used() -> dict[str, set[str]]:
    """Return each code that the source gives to an error, with the classes that have it."""
    used: dict[str, set[str]] = {}
    for path in Path(nbchalice.__file__).parent.rglob("*.py"):
        for code, name in codes_in(ast.parse(path.read_text())):
            used.setdefault(code, set()).add(name)
    return used


def errors() -> str:
    """Return the table of the errors' codes."""
    used = codes_used()
    rows = []
    for code, meant in CODES.items():
        classes = ", ".join(f"`{name}`" for name in sorted(used[code]))
        rows.append((f"`{code}`", classes, meant.removesuffix(".")))
    return table(("code", "class", "meaning"), rows)


UNBROKEN = {"break_long_words": False, "break_on_hyphens": False}
# An app with each source, with packages and a bundle that is too big for a zip.
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/prices/stream/2030-01-01T00:00:00.000"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"
SIGNING = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-0a1b2c3d4e5f67890"
EXAMPLE: dict[str, tuple[str, dict[str, object], dict[str, object]]] = {
    "tick": ("schedule", {"expression": "rate(5 minutes)"}, {}),
    "report": ("schedule", {"expression": "cron(0 9 ? * MON-FRI *)", "timezone": "Europe/Vienna"}, {}),
    "ingest": ("on_s3_event", {"bucket": "uploads", "prefix": "in/", "suffix": ".csv"}, {}),
    "announce": ("on_sns_message", {"topic": "news"}, {"on_failure": "failed"}),
    "price": ("on_sqs_message", {"queue": "orders", "fix_visibility_timeout": True}, {"reserved_concurrency": 5}),
    "shipped": ("on_cw_event", {"event_pattern": {"source": ["shop"]}, "bus": "shop"}, {"tag": {"team": "shop"}}),
    "answer": (
        "lambda_function",
        {"url": "iam"},
        {"log_kms_key": KEY, "code_signing": SIGNING, "runtime_management": "FunctionUpdate"},
    ),
    "click": ("on_kinesis_record", {"stream": "clicks"}, {}),
    "changed": ("on_dynamodb_record", {"stream_arn": TABLE}, {}),
}


def policy() -> str:
    """Return the policy of who deploys the example, and what that is."""
    handlers = tuple(
        Handler(name, name, (Trigger(source, options),), settings)
        for name, (source, options, settings) in EXAMPLE.items()
    )
    whole = Package(b"", "", "3.13", layer=Stored(), bundles=(Stored(),))
    place = Place("eu-west-1", "111122223333")
    document = policy_of(App("shop", "dev", handlers), dict.fromkeys(EXAMPLE, whole), place)
    statements = ",\n".join(map(in_lines, document["Statement"]))
    magics = ", ".join(f"`%%{source}`" for source in dict.fromkeys(source for source, *_ in EXAMPLE.values()))
    head = f"This is the policy of an app `shop` with each source ({magics}), with packages and a large bundle:"
    head = textwrap.fill(head, 120, **UNBROKEN)
    return f'{head}\n\n```json\n{{"Version": "2012-10-17", "Statement": [\n{statements}\n]}}\n```'


def in_lines(statement: dict[str, object]) -> str:
    """Return a statement of a policy in lines that fit a page."""
    parts = [f'  {{"Sid": "{statement["Sid"]}", "Effect": "Allow"']
    for name in ("Action", "Resource", "Condition"):
        if name in statement:
            text = f'"{name}": {json.dumps(statement[name])}'
            parts.append(textwrap.fill(text, 116, initial_indent=" " * 3, subsequent_indent=" " * 5, **UNBROKEN))
    return ",\n".join(parts) + "}"


class Stored:
    """Stands for a layer, and for a bundle."""

    name = "model"
    sha256 = key = "0" * 64
    size = zip_size = 1

    def read(self) -> bytes:
        """Return nothing: it is only named."""
        return b""

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Return nothing, either."""
        return BytesIO()


def blocks() -> dict[str, str]:
    """Return the text of each generated block."""
    return {
        "magics": "\n\n".join(map(magic, SOURCES.values())),
        "settings": options_table([*SETTINGS, *META]),
        "commands": "\n\n".join(map(command, [APP, *COMMANDS.values()])),
        "common": common(),
        "config": table(
            ("key", "option"), [(f"`{key}`", f"`--{name.replace('_', '-')}`") for key, name in KEYS.items()]
        ),
        "events": events(),
        "testing": for_tests(),
        "errors": errors(),
        "policy": policy(),
    }


def filled(text: str) -> str:
    """Return the page with its generated blocks written anew."""
    made = blocks()
    return BLOCK.sub(lambda match: f"{match[1]}{made[match[2]]}\n{match[3]}", text)


def main() -> int:
    """Write the page, or check it."""
    texts = {path: path.read_text() for path in (PATH, REAL_AWS)}
    stale = [path for path, text in texts.items() if filled(text) != text]
    if sys.argv[1:] == ["--check"]:
        for path in stale:
            print(f"{path.name} is not up to date: .venv/bin/python scripts/write_reference.py", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(filled(texts[path]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
