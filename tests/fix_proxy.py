"""A line between the two FIX sides that misbehaves as told: it reads whole messages and drops, repeats, holds back, spoils,
delays, stalls or cuts. Loopback only. ``seen`` keeps what passed, by direction, whatever was then done with it.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from venues.domain.fix_codec import first_values, parse

OUT = "out"
"""From our gateway to the venue."""
IN = "in"
"""From the venue to our gateway."""

_HEAD = re.compile(rb"8=[^\x01]+\x019=(\d+)\x01")
_TRAILER = len(b"10=000\x01")
LOOK_EVERY_S = 0.02

Match = Callable[[dict[int, str]], bool]


class Deed(Enum):
    """What is done to a message."""

    DROP = "drop"  # it never arrives; the next one shows the gap
    DUPLICATE = "duplicate"  # it arrives twice, the same bytes
    HOLD_BACK = "hold back"  # it arrives after the one that follows it
    SPOIL = "spoil"  # its bytes are changed on the way: the checksum no longer holds
    FORGE = "forge"  # its text is changed and the checksum made to fit
    DELAY = "delay"  # it and all behind it arrive later
    STALL = "stall"  # nothing arrives any more, the connection stays open
    RESET = "reset"  # the connection is cut before it arrives
    RESET_AFTER = "reset after"  # the connection is cut right after it arrived


@dataclass(slots=True)
class Fault:
    """Do ``deed`` to messages of ``direction`` and ``msg_type`` ("" is any): the ``nth`` that matches, ``times`` in a row."""

    direction: str
    deed: Deed
    msg_type: str = ""
    nth: int = 1
    times: int = 1
    seconds: float = 1.0
    match: Match = lambda values: True
    forge: tuple[bytes, bytes] = (b"", b"")
    met: int = 0
    done: int = 0

    def takes(self, direction: str, values: dict[int, str]) -> bool:
        """Whether this message is one to do it to; counts what it meets."""
        if direction != self.direction or self.msg_type not in ("", values.get(35)) or not self.match(values):
            return False
        self.met += 1
        if self.met < self.nth or self.done >= self.times:
            return False
        self.done += 1
        return True


class _Cut(Exception):
    """The connection ends here."""


@dataclass(slots=True)
class _Way:
    """One direction of one connection."""

    name: str
    source: socket.socket
    target: socket.socket
    buffer: bytes = b""
    held: bytes = b""
    stalled: bool = False


class FixProxy:
    """Listens on ``port`` and passes on to ``venue_port``. Faults are consulted in the order they were told."""

    def __init__(self, *, venue_port: int) -> None:
        self._venue_port = venue_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LOOK_EVERY_S)
        self.port = int(self._listener.getsockname()[1])
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self.seen: dict[str, list[dict[int, str]]] = {OUT: [], IN: []}
        self.connections = 0
        self._open = threading.Event()
        self._open.set()
        self._stop = threading.Event()
        self._lines: list[tuple[socket.socket, socket.socket]] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def tell(self, *faults: Fault) -> None:
        """From now on these as well."""
        with self._lock:
            self._faults.extend(faults)

    def behave(self) -> None:
        """Forget every fault; stalled lines are cut, as a network that comes back would."""
        with self._lock:
            stalled = any(fault.deed is Deed.STALL and fault.done for fault in self._faults)
            self._faults.clear()
        self._open.set()
        if stalled:
            self.cut()

    def close_door(self) -> None:
        """Cut, and take no connection until :meth:`behave`."""
        self._open.clear()
        self.cut()

    def cut(self) -> None:
        """Reset every line now."""
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            for end in line:
                _reset(end)

    def stop(self) -> None:
        """End everything; harmless twice."""
        self._stop.set()
        self.cut()
        for thread in self._threads:
            thread.join(timeout=5)
        self._listener.close()

    def __enter__(self) -> FixProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self) -> None:
        while not self._stop.is_set():
            if not self._open.wait(LOOK_EVERY_S):
                continue
            try:
                ours, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return  # stopped
            if not self._open.is_set():
                _reset(ours)
                continue
            try:
                theirs = socket.create_connection(("127.0.0.1", self._venue_port), timeout=5)
            except OSError:
                _reset(ours)
                continue
            for end in (ours, theirs):
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            with self._lock:
                self._lines.append((ours, theirs))
            thread = threading.Thread(target=self._carry, args=(ours, theirs), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _carry(self, ours: socket.socket, theirs: socket.socket) -> None:
        ways = {ours: _Way(OUT, ours, theirs), theirs: _Way(IN, theirs, ours)}
        try:
            while not self._stop.is_set():
                ready, _, _ = select.select([ours, theirs], [], [], LOOK_EVERY_S)
                for end in ready:
                    self._read(ways[end])
        except (_Cut, OSError, ValueError):
            pass  # either side has gone, or a fault says so: both ends go
        finally:
            _reset(ours)
            _reset(theirs)

    def _read(self, way: _Way) -> None:
        data = way.source.recv(65536)
        if not data:
            raise _Cut
        way.buffer += data
        while (message := _first_message(way.buffer)) is not None:
            way.buffer = way.buffer[len(message) :]
            self._pass(way, message)

    def _pass(self, way: _Way, message: bytes) -> None:
        values = first_values(parse(message.decode("latin-1")))
        with self._lock:
            self.seen[way.name].append(values)
            fault = next((one for one in self._faults if one.takes(way.name, values)), None)
        if way.stalled:
            return
        self._do(way, message, fault)

    def _do(self, way: _Way, message: bytes, fault: Fault | None) -> None:
        deed = fault.deed if fault else None
        if fault is None:
            self._deliver(way, message)
        elif deed is Deed.DUPLICATE:
            self._deliver(way, message + message)
        elif deed is Deed.HOLD_BACK:
            way.held += message
        elif deed is Deed.SPOIL:
            self._deliver(way, message.replace(b"\x0134=", b"\x0134=9", 1))
        elif deed is Deed.FORGE:
            self._deliver(way, _forged(message, *fault.forge))
        elif deed is Deed.DELAY:
            time.sleep(fault.seconds)
            self._deliver(way, message)
        elif deed is Deed.STALL:
            way.stalled = True
        elif deed is Deed.RESET:
            raise _Cut
        elif deed is Deed.RESET_AFTER:
            self._deliver(way, message)
            raise _Cut

    @staticmethod
    def _deliver(way: _Way, data: bytes) -> None:
        held, way.held = way.held, b""
        way.target.sendall(data + held)


def _first_message(data: bytes) -> bytes | None:
    """The first whole message of the bytes, or None while it is not whole."""
    head = _HEAD.match(data)
    if head is None:
        if len(data) > 64:
            raise ValueError("not FIX")
        return None
    length = head.end() + int(head.group(1)) + _TRAILER
    return data[:length] if len(data) >= length else None


def _forged(message: bytes, old: bytes, new: bytes) -> bytes:
    """The message with ``old`` replaced by ``new``, its length and checksum made to fit."""
    head = _HEAD.match(message)
    assert head is not None
    body = message[head.end() : -_TRAILER].replace(old, new, 1)
    begin = message[: message.index(b"\x01") + 1]
    whole = begin + b"9=%d\x01" % len(body) + body
    return whole + b"10=%03d\x01" % (sum(whole) % 256)


def _reset(end: socket.socket) -> None:
    """Close at once with RST, so that nobody takes it for an orderly end."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        end.close()
