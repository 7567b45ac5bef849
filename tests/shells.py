"""IPython shells of the tests."""

import atexit


def close(shell):
    """End a shell now; at the end of the process each would collect all garbage, which takes minutes for hundreds."""
    atexit.unregister(shell.atexit_operations)
    history = shell.history_manager
    history.end_session()
    if hasattr(history, "close"):  # since IPython 9
        history.close()
