"""Runs a notebook from top to bottom in a kernel of its own, as `--execute` asks for.

The notebook is executed for its code: what its commands do on AWS is not asked for, so they are skipped.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbchalice.errors import CaptureError, InvalidInputError, Location, NbChaliceError
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from nbchalice.notebook.capture.search import Compared

# Set in the kernel.
VARIABLE = "NBCHALICE_EXECUTE"
PROVEN = "nbchalice-proven: "
SKIPPED = "skipped: "


class SkippedResultError(InvalidInputError, AttributeError):
    """The notebook asks for the result of a command that was skipped."""


class Skipped:
    """What a skipped command returns.

    Parameters
    ----------
    text : str
        Which command was skipped, and why.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise SkippedResultError(f"there is no {name}: {self.text}", "run the notebook in Jupyter")


def executed_for_code() -> bool:
    """Whether this process is a kernel of `--execute`."""
    return bool(os.environ.get(VARIABLE))


def skipped(command: str) -> Skipped:
    """Say that a command is skipped; return what stands for its result."""
    result = Skipped(f"{SKIPPED}%chalice {command} needs AWS, and the notebook is executed for its code only")
    print(result, file=sys.stderr)
    return result


@dataclass(frozen=True)
class Executed:
    """What came of executing a notebook.

    Parameters
    ----------
    skipped : list[str]
        The commands that were skipped, a line each.
    proven : dict[str, Compared or CaptureError]
        For each handler that was compared with the kernel, what that gave.
    """

    skipped: list[str]
    proven: dict[str, Compared | CaptureError]


def prove_here(path: str, stage: str | None, region: str) -> None:
    """Compare the handlers of a notebook's file with this kernel, in which all its cells ran; print it for the shell.

    Parameters
    ----------
    path : str
        The notebook's file.
    stage, region : str or None or str
        As the command in the shell has them.
    """
    from IPython.core.getipython import get_ipython

    from nbchalice.notebook_file import read_project

    project = read_project(Path(path), stage, region)
    project.against = dict(get_ipython().user_ns)  # type: ignore[union-attr]
    outcomes: JSON = {}
    for handler in project.handlers:
        try:
            project.verify(handler)
        except CaptureError as error:
            place = asdict(error.location) if error.location is not None else None
            outcomes[handler.name] = {
                "message": error.message, "hint": error.hint, "location": place, "code": error.code
            }  # fmt: skip
        except NbChaliceError:
            continue  # The command in the shell finds it as well.
        else:
            also, without = project.proven.proof(handler).choice
            outcomes[handler.name] = {
                "also": [[position, sorted(names)] for position, names in also.items()],
                "without": list(without.items()),
                "notes": project.proven.notes_of(handler),
            }
    print(PROVEN + json.dumps(outcomes))


def _run_to_the_end(client: Any, environment: dict[str, str]) -> None:
    """Execute with nbclient in another thread: in this one it would take over the signals, and Ctrl-C be an error."""
    loop = asyncio.new_event_loop()
    with closing(loop), ThreadPoolExecutor(1, "nbchalice-execute") as thread:
        task = loop.create_task(client.async_execute(env=environment))
        ended = thread.submit(loop.run_until_complete, task)
        try:
            ended.result()
        except KeyboardInterrupt:
            client.shutdown_kernel = "immediate"
            loop.call_soon_threadsafe(task.cancel)
            raise  # When the thread has ended: nbclient ends the kernel.


def execute_notebook(path: Path, stage: str | None, region: str) -> Executed:
    """Execute a notebook, and compare its handlers with its kernel; neither its file nor AWS is changed by it.

    A cell that asks for the result of a skipped command ends there, without an error.

    Parameters
    ----------
    path : Path
        The ``.ipynb``; its folder is the working directory.
    stage, region : str or None or str
        What the handlers are proven for.

    Returns
    -------
    Executed: what was skipped, and what was proven.

    Raises
    ------
    InvalidInputError
        The file cannot be read, or there is no such kernel.
    NbChaliceError
        A cell failed, or the kernel died; names the cell and its error.
    """
    import nbformat
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    from nbchalice.notebook.cells import read_notebook

    read_notebook(path)
    notebook: Any = nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    proof = nbformat.v4.new_code_cell(  # A kernel that has no nbchalice has nothing to compare.
        "try:\n    from nbchalice.execute import prove_here as _nbchalice_prove_here\nexcept ImportError:\n    pass\n"
        f"else:\n    _nbchalice_prove_here({str(path.resolve())!r}, {stage!r}, {region!r})"
    )
    notebook.cells.append(proof)
    failed: list[Any] = []
    client = NotebookClient(
        notebook,
        resources={"metadata": {"path": str(path.parent)}},
        allow_error_names=[SkippedResultError.__name__],
        on_cell_error=lambda cell, **_: failed.append(cell),
    )
    try:
        _run_to_the_end(client, {**os.environ, VARIABLE: "1", "JPY_SESSION_NAME": str(path.resolve())})
    except CellExecutionError as error:
        if failed[-1] is proof:
            raise NbChaliceError(
                f"the handlers of {path.name} could not be compared with its kernel: {error}"
            ) from None
        place = Location(f"cell {code.index(failed[-1]) + 1}")
        text = f"{error.ename}: {error.evalue}"
        raise NbChaliceError(
            f"{path.name} failed while it was executed: {text}", "run it in Jupyter to see more", place
        ) from None
    except NoSuchKernel as error:
        raise InvalidInputError(
            f"{path.name} wants the kernel {error.name!r}, which is not installed here",
            "pip install 'nbchalice[lab]' brings python3; else choose an installed kernel in Jupyter, and save",
        ) from None
    except DeadKernelError:
        raise NbChaliceError(
            f"the kernel died while {path.name} was executed", "run it in Jupyter to see where"
        ) from None
    skipped: list[str] = []
    for number, cell in enumerate(code, 1):
        skipped += [f"cell {number}: {line}" for line in _lines(cell, "stderr", SKIPPED)]
    return Executed(skipped, _proven(proof))


def _proven(cell: Any) -> dict[str, Compared | CaptureError]:
    lines = _lines(cell, "stdout", PROVEN)
    outcomes = json.loads(lines[-1].removeprefix(PROVEN)) if lines else {}
    return {name: _outcome(one) for name, one in outcomes.items()}


def _outcome(outcome: JSON) -> Compared | CaptureError:
    from nbchalice.notebook.capture.choices import Choice
    from nbchalice.notebook.capture.search import Compared

    if "message" in outcome:
        place = Location(**outcome["location"]) if outcome["location"] is not None else None
        return CaptureError(outcome["message"], outcome["hint"], place, code=outcome["code"])
    also = {position: frozenset(names) for position, names in outcome["also"]}
    return Compared(Choice(also, dict(outcome["without"])), tuple(outcome["notes"]))


def _lines(cell: Any, stream: str, beginning: str) -> list[str]:
    """Return the lines with a beginning that a cell wrote to ``stdout`` or ``stderr``."""
    written = [output.text for output in cell.outputs if output.output_type == "stream" and output.name == stream]
    lines = chain.from_iterable(text.splitlines() for text in written)
    return [line for line in lines if line.startswith(beginning)]
