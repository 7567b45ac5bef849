"""`nbchalice COMMAND NOTEBOOK ...`: the same commands as `%chalice`, on a notebook's file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nbchalice.errors import Interrupted, NbChaliceError, ProblemsError
from nbchalice.files import no_fault_of_ours
from nbchalice.typed import JSON
from nbchalice.ui import commands
from nbchalice.ui.frontend import has_allowed, lacking_of, require_confirmed

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.errors import CaptureError
    from nbchalice.notebook.capture.search import Compared
    from nbchalice.project import Project
    from nbchalice.ui.render.progress import Watch


# Set in the environment of a notebook's own, to what was told last of what is going on.
IN_ENVIRONMENT = "NBCHALICE_OWN_ENVIRONMENT"


class Elsewhere(BaseException):
    """The command is to run in another environment, which has what the notebook asks for; no error.

    Parameters
    ----------
    python : Path
        The interpreter of it.
    told : str
        What was told of what is going on; it is not told there again.
    """

    def __init__(self, python: Path, told: str) -> None:
        super().__init__(str(python))
        self.python, self.told = python, told


class Shell:
    """Where a command of the command line runs.

    Parameters
    ----------
    notebook : Path or None
        The notebook's file, or None for `local`.
    stage, target : str or None
        As given, or None.
    execute : bool
        Whether the notebook is executed first.
    reads : str
        What of the file is read, as a command says.
    """

    interactive = False
    patient = True

    def __init__(
        self, notebook: Path | None, stage: str | None, target: str | None, execute: bool, reads: str = "all"
    ) -> None:
        self.notebook, self.stage, self.target, self.execute = notebook, stage, target or "local", execute
        self.reads = reads
        self.proven: dict[str, Compared | CaptureError] | None = None
        self._told = ""

    @property
    def has_notebook(self) -> bool:
        """Whether a notebook's file was given."""
        return self.notebook is not None

    @property
    def chosen_target(self) -> str:
        """The target of this command."""
        return self.target

    def pinned(self) -> Shell:
        """Return itself: it serves one command."""
        return self

    def project(self) -> Project:
        """Return the project that the notebook's file describes."""
        from nbchalice.aws.target import region_of
        from nbchalice.logs.places import CELLS
        from nbchalice.notebook.capture.places import Present
        from nbchalice.notebook_file import read_project, read_text

        assert self.notebook is not None
        region = region_of(self.target)
        if self.execute and self.proven is None:
            from nbchalice.execute import execute_notebook

            self._require_packages()
            done = execute_notebook(self.notebook, self.stage, region)
            for line in done.skipped:
                print(line, file=sys.stderr)
            self.proven = done.proven
        where = (self.notebook, self.stage, region)
        if self.reads != "all":
            project = read_text(*where)
            CELLS.are(lambda: Present(project.notebook.name, project.cells, tuple))
            if self.reads == "text" or not project.computed:
                return project
            names = ", ".join(project.computed)
            print(
                f"note: the text does not say the name of {names}: what computes it is run, confined", file=sys.stderr
            )
        project = read_project(*where)
        project.before_proof = partial(self._require_packages, project)
        if project.problems:
            project.before_proof()
        CELLS.are(lambda: Present(project.notebook.name, project.cells, tuple))
        project.executed = self.proven or {}
        return project

    def _require_packages(self, project: Project | None = None) -> None:
        """Go on in an environment that has what the notebook asks for, where it is not installed here."""
        from nbchalice.notebook.cells import read_notebook
        from nbchalice.packaging.own_environment import environment_for, wanted_by
        from nbchalice.steps import told_to

        assert self.notebook is not None
        if IN_ENVIRONMENT in os.environ:
            return
        named = [handler.setting("requirements") for handler in project.handlers] if project else []
        files = [self.notebook.parent / file for file in named if file]
        cells = project.cells if project else read_notebook(self.notebook)
        wanted = wanted_by(cells, self.notebook.parent, files, kernel=self.execute)
        if wanted is None:
            return
        why = "; ".join(wanted.lacking)
        print(f"note: {why}; going on in an environment made of {wanted.described}", file=sys.stderr)
        with self.progress("", lazy=True) as watch, told_to(watch.step):
            python = environment_for(wanted)
        raise Elsewhere(python, self._told)

    def connect(self) -> Connection:
        """Return a connection to the target, which is named on stderr."""
        from nbchalice.aws.target import connect

        aws = connect(self.target)
        if not aws.local:
            print(aws.target, file=sys.stderr)
        return aws

    def progress(self, title: str, *, lazy: bool = False) -> AbstractContextManager[Watch]:
        """Write a line for each step and change to stderr."""
        from nbchalice.ui.render.progress import shell_progress

        if not lazy:
            self._told = title
        return shell_progress("" if title == os.environ.get(IN_ENVIRONMENT) else title, lazy=lazy)

    def cell_of_file(self, file: str) -> str | None:
        """Return nothing: no cells were executed in this process."""
        return None

    def command(self, name: str) -> Callable[..., Any]:
        """Return what a command does."""
        return commands.COMMANDS[name].run

    def confirm(self, question: str) -> None:
        """Ask on a terminal before something is removed; where there is none, nobody can be asked."""
        try:
            answer = click.confirm(question, err=True) if sys.stdin.isatty() else None
        except click.Abort:  # Ctrl-C and Ctrl-D answer it, too
            print(file=sys.stderr)
            answer = False
        require_confirmed(question, answer)


