"""`python -m nbchalice`, and the command `nbchalice`."""

import gc
import os
import signal
import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is being loaded ends it as Ctrl-C does later."""
    # Modules and syntax trees are made in masses and stay: looking for garbage among them takes a tenth of a deploy.
    gc.set_threshold(200_000)
    try:
        status = _completed() if "_NBCHALICE_COMPLETE" in os.environ else None
        if status is None:
            from nbchalice.cli import code_of

            status = code_of(sys.argv[1:])
    except KeyboardInterrupt:
        print("error: nbchalice was stopped", file=sys.stderr)
        status = 130
    # All is said: who presses it now need not wait for threads that end.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What is left goes with the process: looking through all of it once more takes a quarter of a deploy.
    gc.freeze()
    sys.exit(status)


def _completed() -> int | None:
    from nbchalice.completion import answer

    return answer()


if __name__ == "__main__":
    main()
