"""What a command is, and how its words are read: `%chalice COMMAND` in the notebook, `nbchalice COMMAND` in a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from nbchalice.errors import InvalidInputError
from nbchalice.files import is_file, is_folder
from nbchalice.text import joined, listing, nearest, require_text
from nbchalice.typed import JSON
from nbchalice.ui.commands.theirs import called_here
from nbchalice.ui.frontend import Frontend

if TYPE_CHECKING:
    from nbchalice.ui.render.cards import Result
    from nbchalice.ui.views import View

Run = Callable[..., "Result | View | Iterator[Result] | None"]


@dataclass(frozen=True)
class Command:
    """A command.

    Parameters
    ----------
    name : str
        As typed.
    run : Run
        Takes the front end and the parameters' values.
    params : tuple[click.Parameter, ...]
        Click's parameters, beside what every command has.
    notebook : bool or "optional"
        Whether the command line wants a notebook's file.
    handler : str
        Whether a handler's name is an argument: ``"no"``, ``"optional"`` or ``"required"``.
    aws : bool
        Whether it needs AWS; one that does is left out where a notebook is only executed for its code.
    reads : str
        What of a notebook's file is read: ``"all"``, for which decorators' arguments are run, confined; ``"names"``,
        for which they are run only where the text does not say the names; ``"text"``, for which nothing is run.
    more : Callable[[], Sequence[click.Parameter]]
        Returns further parameters, which depend on what is installed. Default: none.
    """

    name: str
    run: Run
    params: tuple[click.Parameter, ...] = ()
    notebook: bool | Literal["optional"] = True
    handler: str = "no"
    aws: bool = True
    reads: str = "all"
    more: Callable[[], Sequence[click.Parameter]] = tuple

    @property
    def help(self) -> str:
        """What the command does."""
        return (self.run.__doc__ or "").strip()


COMMANDS: dict[str, Command] = {}


def command(
    name: str,
    *params: click.Parameter,
    notebook: bool | Literal["optional"] = True,
    handler: str = "no",
    aws: bool = True,
    reads: str = "all",
    more: Callable[[], Sequence[click.Parameter]] = tuple,
) -> Callable[[Run], Run]:
    """Register a function as a command."""

    def register(run: Run) -> Run:
        COMMANDS[name] = Command(name, run, params, notebook, handler, aws, reads, more)
        return run

    return register


def flag(name: str, help: str) -> click.Option:
    """Return an option without a value."""
    return click.Option([name], is_flag=True, help=help)


NO_VERIFY = flag(
    "--no-verify", "run nothing to prove the handlers: whether they do what the notebook does is not known"
)
"""For the commands that prove handlers first."""


TAKE_OVER = flag("--take-over", "change what somebody else deployed, and be its owner from then on")
"""For the commands that change what stands on AWS."""


def option(name: str, help: str, **more: Any) -> click.Option:
    """Return an option with a value."""
    return click.Option([name], help=help, **more)


def existing_file(_: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Require a file that is there: where it is not, the folder that was looked in is named, and what is near there."""
    if value is None or is_file(value):
        return value
    path, name = Path(value), param.opts[0]
    if is_folder(path):
        raise InvalidInputError(f"{name} {value} is a folder", "give a file in it")
    folder = path.absolute().parent
    if not is_folder(folder):
        raise InvalidInputError(f"{name} {value}: there is no folder {folder}", f"paths begin at {Path.cwd()}")
    meant = nearest(path.name, sorted(one.name for one in folder.iterdir() if one.is_file()))
    hint = f"did you mean {path.with_name(meant)}?" if meant else f"put it there, or give its path from {Path.cwd()}"
    raise InvalidInputError(f"{name} {value}: there is no such file in {folder}", hint)


