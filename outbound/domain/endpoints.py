"""Where the house may send by itself: which URLs, which addresses. Pure; ``sending`` asks it again for every connection.

A URL that somebody enters makes this house knock at a door of their choice. So a URL is a public name over https on a
known port and nothing clever; whatever that name means at the moment of sending, all of its addresses must be public
ones of the internet, and the connection goes to an address that was looked at (no second look-up, no redirect).

Loopback is for demonstrations and tests, by a setting that live refuses.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

PORTS = frozenset({443, 8443})
LONGEST_URL = 500
LEAST_OWN_PORT = 1024  # on loopback: what listens below is the machine's, not a demonstration's
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_TOP = re.compile(r"[a-z][a-z0-9-]*")
_PLAIN = re.compile(r"[!-~]+")  # printable ASCII without the blank
_UNSAFE = frozenset('\\"<>^`{|}')
_INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "onion", "arpa", "test", "invalid")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_V6_PUBLIC = ip_network("2000::/3")
_V6_WRAPPED = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "64:ff9b::/96")))
_V4_SPECIAL = tuple(
    map(
        ip_network,
        (
            *(
                "0.0.0.0/8",
                "10.0.0.0/8",
                "100.64.0.0/10",
                "127.0.0.0/8",
                "169.254.0.0/16",
                "172.16.0.0/12",
                "192.0.0.0/24",
            ),
            *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4"),
            "168.63.129.16/32",  # a public address at which a cloud serves secrets to its machines
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What this installation may reach. ``loopback`` never in live."""

    loopback: bool = False
    ports: frozenset[int] = PORTS


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL taken apart. ``path`` is as it is sent, query and all."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def read_endpoint(url: str, reach: Reach) -> Endpoint:
    """The URL as an endpoint. Raises ValueError with a sentence for whatever the house does not send to."""
    if not url or len(url) > LONGEST_URL or not _PLAIN.fullmatch(url) or _UNSAFE & set(url):
        raise ValueError(
            f"A URL of at most {LONGEST_URL} plain ASCII characters; a name in other letters in its xn-- form."
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise ValueError("This is not a URL.") from problem
    if "@" in parts.netloc or parts.username is not None:
        raise ValueError("A URL without a user name in it.")
    if "#" in url:
        raise ValueError("A URL without a fragment.")
    if "%" in parts.netloc:
        raise ValueError("A host name as it is, without percent signs.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if reach.loopback and host in _LOOPBACK_NAMES and parts.scheme in ("http", "https"):
        return _on_loopback(parts.scheme, host, port, path)
    if parts.scheme != "https":
        raise ValueError("The house sends over https alone.")
    _require_public_name(host)
    port = 443 if port is None else port
    if port not in reach.ports:
        raise ValueError(f"The house sends to port {' or '.join(map(str, sorted(reach.ports)))}.")
    return Endpoint(True, host, port, path)


def _on_loopback(scheme: str, host: str, port: int | None, path: str) -> Endpoint:
    if port is None or port < LEAST_OWN_PORT:
        raise ValueError(f"On this machine a port of {LEAST_OWN_PORT} or above.")
    return Endpoint(scheme == "https", host, port, path)


def _require_public_name(host: str) -> None:
    """Names only: an address in whatever notation (decimal, octal, hex, short) ends in something that is no top domain."""
    labels = host.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels) or not _TOP.fullmatch(labels[-1]):
        raise ValueError("A full public host name, no address.")
    if labels[-1] in _INSIDE:
        raise ValueError("A host name of the internet, not of a network inside.")


def is_reachable(address: str, reach: Reach) -> bool:
    """Whether the house may connect to this address: a public one of the internet, whatever it is wrapped in."""
    try:
        found = ip_address(address)
    except (ValueError, AddressValueError):
        return False
    if isinstance(found, IPv6Address):
        return _v6_reachable(found, reach)
    return _v4_reachable(found, reach)


def _v4_reachable(address: IPv4Address, reach: Reach) -> bool:
    if address.is_loopback:
        return reach.loopback
    return address.is_global and not any(address in special for special in _V4_SPECIAL)


def _v6_reachable(address: IPv6Address, reach: Reach) -> bool:
    if address.scope_id is not None:
        return False
    if address.is_loopback:
        return reach.loopback
    if address.ipv4_mapped is not None:
        return _v4_reachable(address.ipv4_mapped, reach)
    return address in _V6_PUBLIC and address.is_global and not any(address in wrapped for wrapped in _V6_WRAPPED)


def all_reachable(addresses: Collection[str], reach: Reach) -> bool:
    """One address inside among public ones is an attack or a mistake; either way nothing is sent."""
    return bool(addresses) and all(is_reachable(address, reach) for address in addresses)