def run(command: commands.Command, values: JSON) -> int:
    """Run a command with its values, print what it returns, and return the exit status."""
    from nbchalice.logs.lacking import LACKING

    as_json = values.pop("json", False)
    notebook, stage, target = (values.pop(name, None) for name in ("notebook", "stage", "target"))
    shell = Shell(notebook, stage, target, values.pop("execute", False), command.reads)
    LACKING.is_told_by(partial(lacking_of, shell), partial(has_allowed, shell))
    with in_words_of_the_shell(command, notebook, {"--stage": stage, "--target": target}) as translate:
        commands.require_handler(shell, command, values, "nbchalice")
        result = command.run(shell, **values)
        streamed = isinstance(result, Iterator)
        # Stopping it is how a stream ends.
        with suppress(KeyboardInterrupt) if streamed else nullcontext():
            for one in result if isinstance(result, Iterator) else [result]:
                print_result(one, as_json, command.name == "logs" or streamed, translate)
    # An event that was not handled well is a failed operation; old failures in a log are not.
    return 0 if streamed or getattr(result, "ok", True) else 1


@contextmanager
def in_words_of_the_shell(
    command: commands.Command, notebook: Path | None, options: dict[str, str | None]
) -> Iterator[Callable[[str], str]]:
    """Let errors of the block name commands as a shell takes them; yield what does it with the text of a result."""
    from nbchalice.ui.shell_words import QUOTING, for_shell

    try:
        yield str if command.name in QUOTING else lambda text: for_shell(text, notebook, options)
    except (NbChaliceError, Interrupted) as error:
        for one in problems_of(error):
            one.message = for_shell(one.message, notebook, options)
            one.hint = one.hint and for_shell(one.hint, notebook, options)
        raise


def problems_of(error: NbChaliceError | Interrupted) -> Sequence[NbChaliceError | Interrupted]:
    """Return the errors that one stands for."""
    return error.problems if isinstance(error, ProblemsError) else [error]


def print_result(result: Any, as_json: bool, one_a_line: bool, translate: Callable[[str], str] = str) -> None:
    """Print text, or JSON: one document, or one object a line for logs."""
    if not as_json:
        click.echo(translate(result._repr_mimebundle_()["text/plain"]))
        return
    data = result.to_dict()
    if one_a_line:
        for one in data if isinstance(data, list) else [data]:
            click.echo(json.dumps(one))
    else:
        click.echo(json.dumps({"ok": getattr(result, "ok", True), **data}, indent=2))


def code_of(words: list[str]) -> int:
    """Run the command line and return its exit status: 0 done, 1 the operation failed, 2 wrong usage or bad input."""
    name, *rest = words or ["--help"]
    if name in {"--help", "-h", "help"}:
        click.echo(commands.overview("nbchalice"))
        return 0
    if name == "--version":
        from nbchalice import __version__

        click.echo(f"nbchalice {__version__}")
        return 0
    try:
        return _run(name, rest)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except BrokenPipeError:
        return 0
    except Elsewhere as place:
        sys.stdout.flush()
        environment = {**os.environ, IN_ENVIRONMENT: place.told}
        os.execve(place.python, [str(place.python), "-P", "-m", "nbchalice", *words], environment)  # noqa: S606 - ours
    except (Exception, KeyboardInterrupt) as error:
        told = _told(error, f"nbchalice {name}")
        if told is None:
            raise
        return _say(told, words)


def _told(error: BaseException, doing: str) -> NbChaliceError | Interrupted | None:
    """Return what a person is told of an error; None of one that nobody foresaw."""
    if isinstance(error, NbChaliceError | Interrupted):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted(f"{doing} was stopped")
    if isinstance(error, Exception) and type(error).__module__.startswith(("botocore", "boto3", "urllib3")):
        from nbchalice.aws.errors import explain

        return explain(error, doing)
    return no_fault_of_ours(error, doing) if isinstance(error, OSError) else None


def _run(name: str, words: list[str]) -> int:
    """Run one command; what it needs is imported when its words fit, so that help costs next to nothing."""
    command = commands.COMMANDS.get(name)
    if command is None:
        raise commands.no_such_command(name, "nbchalice")
    values = commands.parse(command, words, cli=True, prefix="nbchalice")
    from nbchalice.logs.lacking import LACKING
    from nbchalice.logs.places import CELLS

    with CELLS.kept(), LACKING.kept():
        return run(command, values)


def _say(error: NbChaliceError | Interrupted, words: list[str]) -> int:
    """Tell an error on stderr, and as the one document on stdout where JSON was asked for."""
    print(f"error: {error}", file=sys.stderr)
    if "--json" in words:
        click.echo(json.dumps({"ok": False, "errors": [one.to_dict() for one in problems_of(error)]}))
    return error.exit_code
