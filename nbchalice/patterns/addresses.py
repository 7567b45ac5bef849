"""IP addresses and ranges of them."""

from __future__ import annotations

import ipaddress
import re

from nbchalice.patterns.refusal import InvalidPatternError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SHAPE = re.compile(r"[0-9]+(\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*")


def address_of(text: object) -> Address | None:
    """Return the address that a text is, or None."""
    if not isinstance(text, str) or not SHAPE.fullmatch(text):
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def network_of(text: str) -> Network:
    """Return the range of addresses that a text such as ``10.0.0.0/24`` is.

    Raises
    ------
    InvalidPatternError
        It is none; AWS also refuses a range of a single address, ``/32`` or ``/128``.
    """
    parts = text.rstrip("/").split("/")
    if len(parts) != 2:
        raise InvalidPatternError("Malformed CIDR, one '/' required", 'write a range such as "10.0.0.0/24"')
    address, bits = parts
    if not re.fullmatch(r"[+-]?[0-9]+", bits):
        raise InvalidPatternError("Malformed CIDR, mask bits must be an integer")
    if int(bits) < 0:
        raise InvalidPatternError("Malformed CIDR, mask bits must not be negative")
    if not SHAPE.fullmatch(address):
        raise InvalidPatternError(f"Nonstandard IP address: {address}")
    ip = address_of(address)
    if ip is None:
        raise InvalidPatternError(f"Invalid IP address: {address}")
    if int(bits) >= ip.max_prefixlen:
        alone = f'a single address is a plain value: ["{address}"]'
        raise InvalidPatternError(f"IPv{ip.version} mask bits must be < {ip.max_prefixlen}", alone)
    return ipaddress.ip_network(f"{ip}/{int(bits)}", strict=False)
