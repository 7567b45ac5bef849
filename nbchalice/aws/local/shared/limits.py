"""What of Lambda's rules a machine cannot enforce on handlers, in words for the user.

Standard library only: the server process uses it too.
"""

from __future__ import annotations

_LESS = {
    "namespaces": "",
    "landlock": (
        "handlers share /tmp, the list of processes and sockets with this computer, may change modes of your files, "
        "before Linux 6.12 signal your processes, and writing where Lambda is read-only is [Errno 13], not [Errno 30]: "
        "this system has Landlock, but lets no user make namespaces"
    ),
    "none": (
        "handlers see and may change all that you may, with your files and processes: this system has neither user "
        "namespaces nor Landlock"
    ),
}


def not_enforced(means: str) -> list[str]:
    """Return what handlers are not kept from.

    Parameters
    ----------
    means : str
        What confines them: ``namespaces``, ``landlock`` or ``none``.
    """
    return [_LESS[means]] if _LESS.get(means) else []
