"""One POST to an endpoint of others: looked up, looked at, pinned, bounded in time and size. It never follows a redirect.

Invariants: a connection goes to an address of this very look-up that ``endpoints`` allows, with the name of the URL in TLS
and Host; no attempt takes longer than DEADLINE_S after the look-up; no more than MOST_ANSWER bytes of an answer are read, and
none is kept. A connection that was looked at is used again while both sides keep it open.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from outbound.domain.endpoints import Endpoint, Reach, all_reachable

DEADLINE_S = 10.0
CONNECT_S = 3.0
MOST_ANSWER = 16 * 1024
MOST_ADDRESSES = 2


def house_reach() -> Reach:
    """What this installation may reach, by its settings."""
    return Reach(loopback=settings.WEBHOOK_LOOPBACK)


Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` is None when none came; ``error`` is an UPPER_SNAKE code, empty when it was taken (2xx)."""

    status: int | None
    ms: int
    error: str = ""

    @property
    def arrived(self) -> bool:
        return not self.error


class NotReachable(Exception):
    """The endpoint's name leads to an address the house does not connect to, or nowhere."""


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a name as the system knows them now, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Line:
    """A line to one endpoint, for one thread. ``post`` never raises for what the other side does."""

    def __init__(
        self, endpoint: Endpoint, reach: Reach, *, context: ssl.SSLContext | None = None, look_up: Resolve = resolve
    ) -> None:
        self._endpoint, self._reach, self._look_up = endpoint, reach, look_up
        self._context = context or _context()
        self._open: _Pinned | None = None

    @property
    def path(self) -> str:
        """What is posted to, as it is sent."""
        return self._endpoint.path

    def post(self, body: bytes, headers: Sequence[tuple[str, str]], *, deadline_s: float = DEADLINE_S) -> Answer:
        """Send it once; a second time only where a kept connection turned out to be closed before it answered."""
        began = time.monotonic()
        kept = self._open is not None
        status, error = self._try(body, headers, deadline_s)
        if error == "CONNECTION_LOST" and kept:
            status, error = self._try(body, headers, deadline_s)
        if error:
            self.close()
        return Answer(status, int((time.monotonic() - began) * 1000), error)

    def _try(self, body: bytes, headers: Sequence[tuple[str, str]], deadline_s: float) -> tuple[int | None, str]:
        try:
            if self._open is None:
                self._open = self._connect(deadline_s)
            status = self._open.exchange(self._endpoint, body, headers, deadline_s)
        except NotReachable as problem:
            return None, str(problem)
        except TimeoutError:
            return None, "TIMED_OUT"
        except ssl.SSLError:
            return None, "TLS_FAILED"
        except ConnectionError:  # also where it hung up instead of answering
            self.close()
            return None, "CONNECTION_LOST"
        except OSError:
            return None, "CONNECTION_FAILED"
        except (http.client.HTTPException, ValueError):
            return None, "ANSWER_MALFORMED"
        if not self._open.usable:
            self.close()
        return status, _said(status)

    def _connect(self, deadline_s: float) -> _Pinned:
        """To one of the addresses of a fresh look-up, every one of which must be allowed."""
        place = self._endpoint
        try:
            addresses = self._look_up(place.host, place.port)
        except OSError as problem:
            raise NotReachable("NAME_UNKNOWN") from problem
        if not all_reachable(addresses, self._reach):
            raise NotReachable("ADDRESS_REFUSED")
        until = time.monotonic() + deadline_s
        last: OSError = ConnectionError("no address")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                plain = socket.create_connection(
                    (address, place.port), timeout=min(CONNECT_S, until - time.monotonic())
                )
            except OSError as problem:
                last = problem
                continue
            return _Pinned(self._secured(plain) if place.secure else plain)
        raise last if isinstance(last, TimeoutError) else OSError("no address answered") from last

    def _secured(self, plain: socket.socket) -> socket.socket:
        try:
            return self._context.wrap_socket(plain, server_hostname=self._endpoint.host)
        except BaseException:
            plain.close()
            raise

    def close(self) -> None:
        """Hang up; the next post connects anew."""
        if self._open is not None:
            self._open.close()
            self._open = None


def _said(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return "REDIRECTED" if 300 <= status < 400 else f"STATUS_{status}"


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Pinned:
    """HTTP over a socket that is connected already, each exchange within its deadline."""

    def __init__(self, connected: socket.socket) -> None:
        self._timed = _Timed(connected)
        self.usable = True

    def exchange(self, place: Endpoint, body: bytes, headers: Sequence[tuple[str, str]], deadline_s: float) -> int:
        """The status. Afterwards ``usable`` says whether another exchange may follow."""
        self._timed.until = time.monotonic() + deadline_s
        self.usable = False
        lines = [f"POST {place.path} HTTP/1.1", f"Host: {place.authority}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self._timed.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        answer = http.client.HTTPResponse(self._timed, method="POST")  # type: ignore[arg-type]
        answer.begin()
        with contextlib.suppress(OSError, http.client.HTTPException):  # it answered; what it adds changes nothing
            answer.read(MOST_ANSWER)
            self.usable = answer.isclosed() and not answer.will_close
        return answer.status

    def close(self) -> None:
        self._timed.close()


class _Timed:
    """A socket whose every call waits no longer than what is left until ``until``: slow dripping does not renew it."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self.until = 0.0

    def _wait_no_longer(self) -> None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this exchange is over")
        self._socket.settimeout(left)

    def sendall(self, data: bytes) -> None:
        self._wait_no_longer()
        self._socket.sendall(data)

    def receive_into(self, buffer: Any) -> int:
        self._wait_no_longer()
        return self._socket.recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What the response is read from; closing it leaves the socket open."""
        return io.BufferedReader(_Bytes(self))

    def close(self) -> None:
        self._socket.close()


class _Bytes(io.RawIOBase):
    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.receive_into(buffer)
