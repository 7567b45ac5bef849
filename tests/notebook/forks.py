"""Forks of a process, for what stays set in one, and a helper process that has libraries loaded."""

import marshal
import os
import subprocess
import sys
import traceback

from nbchalice.notebook.sandbox import helper


def started(loaded):
    """Start the helper process with libraries loaded: else each of its forks would take a second for that."""
    code = f"import sys\nsys.path.append({str(helper.ROOT)!r})\n{loaded}\n"
    code += "from nbchalice.notebook.sandbox.worker import main\nmain()"
    environment = {name: os.environ[name] for name in helper._KEPT if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-I", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, **helper._LIKE_LAMBDA},
        text=True,
        start_new_session=True,
    )


def in_fork(function, *arguments):
    """Return what a function returns in a fork of this process."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        try:
            answer = function(*arguments)
        except BaseException as error:
            answer = {"crash": "".join(traceback.format_exception(error))}
        with os.fdopen(write, "wb") as pipe:
            marshal.dump(answer, pipe)  # not json, which the function may have changed
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return marshal.loads(answer) if answer else {"crash": "the process ended"}
