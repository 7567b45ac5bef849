"""The embedded local AWS: a guarded MiniStack in a background process of the user's own.

Three interpreters, three rooms: ``client`` runs in the notebook's; ``server`` in an environment made for the server
alone, where there is no nbchalice; ``worker`` in that of a Lambda function. ``shared`` is what the first two know.
"""

import sys

if sys.platform == "win32":
    from nbchalice.errors import LocalAWSError

    raise LocalAWSError(
        "the local AWS runs on Linux and macOS only", "use WSL: https://learn.microsoft.com/windows/wsl"
    )
