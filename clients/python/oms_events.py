"""Receives the events of the house: verify a webhook's signature, work each event once, in order, and go on after a stop.

Standard library alone, one file: copy it. Two ways in, one way of working:

* ``Receiver`` answers webhooks. It verifies, keeps the id, works the event and answers 204, all before the house hears of
  success; so an event whose work fails comes again.
* ``poll`` reads ``GET /api/v1/events`` behind the position that ``Seen`` keeps.

Whoever must know the house's word for certain keeps ``Seen`` in the database in which the events have their effect, in the
same transaction; ``FileSeen`` here is for small things and as a pattern.

    receiver = Receiver(secrets={"01a2...": "..."}, seen=FileSeen("seen.sqlite"), work=print)
    receiver.serve("127.0.0.1", 9443)
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sqlite3
import threading
import time as clock
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlsplit

SCHEME = "OMS-HMAC-SHA256"
SIGNATURE_HEADER = "OMS-Signature"
WINDOW_S = 300
LARGEST_BODY = 256 * 1024
_FORM = re.compile(
    SCHEME + r" key=([0-9a-f-]{36}),time=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{16,64}),signature=([0-9a-f]{64})"
)

Event = dict[str, Any]


class NotFromTheHouse(Exception):
    """The request is not what the house sent, or not now. Answer 401 and do nothing."""


def verify(
    *, path: str, body: bytes, signatures: Iterable[str], event_id: str, secrets: Mapping[str, str], now: float
) -> str:
    """The key whose signature is right; raises NotFromTheHouse.

    ``path`` is the request line's, query included; ``signatures`` all values of the header OMS-Signature; ``event_id``
    the header Idempotency-Key; ``secrets`` by key id: two while you change to a new one.
    """
    problem = "it carries no signature"
    for value in signatures:
        found = _FORM.fullmatch(value.strip())
        if found is None:
            problem = "its signature is malformed"
            continue
        key, time, nonce, signature = found.groups()
        if key not in secrets:
            problem = "it is signed with a key that is not known here"
        elif abs(int(time) - now) > WINDOW_S:
            problem = "its time is more than five minutes off; compare the clocks"
        elif not hmac.compare_digest(_sign(secrets[key], _text(path, body, time, nonce, key, event_id)), signature):
            problem = "its signature is not that of this request"
        else:
            return key
    raise NotFromTheHouse(problem)


def _sign(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def _text(path: str, body: bytes, time: str, nonce: str, key: str, event_id: str) -> bytes:
    parts = urlsplit(path)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = sorted((quote(name, safe="-._~"), quote(value, safe="-._~")) for name, value in pairs)
    lines = (
        SCHEME,
        "POST",
        quote(unquote(parts.path), safe="/-._~"),
        "&".join(f"{name}={value}" for name, value in query),
        hashlib.sha256(body).hexdigest(),
        time,
        nonce,
        key,
        event_id,
    )
    return "\n".join(lines).encode()


class Seen(Protocol):
    """What is remembered: which events were worked, and how far the stream was read."""

    def once(self, event: Event, work: Callable[[Event], None]) -> bool:
        """Work the event and remember it together; False, and nothing done, when it is remembered already."""

    def position(self) -> str:
        """Behind which to read on; ``0`` at first."""

    def reached(self, position: str) -> None:
        """Everything up to here was read."""


class FileSeen:
    """``Seen`` in a SQLite file. Ids are kept ``keep_days``; the house sends nothing older again by itself."""

    def __init__(self, file: str | Path, *, keep_days: int = 90) -> None:
        self._file, self._keep_days, self._lock = str(file), keep_days, threading.Lock()
        with self._open() as opened:
            opened.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at REAL NOT NULL)")
            opened.execute("CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY, position TEXT NOT NULL)")

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=30)

    def once(self, event: Event, work: Callable[[Event], None]) -> bool:
        """One at a time: the id is written before the work and taken back when the work fails."""
        with self._lock, self._open() as opened:
            opened.execute("DELETE FROM seen WHERE at < ?", [clock.time() - self._keep_days * 86400])
            written = opened.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", [event["id"], clock.time()])
            if written.rowcount == 0:
                return False
            work(event)
            return True

    def position(self) -> str:
        with self._open() as opened:
            row = opened.execute("SELECT position FROM place").fetchone()
        return str(row[0]) if row else "0"

    def reached(self, position: str) -> None:
        with self._lock, self._open() as opened:
            opened.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", [position])


@dataclass(frozen=True)
class Receiver:
    """Webhooks of one subscription. ``work`` is called once for each event; what it raises makes the house send it again."""

    secrets: Mapping[str, str]
    seen: Seen
    work: Callable[[Event], None]

    def take(self, *, path: str, body: bytes, signatures: Iterable[str], event_id: str, now: float) -> int:
        """The HTTP status to answer with: 204 worked or known, 401 not from the house, 400 not an event."""
        try:
            verify(path=path, body=body, signatures=signatures, event_id=event_id, secrets=self.secrets, now=now)
        except NotFromTheHouse:
            return 401
        event = json.loads(body)
        if event.get("id") != event_id:
            return 400
        self.seen.once(event, self.work)
        return 204

    def server(self, host: str, port: int) -> ThreadingHTTPServer:
        """A server for ``take``, not started yet. Put TLS in front of it."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not length.isdigit() or int(length) > LARGEST_BODY:
                    self._answer(413)
                    return
                body = self.rfile.read(int(length))
                try:
                    status = receiver.take(
                        path=self.path,
                        body=body,
                        signatures=self.headers.get_all(SIGNATURE_HEADER, []),
                        event_id=self.headers.get("Idempotency-Key", ""),
                        now=clock.time(),
                    )
                except Exception as problem:  # whatever failed, the house keeps the event and sends it again
                    self.log_error("the work failed: %r", problem)
                    status = 500
                self._answer(status)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                if status == 413:
                    self.send_header("Connection", "close")
                    self.close_connection = True
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                """Say nothing of what went well."""

        return ThreadingHTTPServer((host, port), Handler)

    def serve(self, host: str, port: int) -> None:
        """Answer until interrupted."""
        with self.server(host, port) as server:
            server.serve_forever()


def poll(
    read: Callable[[str], Mapping[str, Any]], seen: Seen, work: Callable[[Event], None], *, stop: Callable[[], bool]
) -> Iterator[int]:
    """Read the stream on from where ``seen`` stands; yields after each page how many events were new.

    ``read(after)`` is ``GET /api/v1/events?after=<after>&wait=5`` as JSON, for example by ``oms_client``. The position is
    kept after the page was worked: killed in between, the page comes again and its ids are known.
    """
    while not stop():
        page = read(seen.position())
        new = sum(seen.once(event, work) for event in page["events"])
        seen.reached(page["next"])
        yield new
