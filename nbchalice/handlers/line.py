"""The line of a cell magic: read by the options that its source and the function's settings declare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

import click

from nbchalice.errors import InvalidInputError
from nbchalice.handlers.settings import META, SETTINGS, name_problems, settings_problems, tidy_settings
from nbchalice.handlers.words import split_line
from nbchalice.sources import SOURCES
from nbchalice.sources.base import Source
from nbchalice.sources.options import Option
from nbchalice.text import joined, near
from nbchalice.typed import JSON

PER_RECORD_REPORTS = (
    "--per-record reports each record that fails, so that it alone comes back: leave out --no-report-failures"
)


@dataclass(frozen=True)
class CellMagic:
    """What the line of a cell magic says.

    Parameters
    ----------
    source : str
        Name of the event source, for example ``on_sqs_message``.
    options : JSON
        The source's options that were given.
    settings : JSON
        The function's settings that were given.
    handler : str or None
        Which function of the cell, or None.
    name : str or None
        The handler's name, or None.
    also : tuple[tuple[str, JSON], ...]
        Further triggers: pairs of the source's name and its options.
    """

    source: str
    options: JSON
    settings: JSON
    handler: str | None = None
    name: str | None = None
    also: tuple[tuple[str, JSON], ...] = ()

    @property
    def triggers(self) -> list[tuple[str, JSON]]:
        """All triggers, this magic's own first."""
        return [(self.source, self.options), *self.also]


class HelpShown(Exception):
    """`--help` was given; the text is the help."""


