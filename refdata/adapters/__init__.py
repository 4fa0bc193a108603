"""How prices reach us: one interface, an adapter for each kind of feed. ``open_feed`` picks by address."""

from __future__ import annotations

from pathlib import Path

from refdata.adapters.base import FeedLost, FeedWords, PriceFeed
from refdata.adapters.file_feed import FileFeed
from refdata.adapters.socket_feed import SocketFeed

__all__ = ["FeedLost", "FeedWords", "PriceFeed", "open_feed"]


def open_feed(address: str) -> PriceFeed:
    """The feed at ``unix:PATH``, ``tcp:HOST:PORT`` or ``file:PATH``. Raises FeedLost when nobody answers there."""
    kind, _, rest = address.partition(":")
    if kind == "file" and rest:
        return FileFeed(Path(rest))
    if kind in ("unix", "tcp") and rest:
        return SocketFeed(address)
    raise ValueError(f"{address!r} is no address of a price feed; use unix:PATH, tcp:HOST:PORT or file:PATH")
