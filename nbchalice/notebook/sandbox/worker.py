"""A helper process that runs captured modules, each in a fork of its own.

Each line of standard input is a request (JSON), each line of standard output its answer.
"""

from __future__ import annotations

import builtins
import inspect
import json
import os
import random
import resource
import sys
import tempfile
import time
import types
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.sandbox.forks import Channel, ask_fork
from nbchalice.notebook.sandbox.guard import DENIED
from nbchalice.notebook.sandbox.late_threads import hold_threads
from nbchalice.notebook.sandbox.unpatched import UNPATCHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nbchalice.runtime.app import Chalice
    from nbchalice.runtime.function import LambdaFunction

_DEPTH = 20
_WORTH_TELLING = 0.001
_UMASK = 0o022
"""Lambda's; a notebook may have set another one before this process was started."""
_CHANCE = "nothing seeded it"
"""What each run draws, unless the code seeds: two runs draw the same then, and what they draw is not the notebook's."""
_ELSEWHERE = {"HOME": "/root", "AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-3", "OMP_NUM_THREADS": "3"}
"""Another place to run the same code: what comes out otherwise there is of the place, not of the code."""


def main() -> None:
    """Answer requests until the standard input ends."""
    os.umask(_UMASK)
    import nbchalice.notebook.sandbox.confine
    import nbchalice.notebook.sandbox.values
    import nbchalice.runtime.app
    import nbchalice.runtime.cells  # noqa: F401 - ready before the first fork

    os.environ.pop("PYTHONHASHSEED", None)
    UNPATCHED.hold()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(ask_fork(json.loads(line), _act)) + "\n")
        answers.flush()


def _act(request: dict[str, Any], channel: Channel, scratch: Path) -> dict[str, Any]:
    """Do what a request asks for, in a fork that is confined first."""
    os.environ.pop("TMPDIR", None)
    _set_environment({**request.get("zone", {}), **(request.get("env") or {})})
    if request.get("elsewhere"):
        os.environ.update(_ELSEWHERE)
        sys.argv[:] = ["/var/runtime/bootstrap"]
    # As on Lambda, the current folder cannot be written and holds none of the notebook's files.
    os.chdir("/usr" if request.get("elsewhere") else os.sep)
    _extend_path(request["modules"], request["libraries"])
    request["confined"] = _confine(request, scratch)
    hold_threads()
    UNPATCHED.hold()
    actions: dict[str, Callable[[dict[str, Any]], object]] = {
        "evaluate": _evaluate,
        "verify": partial(_verify, channel),
        "rerun": _rerun,
    }
    return {"answer": actions[request["action"]](request), "confined": request["confined"]}


def _set_environment(variables: dict[str, str | None]) -> None:
    """Set variables; None takes one away."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if hasattr(time, "tzset"):
        time.tzset()


def _confine(request: dict[str, Any], scratch: Path) -> str:
    from nbchalice.notebook.sandbox.confine import confine

    own, modules = map(Path, request["own"]), list(map(Path, request["modules"]))
    bundles = [Path(entry["file"]) for entry in request.get("bundles", {}).values()]
    local, along = ([], modules) if request["along"] else (modules, [])
    notebook = Path(request["own"][0]) if request["action"] == "rerun" else None
    return confine(scratch, own, local, [*along, *bundles], notebook=notebook, **request.get("confine", {}))


def _extend_path(modules: list[str], libraries: list[str]) -> None:
    """Put local code behind the standard library, which nothing may shadow, and before what is installed."""
    installed = ("site-packages", "dist-packages")
    first = next((number for number, path in enumerate(sys.path) if path.endswith(installed)), len(sys.path))
    sys.path[first:first] = [path for path in modules if path not in sys.path]
    sys.path += [path for path in libraries if path not in sys.path]


def _evaluate(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the decorators of handlers registered."""
    _without_entry_points()
    from nbchalice.notebook.sandbox.reads import reads

    answers = []
    with reads() as seen:  # A module that another definition imported has read what it reads.
        for definition in request["definitions"]:
            with reads() as own:
                answer = _registered(definition)
            answers.append({**answer, "read": own, "seen": dict(seen)})
    return answers


