"""Where a command runs, as commands and widgets see it: a notebook session, or a shell with a notebook's file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from nbchalice.errors import AWSError, InvalidInputError, LocalAWSError
from nbchalice.resources.base import or_missing
from nbchalice.steps import told_to

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.handlers import Handler
    from nbchalice.project import Project
    from nbchalice.ui.render.progress import Watch


class Frontend(Protocol):
    """Where a command runs: a notebook session, or a shell with a notebook's file."""

    @property
    def interactive(self) -> bool:
        """Whether somebody sits at a front end that can show widgets."""

    @property
    def patient(self) -> bool:
        """Whether a command may go on until it is interrupted."""

    @property
    def has_notebook(self) -> bool:
        """Whether there is a notebook: of commands for which it may be left out."""

    @property
    def chosen_target(self) -> str:
        """The target of this command."""

    def pinned(self) -> Frontend:
        """Return it at this command's stage and target, for what outlives the command."""

    def project(self) -> Project:
        """Return the notebook's project."""

    def connect(self) -> Connection:
        """Return the connection to the chosen target."""

    def progress(self, title: str, *, lazy: bool = False) -> AbstractContextManager[Watch]:
        """Show how steps and the changes of a plan go; lazily: only once there is something to show."""

    def cell_of_file(self, file: str) -> str | None:
        """Return which cell has a file name that IPython made up for it, or None."""

    def command(self, name: str) -> Callable[..., Any]:
        """Return what a command does: it takes the front end to run at, and the values of its parameters."""

    def confirm(self, question: str) -> None:
        """Ask before something is removed; see ``require_confirmed``."""


def require_confirmed(question: str, answer: bool | None) -> None:
    """Go on only where somebody said yes; the local AWS is no exception, for it holds what somebody made.

    Parameters
    ----------
    question : str
        What was asked.
    answer : bool or None
        What was answered, or None where nobody can be asked.

    Raises
    ------
    InvalidInputError
        The answer was no, or there was none.
    """
    if answer:
        return
    message = "not confirmed; nothing was removed"
    if answer is None:
        message = f"nobody can be asked here: {question} Nothing was removed"
    raise InvalidInputError(message, "add --yes", code="not-confirmed")


def some(ui: Frontend, handler: str) -> tuple[Project, Handler]:
    """Return the project and one of its handlers; of one that only stands on AWS the error says so."""
    project = ui.project()
    try:
        return project, project.handler(handler)
    except InvalidInputError as error:
        if error.code == "no-such-handler":
            with suppress(AWSError, LocalAWSError):  # What does not answer cannot tell more than the notebook.
                aws = ui.connect()
                if _stands(project, aws, handler):
                    error = _left_over(project, aws, handler)
        raise error from None


def _stands(project: Project, aws: Connection, name: str) -> bool:
    with or_missing():
        aws.client("lambda").get_function_configuration(FunctionName=project.app.ref(aws, name).name)
        return True
    return False


def _left_over(project: Project, aws: Connection, name: str) -> InvalidInputError:
    from nbchalice.deploy.left_over import shared_with

    message = "; ".join([f"{name} is deployed, and not in the notebook any more", *shared_with(project.app, aws, name)])
    hint = f"remove it (%chalice delete {name}), or run a cell that defines it"
    known = ", ".join(one.name for one in project.handlers)
    return InvalidInputError(message, f"{hint}; the notebook has {known}" if known else hint, code="no-such-handler")


def lacking_of(ui: Frontend, function: str) -> list[str]:
    """Return the options that allow what a function's handler calls in the notebook and its role does not allow."""
    from nbchalice.operations import lacking

    project, aws = ui.project(), ui.connect()
    for handler in project.handlers:
        ref = project.app.ref(aws, handler.name)
        if ref.name == function:
            return list(map(str, lacking(project, handler, ref)))
    return []


def has_allowed(ui: Frontend, function: str, allow: str) -> bool:
    """Tell whether a function's handler is allowed by the notebook what an option allows."""
    from nbchalice.operations import allows

    project, aws = ui.project(), ui.connect()
    refs = {handler.name: project.app.ref(aws, handler.name) for handler in project.handlers}
    return any(
        refs[one.name].name == function and allows(project, one, refs[one.name], allow) for one in project.handlers
    )


def deployed(ui: Frontend, handler: str) -> tuple[Project, str]:
    """Return the project, and the name of a handler that is registered, or that stands on AWS.

    Raises
    ------
    InvalidInputError
        It is neither.
    """
    project = ui.project()
    try:
        return project, project.handler(handler).name
    except InvalidInputError:
        if not _stands(project, ui.connect(), handler):
            raise
        return project, handler


def registered(ui: Frontend, *, proves: bool = True) -> Project:
    """Return the project; a notebook without handlers is an error.

    Parameters
    ----------
    ui : Frontend
        Where the command runs.
    proves : bool
        Whether the handlers are proven before they are packaged. Default: yes.
    """
    project = ui.project()
    project.proves = project.runs = proves
    if not project.handlers and project.wrong:
        from nbchalice.deploy.check import raise_all

        raise_all(project.wrong)
    if not project.handlers:
        from nbchalice.notebook.capture.mentions import find_chalices_own

        if place := find_chalices_own(project.cells):
            message = f"the app of {project.notebook.name} is one of the package chalice"
            hint = "write: from nbchalice import Chalice; then run the cells again"
            raise InvalidInputError(message, hint, place, code="no-handlers")
        if cells := dict.fromkeys(one.location.cell for one in project.standing if one.names):
            message = f"no handler of {project.notebook.name} was run in this kernel"
            raise InvalidInputError(message, f"run {', '.join(cells)}", code="handler-not-run")
        if left_out := [note for note in project.notes if " is not deployed: " in note]:
            message = f"{project.notebook.name} has no handlers"
            raise InvalidInputError(message, "; ".join(left_out), code="no-handlers")
        raise InvalidInputError(
            f"{project.notebook.name} has no handlers",
            "begin a cell with %%schedule, %%on_s3_event, %%on_sns_message or %%on_sqs_message, and run it; "
            "%chalice delete removes what was deployed from it",
            code="no-handlers",
        )
    return project


@contextmanager
def progress(ui: Frontend, project: Project, title: str, *, lazy: bool = False) -> Iterator[Watch]:
    """Show what a project's proofs, packages and changes are at while the block runs.

    Parameters
    ----------
    ui, project, title : Frontend or Project or str
        Where it is shown, whose it is, and what is going on.
    lazy : bool
        Whether nothing is shown until there is something to tell.
    """
    with ui.progress(title, lazy=lazy) as watch, told_to(watch.step):
        project.tell = watch.searching
        yield watch
