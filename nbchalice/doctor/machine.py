"""What this computer, its Python and its front end are like."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from nbchalice.doctor.findings import Finding, of_error, ok, warning, wrong
from nbchalice.names import RUNTIMES

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.project import Project

# ipywidgets' part in the kernel and its part in the front end go together by their first numbers.
FRONT_END_OF = {"8": "3", "7": "1"}
# What tells where a kernel runs: a variable of the environment, or a module that is loaded.
PLACES: tuple[tuple[str, Callable[[], bool]], ...] = (
    ("VS Code", lambda: any(name.startswith("VSCODE_") for name in os.environ)),
    ("Google Colab", lambda: "google.colab" in sys.modules),
    ("Kaggle", lambda: "KAGGLE_KERNEL_RUN_TYPE" in os.environ),
    ("Databricks", lambda: "DATABRICKS_RUNTIME_VERSION" in os.environ),
    ("Jupyter", lambda: "JPY_SESSION_NAME" in os.environ),
)


def python() -> Iterator[Finding]:
    """Yield which Python runs, and whether Lambda has it."""
    own = ".".join(map(str, sys.version_info[:2]))
    what = f"{platform.python_version()} at {sys.executable}"
    text = f"{what}, nbchalice {_version('nbchalice')}, {platform.platform(terse=True)}"
    if sys.platform not in {"linux", "darwin"}:
        yield wrong("Python", text, "run it in WSL: nbchalice is for Linux and macOS")
    elif own not in RUNTIMES:
        yield wrong("Python", text, f"use one that Lambda has: {', '.join(RUNTIMES)}")
    else:
        yield ok("Python", text)


def kernel() -> Iterator[Finding]:
    """Yield what runs the notebook's cells."""
    running = _kernel()
    installed = _version("ipykernel")
    if running is not None:
        yield ok("kernel", f"ipykernel {installed}, process {os.getpid()}")
    elif installed is None:
        yield warning(
            "kernel", "none runs here, and ipykernel is not installed", "pip install ipykernel, for --execute"
        )
    else:
        yield ok("kernel", f"none runs here; --execute starts one (ipykernel {installed})")


def _kernel() -> object | None:
    of_session: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return getattr(of_session(), "kernel", None)


def notebook(project: Project) -> Iterator[Finding]:
    """Yield where the notebook is, and what its app is called."""
    path = project.notebook
    if path.is_file():
        yield ok("notebook", f"{path}; app {project.name}, stage {project.stage}")
    else:
        text = f"the front end does not tell which file it is; its folder counts as {path.parent}"
        yield warning("notebook", text, "save the notebook in that folder, or name the app: %chalice app NAME")


def app(project: Project, aws: Connection) -> Iterator[Finding]:
    """Yield whether the app may be deployed under its name, and to this account."""
    from nbchalice.deploy import check

    made = project.app
    problems = [*check.names_problems(made), *check.unnamed_problems(made, aws), *check.account_problems(made, aws)]
    yield from (of_error("app", problem) for problem in problems)


def front_end() -> Iterator[Finding]:
    """Yield what shows the notebook, and whether panels can be shown there."""
    if _kernel() is None:
        yield ok("front end", "none: the command line shows text")
        return
    place = next((name for name, is_there in PLACES if is_there()), "unknown")
    widgets, shown_by, anywidget = map(_version, ("ipywidgets", "jupyterlab_widgets", "anywidget"))
    text = f"{place}; ipywidgets {widgets}, jupyterlab_widgets {shown_by or 'elsewhere'}, anywidget {anywidget}"
    first = str(widgets).partition(".")[0]
    wanted = FRONT_END_OF.get(first)
    again = "restart the kernel and reload the page"
    if widgets is None or anywidget is None:
        yield wrong("front end", text, f"%pip install ipywidgets anywidget; then {again}")
    elif shown_by and wanted and shown_by.partition(".")[0] != wanted:
        yield wrong("front end", text, f'%pip install -U "ipywidgets>=8" "jupyterlab_widgets>=3"; then {again}')
    elif shown_by is None and place in {"Jupyter", "unknown"}:
        fix = (
            "if panels show as text: pip install jupyterlab_widgets where JupyterLab is installed, and reload the page"
        )
        yield warning("front end", text, fix)
    else:
        yield ok("front end", text)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def uv() -> Iterator[Finding]:
    """Yield whether uv, which resolves and installs for Lambda, can be run."""
    from nbchalice.packaging.uvtool import call_uv

    done = call_uv(["--version"])
    if done.returncode:
        yield wrong("uv", done.stderr.strip()[:200] or "it fails", "pip install --force-reinstall uv")
    else:
        yield ok("uv", done.stdout.strip().removeprefix("uv "))


def local_aws() -> Iterator[Finding]:
    """Yield how the local AWS stands; it is not started."""
    from nbchalice.aws.local.client import server
    from nbchalice.aws.local.client.environment import MINISTACK_VERSION

    running = server.status()
    notes = server.read_notes()
    if running is None:
        text = f"not running; it starts when it is needed (MiniStack {MINISTACK_VERSION})"
        yield ok("local AWS", text)
    else:
        weaker = server.not_enforced()
        notes = [note for note in [*notes, *server.not_saved()] if note not in weaker]
        held = "handlers are confined" if not weaker else "; ".join(weaker)
        text = f"{running.version} at {running.endpoint}, process {running.pid}; {held}"
        yield (
            warning("local AWS", text, "use a Linux with user namespaces, or trust the code")
            if weaker
            else ok("local AWS", text)
        )
    for note in notes:
        yield warning("local AWS", note, "look at that file, then remove it; %chalice local reset forgets everything")


LOOKS: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
    ("Python", python),
    ("kernel", kernel),
    ("front end", front_end),
    ("uv", uv),
    ("local AWS", local_aws),
)