def _without_entry_points() -> None:
    """Do as on Lambda, where a module itself imports what registers its event kinds."""
    sys.modules["nbchalice.runtime.entry_points"] = None  # type: ignore[assignment]


def _registered(definition: dict[str, Any]) -> dict[str, Any]:
    from nbchalice.runtime.app import Chalice
    from nbchalice.runtime.cells import Segment, load_module
    from nbchalice.runtime.function import LambdaFunction

    notebook = definition["notebook"]
    module, failure = None, {}
    for one in definition["modules"]:
        try:
            segments = [Segment(**entry) for entry in one["segments"]]
            module = load_module(one["module"], segments, notebook, "notebook_code")
            break
        except BaseException as error:  # the user's own code may raise anything
            UNPATCHED.restore()
            failure = _failure(error, notebook)
    UNPATCHED.restore()
    if module is None:
        return failure
    if definition["function"] is None:
        functions = chain.from_iterable(app.handlers.values() for app in _apps(module))
        handlers = [_as_json(function, notebook) for function in functions]
        errors = [handler["error"] for handler in handlers if "error" in handler]
        left_out = list(chain.from_iterable(app.left_out for app in _apps(module)))
        return {"error": errors[0]} if errors else {"handlers": handlers, "left_out": left_out}
    function = getattr(module, definition["function"], None)
    if not isinstance(function, LambdaFunction):
        return {}
    if not isinstance(function.app, Chalice):  # A blueprint: it is a handler of the apps that have registered that.
        registered = chain.from_iterable(app.handlers.values() for app in _apps(module))
        same = [_as_json(one, notebook) for one in registered if one.function is function.function]
        return same[0] if [one for one in same if "error" in one] else {"handlers": same, "blueprint": True}
    answer = _as_json(function, notebook)
    return {**answer, "record": _record(function)} if definition.get("samples") else answer


def _record(found: LambdaFunction) -> dict[str, Any] | None:
    """Return the type of a handler's records with JSON that fits, as plain data."""
    sys.modules.pop(
        "nbchalice.runtime.entry_points", None
    )  # the module is loaded: from here on it is the notebook's side
    from nbchalice.handlers.records import record_of

    record = record_of(found.function)
    return {"text": record.text, "samples": record.samples} if record is not None else None


def _as_json(found: LambdaFunction, notebook: str) -> dict[str, Any]:
    """Return a handler with its triggers, and where its function is written."""
    try:
        triggers = json.loads(json.dumps([[trigger.source, trigger.options] for trigger in found.triggers]))
        settings = json.loads(json.dumps(found.settings))
    except (TypeError, ValueError) as error:
        return {"error": f"an argument is not plain data: {error}"}
    code = getattr(inspect.unwrap(found.function), "__code__", None)
    place = code.co_filename if code is not None else ""
    return {
        "name": found.name,
        "function": getattr(found.function, "__name__", found.name),
        "triggers": triggers,
        "settings": settings,
        "app": found.app.app_name,
        "cell": place.removeprefix(f"{notebook}#") if place.startswith(f"{notebook}#") else None,
        "cell_line": code.co_firstlineno if code is not None else None,
    }


def _apps(module: types.ModuleType) -> list[Chalice]:
    """Return the apps of a module."""
    from nbchalice.runtime.app import Chalice

    return [value for value in vars(module).values() if isinstance(value, Chalice)]


def _rerun(request: dict[str, Any]) -> dict[str, Any]:
    """Run a notebook's statements, only where the kernel confines the process: nobody may notice it."""
    from nbchalice.notebook.sandbox.rerunning import rerun

    if request["confined"] != "kernel":
        return {"missing": "this system cannot confine it; --execute compares with a kernel"}
    os.chdir(tempfile.gettempdir())  # A notebook writes files beside itself: here, they are in a folder of the run.
    return rerun(request)


