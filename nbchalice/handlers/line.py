"""The line of a cell magic: read by the options that its source and the function's settings declare."""

from __future__ import annotations

import argparse
import re
import shlex
from dataclasses import dataclass
from typing import Any, NoReturn

from nbchalice.errors import InvalidInputError
from nbchalice.handlers.settings import META, SETTINGS, name_problems, settings_problems, tidy_settings
from nbchalice.sources import SOURCES
from nbchalice.sources.base import Source
from nbchalice.sources.options import Option
from nbchalice.text import near


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
    also: further triggers: pairs of the source's name and its options.
    """

    source: str
    options: dict[str, Any]
    settings: dict[str, Any]
    handler: str | None = None
    name: str | None = None
    also: tuple[tuple[str, dict[str, Any]], ...] = ()

    @property
    def triggers(self) -> list[tuple[str, dict[str, Any]]]:
        """All triggers, this magic's own first."""
        return [(self.source, self.options), *self.also]


class HelpShown(Exception):
    """`--help` was given; the text is the help."""


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of printing and leaving."""

    def error(self, message: str) -> NoReturn:
        told = re.sub(r"^argument (--[\w-]+)(?:[/,] ?--[\w-]+)*:? ", r"\1 ", message)
        told = told.replace("expected one argument", "wants a value")
        told = re.sub(r"ignored explicit argument '?(.*?)'?$", r"takes no value, not \1", told)
        raise InvalidInputError(f"{self.prog}: {told}", f"{self.prog} --help lists the options")

    def print_help(self, file: Any = None) -> None:
        """Print nothing: `exit` hands the help on."""

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise HelpShown(self.format_help())


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


def magic_parser(source: Source, more: tuple[Option, ...] = (*SETTINGS, *META)) -> argparse.ArgumentParser:
    """Return the parser of a cell magic's line, made from the options the source declares."""
    parser = _Parser(
        prog=f"%%{source.name}",
        usage=f"%%%%{source.name} {source.argument.metavar + ' ' if source.argument else ''}[OPTIONS]",
        description=f"The cell's function handles events of: {source.title}.",
        epilog=f"Example: %%{source.name} {source.examples[0]}" if source.examples else None,
        allow_abbrev=False,
    )
    if source.argument:
        parser.add_argument(
            source.argument.name,
            nargs="*",
            metavar=source.argument.metavar,
            help=source.argument.help.replace("%", "%%"),
        )
    for option in (*source.options, *more):
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
    given = read_values(source, line, (*SETTINGS, *META))
    settings = tidy_settings({option.name: given[option.name] for option in SETTINGS if option.name in given})
    options = {option.name: given[option.name] for option in source.all_options() if option.name in given}
    also = tuple(_read_also(text, f"%%{magic}") for text in given.get("also") or [])
    found = CellMagic(magic, options, settings, given.get("handler"), given.get("name"), also)
    wrong = source.problems(options) + settings_problems(settings) + name_problems(found.name)
    if not wrong:
        wrong = trigger_problems(found.triggers, settings)
    if wrong:
        raise InvalidInputError(f"%%{magic}: {'; '.join(wrong)}", f"%%{magic} --help lists the options")
    return found


def trigger_problems(triggers: list[tuple[str, dict[str, Any]]], settings: dict[str, Any]) -> list[str]:
    """Return how the triggers of one function contradict each other, or its settings."""
    found = []
    for name, options in triggers:
        found += SOURCES[name].check_settings(options, settings)
    for number, (name, options) in enumerate(triggers):
        for other, others in triggers[number + 1 :]:
            if name == other and (wrong := SOURCES[name].clash(options, others, same_function=True)):
                found.append(wrong)
    asynchronous = any(SOURCES[name].asynchronous for name, _ in triggers)
    if settings.get("on_failure") and not asynchronous:
        found.append("--on-failure is for asynchronous events; the events of a queue or stream take --dlq")
    if asynchronous and str(settings.get("dlq") or "").endswith(".fifo"):
        found.append("--dlq of asynchronous events must be a standard queue, not a FIFO one")
    return found


def read_values(source: Source, line: str, more: tuple[Option, ...]) -> dict[str, Any]:
    """Return the values that a cell magic's line gives, by name, as yet unchecked.

    Parameters
    ----------
    source: the source whose magic it is.
    line: the rest of the line.
    more: options beside the source's own.

    Raises
    ------
    InvalidInputError: the line cannot be read, or has an option that is not known.
    """
    magic = f"%%{source.name}"
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidInputError(f"{magic}: {str(error).lower()} in {line!r}", "close the quote") from None
    values, strange = magic_parser(source, more).parse_known_args(words)
    if strange:
        raise _strange(source, strange, more)
    given = {name: value for name, value in vars(values).items() if value not in (None, [])}
    if source.argument and source.argument.name in given:
        # rate(5 minutes) arrives as two words.
        text = " ".join(given[source.argument.name])
        given[source.argument.name] = _argument(source, text)
    return given


def _argument(source: Source, text: str) -> Any:
    assert source.argument is not None
    try:
        return source.argument.type(text)
    except ValueError as error:
        raise InvalidInputError(
            f"%%{source.name}: {source.argument.metavar} {error}", f"%%{source.name} --help lists the options"
        ) from None


def _strange(source: Source, words: list[str], more: tuple[Option, ...]) -> InvalidInputError:
    """Return the error for words that are no options of a magic."""
    magic = f"%%{source.name}"
    flags = [option.flag for option in (*source.options, *more)]
    unknown = next((word.partition("=")[0] for word in words if word.startswith("--")), None)
    if unknown is None:
        text = (
            f"{magic}: what is {words[0]!r}?"
            if len(words) == 1
            else f"{magic}: what are {', '.join(map(repr, words))}?"
        )
        return InvalidInputError(text, "put a value with blanks or quotes into quotes: --option '...'")
    guess = near(unknown, flags)
    hint = guess if guess.startswith("did") else f"{magic} --help lists the options"
    return InvalidInputError(f"{magic} has no option {unknown}", hint)


def _read_also(text: str, magic: str) -> tuple[str, dict[str, Any]]:
    """Read the value of `--also`: a magic line of a source, without settings of the function."""
    name, _, line = text.strip().removeprefix("%%").partition(" ")
    if name not in SOURCES or not SOURCES[name].triggered:
        known = [known for known, source in SOURCES.items() if source.triggered]
        raise InvalidInputError(f"{magic}: --also {name!r} is no trigger; {near(name, known)}", "--also 'TRIGGER ...'")
    source = SOURCES[name]
    if settings := [option.flag for option in SETTINGS if re.search(rf"(?<!\S){option.flag}(?![\w-])", line)]:
        raise InvalidInputError(
            f"{magic}: --also {name!r} has {settings[0]}, which is for the function",
            f"put {settings[0]} behind {magic}",
        )
    given = read_values(source, line, ())
    options = {option.name: given[option.name] for option in source.all_options() if option.name in given}
    if wrong := source.problems(options):
        raise InvalidInputError(f"{magic}: --also {name}: {'; '.join(wrong)}", f"%%{name} --help lists the options")
    return name, options
