"""The live notebook: its app, its stage, and the handlers that its cells registered."""

from __future__ import annotations

import copy
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbchalice.errors import InvalidInputError, Location
from nbchalice.notebook.imported import IMPORTED
from nbchalice.notebook.session import Session
from nbchalice.runtime.app import Chalice, LambdaFunction

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.handlers import Handler
    from nbchalice.project import Project
    from nbchalice.ui.progress import Watch

UNNAMED = "notebook.ipynb"
DEFAULT_STAGE = "dev"


@dataclass(frozen=True)
class Registered:
    """A handler and the execution of the cell that registered it.

    Parameters
    ----------
    function: what the decorator made.
    cell: id of the cell.
    order: position of the execution, or None for one before the extension was loaded.
    location: the place of the cell.
    bound: whether the function was a variable of the session.
    """

    function: LambdaFunction
    cell: str
    order: int | None
    location: Location | None
    bound: bool = True

    def handler(self) -> Handler:
        """Return the handler as plain data."""
        from nbchalice.handlers import Handler, tidy_settings

        made = self.function
        settings = tidy_settings(made.settings)
        return Handler(
            made.name, made.function.__name__, tuple(made.triggers), settings, self.location, order=self.order
        )


class Notebook:
    """What nbchalice knows of a live session.

    Parameters
    ----------
    shell: the IPython shell.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.session = Session(shell)
        self.registry: dict[str, Registered] = {}
        self.stage = DEFAULT_STAGE
        self.target = "local"
        self.named: Chalice | None = None
        self.matcher: Any = None
        self._chosen: dict[str, str | None] = {}
        self._local: Connection | None = None
        self._running: tuple[str, int, Location] | None = None

    @property
    def interactive(self) -> bool:
        """Whether somebody sits at a front end that can show widgets; nobody does where nbclient runs the notebook."""
        request: dict[str, Any] = getattr(self.shell, "get_parent", dict)() or {}
        return bool(request.get("content", {}).get("allow_stdin"))

    @property
    def patient(self) -> bool:
        """Whether a command may go on until it is interrupted: not where a notebook is run by a program."""
        return self.interactive or not hasattr(self.shell, "kernel")

    def pinned(self) -> Notebook:
        """Return it at the stage and target of this command, for a panel that outlives the command."""
        return copy.copy(self)

    def attach(self) -> None:
        """Listen to the session; take over what was registered before."""
        self.session.attach()
        self.shell.events.register("pre_run_cell", self._started)
        self.shell.events.register("post_run_cell", self._ended)
        self.shell.events.register("post_run_cell", IMPORTED.note)
        IMPORTED.note()
        self._collect("before", None, None)

    def detach(self) -> None:
        """Stop to listen."""
        self.session.detach()
        self.shell.events.unregister("pre_run_cell", self._started)
        self.shell.events.unregister("post_run_cell", self._ended)
        self.shell.events.unregister("post_run_cell", IMPORTED.note)

    def _started(self, info: Any) -> None:
        running = self.session.running()
        if self._running is None and running:
            cell = running[0]
            self._running = (cell.id, cell.order, cell.location())

    def _ended(self, result: Any) -> None:
        running = self._running
        if running is None or self.session.running():
            return
        self._running = None
        seen = self._collect(*running)
        if result.success:
            self._forget(*running[:2], keep=seen)
        self._drop_deleted()

    def _forget(self, cell: str, order: int | None, keep: Collection[str]) -> None:
        """Drop what an earlier execution of a cell registered."""
        old = [r for r in self.registry.values() if r.cell == cell and r.order != order]
        for registered in old:
            if registered.function.name not in keep:
                self._drop(registered)

    def _drop_deleted(self) -> None:
        """Drop the handlers whose function was deleted by `del`."""
        for registered in list(self.registry.values()):
            if registered.bound and registered.function.function.__name__ not in self.shell.user_ns:
                self._drop(registered)

    def _drop(self, registered: Registered) -> None:
        name = registered.function.name
        del self.registry[name]
        registered.function.app.handlers.pop(name, None)

    def _collect(self, cell: str, order: int | None, location: Location | None) -> set[str]:
        """Register what is new in the apps of the session; return the names."""
        known = {id(r.function): len(r.function.triggers) for r in self.registry.values()}
        seen = set()
        for app in self.apps():
            for name, function in app.handlers.items():
                if known.get(id(function)) != len(function.triggers):
                    bound = function.function.__name__ in self.shell.user_ns
                    self.registry[name] = Registered(function, cell, order, location, bound)
                    seen.add(name)
        return seen

    def apps(self) -> list[Chalice]:
        """Return the apps that the session's variables hold."""
        found = {id(value): value for value in list(self.shell.user_ns.values()) if isinstance(value, Chalice)}
        return list(found.values())

    def register(self, function: LambdaFunction, line: int) -> Registered:
        """Register what a cell magic made, in place of what the same cell registered before."""
        cell, order, location = self._running or ("", None, Location("this cell"))
        place = Location(location.cell, line)
        self._forget(cell, order, {function.name})
        self.registry[function.name] = Registered(function, cell, order, place)
        return self.registry[function.name]

    def raw_cell(self) -> str | None:
        """Return the text of the cell that runs."""
        running = self.session.running()
        return running[0].source if running else None

    def here(self, line: int | None = None) -> Location:
        """Return the place of a line of the cell that runs."""
        running = self.session.running()
        return running[0].location(line) if running else Location("this cell", line)

    @property
    def path(self) -> Path:
        """The notebook's file, as far as the front end tells it."""
        names = self.shell.user_ns
        told = names.get("__vsc_ipynb_file__") or names.get("__session__") or os.environ.get("JPY_SESSION_NAME")
        name = Path(str(told)).name if told else UNNAMED
        return Path.cwd() / (name if name.endswith(".ipynb") else UNNAMED)

    def chalice(self) -> Chalice:
        """Return the session's app; one named after the notebook is bound to ``app`` where there is none."""
        from nbchalice.project import app_name_of, named_by_config

        current = self.shell.user_ns.get("app")
        if isinstance(current, Chalice):
            return current
        if current is not None:
            raise InvalidInputError(
                f"the name app is taken by a {type(current).__name__}; nbchalice binds its app to it",
                "rename your variable, then run %chalice app NAME",
                self.here(),
            )
        return self.name_app(named_by_config(self.path.parent) or app_name_of(str(self.path)))

    def name_app(self, name: str) -> Chalice:
        """Bind ``app`` to an app of this name; handlers registered before move to it."""
        app = Chalice(app_name=name)
        current = self.shell.user_ns.get("app")
        if isinstance(current, Chalice):
            app.handlers.update(current.handlers)
            app.debug = current.debug
        self.shell.user_ns["app"] = app
        return app

    def choose(self, stage: str | None = None, target: str | None = None) -> Notebook:
        """Set stage and target for the next command only."""
        self._chosen = {"stage": stage, "target": target}
        return self

    def project(self) -> Project:
        """Return the project of the session as it stands."""
        from nbchalice.project import Project, app_name_of, named_by_config

        self._drop_deleted()
        handlers = tuple(registered.handler() for registered in self.registry.values())
        current = self.shell.user_ns.get("app")
        apps = [app.app_name for app in self.apps()]
        own = current.app_name if isinstance(current, Chalice) else next(iter(apps), app_name_of(str(self.path)))
        by_magic = current is not None and current is self.named
        name = own if by_magic else named_by_config(self.path.parent) or own
        stage = self._chosen.get("stage") or self.stage
        return Project(name, stage, self.path, self.session.cells(), handlers, self.shell.user_ns)

    def connect(self) -> Connection:
        """Return a connection; real AWS anew for each command, so that a renewed login is taken up."""
        from nbchalice.aws.target import connect

        name = self._chosen.get("target") or self.target
        if name != "local":
            return connect(name)
        self._local = connect("local", reuse=self._local)
        return self._local

    @contextmanager
    def progress(self, title: str) -> Iterator[Watch]:
        """Show the changes in one output that is updated."""
        from nbchalice.ui.progress import notebook_progress

        with notebook_progress(title) as watch:
            yield watch

    def confirm(self, question: str) -> None:
        """Ask before something is removed from real AWS; the local AWS holds nothing that matters."""
        if (self._chosen.get("target") or self.target) == "local":
            return
        try:
            answer = input(f"{question} [y/N] ")
        except Exception:
            answer = ""
        if answer.strip().lower() not in {"y", "yes"}:
            raise InvalidInputError("not confirmed; nothing was removed", "add --yes")