class _Value(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """The value of an option, as the option's own type reads it."""

    def __init__(self, option: Option) -> None:
        self.name, self._option = option.metavar, option

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Return the value; one that cannot be read is a usage error."""
        try:
            return self._option.type(value)
        except ValueError as error:
            wrong = f"wants a whole number, not {value!r}" if self._option.type is int else str(error)
            raise click.UsageError(f"{self._option.flag} {wrong}") from None


class _Magic(click.Command):
    """A cell magic's line as a command: its argument may have blanks, so that `rate(5 minutes)` needs no quotes."""

    def __init__(self, source: Source, params: list[click.Parameter]) -> None:
        text = f"The cell's function handles events of: {source.title}."
        epilog = f"Example: %%{source.name} {source.examples[0]}" if source.examples else None
        super().__init__(f"%%{source.name}", params=params, help=text, epilog=epilog, add_help_option=False)
        self.allow_extra_args = True
        self._argument = source.argument

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the line in short."""
        formatter.write_usage(str(self.name), f"{self._argument.metavar} [OPTIONS]" if self._argument else "[OPTIONS]")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the argument, then the options."""
        if self._argument:
            with formatter.section("Argument"):
                formatter.write_dl([(self._argument.metavar, self._argument.help)])
        super().format_options(ctx, formatter)


def opposite(flag: str) -> str:
    """Return the flag that says the contrary: ``--no-per-record``, and ``--big`` for ``--no-big``."""
    name = flag.removeprefix("--")
    return f"--{name.removeprefix('no-')}" if name.startswith("no-") else f"--no-{name}"


def _option(option: Option) -> click.Option:
    if option.type is bool:
        flags = f"{option.flag}/{opposite(option.flag)}"
        return click.Option([flags, option.name], default=None, help=option.help)
    return click.Option(
        [option.flag, option.name],
        type=_Value(option),
        multiple=option.repeats,
        default=None,
        metavar=option.metavar,
        help=option.help,
    )


@lru_cache(maxsize=128)
def magic_command(source: Source, more: tuple[Option, ...] = (*SETTINGS, *META)) -> click.Command:
    """Return click's form of a cell magic's line, made from the options the source declares."""
    shown = click.Option(
        ["--help", "-h"], is_flag=True, is_eager=True, expose_value=False, help="show this and do nothing"
    )
    shown.callback = _show_help
    return _Magic(source, [*(_option(option) for option in (*source.options, *more)), shown])


def magic_help(source: Source) -> str:
    """Return what `%%MAGIC --help` shows."""
    command = magic_command(source)
    return command.get_help(click.Context(command))


def _show_help(ctx: click.Context, param: click.Parameter, asked: bool) -> None:
    if asked:
        raise HelpShown(ctx.get_help())


def parse_cell_magic(magic: str, line: str) -> CellMagic:
    """Read the line of a cell magic.

    Parameters
    ----------
    magic : str
        The magic's name without ``%%``.
    line : str
        The rest of the line; quoted as in a shell.

    Raises
    ------
    InvalidInputError
        The line cannot be read, an option is unknown, or a value is out of range.
    HelpShown
        ``--help`` was given.
    """
    source = SOURCES[magic]
    given = read_values(source, line, (*SETTINGS, *META))
    settings = tidy_settings({option.name: given[option.name] for option in SETTINGS if option.name in given})
    options = {option.name: given[option.name] for option in source.all_options() if option.name in given}
    also = tuple(_read_also(text, f"%%{magic}") for text in given.get("also") or [])
    parsed = CellMagic(magic, options, settings, given.get("handler"), given.get("name"), also)
    wrong = source.problems(options) + settings_problems(settings) + name_problems(parsed.name)
    wrong += [PER_RECORD_REPORTS for _, one in parsed.triggers if one.get("per_record") and _is_off(one)]
    if not wrong:
        wrong = trigger_problems(parsed.triggers, settings)
    if wrong:
        raise InvalidInputError(f"%%{magic}: {'; '.join(wrong)}")  # each says what is right
    return parsed


def _is_off(options: JSON) -> bool:
    return options.get("report_failures") is False


def trigger_problems(triggers: list[tuple[str, JSON]], settings: JSON) -> list[str]:
    """Return how the triggers of one function contradict each other, or its settings."""
    contradictions = []
    for name, options in triggers:
        contradictions += SOURCES[name].check_settings(options, settings)
    for number, (name, options) in enumerate(triggers):
        for other, others in triggers[number + 1 :]:
            if name == other and (wrong := SOURCES[name].clash(options, others, same_function=True)):
                contradictions.append(wrong)
    asynchronous = any(SOURCES[name].asynchronous for name, _ in triggers)
    if settings.get("on_failure") and not asynchronous:
        contradictions.append("--on-failure is for asynchronous events; the events of a queue or stream take --dlq")
    for name in ("retries", "max_age"):
        if settings.get(name) is not None and not asynchronous:
            contradictions.append(
                f"--{name.replace('_', '-')} is for asynchronous events, not those of a queue or stream"
            )
    if asynchronous and str(settings.get("dlq") or "").endswith(".fifo"):
        contradictions.append("--dlq of asynchronous events must be a standard queue, not a FIFO one")
    return contradictions


def read_values(source: Source, line: str, more: tuple[Option, ...]) -> JSON:
    """Return the values that a cell magic's line gives, by name, as yet unchecked.

    Parameters
    ----------
    source : Source
        The source whose magic it is.
    line : str
        The rest of the line.
    more : tuple[Option, ...]
        Options beside the source's own.

    Raises
    ------
    InvalidInputError
        The line cannot be read, or has an option that is not known.
    """
    magic = f"%%{source.name}"
    words = split_line(line, magic)
    # The argument is what stands before the first option, or behind the options.
    before = list(takewhile(lambda word: not word.startswith("-"), words))
    values, behind = _options(source, words[len(before) :], more)
    argument = before or behind
    if behind and (before or source.argument is None):
        raise _strange(magic, behind)
    if argument and source.argument is None:
        raise _strange(magic, argument)
    given = {name: value for name, value in values.items() if value not in (None, [])}
    if source.argument and argument:
        given[source.argument.name] = _argument(source, " ".join(argument))
    return given


def _options(source: Source, words: list[str], more: tuple[Option, ...]) -> tuple[JSON, list[str]]:
    """Return the values of the options, and the words that belong to none."""
    magic = f"%%{source.name}"
    try:
        context = magic_command(source, more).make_context(magic, words)
    except click.NoSuchOption as error:
        flags = [option.flag for option in (*source.options, *more)]
        guess = near(error.option_name, flags)
        hint = guess if guess.startswith("did") else f"{magic} --help lists the options"
        # Another's is not meant for the option that looks like it: --per-record is no slip for --record.
        having = [each.title for each in SOURCES.values() if error.option_name in {one.flag for one in each.options}]
        whose = f", which {joined(having)} have" if len(having) > 1 else "".join(f", which {one} has" for one in having)
        hint = f"{magic} --help lists the options" if having else hint
        raise InvalidInputError(f"{magic} has no option {error.option_name}{whose}", hint) from None
    except click.BadOptionUsage as error:
        wrong = "wants a value" if "requires" in error.message else "takes no value"
        raise InvalidInputError(f"{magic}: {error.option_name} {wrong}", f"{magic} --help lists the options") from None
    except click.UsageError as error:
        raise InvalidInputError(f"{magic}: {error.format_message()}") from None
    # click gives (), ("a",), ("a", "b") for an option that may come several times; a decorator takes lists.
    lists = {name: list(value) for name, value in context.params.items() if isinstance(value, tuple)}
    return {**context.params, **lists}, context.args


def _argument(source: Source, text: str) -> object:
    assert source.argument is not None
    try:
        return source.argument.type(text)
    except ValueError as error:
        raise InvalidInputError(f"%%{source.name}: {source.argument.metavar} {error}") from None


def _strange(magic: str, words: list[str]) -> InvalidInputError:
    """Return the error for words that belong to no option of a magic."""
    question = f"what is {words[0]!r}?" if len(words) == 1 else f"what are {', '.join(map(repr, words))}?"
    return InvalidInputError(f"{magic}: {question}", "put a value with blanks or quotes into quotes: --option '...'")


def _read_also(text: str, magic: str) -> tuple[str, JSON]:
    """Read the value of `--also`: a magic line of a source, without settings of the function."""
    name, _, line = text.strip().removeprefix("%%").partition(" ")
    if name not in SOURCES or not SOURCES[name].triggered:
        known = [known for known, source in SOURCES.items() if source.triggered]
        raise InvalidInputError(
            f"{magic}: --also {name!r} is not a trigger; {near(name, known)}", "--also 'TRIGGER ...'"
        )
    source = SOURCES[name]
    if settings := [option.flag for option in SETTINGS if re.search(rf"(?<!\S){option.flag}(?![\w-])", line)]:
        raise InvalidInputError(
            f"{magic}: --also {name!r} has {settings[0]}, which is for the function",
            f"put {settings[0]} behind {magic}",
        )
    given = read_values(source, line, ())
    options = {option.name: given[option.name] for option in source.all_options() if option.name in given}
    if wrong := source.problems(options):
        raise InvalidInputError(f"{magic}: --also {name}: {'; '.join(wrong)}")
    return name, options
