"""The magics: a cell magic for each event source, and `%chalice COMMAND`."""

from __future__ import annotations

from functools import partial
from typing import Any

from nbchalice.errors import Interrupted
from nbchalice.runtime.entry_points import look_again, source_names
from nbchalice.ui.magics.completion import matcher
from nbchalice.ui.magics.notebook import Notebook
from nbchalice.ui.magics.python_commands import offer, withdraw
from nbchalice.ui.magics.registration import Registered

LOADED = "_nbchalice"


def load(shell: Any) -> None:
    """Register the magics with a shell; loading again changes nothing."""
    if getattr(shell, LOADED, None) is not None:
        return
    notebook = Notebook(shell)
    notebook.attach()
    notebook.on_decorated = partial(_show, notebook)
    setattr(shell, LOADED, notebook)
    offer(notebook)
    notebook.cell_magics = look_again()
    for name in notebook.cell_magics:
        shell.register_magic_function(_cell_magic(notebook, name), "cell", name)
    shell.register_magic_function(_line_magic(notebook), "line", "chalice")
    shell.input_transformers_cleanup.append(begin_with_magic)
    notebook.matcher = matcher(notebook)
    shell.Completer.custom_matchers.append(notebook.matcher)


def unload(shell: Any) -> None:
    """Take the magics away."""
    notebook = getattr(shell, LOADED, None)
    if notebook is None:
        return
    notebook.detach()
    withdraw()
    setattr(shell, LOADED, None)
    for name in notebook.cell_magics:
        shell.magics_manager.magics["cell"].pop(name, None)
    shell.magics_manager.magics["line"].pop("chalice", None)
    shell.input_transformers_cleanup.remove(begin_with_magic)
    shell.Completer.custom_matchers.remove(notebook.matcher)


def begin_with_magic(lines: list[str]) -> list[str]:
    """Let comments and blank lines stand above one of our cell magics, and nothing below it (as for `--help`)."""
    for index, line in enumerate(lines):
        if line.startswith("%%"):
            ours = line[2:].split(maxsplit=1)[:1]
            if not ours or ours[0] not in source_names():
                return lines
            below = lines[index + 1 :]
            # IPython refuses an empty body before the magic is asked.
            return [line.rstrip("\n") + "\n", *(below if "".join(below).strip() else ["#\n"])]
        if line.strip() and not line.lstrip().startswith("#"):
            return lines
    return lines


def _cell_magic(notebook: Notebook, name: str) -> object:
    def run(line: str, cell: str) -> object:
        __tracebackhide__ = True
        # What the magics need is imported when they are used: loading the extension stays cheap.
        from nbchalice.ui.magics.cell_magic import run_cell_magic

        return run_cell_magic(notebook, name, line, cell)

    run.__name__ = name
    run.__doc__ = f"Register the cell's function as an event handler, as Chalice's @app.{name} does (%%{name} --help)."
    # JSON options hold braces, and a notebook that is read, not run, knows no values: nothing is expanded.
    run._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]
    return run


def _show(notebook: Notebook, registered: list[Registered]) -> None:
    from nbchalice.ui.magics.handler_cards import show_registered

    show_registered(notebook, registered)


def _line_magic(notebook: Notebook) -> object:
    def chalice(line: str) -> object:
        """Run a command of nbchalice: %chalice --help lists them."""
        __tracebackhide__ = True
        try:
            from nbchalice.ui.magics.line_magic import run_command

            return run_command(notebook, line)
        except Interrupted:
            raise
        except KeyboardInterrupt:
            raise Interrupted(f"%chalice {' '.join(line.split()[:1])} was stopped") from None

    chalice._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]
    return chalice
