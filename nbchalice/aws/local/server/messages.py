"""Length-prefixed JSON, as the processes of the local AWS send it to each other."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

Message = dict[str, Any]


def packed(document: object) -> bytes:
    """Return a document as it is sent."""
    body = json.dumps(document).encode()
    return struct.pack(">I", len(body)) + body


def read_message(connection: socket.socket) -> Message | None:
    """Read one message; None at the end of the stream."""
    try:
        head = read_bytes(connection, 4)
        body = read_bytes(connection, struct.unpack(">I", head)[0]) if head else b""
    except OSError:
        return None
    if not body:
        return None
    message: Message = json.loads(body)
    return message


def read_bytes(connection: socket.socket, size: int) -> bytes:
    """Read exactly so many bytes; none at the end of the stream."""
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
