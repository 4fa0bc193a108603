"""From which network address a request comes. What a client says of itself is believed only of proxies we named.

``OMS_TRUSTED_PROXIES`` lists networks. When the connection comes from one of them, the address is the last one in
``X-Forwarded-For`` that is not such a proxy: whatever stands further left was written by the client.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

MOST_HOPS = 10


def source_of(request: HttpRequest) -> str:
    """The address as text, in its shortest form; empty when there is none (a Unix socket that no proxy speaks for)."""
    peer = _address(str(request.META.get("REMOTE_ADDR", "")))
    if peer is not None and not _is_proxy(peer):
        return str(peer)
    if not settings.TRUSTED_PROXIES:
        return "" if peer is None else str(peer)
    told = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    for text in reversed(told[-MOST_HOPS:]):
        hop = _address(text.strip())
        if hop is None:
            break
        peer = hop
        if not _is_proxy(hop):
            break
    return "" if peer is None else str(peer)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _is_proxy(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
