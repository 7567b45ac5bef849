"""Runs captured modules in a process of its own; started with ``python -I``, never imported by a kernel."""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    """Answer the one request on standard input."""
    request = json.load(sys.stdin)
    answer_file = sys.stdout
    sys.stdout = sys.stderr
    # Behind the standard library, so that nothing of the notebook's folder can shadow it.
    sys.path += [path for path in request["paths"] if path not in sys.path]
    answers = [_evaluate(definition) for definition in request["definitions"]]
    answer_file.write("\n\0" + json.dumps(answers))


def _evaluate(definition: dict[str, Any]) -> dict[str, Any]:
    from nbchalice.runtime.cells import load_module
    from nbchalice.runtime.function import LambdaFunction

    notebook = definition["notebook"]
    try:
        module = load_module(definition["module"], definition["segments"], notebook, "notebook_code")
    except BaseException as error:
        return _failure(error, notebook)
    found = getattr(module, definition["function"], None)
    if not isinstance(found, LambdaFunction):
        return {}
    try:
        triggers = json.loads(json.dumps([[trigger.source, trigger.options] for trigger in found.triggers]))
        settings = json.loads(json.dumps(found.settings))
    except (TypeError, ValueError) as error:
        return {"error": f"an argument is not plain data: {error}"}
    return {"name": found.name, "triggers": triggers, "settings": settings, "app": found.app.app_name}


def _failure(error: BaseException, notebook: str) -> dict[str, Any]:
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    cell, line, trace = None, None, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith(f"{notebook}#"):
            cell, line = name.removeprefix(f"{notebook}#"), trace.tb_lineno
        trace = trace.tb_next
    return {"error": text, "cell": cell, "cell_line": line}


if __name__ == "__main__":
    main()
