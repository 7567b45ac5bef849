"""The embedded local AWS: a guarded MiniStack in a background process of the user's own.

``server.py`` and ``environment.py`` run in the notebook's interpreter; ``launcher.py`` and what it loads run in an
environment made for the server alone; ``bootstrap.py`` runs in the interpreter of a Lambda function.
"""

import sys

if sys.platform == "win32":
    from nbchalice.errors import LocalAWSError

    raise LocalAWSError(
        "the local AWS runs on Linux and macOS only", "use WSL: https://learn.microsoft.com/windows/wsl"
    )
