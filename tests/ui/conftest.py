"""A real IPython shell with the extension loaded."""

import uuid

import pytest

from ..shells import close


class Runner:
    """Runs cells and gives their results."""

    def __init__(self, shell):
        self.shell = shell

    def __call__(self, text):
        result = self.shell.run_cell(text, store_history=True)
        result.raise_error()
        return result.result

    def error(self, text):
        result = self.shell.run_cell(text, store_history=True)
        error = result.error_in_exec or result.error_before_exec
        assert error is not None, "the cell ran"
        return error

    @property
    def names(self):
        return self.shell.user_ns

    @property
    def notebook(self):
        return self.shell._nbchalice


@pytest.fixture(autouse=True)
def nothing_of_others(empty_local_aws):
    """Let the tests' order not matter."""


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A shell without the extension."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.chdir(tmp_path)

    class Shell(InteractiveShell):
        def enable_gui(self, gui=None):
            """``%matplotlib inline`` calls it; a kernel has no window to open either."""

    Shell.clear_instance()
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    shell = Shell.instance(config=config)
    yield Runner(shell)
    if getattr(shell, "_nbchalice", None):
        shell.run_line_magic("unload_ext", "nbchalice")
    Shell.clear_instance()
    close(shell)


@pytest.fixture
def run(bare):
    """A shell with the extension loaded and the app named."""
    bare("%load_ext nbchalice")
    bare("%chalice app shop")
    return bare


@pytest.fixture
def name(run):
    """A name of this test's own, for the app and its queue."""
    own = f"n{uuid.uuid4().hex[:8]}"
    run(f"%chalice app {own}")
    return own


@pytest.fixture
def deployed(run, name, request):
    """The shell of the test, with the module's ``CELL`` deployed."""
    run(request.module.CELL.format(name=name))
    run("%chalice deploy")
    return run
