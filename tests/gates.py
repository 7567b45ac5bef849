"""What a test tells a handler while it runs: a handler sees none of this computer's files, but reaches its network."""

import socket

OPEN = """
import socket
def is_open(gate):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(gate))) == 0
"""
"""For the code of a handler: whether the gate with this number is open."""


class Gate:
    """A port of the loopback interface that nobody listens on until the gate is opened."""

    def __init__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.number = self._socket.getsockname()[1]

    def open(self):
        self._socket.listen(512)

    def close(self):
        """Close it for good."""
        self._socket.close()
