"""A feed of lines over a Unix or TCP socket. Bounded: a sender that never ends a line is cut off."""

from __future__ import annotations

import socket

from kernel.ids import new_id
from refdata.adapters.base import FeedLost, FeedWords
from refdata.adapters.lines import LONGEST_LINE, LineReader

CONNECT_S = 2.0
PORTION = 256 * 1024


class SocketFeed:
    """One connection to ``unix:PATH`` or ``tcp:HOST:PORT``; opened at once, FeedLost when that fails."""

    def __init__(self, address: str) -> None:
        self.session = new_id()
        self._reader = LineReader()
        self._rest = b""
        kind, _, rest = address.partition(":")
        self._socket = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT_S)
        host, _, port = rest.rpartition(":")
        try:
            self._socket.connect(rest if kind == "unix" else (host, int(port)))
        except OSError as error:
            self._socket.close()
            raise FeedLost(f"{address} does not answer: {error}") from error

    def read(self, *, timeout_s: float) -> FeedWords:
        """What came since the last call."""
        self._socket.settimeout(timeout_s)
        try:
            portion = self._socket.recv(PORTION)
        except TimeoutError:
            return FeedWords()
        except OSError as error:
            raise FeedLost(str(error)) from error
        if not portion:
            raise FeedLost("the feed hung up")
        *lines, self._rest = (self._rest + portion).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise FeedLost("the feed sends a line without end")
        return self._reader.take(line.decode("utf-8", "replace") for line in lines if line)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