def pairs(_: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read options of the form NAME=VALUE."""
    parts = [value.partition("=") for value in values]
    wrong = [value for value, (name, sign, _) in zip(values, parts, strict=True) if not (name and sign)]
    if wrong:
        raise click.BadParameter(f"wants NAME=VALUE, not {wrong[0]!r}", param=param)
    return {name: value for name, _, value in parts}


class HandlerArgument(click.Argument):
    """The name of a handler; that it lacks is told by `require_handler`, which knows those of the notebook."""

    def value_is_missing(self, value: object) -> bool:
        """Let the command begin without."""
        return False


def require_handler(ui: Frontend, chosen: Command, values: JSON, prefix: str = "%chalice") -> None:
    """Require that a handler is named where the command works on one.

    Raises
    ------
    InvalidInputError
        None is; it names those that the notebook has.
    """
    if chosen.handler == "required" and values["handler"] is None:
        names = [handler.name for handler in ui.project().handlers]
        raise InvalidInputError(f"{prefix} {chosen.name} wants the name of a handler", listing(names, "handler"))


def click_command(chosen: Command, *, cli: bool) -> click.Command:
    """Return click's form of a command, for a shell or for the line magic."""
    params: list[click.Parameter] = []
    if cli and chosen.notebook:
        params.append(click.Argument(["notebook"], type=click.Path(path_type=Path), required=chosen.notebook is True))
    if chosen.handler != "no":
        params.append(HandlerArgument(["handler"], required=chosen.handler == "required"))
    params += [*chosen.more(), *chosen.params]
    if chosen.notebook:
        params.append(option("--stage", "stage of the app; default: dev, or what %chalice app says"))
        params.append(
            option("--target", "local (default) or aws", type=click.Choice(["local", "aws"], case_sensitive=False))
        )
    if cli:
        params.append(flag("--json", "one JSON document on stdout"))
        if chosen.notebook:
            params.append(flag("--execute", "execute the notebook first, in a kernel of its own"))
    return click.Command(chosen.name, params=params, help=chosen.help)


def parse(chosen: Command, words: list[str], *, cli: bool = False, prefix: str = "%chalice") -> JSON:
    """Return the values of a command's parameters.

    Raises
    ------
    InvalidInputError
        The words do not fit the command. click.exceptions.Exit: `--help` was asked for and printed.
    """
    parser = click_command(chosen, cli=cli)
    require_text(words, f"{prefix} {chosen.name}")
    try:
        with parser.make_context(f"{prefix} {chosen.name}", list(words)) as context:
            return dict(context.params)
    except click.NoSuchOption as error:
        hint = _other_option(parser, error.option_name, cli=cli) or f"{prefix} {chosen.name} --help lists the options"
        raise InvalidInputError(f"{prefix} {chosen.name} has no option {error.option_name}", hint) from None
    except click.ClickException as error:
        message, usage = error.format_message(), f"{prefix} {chosen.name} --help"
        hint = _quoted(parser, message, words) or _meant(parser, message, words, prefix)
        raise InvalidInputError(message, hint or usage) from None


def _other_option(parser: click.Command, name: str, *, cli: bool) -> str:
    """Return which option was meant for one that a command lacks; empty if nothing is near.

    What is an option of other commands is no misspelling: --message, which is one of send, is not meant as --stage.
    """
    having = [one.name for one in COMMANDS.values() if name in _options(click_command(one, cli=cli))]
    if having:
        ways = ", ".join(f"--{way}" for way in ("event", "message") if f"--{way}" in _options(parser))
        return f"{joined(having)} {'has' if len(having) == 1 else 'have'} it" + (f"; here: {ways}" if ways else "")
    if hint := called_here(name, _options(parser)):
        return hint
    meant = nearest(name, [one for one in _options(parser) if one.startswith("-")])
    return f"did you mean {meant}?" if meant else ""


def _options(command: click.Command) -> list[str]:
    return list(chain.from_iterable(param.opts for param in command.params))


_EXTRA = re.compile(r"unexpected extra arguments? \((.*)\)$")
_AGO = re.compile(r"\d+(\.\d+)?[smhdw]")


def _meant(parser: click.Command, message: str, words: list[str], prefix: str) -> str:
    """Return which option a word was meant for that belongs to none: an event's content, file or id, or a time."""
    found = _EXTRA.search(message)
    if found is None:
        return ""
    options: dict[str, click.Parameter] = {}
    for one in parser.params:
        options |= dict.fromkeys(one.opts, one)
    handler = f" {words[0]}" if words and not words[0].startswith("-") else ""
    text = found[1]
    names_file = text.endswith((".json", ".txt", ".csv")) or is_file(text)
    event = options.get("--event")
    if "--since" in options and _AGO.fullmatch(text):
        meant = f"--since {text}"
    elif "--message" in options and not names_file:
        meant = f"--message {shlex.quote(text)}"
    elif "--message" in options:
        return f"the message itself stands behind --message; {prefix} invoke{handler} --event {text} takes a file"
    elif event is not None and event.metavar == "FILE":
        meant = f"--event {text}" if names_file else "--event FILE, with the event in a file"
    elif event is not None:
        meant = f"--event {shlex.quote(text)}"
    else:
        return ""
    return f"did you mean {prefix} {parser.name}{handler} {meant}?"


def _quoted(parser: click.Command, message: str, words: list[str]) -> str:
    """Return how to quote a value with blanks, where an error is about the words that are left over of one."""
    found = _EXTRA.search(message)
    if found is None or not (extra := found[1].split(" ")) or extra[0] not in words:
        return ""
    alone = [one.opts for one in parser.params if isinstance(one, click.Option) and one.is_flag]
    flags = set(chain.from_iterable(alone))
    begin = end = words.index(extra[0])
    while begin > 1 and not words[begin - 1].startswith("--"):
        begin -= 1
    while end < len(words) and not words[end].startswith("--"):
        end += 1
    value = shlex.quote(" ".join(words[begin:end]))
    option = words[begin - 1] if words[begin - 1].startswith("--") and words[begin - 1] not in flags else ""
    return f"put a value with blanks in quotes: {option} {value}" if option else ""


def _no_app(ui: Frontend, **_: object) -> None:
    """Name the app, and bind `app` (a Chalice) in the notebook and on Lambda."""


APP = Command("app", _no_app, (click.Argument(["name"]),))


def overview(prefix: str) -> str:
    """Return the commands, a line each."""
    listed = [*([APP] if prefix.startswith("%") else []), *COMMANDS.values()]
    width = max(len(one.name) for one in listed)
    lines = [f"  {one.name.ljust(width)}  {one.help.splitlines()[0]}" for one in listed]
    return "\n".join([f"{prefix} COMMAND ...   ({prefix} COMMAND --help tells more)", *lines])


def no_such_command(name: str, prefix: str) -> InvalidInputError:
    """Return the error for a command that does not exist, with the nearest one."""
    # %chalice prune is meant as %chalice deploy --prune.
    having = [each.name for each in COMMANDS.values() if any(f"--{name}" in param.opts for param in each.params)]
    meant = f"{having[0]} --{name}" if having else nearest(name, [*COMMANDS, "app"])
    hint = f"{prefix} {meant}" if meant else f"{prefix} --help lists the commands"
    return InvalidInputError(f"{prefix} has no command {name!r}", hint)