def _verify(channel: Channel, request: dict[str, Any]) -> dict[str, Any]:
    """Import a module and describe its values."""
    _without_entry_points()
    from nbchalice.notebook.sandbox.loads import Hidden, Loads
    from nbchalice.notebook.sandbox.reads import reads
    from nbchalice.notebook.sandbox.values import describe, describe_imported, sharing, standing_names, unregistered
    from nbchalice.runtime.app import handlers_in
    from nbchalice.runtime.cells import Segment, load_module
    from nbchalice.runtime.shape_checks import unheeded

    timed = _Timed(request["notebook"], channel)

    def load(name: str) -> Any:
        from nbchalice.runtime.bundles import load_entry

        return load_entry(name, request["bundles"][name], Path())

    if request.get("hidden"):
        Hidden(request["hidden"])
    before = _largest()
    # Who marked a draw says that it may be another one each time.
    random.seed(f"{_CHANCE} elsewhere" if request.get("elsewhere") and request.get("marked") else _CHANCE)
    try:
        with reads() as read, Loads() as loads:
            segments = [Segment(**entry) for entry in request["segments"]]
            module = load_module(request["module"], segments, request["notebook"], "notebook_code", load, run=timed)
        UNPATCHED.restore()
        memory = _largest() - before
        standing = {name: getattr(module, name) for name in request["names"] if hasattr(module, name)}
    except BaseException as error:  # the user's own code may raise anything
        UNPATCHED.restore()
        return {**_failure(error, request["notebook"]), "statement": timed.place}
    handlers = handlers_in(vars(module))
    imported, values, names = request["imported"], {}, standing_names(standing)
    for name, value in standing.items():
        known = name in imported
        values[name] = describe_imported(value, imported[name], names) if known else describe(value, names)
    answer = {
        "read": read,
        "loads": loads.found(),
        "registered": list(handlers),
        "seconds": timed.seconds,
        "memory_mb": round(memory),
        "unheeded": {name: unheeded(one.function, one.triggers) for name, one in handlers.items()},
        "values": values,
        "unregistered": unregistered(request["codecs"]),
        "sharing": sharing(standing, request["bundles"]) if request.get("sharing") else [],
        "undefined": [
            name
            for name in request["reads"]
            if name not in vars(module) and name not in request["bundles"] and not hasattr(builtins, name)
        ],
    }
    if request.get("calls"):  # last: what they change is of no concern
        from nbchalice.notebook.sandbox.calling import answered

        answer["values"] = answered(values, vars(module), request["calls"], names)
    return answer


def _largest() -> float:
    """Return the most memory that this process has had, in MB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in KB; on macOS in bytes
    return used / (1 << 20 if sys.platform == "darwin" else 1 << 10)


class _Timed:
    """Runs statements; notes how long each takes, and tells the parent which one is running."""

    def __init__(self, notebook: str, channel: Channel) -> None:
        self._prefix, self._channel = f"{notebook}#", channel
        self._run, self._clock, self._denied = exec, time.process_time, DENIED
        self.place: tuple[str, int] | None = None
        self.seconds: list[tuple[str, int, float]] = []
        """Cell, line and seconds of processor time of the statements that take any worth telling."""

    def __call__(self, code: types.CodeType, space: dict[str, object]) -> None:
        """Run the code of one statement; with nothing that those before it can have replaced."""
        self.place = self._channel.reached(code, code.co_filename.removeprefix(self._prefix))
        self._denied.clear()
        start = self._clock()
        self._run(code, space)
        seconds = self._clock() - start
        if seconds > _WORTH_TELLING:
            self.seconds.append((*self.place, seconds))


def _failure(error: BaseException, notebook: str) -> dict[str, Any]:
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    cell, line, trace = None, None, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith(f"{notebook}#"):
            cell, line = name.removeprefix(f"{notebook}#"), trace.tb_lineno
        trace = trace.tb_next
    # The causes, too: a decorator, or a library, may have wrapped what was raised.
    kinds: list[str] = []
    for one in _causes(error):
        kinds += [kind.__name__ for kind in type(one).__mro__]
    denied = DENIED[-1] if DENIED and "OSError" in kinds else ""
    own = [getattr(one, "fix", "") for one in _causes(error) if type(one).__name__ == "AnnotationError"]
    return {"error": text, "kinds": kinds, "cell": cell, "cell_line": line, "denied": denied, "fix": (*own, "")[0]}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error, and what it was made of."""
    for _ in range(_DEPTH):
        if error is not None:
            yield error
            error = error.__cause__ or error.__context__
