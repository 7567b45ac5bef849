"""Handlers and the settings of their functions, from cell magics and decorators alike."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from nbchalice.errors import InvalidInputError, Location
from nbchalice.runtime.app import Trigger
from nbchalice.sources import SOURCES
from nbchalice.sources.base import Source
from nbchalice.sources.options import Option, fill, problems

RUNTIMES = ("3.11", "3.12", "3.13", "3.14")
RESERVED_ENV = (
    "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER", "_X_AMZN_TRACE_ID",
)  # fmt: skip
MOST_ENV_BYTES = 4096
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


def pair(text: str) -> tuple[str, str]:
    """Read NAME=VALUE; raise ValueError where there is no =."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise ValueError(f"wants NAME=VALUE, not {text!r}")
    return name, value


# Options of every handler, beside its source's own. Ranges are those of Lambda: "Lambda quotas".
SETTINGS = (
    Option("timeout", "seconds a run may take", int, 60, "SECONDS", minimum=1, maximum=900),
    Option("memory", "memory of the function", int, 128, "MB", minimum=128, maximum=10_240),
    Option("env", "environment variable", pair, None, "NAME=VALUE", repeats=True),
    Option("tag", "tag of the function", pair, None, "NAME=VALUE", repeats=True),
    Option("role", "ARN of an existing role, instead of one made for the function", metavar="ARN"),
    Option("policy", "file with a policy document for the role (JSON)", metavar="FILE"),
    Option("allow", "what the role may do besides, for example s3:PutObject=arn:...", pair, None, "ACTION=ARN", True),
    Option("layer", "ARN of a layer version to add", str, None, "ARN", repeats=True),
    Option("arch", "processor", metavar="ARCH", default="x86_64", choices=("x86_64", "arm64")),
    Option("python", "Python on Lambda; default: the kernel's", metavar="VERSION", choices=RUNTIMES),
    Option("requirements", "file with requirements, instead of what the imports tell", metavar="FILE"),
    Option("reserved_concurrency", "most runs at once", int, None, "N", minimum=0, maximum=1000),
    Option("log_retention", "days after which CloudWatch drops logs; default: never", int, None, "DAYS"),
    Option("dlq", "queue for asynchronous events that failed for good (name or ARN)", metavar="QUEUE"),
)
META = (
    Option("handler", "which of the cell's functions is the handler", metavar="NAME"),
    Option("name", "the handler's name on AWS; default: the function's", metavar="NAME"),
)


@dataclass(frozen=True)
class CellMagic:
    """What the line of a cell magic says.

    Parameters
    ----------
    source: name of the event source, for example ``on_sqs_message``.
    options: the source's options that were given.
    settings: the function's settings that were given.
    handler: which function of the cell, or None.
    name: the handler's name, or None.
    """

    source: str
    options: dict[str, Any]
    settings: dict[str, Any]
    handler: str | None = None
    name: str | None = None


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of printing and leaving."""

    def error(self, message: str) -> NoReturn:
        raise InvalidInputError(f"{self.prog}: {message}", f"{self.prog} --help lists the options")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise HelpShown(self.format_help())


class HelpShown(Exception):
    """`--help` was given; the text is the help."""


def _converter(option: Option) -> Any:
    def convert(text: str) -> Any:
        try:
            return option.type(text)
        except ValueError as error:
            wrong = f"wants a whole number, not {text!r}" if option.type is int else str(error)
            raise argparse.ArgumentTypeError(wrong) from None

    return convert


def _add(parser: argparse.ArgumentParser, option: Option) -> None:
    if option.type is bool:
        parser.add_argument(
            option.flag, dest=option.name, action=argparse.BooleanOptionalAction, default=None, help=option.help
        )
        return
    parser.add_argument(
        option.flag,
        dest=option.name,
        type=_converter(option),
        action="append" if option.repeats else "store",
        default=None,
        metavar=option.metavar,
        help=option.help.replace("%", "%%"),
    )


def magic_parser(source: Source) -> argparse.ArgumentParser:
    """Return the parser of a cell magic's line, made from the options the source declares."""
    parser = _Parser(
        prog=f"%%{source.name}",
        description=f"The cell's function handles events of: {source.title}.",
        allow_abbrev=False,
    )
    if source.argument:
        optional = any(option.name == f"{source.argument.name}_arn" for option in source.options)
        nargs = "*" if optional else "+"
        parser.add_argument(
            source.argument.name, nargs=nargs, metavar=source.argument.metavar, help=source.argument.help
        )
    for option in (*source.options, *SETTINGS, *META):
        _add(parser, option)
    return parser


def parse_cell_magic(magic: str, line: str) -> CellMagic:
    """Read the line of a cell magic.

    Parameters
    ----------
    magic: the magic's name without ``%%``.
    line: the rest of the line; quoted as in a shell.

    Raises
    ------
    InvalidInputError: the line cannot be read, an option is unknown, or a value is out of range.
    HelpShown: ``--help`` was given.
    """
    source = SOURCES[magic]
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidInputError(f"%%{magic}: {error} in {line!r}", "close the quote") from None
    given = {name: value for name, value in vars(magic_parser(source).parse_args(words)).items() if value is not None}
    if source.argument and source.argument.name in given:
        # rate(5 minutes) arrives as two words.
        joined = " ".join(given[source.argument.name])
        given[source.argument.name] = joined or None
        if not joined:
            del given[source.argument.name]
    settings = {option.name: given[option.name] for option in SETTINGS if option.name in given}
    options = {option.name: given[option.name] for option in source.all_options() if option.name in given}
    found = CellMagic(magic, options, tidy_settings(settings), given.get("handler"), given.get("name"))
    wrong = source.problems(options) + settings_problems(found.settings) + name_problems(found.name)
    if wrong:
        raise InvalidInputError(f"%%{magic}: {'; '.join(wrong)}", f"%%{magic} --help lists the options")
    return found


def tidy_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with env and tag as dictionaries; a decorator may give them as such."""
    tidy = dict(settings)
    for name in ("env", "tag"):
        if isinstance(tidy.get(name), list | tuple):
            tidy[name] = dict(tidy[name])
    if isinstance(tidy.get("allow"), Mapping):
        tidy["allow"] = [(action, arn) for action, arn in tidy["allow"].items()]
    return tidy


def settings_problems(settings: Mapping[str, Any]) -> list[str]:
    """Return what Lambda would reject in the settings of a function (Lambda: CreateFunction)."""
    found = problems(SETTINGS, settings)
    env = settings.get("env") or {}
    found += [f"--env {name} is reserved by Lambda" for name in env if name in RESERVED_ENV]
    bad = [name for name in env if not name.replace("_", "").isalnum() or not name[0].isalpha()]
    found += [f"--env {name!r} is no variable name: a letter, then letters, digits and _" for name in bad]
    size = sum(len(f"{name}{value}".encode()) for name, value in env.items())
    if size > MOST_ENV_BYTES:
        found.append(f"--env is {size} bytes in all; Lambda takes {MOST_ENV_BYTES}")
    reserved = [name for name in settings.get("tag") or {} if name.lower().startswith(("aws:", "nbchalice:"))]
    found += [f"--tag {name} begins with a reserved prefix" for name in reserved]
    days = settings.get("log_retention")
    if days is not None and days not in RETENTION_DAYS:
        found.append(f"--log-retention is one of {', '.join(map(str, RETENTION_DAYS))}, not {days}")
    if len(settings.get("layer") or []) > 5:
        found.append("--layer may be given up to five times")
    return found


def name_problems(name: str | None) -> list[str]:
    """Return what is wrong with a handler's name."""
    if name is None or re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        return []
    return [f"--name {name!r} is no name: letters, digits, - and _"]


@dataclass(frozen=True)
class Handler:
    """A function of the notebook that handles events.

    Parameters
    ----------
    name: its name on AWS, within app and stage.
    function: the name of the Python function.
    triggers: what invokes it.
    settings: the settings that were given, by name.
    location: where it stands in the notebook.
    order: position of the execution of the cell that defines it, or None for the last definition.
    """

    name: str
    function: str
    triggers: tuple[Trigger, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    location: Location | None = None
    order: int | None = field(default=None, compare=False)

    def setting(self, name: str) -> Any:
        """Return a setting of the function, or its default."""
        return fill(SETTINGS, self.settings)[name]

    def sources(self) -> list[tuple[Source, dict[str, Any]]]:
        """Return each trigger's source and options."""
        return [(SOURCES[trigger.source], trigger.options) for trigger in self.triggers]

    def describe(self) -> str:
        """Return the triggers in a few words."""
        return "; ".join(source.describe(options) for source, options in self.sources())

    def problems(self) -> list[InvalidInputError]:
        """Return what is wrong with the handler, without asking AWS."""
        texts = name_problems(self.name) + settings_problems(self.settings)
        for source, options in self.sources():
            texts += [f"@app.{source.name}: {text}" for text in source.problems(options)]
        return [InvalidInputError(f"handler {self.name}: {text}", None, self.location) for text in texts]
